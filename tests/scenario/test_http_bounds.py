#!/usr/bin/python3
"""What strangers can make the HTTP servers hold: bodies, heads, time, connections, answers nobody reads."""
import base64
import contextlib
import json
import os
import socket
import time

from fast import Fast, long, method, short
from harness import eventually, main, name, test
from http_api import Api, q

AUTHORIZATION = b"Authorization: Basic " + base64.b64encode(b"guest:guest") + b"\r\n"
MIB = 1 << 20
# A sanitizer's build keeps what was freed for a while.
LOOSER = 1 if os.environ.get("LEVERET_TEST_SLOWER", "1") == "1" else 20


def connect(node, data=b"", port=None, seconds=60):
    link = socket.create_connection((node.host, port or node.management_port), seconds)
    if data:
        link.sendall(data)
    return link


def head_of(method, path, *fields, login=True):
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: x"] + [f.encode() for f in fields]
    return b"\r\n".join(lines) + b"\r\n" + (AUTHORIZATION if login else b"") + b"\r\n"


def code_of(link):
    """The code of the next answer; its head and body are read."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        more = link.recv(1)
        if not more:
            return None
        seen += more
    fields = dict(line.lower().split(b": ", 1) for line in seen.split(b"\r\n")[1:] if b": " in line)
    left = int(fields.get(b"content-length", b"0"))
    while left:
        left -= len(link.recv(left))
    return int(seen.split(b" ")[1])


def ends(link):
    """Whether the broker closes the connection, with whatever it says before."""
    with contextlib.suppress(ConnectionError):
        while link.recv(65536):
            pass
    return True


# ---- Bodies.

@test
def no_body_before_it_is_wanted(node):
    """Who may not, is told so at the head, and the body is never read."""
    for method, path, login, code in (("POST", "/api/definitions", False, 401), ("PUT", "/api/queues/%2F/x", False, 401),
                                      ("PUT", "/api/nothing", True, 404), ("PUT", "/api/overview", True, 405),
                                      ("PUT", "/api/queues/nowhere/x", True, 404), ("PUT", "/api/queues/%2F/x", True, 413),
                                      ("POST", "/api/definitions", True, 413)):
        with connect(node, head_of(method, path, "Content-Length: 9000000000", login=login)) as link:
            assert code_of(link) == code, (method, path)
            assert ends(link)
    with connect(node, head_of("PUT", "/api/queues/%2F/x", "Transfer-Encoding: chunked", login=False)) as link:
        assert code_of(link) == 401
        assert ends(link)


@test
def a_short_refused_body_keeps_the_connection(node):
    with connect(node) as link:
        for _ in range(3):
            link.sendall(head_of("PUT", "/api/queues/%2F/x", "Content-Length: 5", login=False) + b"{}   ")
            assert code_of(link) == 401
        link.sendall(head_of("GET", "/api/whoami"))
        assert code_of(link) == 200


@test
def bodies_are_bounded_by_path(node):
    queue = name()
    long_one = json.dumps({"arguments": {}, "filler": "x" * 65536}).encode()
    with connect(node, head_of("PUT", f"/api/queues/%2F/{queue}", f"Content-Length: {len(long_one)}")) as link:
        assert code_of(link) == 413
    with connect(node, head_of("PUT", f"/api/queues/%2F/{queue}", "Transfer-Encoding: chunked")) as link:
        link.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (len(long_one), long_one))
        assert code_of(link) == 413
    assert Api(node).get(f"queues/%2F/{queue}").code == 404
    api = Api(node)
    assert api.put(f"queues/%2F/{queue}").code == 201
    assert api.publish("amq.default", queue, "x" * 300000).json == {"routed": True}, "a message may be larger"
    assert len(api.take(queue, truncate=300000).json[0]["payload"]) == 300000
    many = json.dumps({"users": [f"nobody{i}" for i in range(10000)]}).encode()
    assert api.post("users/bulk-delete", raw=many).code != 413, "names may be many"


@test
def a_million_values_are_refused_early(node):
    queue = name()
    api = Api(node)
    body = '{"arguments":{"x":[' + ",".join("1" * 1 for _ in range(32000)) + "]}}"
    assert len(body) < 65536
    assert api.put(f"queues/%2F/{queue}", raw=body).code in (201, 400)
    assert api.put(f"queues/%2F/{queue}a", raw="{" + "," * 65530 + "}").code == 400
    assert api.get("whoami").code == 200


@test
def chunked_and_continued_bodies(node):
    stem = name()
    with connect(node, head_of("PUT", f"/api/queues/%2F/{stem}1", "Transfer-Encoding: chunked")) as link:
        for piece in (b"1\r\n{\r\n", b"A;x=y\r\n\"durable\":\r\n", b"5\r\ntrue}\r\n", b"0\r\nTrailer: z\r\n\r\n"):
            link.sendall(piece)
        assert code_of(link) == 201
        link.sendall(head_of("PUT", f"/api/queues/%2F/{stem}2", "Content-Length: 16", "Expect: 100-continue"))
        assert code_of(link) == 100
        link.sendall(b'{"durable":true}')
        assert code_of(link) == 201
        link.sendall(head_of("PUT", f"/api/queues/%2F/{stem}3", "Content-Length: 16", "Expect: 100-continue", login=False))
        assert code_of(link) == 401
        assert ends(link), "the body may or may not come: the connection ends"
    assert Api(node).get(f"queues/%2F/{stem}2").json["durable"] is True
    with connect(node, head_of("PUT", f"/api/queues/%2F/{stem}4", "Transfer-Encoding: chunked") + b"zz\r\n") as link:
        assert code_of(link) == 400
        assert ends(link)


# ---- Heads.

@test
def heads_are_bounded(node):
    for data, code in ((b"GET /" + b"a" * 20000, 414), (head_of("GET", "/api/whoami", "X: " + "y" * 20000), 431),
                       (head_of("GET", "/api/whoami", *[f"X-{i}: y" for i in range(101)]), 431),
                       (b"GET / HTTP/3.0\r\n\r\n", 505), (b"\x00\x01\x02\r\n\r\n", 400),
                       (head_of("PUT", "/api/queues/%2F/x", "Transfer-Encoding: gzip"), 501),
                       (head_of("PUT", "/api/queues/%2F/x", "Expect: wonders"), 417)):
        with connect(node, data) as link:
            assert code_of(link) == code, data[:60]
            assert ends(link)


@test
def requests_in_one_packet_or_in_bytes(node):
    one = head_of("GET", "/api/whoami")
    put = head_of("PUT", f"/api/queues/%2F/{name()}", "Content-Length: 2") + b"{}"
    with connect(node, (one + put) * 3) as link:
        assert [code_of(link) for _ in range(6)] == [200, 201, 200, 204, 200, 204]
        for at in range(len(put)):
            link.sendall(put[at:at + 1])
        assert code_of(link) == 204
    with connect(node, b"GET /api/whoami HTTP/1.0\r\n" + AUTHORIZATION + b"\r\n") as link:
        assert code_of(link) == 200
        assert ends(link)
    with connect(node, b"GET /api/whoami HTTP/1.0\r\nConnection: keep-alive\r\n" + AUTHORIZATION + b"\r\n") as link:
        assert code_of(link) == 200
        link.sendall(one)
        assert code_of(link) == 200


# ---- Time.

@test(own=True, management=True, settings={"management.tcp.request_timeout": "500", "management.tcp.idle_timeout": "2000"})
def dripping_and_idle_clients_end(node):
    """A head has its time however often bytes of it come; an idle connection has its own."""
    with connect(node) as link:
        with contextlib.suppress(ConnectionError):
            for byte in b"GET /api/whoami HTTP/1.1\r\n" + b"X: y\r\n" * 1000:
                link.sendall(bytes([byte]))
                time.sleep(0.05)
                link.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    if link.recv(1):
                        break
                link.setblocking(True)
            else:
                raise AssertionError("a head may drip for ever")
    with connect(node) as link:
        assert ends(link)
    with connect(node, head_of("GET", "/api/whoami")) as link:
        assert code_of(link) == 200
        assert ends(link)


# ---- Connections.

@test(own=True, management=True, settings={"management.tcp.max_connections_per_address": "8",
                                           "prometheus.tcp.max_connections": "4"})
def connections_are_bounded(node):
    """One too many takes the place of one that is idle, and is refused when none is."""
    idle = [connect(node) for _ in range(8)]
    assert Api(node).get("whoami").code == 200
    assert ends(idle[0]), "the oldest made room"
    busy = [connect(node, head_of("PUT", "/api/queues/%2F/x", "Content-Length: 9", "Expect: 100-continue")) for _ in range(8)]
    for link in busy:
        assert code_of(link) == 100
    with connect(node, head_of("GET", "/api/whoami")) as link:
        assert code_of(link) == 503
    assert "at most 8 from one address" in node.log()
    busy.pop().close()
    eventually(lambda: Api(node).get("whoami").code == 200, what="a place")
    for link in busy + idle:
        link.close()
    scrapers = [connect(node, port=node.metrics_port) for _ in range(20)]
    assert Api(node, user=None, port=node.metrics_port).call("GET", "/metrics").code == 200
    for link in scrapers:
        link.close()


# ---- Answers.

def declare_many(node, count):
    """Queues with long names, made without waiting for each answer."""
    stem = name("q" * 60)
    no_wait = bytes([1 << 4])
    with Fast(node) as link:
        for i in range(count):
            link.send(method(1, 50, 10, b"\0\0" + short(f"{stem}.{i}") + no_wait + long(b"")))
        link.declare(f"{stem}.0")
    return stem


@test(seconds=60)
def long_answers_are_streamed(node):
    """What is longer than 64 KiB comes in chunks, whole; to an HTTP/1.0 client until the connection's end."""
    stem = declare_many(node, 1000)
    api = Api(node)
    answer = api.get("queues?columns=name,messages,arguments")
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert sum(row["name"].startswith(stem) for row in answer.json) == 1000
    few = api.get("queues?columns=name&page=1&page_size=10")
    assert int(few.headers["Content-Length"]) == len(few.text)
    with connect(node, b"GET /api/queues HTTP/1.0\r\n" + AUTHORIZATION + b"\r\n") as link:
        with link.makefile("rb") as stream:
            head, body = stream.read().split(b"\r\n\r\n", 1)
    assert b"chunked" not in head and len(json.loads(body)) >= 1000
    with connect(node, head_of("GET", "/api/queues") + head_of("GET", "/api/whoami")) as link:
        with link.makefile("rb") as stream:
            seen = b""
            while b'"tags"' not in seen[-4000:]:
                seen += stream.read1(65536)
    assert seen.count(b"HTTP/1.1 200") == 2, "the next request on the connection is served behind a stream"
    metrics = api.call("GET", "/metrics/per-object").text
    assert metrics.count(f'rabbitmq_queue_consumers{{vhost="/",queue="{stem}') == 1000


@test(own=True, management=True, seconds=90)
def answers_nobody_reads(node):
    """Deaf clients make the broker hold little, and keep nobody else from listing."""
    declare_many(node, 3000)
    api = Api(node)
    api.get("queues")
    api.call("GET", "/metrics/per-object")
    before = node.rss_bytes()
    deaf = []
    for _ in range(30):
        link = socket.socket()
        link.settimeout(30)
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect((node.host, node.metrics_port))
        link.sendall(head_of("GET", "/metrics/per-object", login=False))
        deaf.append(link)
    eventually(lambda: all(link.recv(100, socket.MSG_PEEK) for link in deaf), 30, "the beginning of each answer")
    assert len(api.get("queues?columns=name").json) >= 3000
    assert api.call("GET", "/metrics/per-object").code == 200
    grown = node.rss_bytes() - before
    assert grown < 60 * MIB * LOOSER, f"{grown // MIB} MiB for 30 clients that do not read"
    for link in deaf:
        link.close()


if __name__ == "__main__":
    main(management=True)
