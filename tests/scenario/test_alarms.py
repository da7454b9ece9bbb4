#!/usr/bin/python3
"""Memory that is counted, alarms, and what goes on while publishers are held."""
import os

import pika
from client import Closed, Raw, connect
from pika import spec
from harness import main, name, test, eventually
from http_api import Api, q

KINDS = ("connection_readers", "connection_contents", "connection_writers", "connection_other", "http_requests",
         "http_answers", "messages", "transactions", "consumers", "bindings", "hash_rings", "definitions", "deduplication")


def node_name(node):
    return Api(node).get("overview").json["node"]


def memory(node):
    return Api(node).get(f"nodes/{q(node_name(node))}/memory").json["memory"]


# ---- What is counted.

@test(leveret_only="kinds of memory by its API")
def memory_by_kind(node):
    shown = memory(node)
    assert set(KINDS) <= shown.keys() and shown["strategy"] == "rss", shown
    total = shown["total"]
    assert total["rss"] > 0 and 0 < total["allocated"] == total["erlang"], shown
    shares = Api(node).get(f"nodes/{q(node_name(node))}/memory/relative").json["memory"]
    assert set(KINDS) <= shares.keys() and shares["total"] == 100, shares
    assert Api(node).get("nodes/nobody/memory").code == 404
    text = Api(node).call("GET", "/metrics").text
    for kind in KINDS:
        assert f'leveret_memory_bytes{{kind="{kind}"}} ' in text, kind


@test(leveret_only="kinds of memory by its API")
def messages_are_counted(node):
    queue, before = name("q"), memory(node)["messages"]
    with pika.BlockingConnection(pika.ConnectionParameters(node.host, node.port)) as link:
        channel = link.channel()
        channel.queue_declare(queue)
        channel.confirm_delivery()
        for _ in range(20):
            channel.basic_publish("", queue, os.urandom(50_000))
        eventually(lambda: memory(node)["messages"] >= before + 1_000_000)
        channel.queue_delete(queue)
        eventually(lambda: memory(node)["messages"] < before + 1_000_000)


# ---- Publishers are held, and all else goes on.

ABLE = {"capabilities": {"connection.blocked": True}}
NO_DISK = {"disk_free_limit.absolute": "100TB"}


def blocked(node, queue):
    """A connection that has tried to publish during the alarm and was told that it is blocked."""
    raw = Raw(node, properties=ABLE)
    raw.channel()
    raw.call(1, spec.Queue.Declare(queue=queue), spec.Queue.DeclareOk)
    raw.publish(1, "", queue, b"held")
    raw.expect(spec.Connection.Blocked)
    return raw


def ready(raw, queue, channel=1):
    return raw.call(channel, spec.Queue.Declare(queue=queue, passive=True), spec.Queue.DeclareOk).message_count


def connections(node):
    return Api(node).get("overview").json["object_totals"]["connections"]


@test(own=True, management=True, leveret_only="RabbitMQ does not read blocked connections", settings=NO_DISK)
def nothing_is_stored_during_an_alarm(node):
    queue = name()
    clients = [blocked(node, queue) for _ in range(30)]
    assert ready(clients[0], queue) == 0
    for raw in clients[1:]:
        raw.call(0, spec.Connection.Close(200, "", 0, 0), spec.Connection.CloseOk)
        raw.close()
    eventually(lambda: connections(node) == 1)
    assert ready(clients[0], queue) == 0
    clients[0].call(1, spec.Channel.Close(200, "", 0, 0), spec.Channel.CloseOk)
    clients[0].channel()
    assert ready(clients[0], queue) == 0


@test(own=True, management=True, leveret_only="RabbitMQ does not read blocked connections", settings=NO_DISK)
def consumers_that_publish_go_on(node):
    queue, api = name(), Api(node)
    raw = blocked(node, queue)
    for body in ("one", "two"):
        assert api.publish("amq.default", queue, body).code == 200
    raw.call(1, spec.Basic.Consume(queue=queue, consumer_tag="t"), spec.Basic.ConsumeOk)
    tags = [raw.expect(spec.Basic.Deliver).delivery_tag for _ in range(2)]
    raw.publish(1, "", queue, b"held too")
    raw.method(1, spec.Basic.Ack(tags[0]))
    raw.method(1, spec.Basic.Reject(tags[1], requeue=False))
    raw.call(1, spec.Basic.Cancel("t"), spec.Basic.CancelOk)
    raw.call(1, spec.Basic.Get(queue=queue), spec.Basic.GetEmpty)
    raw.channel(2)
    raw.call(2, spec.Basic.Get(queue=queue), spec.Basic.GetEmpty)
    eventually(lambda: api.get(f"queues/%2F/{q(queue)}").json["messages"] == 0)


@test(own=True, management=True, leveret_only="RabbitMQ does not read blocked connections", settings=NO_DISK, seconds=60)
def vanished_publishers_are_found(node):
    queue = name()
    little = [blocked(node, queue) for _ in range(5)]
    full = [blocked(node, queue) for _ in range(5)]
    for raw in full:
        # More than is kept for a connection, so that it is not read: the rest stays in the sockets.
        raw.socket.settimeout(1)
        try:
            for _ in range(400):
                raw.publish(1, "", queue, bytes(60_000))
        except TimeoutError:
            pass
    assert connections(node) == 10
    for raw in little + full:
        raw.close()
    eventually(lambda: connections(node) == 0, 25)


@test(own=True, management=True, leveret_only="its own settings", seconds=60,
      settings={"vm_memory_high_watermark.absolute": "1MiB"})
def bodies_under_way_are_not_read_on(node):
    """The watermark is below what the process needs: an alarm from the start, and nothing more is taken in."""
    queue, before = name(), node.rss_bytes()
    clients = [blocked(node, queue) for _ in range(10)]
    for raw in clients:
        raw.socket.settimeout(1)
        try:
            raw.publish(1, "", queue, bytes(50_000_000))
        except TimeoutError:
            pass
    grown = node.rss_bytes() - before
    if "LEVERET_TEST_SLOWER" not in os.environ:         # a sanitizer's memory is another matter
        assert grown < 30 << 20, f"{grown >> 20} MiB more for ten bodies of 50 MB that nobody should read"
    for raw in clients:
        raw.close()
    eventually(lambda: connections(node) == 0, 25)


if __name__ == "__main__":
    main(management=True)
