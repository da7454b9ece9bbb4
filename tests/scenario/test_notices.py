#!/usr/bin/python3
"""What the broker tells by messages of its own: traces, events and log lines."""
import os
import subprocess
import time

import broker
import pika
from harness import WAIT_SECONDS, eventually, main, name, test
from http_api import Api


def connect(node, user="guest", password="guest", vhost="/"):
    return pika.BlockingConnection(pika.ConnectionParameters(
        node.host, node.port, vhost, pika.PlainCredentials(user, password)))


def listen(link, exchange, *keys):
    channel = link.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    for key in keys:
        channel.queue_bind(queue, exchange, key)
    return channel, queue


def take(channel, queue, enough=None):
    """The messages that come until there are enough of them and none comes for a while, as (routing key, headers, body,
    properties). enough: a number, or a function of the messages."""
    messages, quiet, end = [], time.monotonic(), time.monotonic() + WAIT_SECONDS

    def complete():
        return enough(messages) if callable(enough) else len(messages) >= (enough or 0)

    while time.monotonic() - quiet < 0.3 or not complete() and time.monotonic() < end:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            time.sleep(0.02)
            continue
        quiet = time.monotonic()
        messages.append((method.routing_key, properties.headers, body, properties))
    return messages


def ctl(node, *arguments):
    command = [str(broker.build_folder() / "leveretctl"), "--port", str(node.management_port), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LEVERETCTL_CONFIG": "/dev/null"})


@test(own=True, leveret_only="tracing is switched by its API", management=True)
def traces(node):
    link = connect(node)
    channel, traces = listen(link, "amq.rabbitmq.trace", "#")
    client = connect(node).channel()
    client.queue_declare("work")
    client.queue_bind("work", "amq.direct", "key")
    client.basic_publish("amq.direct", "key", b"unseen")
    client.basic_get("work", auto_ack=True)
    assert take(channel, traces) == [], "traced though it was not switched on"
    assert ctl(node, "trace_on").returncode == 0
    assert Api(node).get("vhosts/%2F").json["tracing"] is True
    properties = pika.BasicProperties(content_type="text/plain", delivery_mode=2, priority=3, headers={"a": 1}, timestamp=7)
    client.basic_publish("amq.direct", "key", b"seen", properties)
    client.basic_publish("", "nowhere", b"lost")
    method, _, _ = client.basic_get("work")
    client.basic_nack(method.delivery_tag)
    client.basic_consume("work", lambda *unused: None, auto_ack=True)
    client.connection.process_data_events(0.2)
    got = take(channel, traces, 4)
    assert [m[0] for m in got] == ["publish.amq.direct", "publish.", "deliver.work", "deliver.work"], got
    published, lost, first, again = [m[1] for m in got]
    assert got[0][2] == b"seen" and got[1][2] == b"lost" and got[2][2] == b"seen"
    assert published["exchange_name"] == "amq.direct" and published["routing_keys"] == ["key"]
    assert published["routed_queues"] == ["work"] and lost["routed_queues"] == []
    assert published["user"] == "guest" and published["vhost"] == "/" and published["channel"] == 1
    assert "->" in published["connection"] and "@" in published["node"]
    inner = published["properties"]
    assert inner["content_type"] == "text/plain" and inner["delivery_mode"] == 2 and inner["priority"] == 3, inner
    assert inner["headers"] == {"a": 1} and inner["timestamp"].timestamp() == 7, inner
    assert first["redelivered"] == 0 and again["redelivered"] == 1
    assert got[0][3].delivery_mode is None
    assert ctl(node, "trace_off").returncode == 0
    client.basic_publish("amq.direct", "key", b"unseen")
    assert take(channel, traces) == []
    try:
        client.basic_publish("amq.rabbitmq.trace", "x", b"")
        client.queue_declare("work", passive=True)
    except pika.exceptions.ChannelClosedByBroker as error:
        assert error.reply_code == 403, error
    else:
        raise AssertionError("published to an internal exchange")


@test(own=True, leveret_only="RabbitMQ needs a plugin for it", management=True)
def events(node):
    api = Api(node)
    link = connect(node)
    channel, events = listen(link, "amq.rabbitmq.event", "#")
    take(channel, events)
    assert api.put("vhosts/other").code == 201  # events of all vhosts come to one
    assert api.put("users/eve", {"password": "p", "tags": "monitoring"}).code == 201
    assert api.put("permissions/other/eve", {"configure": ".*", "write": ".*", "read": ".*"}).code == 201
    try:
        connect(node, "eve", "wrong")
        raise AssertionError("logged in")
    except pika.exceptions.AMQPError:
        pass
    client = connect(node, "eve", "p", "other")
    work = client.channel()
    work.exchange_declare("ex", "topic", durable=True)
    work.queue_declare("q", durable=True, arguments={"x-max-length": 5})
    work.queue_bind("q", "ex", "k.*")
    tag = work.basic_consume("q", lambda *unused: None, consumer_tag="tag-1")
    work.basic_cancel(tag)
    work.queue_unbind("q", "ex", "k.*")
    work.queue_delete("q")
    work.exchange_delete("ex")
    work.close()
    client.close()
    assert api.delete("permissions/other/eve").code == 204
    assert api.delete("users/eve").code == 204
    assert api.delete("vhosts/other").code == 204
    wanted = {"vhost.created", "user.created", "permission.created", "user.authentication.failure",
              "user.authentication.success", "connection.created", "channel.created", "exchange.created", "queue.created",
              "binding.created", "consumer.created", "consumer.deleted", "binding.deleted", "queue.deleted",
              "exchange.deleted", "channel.closed", "connection.closed", "permission.deleted", "user.deleted", "vhost.deleted"}
    got = take(channel, events, lambda messages: wanted <= {m[0] for m in messages})
    keys = [m[0] for m in got]
    assert wanted <= set(keys), f"no {wanted - set(keys)} in {keys}"
    first = {}
    for key, headers, body, properties in got:
        assert body == b"" and properties.delivery_mode == 2 and properties.timestamp, (key, body, properties)
        if headers.get("vhost", "other") == "other":
            first.setdefault(key, headers)
    assert first["queue.created"]["name"] == "q" and first["queue.created"]["durable"] is True
    assert first["queue.created"]["arguments"] == {"x-max-length": 5, "x-queue-type": "classic"}
    assert first["binding.created"]["source_name"] == "ex" and first["binding.created"]["routing_key"] == "k.*"
    assert first["binding.created"]["destination_name"] == "q" and first["binding.created"]["destination_kind"] == "queue"
    assert first["consumer.created"]["consumer_tag"] == "tag-1" and first["consumer.created"]["queue"] == "q"
    assert first["connection.created"]["user"] == "eve" and first["connection.created"]["name"] == first["connection.closed"]["name"]
    assert first["permission.created"]["configure"] == ".*"
    order = [k for k in keys if k.startswith(("queue.", "exchange.", "binding.", "consumer."))]
    assert order.index("queue.created") < order.index("binding.created") < order.index("consumer.created") < \
        order.index("binding.deleted") < order.index("queue.deleted"), order


@test(own=True, leveret_only="RabbitMQ needs a plugin for it", management=True)
def events_by_a_durable_queue(node):
    link = connect(node)
    channel = link.channel()
    channel.queue_declare("audit", durable=True)
    channel.queue_bind("audit", "amq.rabbitmq.event", "queue.*")
    channel.queue_declare("a")
    link.close()
    node.restart()
    channel = connect(node).channel()
    channel.queue_declare("b")
    got = take(channel, "audit", 2)
    assert [(key, headers["name"]) for key, headers, _, _ in got] == [("queue.created", "a"), ("queue.created", "b")], got
    channel.queue_unbind("audit", "amq.rabbitmq.event", "queue.*")
    channel.queue_declare("c")
    assert take(channel, "audit") == []


@test(own=True, leveret_only="RabbitMQ needs it switched on", management=True)
def alarms_and_log_lines(node):
    link = connect(node)
    channel, lines = listen(link, "amq.rabbitmq.log", "info", "warning")
    connect(node).close()
    eventually(lambda: channel.queue_declare(lines, passive=True).method.message_count >= 2, what="log lines")
    got = take(channel, lines, 2)
    assert any(key == "info" and b"open" in body for key, _, body, _ in got), got
    assert all(key in ("info", "warning") for key, _, _, _ in got)


@test(own=True, leveret_only="events by its settings", management=True,
      settings={"disk_free_limit.absolute": "900TB"})
def an_alarm_is_an_event(node):
    assert Api(node).get("nodes").json[0]["disk_free_alarm"] is True
    link = connect(node)
    closed = []
    link.add_on_connection_blocked_callback(lambda *frame: closed.append(frame))
    channel = link.channel()
    channel.basic_publish("", "x", b"")
    link.process_data_events(0.5)
    assert closed, "connection.blocked did not come"
    assert Api(node).get("health/checks/alarms").code == 503


if __name__ == "__main__":
    main(shared=False)
