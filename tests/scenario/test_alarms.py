#!/usr/bin/python3
"""Memory that is counted, alarms, and what goes on while publishers are held."""
import os
import socket
import struct

import pika
from client import Raw, connect
from harness import eventually, limit_files, main, name, test
from http_api import Api, q
from pika import frame as frames
from pika import spec

KINDS = ("connection_readers", "connection_contents", "connection_writers", "connection_other", "http_requests",
         "http_answers", "messages", "transactions", "consumers", "bindings", "hash_rings", "definitions", "deduplication",
         "recent_history")


def node_name(node):
    return Api(node).get("overview").json["node"]


def memory(node):
    """What is counted, by kind."""
    return Api(node).get(f"nodes/{q(node_name(node))}/memory").json["counted"]


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


# ---- What is counted.

@test(leveret_only="kinds of memory by its API")
def memory_by_kind(node):
    assert set(KINDS) <= memory(node).keys(), memory(node)
    shown = Api(node).get(f"nodes/{q(node_name(node))}/memory").json["memory"]
    total = shown["total"]
    assert total["rss"] > total["allocated"] > 0 and total["erlang"] > 0 and shown["strategy"] == "rss", shown
    shares = Api(node).get(f"nodes/{q(node_name(node))}/memory/relative").json["memory"]
    assert shares["total"] == 100 and shares.keys() - {"total"} == shown.keys() - {"total", "strategy"}, shares
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


@test(own=True, management=True, leveret_only="its own limits", seconds=120, settings={"vm_memory_high_watermark.absolute": "200MB"})
def one_message_in_many_queues_is_no_alarm(node):
    """Each queue counts what it shares with others: the sum is above the watermark, the memory far below it."""
    exchange, api = name("x"), Api(node)
    with connect(node) as link:
        channel = link.channel()
        channel.exchange_declare(exchange, "fanout")
        for _ in range(200):
            channel.queue_bind(channel.queue_declare("", exclusive=True).method.queue, exchange)
        channel.confirm_delivery()
        for _ in range(10):
            channel.basic_publish(exchange, "", bytes(200_000))
        assert memory(node)["messages"] > 50_000_000, memory(node)
        assert api.get("health/checks/alarms").code == 200
    assert "low on memory" not in node.log()


@test(own=True, management=True, leveret_only="its own memory", seconds=180)
def memory_goes_back(node):
    """What a burst took is given back to the system when its queue is gone."""
    body, queue = os.urandom(1500), name()
    with connect(node) as link:
        channel = link.channel()
        channel.queue_declare(queue)
        before = node.rss_bytes()
        for _ in range(100_000):
            channel.basic_publish("", queue, body)
        eventually(lambda: channel.queue_declare(queue, passive=True).method.message_count == 100_000, 60)
        most = node.rss_bytes()
        assert most > before + (100 << 20), f"{most - before >> 20} MiB for 150 MB of messages: the test measures nothing"
        channel.queue_delete(queue)
    print(f"{before >> 20} MiB before, {most >> 20} MiB with the messages")
    if "LEVERET_TEST_SLOWER" not in os.environ:         # a sanitizer keeps what is freed
        eventually(lambda: node.rss_bytes() < before + (64 << 20), 60, "memory's return")


@test(leveret_only="kinds of memory by its API", management=True)
def contents_and_connections_are_counted(node):
    queue, before = name(), memory(node)
    with Raw(node) as raw:
        for number in range(1, 101):
            raw.channel(number)
        raw.call(1, spec.Queue.Declare(queue=queue, exclusive=True), spec.Queue.DeclareOk)
        raw.publish(1, "", queue, bytes(2_000_000))
        raw.method(2, spec.Basic.Publish(exchange="", routing_key=queue))
        raw.send(frames.Header(2, 128 << 20, pika.BasicProperties()).marshal())
        eventually(lambda: memory(node)["connection_other"] >= before["connection_other"] + 100_000)
        # What is announced takes nothing before it comes.
        assert memory(node)["connection_contents"] < 1_000_000
        for _ in range(30):
            raw.send(frames.Body(2, bytes(100_000)).marshal())
        eventually(lambda: memory(node)["connection_contents"] >= 3_000_000)
    eventually(lambda: memory(node)["connection_contents"] < 1_000_000)
    eventually(lambda: memory(node)["connection_other"] < before["connection_other"] + 100_000)


@test(own=True, management=True, leveret_only="its own limits", settings={"vm_memory_high_watermark.absolute": "64MiB"})
def contents_have_a_limit(node):
    """Bodies that have come in part are refused when together they take half of the watermark."""
    with Raw(node) as raw:
        for number in range(1, 6):
            raw.channel(number)
            raw.method(number, spec.Basic.Publish(exchange="", routing_key="nowhere"))
            raw.send(frames.Header(number, 16 << 20, pika.BasicProperties()).marshal())
        refused = None
        for _ in range(100):
            for number in range(1, 6):
                if number != refused:
                    raw.send(frames.Body(number, bytes(130_000)).marshal())
            raw.socket.settimeout(0.01)
            try:
                refused = raw.expect(spec.Channel.Close).channel_number
                break
            except TimeoutError:
                pass
        assert refused, "none of five bodies of 16 MiB was refused with a limit of 32 MiB"
        raw.socket.settimeout(10)
        raw.method(refused, spec.Channel.CloseOk())
        raw.channel(refused)
        raw.call(refused, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk)


