#!/usr/bin/python3
"""What the API can tell a node to do: settings until the restart, listeners, its log, its end; and streams of events."""
import base64
import json
import socket
import threading
import time
from urllib.parse import quote

import pika
from client import parameters
from harness import eventually, main, name, test
from http_api import Api

STREAMS_OF_A_USER = 16


def node_path(node, rest):
    return f"nodes/{Api(node).get('overview').json['node']}/{rest}"


class Stream:
    """Server-sent events, read line by line over a socket of its own."""

    def __init__(self, node, path, user="guest", password="guest", read=True):
        self.socket = socket.create_connection((node.host, node.management_port), 60)
        login = base64.b64encode(f"{user}:{password}".encode()).decode()
        self.socket.sendall(f"GET /api/{path} HTTP/1.0\r\nAuthorization: Basic {login}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        if not read:
            return
        self.code = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            key, value = line.decode().split(":", 1)
            self.headers[key.lower()] = value.strip()

    def next(self):
        """(name, data) of the next event; None when the stream has ended."""
        kind = "message"
        for line in self.file:
            line = line.rstrip(b"\n").decode()
            if line.startswith("event: "):
                kind = line[len("event: "):]
            elif line.startswith("data: "):
                data = json.loads(line[len("data: "):])
                assert self.file.readline() == b"\n"
                return kind, data
        return None

    def until(self, wanted):
        """The data of the next message for which wanted(data) is true."""
        while (event := self.next()):
            if event[0] == "message" and wanted(event[1]):
                return event[1]
        raise AssertionError("the stream has ended")

    def close(self):
        self.file.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()


@test(own=True, management=True)
def settings(node):
    api, path = Api(node), node_path(node, "settings")
    before = api.get(path).json
    assert before["log_level"] == "info" and before["vm_memory_high_watermark"]["absolute"] > 0, before
    assert api.put(path, {"log_level": "debug", "disk_free_limit": {"absolute": "2GiB"}}).code == 204
    after = api.get(path).json
    assert after == {**before, "log_level": "debug", "disk_free_limit": {"absolute": 2 << 30}}
    assert "level of the log set to debug by 'guest'" in node.log()
    pika.BlockingConnection(parameters(node)).close()
    assert eventually(lambda: " debug " in node.log())
    assert api.put(path, {"log_level": "error"}).code == 204
    assert "level of the log set to error" in node.log()       # told before it is silent
    for wrong in ({}, {"log_level": "loud"}, {"log_level": 3}, {"disk_free_limit": 3},
                  {"log_level": "info", "vm_memory_high_watermark": {"relative": 7}}):
        assert api.put(path, wrong).code == 400, wrong
    assert api.get(path).json["log_level"] == "error"           # a bad body changes nothing
    assert api.put("nodes/nobody/settings", {"log_level": "info"}).code == 404
    assert api.put("users/watcher", {"password": "p", "tags": "monitoring"}).code == 201
    watcher = Api(node, "watcher", "p")
    assert watcher.get(path).code == 200 and watcher.put(path, {"log_level": "info"}).code == 401
    node.restart()
    assert Api(node).get(path).json == before


@test(own=True, management=True)
def listeners(node):
    api = Api(node)
    there = pika.BlockingConnection(parameters(node))
    assert api.post(node_path(node, "listeners/suspend")).code == 204
    try:
        socket.create_connection((node.host, node.port), 10).close()
        raise AssertionError("a connection was taken")
    except ConnectionRefusedError:
        pass
    there.channel().queue_declare("stays")                      # who is connected goes on
    assert api.post(node_path(node, "listeners/suspend")).code == 204
    # Somebody takes the port meanwhile: it cannot be opened again, and is told so.
    taken = socket.socket()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    taken.bind((node.host, node.port))
    taken.listen()
    refused = api.post(node_path(node, "listeners/resume"))
    assert refused.code == 500 and str(node.port) in refused.json["reason"], refused
    taken.close()
    assert api.post(node_path(node, "listeners/resume")).code == 204
    pika.BlockingConnection(parameters(node)).close()
    assert api.post(node_path(node, "listeners/resume")).code == 204
    there.close()
    assert api.put("users/watcher", {"password": "p", "tags": "monitoring"}).code == 201
    assert Api(node, "watcher", "p").post(node_path(node, "listeners/suspend")).code == 401
    assert api.post("nodes/nobody/listeners/suspend").code == 404


@test(own=True, management=True)
def shutdown(node):
    api, path = Api(node), node_path(node, "shutdown")
    assert api.post(path).code == 400
    assert api.post(path, headers={"X-Reason": ""}).code == 400
    assert api.put("users/watcher", {"password": "p", "tags": "monitoring"}).code == 201
    assert Api(node, "watcher", "p").post(path, headers={"X-Reason": "no"}).code == 401
    connection = pika.BlockingConnection(parameters(node))
    assert api.post(path, headers={"X-Reason": "moving house"}).code == 204
    try:
        connection.process_data_events(60)
        raise AssertionError("the connection was not closed")
    except pika.exceptions.ConnectionClosed as closed:
        assert closed.reply_code == 320, closed
    assert node.process.wait(60) == 0
    assert "shutdown asked for by 'guest': moving house" in node.log()
    node.start()


@test(own=True, management=True)
def rotation(node):
    api, path = Api(node), node_path(node, "log/rotate")
    refused = api.post(path)
    assert refused.code == 400 and "no file" in refused.json["reason"]
    file = node.dir / "broker.log"
    node.settings["log.file"] = str(file)
    node.settings["log.file.rotation.count"] = "3"
    node.restart()
    assert "ready" in file.read_text()
    assert api.post(path).code == 204
    aside = [one for one in node.dir.glob("broker.log*") if one != file]
    assert len(aside) == 1 and "ready" in aside[0].read_text(), aside
    assert "ready" not in file.read_text() and "put aside by 'guest'" in file.read_text()


@test
def last_lines(node):
    api = Api(node)
    lines = api.get("log?lines=1000").json
    assert any(line["area"] == "leveretd" and line["text"].startswith("ready: ") for line in lines), lines[:5]
    assert set(lines[0]) == {"time", "level", "area", "text"}
    user = name("u")
    assert api.put(f"users/{quote(user)}", {"password": "secret-of-it", "tags": ""}).code == 201
    told = api.get("log?lines=1").json
    assert len(told) == 1 and user in told[0]["text"] and "secret-of-it" not in told[0]["text"], told
    assert api.get("log?lines=0").json == []
    assert all(line["level"] in ("warning", "error") for line in api.get("log?level=warning").json)
    for wrong in ("lines=x", "lines=-1", "level=loud"):
        assert api.get(f"log?{wrong}").code == 400
    assert api.put("users/manager", {"password": "p", "tags": "management"}).code == 201
    assert Api(node, "manager", "p").get("log").code == 401
    assert Api(node, "manager", "p").get("log/tail").code == 401
    api.delete("users/manager")


@test
def log_tail(node):
    api, first, second = Api(node), name("first"), name("second")
    assert api.put(f"users/{quote(first)}", {"password": "p", "tags": ""}).code == 201
    with Stream(node, "log/tail?lines=1") as stream:
        assert stream.code == 200 and stream.headers["content-type"] == "text/event-stream"
        kind, line = stream.next()
        assert kind == "message" and first in line["text"]
        assert api.put(f"users/{quote(second)}", {"password": "p", "tags": ""}).code == 201
        assert second in stream.until(lambda data: True)["text"]
    assert Api(node).call("HEAD", "/api/log/tail").code == 200


@test
def streams_are_bounded(node):
    api = Api(node)
    assert api.put("users/viewer", {"password": "p", "tags": "monitoring"}).code == 201
    streams = [Stream(node, "log/tail", "viewer", "p") for _ in range(STREAMS_OF_A_USER)]
    try:
        assert all(stream.code == 200 for stream in streams)
        with Stream(node, "log/tail", "viewer", "p") as more:
            assert more.code == 429
        with Stream(node, "log/tail") as other:     # another user's are his own
            assert other.code == 200
    finally:
        for stream in streams:
            stream.close()

    def free_again():
        with Stream(node, "log/tail", "viewer", "p") as again:
            return again.code == 200
    eventually(free_again)          # who has left is noticed at a write
    api.delete("users/viewer")


@test
def exchange_tail(node):
    api, exchange = Api(node), name("x")
    assert api.put(f"exchanges/%2F/{quote(exchange)}", {"type": "topic"}).code == 201
    with Stream(node, f"exchanges/%2F/{quote(exchange)}/tail?key=a.%23") as stream:
        assert stream.code == 200
        api.publish(exchange, "b.c", "not this")
        api.publish(exchange, "a.b", "hop", {"content_type": "text/plain", "headers": {"n": 1}})
        api.publish(exchange, "a.c", base64.b64encode(b"\xff\x00").decode(), encoding="base64")
        api.publish(exchange, "a.d", "x" * 10000)
        kind, first = stream.next()
        assert kind == "message" and first["routing_key"] == "a.b" and first["payload"] == "hop", first
        assert first["properties"] == {"content_type": "text/plain", "headers": {"n": 1}} and first["exchange"] == exchange
        second = stream.next()[1]
        assert second["payload"] == "/wA=" and second["payload_encoding"] == "base64"
        third = stream.next()[1]
        assert third["payload_bytes"] == 10000 and len(third["payload"]) == 4096
        hidden = [q["name"] for q in api.get("queues").json if q["name"].startswith("amq.gen-tail-")]
        assert len(hidden) == 1
    # The queue goes with the stream.
    assert eventually(lambda: not any(q["name"] == hidden[0] for q in api.get("queues").json))
    assert api.get("exchanges/%2F/nowhere/tail").code == 404
    assert api.get("exchanges/nowhere/x/tail").code == 404
    assert api.get("exchanges/%2F/amq.default/tail").code in (400, 401, 403)


@test
def exchange_tail_asks_for_rights(node):
    api, exchange = Api(node), name("x")
    assert api.put(f"exchanges/%2F/{quote(exchange)}", {"type": "topic"}).code == 201
    assert api.put("users/reader", {"password": "p", "tags": "management"}).code == 201
    assert api.put("permissions/%2F/reader", {"configure": "", "write": "", "read": ""}).code == 201
    reader = Api(node, "reader", "p")
    path = f"exchanges/%2F/{quote(exchange)}/tail"
    assert reader.get(path).code == 401
    assert api.put("permissions/%2F/reader", {"configure": "", "write": "", "read": ".*"}).code == 204
    assert api.put("topic-permissions/%2F/reader", {"exchange": exchange, "write": "", "read": "^mine"}).code == 201
    refused = reader.get(path + "?key=yours")
    assert refused.code == 401 and "topic" in refused.json["reason"], refused
    with Stream(node, path + "?key=mine.too", "reader", "p") as stream:
        assert stream.code == 200
        api.publish(exchange, "mine.too", "x")
        assert stream.next()[1]["payload"] == "x"
    api.delete("users/reader")


@test(seconds=60)
def slow_reader_is_told(node):
    """A reader who reads nothing for a while loses the oldest messages, and hears how many; those it gets are in order."""
    api, exchange, count = Api(node), name("x"), 30000
    assert api.put(f"exchanges/%2F/{quote(exchange)}", {"type": "fanout"}).code == 201
    with Stream(node, f"exchanges/%2F/{quote(exchange)}/tail") as stream:
        assert stream.code == 200
        connection = pika.BlockingConnection(parameters(node))
        channel = connection.channel()
        for i in range(count):
            channel.basic_publish(exchange, "k", str(i).encode())
        connection.close()
        got, lost, last = 0, 0, -1
        while got + lost < count:
            kind, data = stream.next()
            if kind == "lost":
                lost += data["count"]
            else:
                assert int(data["payload"]) > last
                last = int(data["payload"])
                got += 1
        assert lost > 0 and last == count - 1 and got + lost == count, (got, lost, last)


@test
def vhost_goes_while_tailed(node):
    api = Api(node)
    assert api.put("vhosts/short").code == 201
    with Stream(node, "exchanges/short/amq.topic/tail") as stream:
        assert stream.code == 200
        assert api.delete("vhosts/short").code == 204
        while stream.next():
            pass                    # it ends


@test(own=True, management=True)
def broker_stops_while_streams_are_open(node):
    streams = [Stream(node, "log/tail?lines=10"), Stream(node, "exchanges/%2F/amq.topic/tail"),
               Stream(node, "log/tail", read=False)]
    threading.Thread(target=lambda: Api(node).publish("amq.topic", "k", "x"), daemon=True).start()
    time.sleep(0.2)
    assert node.stop() == 0
    for stream in streams:
        stream.close()
    node.start()


if __name__ == "__main__":
    main(management=True)
