#!/usr/bin/python3
"""Rates and history: they come from samples that the broker takes, and do not depend on who looks and when. No test compares
with a clock: answers are compared with themselves and with what was sent."""
import threading
import time

import pika

from client import channel_on, connect, publish
from harness import eventually, main, name, test
from http_api import Api, q

RATES = "msg_rates_age=60&msg_rates_incr=5"
LENGTHS = "lengths_age=60&lengths_incr=5"
DATA = "data_rates_age=60&data_rates_incr=5"
NODE = "node_stats_age=60&node_stats_incr=5"
ALL = "&".join((RATES, LENGTHS, DATA, NODE))
SECONDS = 120                    # for what the next samples are sure to bring


def queue_of(api, queue, query=""):
    return api.get(f"queues/%2F/{q(queue)}?{query}").json


def send(channel, queue, *bodies, **options):
    """Publishes, and waits until the broker has taken it."""
    publish(channel, queue, *bodies, **options)
    channel.queue_declare(queue, passive=True)


def samples_of(details):
    return [s["sample"] for s in details["samples"]]


def check_details(details, age=60, incr=5):
    """That samples, avg and avg_rate fit each other and the query."""
    samples = details["samples"]
    assert len(samples) == age // incr + 1, details
    for newer, older in zip(samples, samples[1:]):
        assert newer["timestamp"] - older["timestamp"] == incr * 1000, details
    for sample in samples:
        assert sample["timestamp"] % (incr * 1000) == 0, details
    values = samples_of(details)
    assert abs(details["avg"] - sum(values) / len(values)) <= 1e-6 * max(1, details["avg"]), details
    assert abs(details["avg_rate"] - (values[0] - values[-1]) / age) <= 1e-6 * max(1, abs(details["avg_rate"])), details


@test
def history_of_a_queue(node):
    api, queue = Api(node), name()
    with channel_on(node) as channel:
        channel.queue_declare(queue, durable=True)
        made = time.time()
        publish(channel, queue, *[b"m"] * 30)
        eventually(lambda: samples_of(queue_of(api, queue, LENGTHS)["messages_details"])[0] == 30, SECONDS, "a sample of 30")
        row = queue_of(api, queue, ALL)
        for details in (row["messages_details"], row["messages_ready_details"], row["message_stats"]["publish_details"]):
            check_details(details)
            values = samples_of(details)
            assert values == sorted(values, reverse=True), values          # it only grew
            for sample in details["samples"]:
                assert sample["sample"] == 0 or sample["timestamp"] >= (made - 1) * 1000, (made, details)
        assert samples_of(row["messages_unacknowledged_details"]) == [0] * 13, row
        finer = queue_of(api, queue, "lengths_age=10&lengths_incr=1")["messages_details"]
        check_details(finer, 10, 1)
        assert queue_of(api, queue, "lengths_age=7&lengths_incr=60")["messages_details"]["samples"][0]["timestamp"] % 60000 == 0
        channel.queue_purge(queue)
        eventually(lambda: samples_of(queue_of(api, queue, LENGTHS)["messages_details"])[0] == 0, SECONDS, "a sample of 0")
        # It was 30 before: a rate of lengths falls as well, and history does not forget.
        assert 30 in samples_of(queue_of(api, queue, LENGTHS)["messages_details"])
        channel.queue_delete(queue)


@test
def rates_do_not_depend_on_who_looks(node):
    """Of one interval everybody is told the same rate, however often they look."""
    api, queue, stop, told = Api(node), name(), threading.Event(), []

    def look(pause):
        while not stop.is_set():
            row = queue_of(api, queue, RATES)
            details = row.get("message_stats", {}).get("publish_details")
            if details:
                told.append((details["samples"][0]["timestamp"], details["rate"], samples_of(details)[:2]))
            stop.wait(pause)

    with channel_on(node) as channel:
        channel.queue_declare(queue)
        send(channel, queue, b"m")
        eventually(lambda: samples_of(queue_of(api, queue, RATES)["message_stats"]["publish_details"]).count(0) < 10, SECONDS,
                   "a few intervals of life")
        lookers = [threading.Thread(target=look, args=(pause,)) for pause in (0.05, 0.4, 1.7)]
        for looker in lookers:
            looker.start()
        try:
            while len({at for at, _, _ in told}) < 4:
                publish(channel, queue, b"m")
                channel.connection.sleep(0.01)
        finally:
            stop.set()
            for looker in lookers:
                looker.join()
        for at in sorted({at for at, _, _ in told}):
            rates = {(rate, tuple(values)) for when, rate, values in told if when == at}
            assert len(rates) == 1, (at, rates)
            rate, (newer, older) = rates.pop()
            assert (rate > 0) == (newer > older), (rate, newer, older)
        channel.queue_delete(queue)