@test(own=True, management=True, leveret_only="its own limits", seconds=120)
def who_does_not_log_in_makes_room(node):
    """Many more than there is room for, each with a frame that never ends, and somebody who logs in all the same."""
    limit_files(6000)
    before, idle = node.rss_bytes(), []
    for _ in range(3500):
        one = socket.create_connection((node.host, node.port), 10)
        idle.append(one)
        one.sendall(b"AMQP\x00\x00\x09\x01" + struct.pack(">BHL", 1, 0, 8000) + bytes(7900))
    with connect(node) as link:
        link.channel()
    closed = 0
    eventually(lambda: Api(node).get("overview").json["object_totals"]["connections"] <= 2 * 1024, 20)
    for one in idle:
        one.setblocking(False)
        try:
            while one.recv(4096):
                pass
            closed += 1
        except BlockingIOError:
            pass
        except ConnectionResetError:
            closed += 1
    assert closed >= 3500 - 2 * 1024, closed
    assert "have not logged in" in node.log()
    grown = node.rss_bytes() - before
    if "LEVERET_TEST_SLOWER" not in os.environ:         # a sanitizer's memory is another matter
        assert grown < 64 << 20, f"{grown >> 20} MiB for connections that have not logged in"
    for one in idle:
        one.close()


@test(own=True, settings={"handshake_timeout": "1000"}, leveret_only="its own limits")
def a_dripping_handshake_ends(node):
    """Bytes that come now and then do not put off the end of the time for the handshake."""
    with Raw(node, open=False) as raw:
        raw.send(b"AMQP\x00\x00\x09\x01" + struct.pack(">BHL", 1, 0, 8000))
        raw.expect(spec.Connection.Start)
        raw.socket.settimeout(0.05)
        for _ in range(400):
            try:
                raw.send(b"x")
                assert raw.socket.recv(100) == b""
                return
            except TimeoutError:
                pass
            except OSError:
                return
        raise AssertionError("the broker still waits for the handshake")


@test(own=True, management=True, leveret_only="limits by its API")
def limits_while_it_runs(node):
    api, path, queue = Api(node), f"nodes/{q(node_name(node))}/limits", name()
    assert api.put("users/watcher", {"password": "p", "tags": "monitoring"}).code == 201
    watcher = Api(node, "watcher", "p")
    assert watcher.get(path).code == 200
    assert watcher.put(path, {"disk_free_limit": {"absolute": 1}}).code == 401
    for wrong in ({}, [], {"disk_free_limit": 5}, {"disk_free_limit": {}}, {"disk_free_limit": {"absolute": -1}},
                  {"disk_free_limit": {"absolute": 1, "relative": 1}}, {"disk_free_limit": {"absolute": "1 mile"}},
                  {"vm_memory_high_watermark": {"relative": 1.1}}, {"vm_memory_high_watermark": {"relative": "0.4"}},
                  {"vm_memory_high_watermark": {"absolute": None}}, {"vm_memory_high_watermark": {"absolute": 1 << 62}}):
        assert api.put(path, wrong).code == 400, wrong
    assert api.put("nodes/nobody/limits", {"disk_free_limit": {"absolute": 1}}).code == 404
    with Raw(node, properties=ABLE) as raw:
        raw.channel()
        raw.call(1, spec.Queue.Declare(queue=queue), spec.Queue.DeclareOk)
        raw.publish(1, "", queue, b"one")
        eventually(lambda: ready(raw, queue) == 1)
        assert api.put(path, {"vm_memory_high_watermark": {"absolute": 0}}).code == 204
        raw.expect(spec.Connection.Blocked)
        raw.publish(1, "", queue, b"two")
        assert ready(raw, queue) == 1
        assert api.put(path, {"vm_memory_high_watermark": {"relative": 0.9}}).code == 204
        raw.expect(spec.Connection.Unblocked)
        eventually(lambda: ready(raw, queue) == 2)


# ---- Publishers are held, and all else goes on.

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


@test(own=True, management=True, leveret_only="its own limits", seconds=120,
      settings={"vm_memory_high_watermark.absolute": "100MB"})
def large_transactions_end(node):
    """Two transactions that are larger than the watermark together: each ends in a commit or an error, and none waits."""
    queue, ends = name(), []
    clients = [Raw(node) for _ in range(2)]
    for raw in clients:
        raw.channel()
        raw.call(1, spec.Tx.Select(), spec.Tx.SelectOk)
    clients[0].call(1, spec.Queue.Declare(queue=queue), spec.Queue.DeclareOk)
    for _ in range(100):
        for raw in clients:
            raw.publish(1, "", queue, bytes(1_000_000))
    for raw in clients:
        raw.socket.settimeout(60)
        raw.method(1, spec.Tx.Commit())
        end = raw.expect(spec.Tx.CommitOk, spec.Channel.Close)
        if isinstance(end, spec.Channel.Close):
            assert end.reply_code == 406 and "ransaction" in end.reply_text, end
            raw.method(1, spec.Channel.CloseOk())
        ends.append(type(end))
    assert spec.Channel.Close in ends, "200 MB were committed with a watermark of 100 MB"
    for raw in clients:
        raw.close()
    eventually(lambda: connections(node) == 0)
    eventually(lambda: Api(node).get("health/checks/alarms").code == 200, 30)


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
