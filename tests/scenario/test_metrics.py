#!/usr/bin/python3
"""Counters in the metrics: by type of queue, by what became of dead letters, by size, of exchanges; under RabbitMQ's names."""
import contextlib
import shutil
import subprocess

from client import channel_on, publish
from harness import Skip, eventually, main, test
from http_api import Api, parse_metrics

GLOBAL = "rabbitmq_global_messages_"
CLASSIC, QUORUM = "rabbit_classic_queue", "rabbit_quorum_queue"


def metrics(node, path=""):
    return parse_metrics(Api(node, user=None, port=node.metrics_port).call("GET", "/metrics" + path).text)


def of_type(values, family, kind):
    return values[f'{GLOBAL}{family}_total{{protocol="amqp091",queue_type="{kind}"}}']


def died(values, reason, kind, strategy):
    return values[f'{GLOBAL}dead_lettered_{reason}_total{{queue_type="{kind}",dead_letter_strategy="{strategy}"}}']


@test(own=True, management=True, leveret_only="counts nothing else")
def dead_letters(node):
    with channel_on(node) as channel:
        dlx = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
        for queue, arguments in (("dead", {}), ("ttl", {**dlx, "x-message-ttl": 1}), ("short", {**dlx, "x-max-length": 1}),
                                 ("dropped", {"x-max-length": 1}),
                                 ("poison", {**dlx, "x-queue-type": "quorum", "x-delivery-limit": 1}),
                                 ("sure", {**dlx, "x-queue-type": "quorum", "x-dead-letter-strategy": "at-least-once",
                                           "x-overflow": "reject-publish"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
            publish(channel, queue, b"m", b"m")
        for queue in ("sure", "poison", "poison"):
            channel.basic_reject(channel.basic_get(queue)[0].delivery_tag, requeue=queue == "poison")
        channel.basic_reject(channel.basic_get("poison")[0].delivery_tag, requeue=True)
        channel.basic_reject(channel.basic_get("poison")[0].delivery_tag, requeue=False)
        wanted = {("expired", CLASSIC, "at_most_once"): 2, ("maxlen", CLASSIC, "at_most_once"): 1,
                  ("maxlen", CLASSIC, "disabled"): 1, ("rejected", QUORUM, "at_least_once"): 1,
                  ("confirmed", QUORUM, "at_least_once"): 1}

        def counted():
            values = metrics(node)
            delivery_limit = died(values, "delivery_limit", QUORUM, "at_most_once")
            return delivery_limit >= 1 and all(died(values, *key) == value for key, value in wanted.items())
        eventually(counted, what="all deaths")
        values = metrics(node)
        others = {key: value for key, value in values.items() if "_dead_lettered_" in key and value}
        assert len(others) <= len(wanted) + 2, others


@test(own=True, management=True, leveret_only="counts nothing else")
def publishing(node):
    with channel_on(node) as quiet, channel_on(node) as channel:
        quiet.queue_declare("a", durable=True)
        for queue, arguments in (("b", {}), ("c", {"x-queue-type": "quorum"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
        channel.exchange_declare("x", "fanout")
        publish(channel, "a", b"m", exchange="x")           # nowhere
        for queue in "abc":
            channel.queue_bind(queue, "x")
        publish(channel, "a", b"m" * 100, b"m" * 101, b"m" * 20000, exchange="x")
        channel.confirm_delivery()
        publish(channel, "a", b"")
        values = metrics(node)
        amqp = '{protocol="amqp091"}'
        for family, count in (("messages_received_total", 5), ("messages_received_confirm_total", 1), ("messages_confirmed_total", 1),
                              ("messages_routed_total", 10), ("messages_unroutable_dropped_total", 1),
                              ("messages_unroutable_returned_total", 0), ("publishers", 1)):
            assert values[f"rabbitmq_global_{family}{amqp}"] == count, (family, values[f"rabbitmq_global_{family}{amqp}"])
        sizes = {bound: values[f'rabbitmq_message_size_bytes_bucket{{protocol="amqp091",le="{bound}"}}'] for bound in (
            "100", "1000", "10000", "100000", "1000000", "10000000", "50000000", "100000000", "+Inf")}
        assert list(sizes.values()) == [3, 4, 4, 5, 5, 5, 5, 5, 5], sizes
        assert values[f"rabbitmq_message_size_bytes_count{amqp}"] == 5
        assert values[f"rabbitmq_message_size_bytes_sum{amqp}"] == 1 + 100 + 101 + 20000
        for family, count in (("published", 5), ("confirmed", 1), ("unroutable_returned", 0), ("unroutable_dropped", 1)):
            assert values[f"rabbitmq_exchange_messages_{family}_total"] == count, family
        each = metrics(node, "/per-object")
        for exchange, published, dropped in (("x", 4, 1), ("", 1, 0)):
            labels = f'{{vhost="/",exchange="{exchange}"}}'
            assert each[f"rabbitmq_exchange_messages_published_total{labels}"] == published, exchange
            assert each[f"rabbitmq_exchange_messages_unroutable_dropped_total{labels}"] == dropped, exchange
        assert (values["rabbitmq_queues_declared_total"], values["rabbitmq_queues_created_total"],
                values["rabbitmq_queues_deleted_total"], values["rabbitmq_unreachable_cluster_peers_count"]) == (3, 3, 0, 0)
        stats = Api(node).get("overview").json["message_stats"]
        assert stats["drop_unroutable"] == 1 and "rate" in stats["drop_unroutable_details"], stats


@test(own=True, management=True, leveret_only="counts nothing else")
def deliveries_by_type(node):
    with channel_on(node) as channel:
        for queue, arguments in (("c", {}), ("q", {"x-queue-type": "quorum"})):
            channel.queue_declare(queue, durable=True, arguments=arguments)
            publish(channel, queue, b"m", b"m")
        tag = channel.basic_get("q")[0].delivery_tag
        channel.basic_nack(tag, requeue=True)
        channel.basic_ack(channel.basic_get("q")[0].delivery_tag)
        channel.basic_get("c", auto_ack=True)
        channel.queue_declare("c", passive=True)        # what was acknowledged before has arrived
        values = metrics(node)
        for family, classic, quorum in (("delivered", 1, 2), ("delivered_get_manual_ack", 0, 2), ("delivered_get_auto_ack", 1, 0),
                                        ("redelivered", 0, 1), ("acknowledged", 0, 1), ("get_empty", 0, 0)):
            assert (of_type(values, family, CLASSIC), of_type(values, family, QUORUM)) == (classic, quorum), family
        each = metrics(node, "/per-object")
        for family, count in (("get_ack", 2), ("get", 0), ("messages_redelivered", 1), ("messages_acked", 1)):
            assert each[f'rabbitmq_queue_{family}_total{{vhost="/",queue="q"}}'] == count, family
        detailed = metrics(node, "/detailed?family=exchange_metrics")
        assert any(key.startswith("rabbitmq_detailed_exchange_messages_published_total{") for key in detailed)


GROUPS = ("queue_coarse_metrics", "queue_metrics", "queue_consumer_count", "queue_delivery_metrics", "exchange_metrics",
          "channel_metrics", "channel_exchange_metrics", "channel_queue_metrics", "channel_queue_exchange_metrics",
          "connection_metrics", "connection_coarse_metrics", "connection_churn_metrics", "auth_attempt_metrics",
          "auth_attempt_detailed_metrics", "node_coarse_metrics", "node_metrics", "node_persister_metrics", "vhost_status",
          "exchange_bindings", "exchange_names")
# RabbitMQ's names that promtool would rather have otherwise.
LINTED = "rabbitmq_unreachable_cluster_peers_count non-histogram and non-summary metrics should not have \"_count\" suffix"


def families(text):
    return {line.split(" ")[2] for line in text.splitlines() if line.startswith("# TYPE")}


@contextlib.contextmanager
def busy(node):
    """A connection that publishes and consumes; one queue has an odd name."""
    with channel_on(node) as channel:
        channel.queue_declare('q"\\', durable=True)
        channel.queue_declare("plain", durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_qos(prefetch_count=7)
        channel.basic_consume("plain", lambda *message: None)
        publish(channel, "plain", b"m", b"m")
        yield


@test(own=True, management=True, leveret_only="counts nothing else")
def promtool_is_content(node):
    if not shutil.which("promtool"):
        raise Skip("no promtool")
    api = Api(node, user=None, port=node.metrics_port)
    with busy(node):
        for path in ("", "/per-object", "/memory-breakdown", *("/detailed?family=" + group for group in GROUPS),
                     "/detailed?" + "&".join("family=" + group for group in GROUPS)):
            text = api.call("GET", "/metrics" + path).text
            told = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True, timeout=60)
            said = [line for line in (told.stdout + told.stderr).splitlines() if line and line != LINTED]
            assert not said and told.returncode in (0, 3), (path, said)
            parse_metrics(text)


@test(own=True, management=True, leveret_only="counts nothing else")
def every_group_has_its_families(node):
    with busy(node):
        api = Api(node, user=None, port=node.metrics_port)
        identity = families(api.call("GET", "/metrics/detailed").text)
        assert identity == {"rabbitmq_build_info", "rabbitmq_identity_info"}, identity
        seen = {}
        for group in GROUPS:
            text = api.call("GET", "/metrics/detailed?family=" + group).text
            seen[group] = families(text) - identity
            assert seen[group], group
            lines = [line for line in text.splitlines() if not line.startswith("#")]
            assert all(any(line.startswith(family) for line in lines) for family in seen[group]), group
        # What is there for each object is there as a sum, too.
        sums = families(api.call("GET", "/metrics").text)
        for group, names in seen.items():
            for name in names:
                if name.startswith("rabbitmq_detailed_") and name != "rabbitmq_detailed_queue_info" and "_detailed_" not in name[18:]:
                    assert name.replace("_detailed_", "_") in sums, (group, name)


@test(own=True, management=True, leveret_only="counts nothing else")
def detailed_is_filtered(node):
    api = Api(node)
    api.put("vhosts/other")
    for vhost, queue in (("%2F", "a1"), ("%2F", "a2"), ("other", "a1"), ("other", "b")):
        api.put(f"queues/{vhost}/{queue}", {"durable": True})

    def told(query):
        name = "rabbitmq_detailed_queue_messages{"
        return {key[len(name):-1] for key in metrics(node, "/detailed?family=queue_coarse_metrics&" + query) if key.startswith(name)}
    line = 'vhost="{}",queue="{}"'.format
    every = {line("/", "a1"), line("/", "a2"), line("other", "a1"), line("other", "b")}
    assert told("") == every
    assert told("vhost=other") == {line("other", "a1"), line("other", "b")}
    assert told("vhost=other&vhost=%2F&vhost=other") == every
    assert told("vhost=nosuch") == set()
    assert told("queue_filter=^a") == every - {line("other", "b")}
    assert told("queue=1$&vhost=%2F") == {line("/", "a1")}
    wrong = Api(node, user=None, port=node.metrics_port)
    for pattern, why in (("(", "position 1"), ("a" * 5000, "too long")):
        answer = wrong.call("GET", f"/metrics/detailed?family=queue_metrics&queue_filter={pattern}")
        assert answer.code == 400 and why in answer.json["reason"], answer


@test(own=True, management=True, leveret_only="counts nothing else")
def openmetrics(node):
    api = Api(node, user=None, port=node.metrics_port)
    with busy(node):
        for path in ("", "/per-object", "/detailed?family=queue_metrics", "/memory-breakdown"):
            answer = api.call("GET", "/metrics" + path, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
            assert answer.headers["Content-Type"].startswith("application/openmetrics-text"), answer.headers
            assert answer.text.endswith("# EOF\n")
            assert not any(family.endswith(("_total", "_info")) for family in families(answer.text))
            plain = api.call("GET", "/metrics" + path, headers={"Accept": "text/plain"})
            assert plain.headers["Content-Type"].startswith("text/plain; version=0.0.4") and "# EOF" not in plain.text
        assert 'le="100.0"' in api.call("GET", "/metrics", headers={"Accept": "application/openmetrics-text"}).text


@test(own=True, management=True, leveret_only="counts nothing else")
def sums_and_lines_agree(node):
    with busy(node):
        eventually(lambda: metrics(node)["rabbitmq_queue_messages_unacked"] == 2, what="deliveries")
        sums, lines = metrics(node), metrics(node, "/per-object")
        for name, wanted in (("queue_messages", 2), ("queue_consumers", 1), ("queue_messages_bytes", 2), ("queue_messages_ram", 2),
                             ("queue_messages_unacked_ram", 2), ("queue_messages_persistent", 2), ("channel_consumers", 1),
                             ("channel_messages_unacked", 2), ("consumer_prefetch", 7), ("connection_channels", 1),
                             ("queue_messages_published_total", 2), ("channel_messages_published_total", 2)):
            name = "rabbitmq_" + name
            each = sum(value for key, value in lines.items() if key.startswith(name + "{"))
            assert (sums[name], each) == (wanted, wanted), (name, sums[name], each)
        opened = sums["rabbitmq_connection_incoming_bytes_total"]
        assert opened > 0 and sums["rabbitmq_connection_outgoing_packets_total"] > 0
    # Counts of what is gone stay.
    eventually(lambda: metrics(node)["rabbitmq_connections"] == 0, what="the end of the connection")
    after = metrics(node)
    assert after["rabbitmq_connection_incoming_bytes_total"] >= opened
    assert after["rabbitmq_channel_messages_published_total"] == 2
    identity = next(key for key in after if key.startswith("rabbitmq_identity_info"))
    assert 'rabbitmq_cluster_permanent_id="leveret-cluster-id-' in identity and 'rabbitmq_endpoint="aggregated"' in identity
    assert after["rabbitmq_erlang_uptime_seconds"] >= 0 and after["rabbitmq_alarms_file_descriptor_limit"] == 0


@test(own=True, management=True, leveret_only="counts nothing else")
def memory_adds_up(node):
    api = Api(node)
    name = api.get("overview").json["node"]
    memory = api.get(f"nodes/{name}/memory").json["memory"]
    parts = {key: value for key, value in memory.items() if key not in ("total", "strategy")}
    assert memory["strategy"] == "rss" and sum(parts.values()) == memory["total"]["rss"], memory
    assert parts["code"] > 0 and parts["other_system"] > 0
    shares = api.get(f"nodes/{name}/memory/relative").json["memory"]
    assert shares["total"] == 100 and shares.keys() - {"total"} == parts.keys()
    told = metrics(node, "/memory-breakdown")
    assert told["rabbitmq_memory_binary_heap_bytes"] >= 0 and told["rabbitmq_memory_code_module_bytes"] > 0


if __name__ == "__main__":
    main(management=True)