@test
def a_sum_over_intervals_is_what_was_sent(node):
    api, queue = Api(node), name()
    with channel_on(node) as channel:
        channel.queue_declare(queue)
        for i in range(300):
            publish(channel, queue, b"m")
            channel.connection.sleep(0.02)
        channel.queue_declare(queue, passive=True)
        eventually(lambda: samples_of(queue_of(api, queue, RATES)["message_stats"]["publish_details"])[0] == 300, SECONDS,
                   "all in a sample")
        # Nothing happens any more: the rate of the last whole interval becomes 0, and stays so.
        eventually(lambda: queue_of(api, queue)["message_stats"]["publish_details"]["rate"] == 0, SECONDS, "a rate of 0")
        channel.queue_delete(queue)


@test
def a_young_object_has_a_rate_at_once(node):
    api, queue = Api(node), name()
    with channel_on(node) as channel:
        def made_and_asked():
            channel.queue_delete(queue)
            channel.queue_declare(queue)
            made = time.monotonic()
            send(channel, queue, *[b"m"] * 50)
            rate = queue_of(api, queue)["message_stats"]["publish_details"]["rate"]
            took = time.monotonic() - made
            assert took > 4.9 or rate * took >= 49, (rate, took)
            return took < 4.9                           # once it was asked in time
        eventually(made_and_asked)
        channel.queue_delete(queue)


def details_in(value, path=""):
    if isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("_details") and isinstance(item, dict) and "rate" in item:
                yield f"{path}.{key}", item
            else:
                yield from details_in(item, f"{path}.{key}")


@test
def samples_everywhere(node):
    api, queue, exchange = Api(node), name(), name("x")
    with channel_on(node) as channel:
        channel.queue_declare(queue)
        channel.exchange_declare(exchange, "fanout")
        channel.queue_bind(queue, exchange)
        send(channel, queue, b"m", exchange=exchange)
        here = q(api.get("overview").json["node"])
        eventually(lambda: len(api.get("connections").json) == 1 and api.get("connections").json[0]["channels"] == 1)
        connection = q(api.get("connections").json[0]["name"])
        paths = ["overview", "nodes", f"nodes/{here}", "vhosts", "vhosts/%2F", "queues", f"queues/%2F/{queue}", "exchanges",
                 f"exchanges/%2F/{exchange}", "connections", f"connections/{connection}", "channels",
                 f"connections/{connection}/channels", f"channels/{connection}%20(1)"]
        for path in paths:
            rows = api.get(f"{path}?{ALL}").json
            found = 0
            for row in rows if isinstance(rows, list) else [rows]:
                for where, details in details_in(row):
                    assert "samples" in details, (path, where)
                    if "avg_time" not in where:
                        check_details(details)
                    found += 1
            assert found, path
            rows = api.get(path).json
            for row in rows if isinstance(rows, list) else [rows]:
                for where, details in details_in(row):
                    assert list(details) == ["rate"], (path, where, details)
        row = api.get("queues?sort=message_stats.publish_details.rate&sort_reverse=true&columns=name").json[0]
        assert row == {"name": queue}, row
        channel.queue_delete(queue)
        channel.exchange_delete(exchange)


@test
def ranges_that_cannot_be(node):
    api = Api(node)
    for path in ("overview", "nodes", "vhosts", "vhosts/%2F", "queues", "exchanges", "exchanges/%2F/amq.topic", "connections",
                 "channels"):
        for bad in ("lengths_age=60", "msg_rates_incr=5", "data_rates_age=x&data_rates_incr=5", "node_stats_age=60&node_stats_incr=0",
                    "lengths_age=-5&lengths_incr=5", "lengths_age=50000&lengths_incr=5"):
            answer = api.get(f"{path}?{bad}")
            assert answer.code == 400 and answer.json["error"] == "bad_request", (path, bad, answer)
            assert answer.json["reason"].startswith("Invalid range parameters: age "), answer
        assert api.get(f"{path}?lengths_age=49995&lengths_incr=5").code == 200


@test
def history_begins_anew(node):
    api, queue = Api(node), name()
    with channel_on(node) as channel:
        channel.queue_declare(queue)
        publish(channel, queue, *[b"m"] * 20)
        details = lambda: queue_of(api, queue, LENGTHS)["messages_details"]
        eventually(lambda: samples_of(details())[0] == 20, SECONDS, "a sample of 20")
        before = time.time() * 1000
        assert api.delete("reset").code == 204
        publish(channel, queue, b"m")
        eventually(lambda: samples_of(details())[0] == 21, SECONDS, "a sample of 21")
        for sample in details()["samples"]:
            assert sample["sample"] == 0 or sample["timestamp"] >= before - 1000, (before, details())
        here = q(api.get("overview").json["node"])
        assert api.delete(f"reset/{here}").code == 204 and api.delete("reset/nowhere").code == 404
        channel.queue_delete(queue)


@test
def what_no_queue_takes(node):
    api, exchange = Api(node), name("x")
    with channel_on(node) as channel:
        channel.exchange_declare(exchange, "direct")
        before = api.get("overview").json["message_stats"]["drop_unroutable"]
        for i in range(7):
            channel.basic_publish(exchange, "nowhere", b"m")
        channel.queue_declare("", exclusive=True)              # all before it has been taken in
        assert api.get("overview").json["message_stats"]["drop_unroutable"] == before + 7
        for path in (f"exchanges/%2F/{exchange}", "vhosts/%2F"):
            assert api.get(path).json["message_stats"]["drop_unroutable"] >= 7, path
        assert api.get("channels").json[0]["message_stats"]["drop_unroutable"] == 7
        channel.exchange_delete(exchange)


@test
def bytes_and_disk(node):
    api, queue = Api(node), name()
    with channel_on(node) as channel:
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        publish(channel, queue, *[b"p" * 10] * 5, delivery_mode=2)
        publish(channel, queue, *[b"t" * 100] * 3, delivery_mode=1)
        row = queue_of(api, queue)
        expected = {"messages_persistent": 5, "message_bytes_persistent": 50, "message_bytes": 350, "message_bytes_ram": 350,
                    "message_bytes_paged_out": 0, "messages_ram": 8, "messages_ready_ram": 8, "messages_unacknowledged_ram": 0,
                    "messages_paged_out": 0}
        assert {key: row[key] for key in expected} == expected, row
        assert row["message_stats"]["disk_writes"] == 5 and row["message_stats"]["disk_reads"] == 0, row
        method = channel.basic_get(queue)[0]
        channel.basic_get(queue)
        channel.basic_ack(method.delivery_tag)
        eventually(lambda: queue_of(api, queue)["messages_unacknowledged_ram"] == 1, what="one unacknowledged in memory")
        assert queue_of(api, queue)["message_bytes_persistent"] == 40
        for path in ("overview", "vhosts/%2F"):
            assert api.get(path).json["message_stats"]["disk_writes"] >= 5, path
        io = api.get("nodes").json[0]
        assert io["io_write_count"] > 0 and io["io_sync_count"] > 0 and io["io_write_bytes"] >= 50, io
        assert io["io_write_avg_time"] >= 0 and io["io_read_count"] >= 0, io
        metrics = {line.split()[0]: line.split()[1] for line in Api(node, port=node.metrics_port).call("GET", "/metrics").text.splitlines()
                   if line and not line.startswith("#") and "{" not in line}
        assert float(metrics["rabbitmq_io_sync_ops_total"]) > 0 and float(metrics["rabbitmq_queue_disk_writes_total"]) >= 5
        assert float(metrics["leveret_history_bytes"]) > 0
        channel.queue_delete(queue)


@test
def what_consumers_could_take(node):
    """consumer_capacity: 0 without consumers; 1 with one that waits for messages; 0 while its prefetch is used up."""
    api, queue = Api(node), name()
    capacity = lambda: queue_of(api, queue)["consumer_capacity"]
    with channel_on(node) as channel:
        channel.queue_declare(queue)
        assert capacity() == 0
        channel.basic_qos(prefetch_count=1)
        channel.basic_consume(queue, lambda *_: None)
        eventually(lambda: capacity() == 1, SECONDS, "all of the time")
        publish(channel, queue, b"1", b"2")
        eventually(lambda: capacity() == 0, SECONDS, "none of the time")
        row = queue_of(api, queue)
        assert row["consumer_utilisation"] == row["consumer_capacity"], row
        channel.queue_delete(queue)


@test
def connections_and_channels(node):
    api = Api(node)
    with connect(node, client_properties={"connection_name": "my app"}) as connection:
        channel = connection.channel()
        queue = channel.queue_declare("", exclusive=True).method.queue
        publish(channel, queue, b"m")
        eventually(lambda: len(api.get("connections").json) == 1 and api.get("connections").json[0]["channels"] == 1)
        row = api.get("connections").json[0]
        assert row["user_provided_name"] == "my app" and row["recv_cnt"] > 0 and row["send_cnt"] > 0, row
        eventually(lambda: "idle_since" in api.get("channels").json[0], SECONDS, "an idle channel")
        vhost = lambda: api.get("vhosts/%2F").json
        eventually(lambda: vhost()["recv_oct"] >= row["recv_oct"] and vhost()["send_oct"] >= row["send_oct"], SECONDS,
                   "the connection's bytes")
        before = vhost()["recv_oct"]
    eventually(lambda: not api.get("connections").json)
    assert vhost()["recv_oct"] > before                        # what it sent last counts, too
    churn = api.get("overview").json["churn_rates"]
    for key in ("queue_declared", "queue_created", "queue_deleted"):
        assert churn[key] >= 1 and "rate" in churn[f"{key}_details"], churn


@test
def what_may_be_asked(node):
    policies = Api(node).get("overview").json["sample_retention_policies"]
    assert policies == {"global": [600, 3600, 28800, 86400], "basic": [600, 3600], "detailed": [600]}, policies


@test(own=True, management=True, settings={"management.sample_retention_policies.global.minute": "5",
                          "management.sample_retention_policies.global.day": "1200",
                          "management.sample_retention_policies.basic.hour": "61", "management.history_max": "2MiB"})
def what_is_kept_is_configured(node):
    policies = Api(node).get("overview").json["sample_retention_policies"]
    assert policies == {"global": [60, 86400], "basic": [3600], "detailed": [600]}, policies


if __name__ == "__main__":
    main(management=True)
