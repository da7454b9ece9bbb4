"""Attacks on the HTTP servers, with a password and without."""
import base64
import contextlib
import json
import select
import socket
import threading
import time

from fast import Fast, long, method, short as short_text
from frame import QUIET, attack
from http_api import Api

LOGIN = b"Authorization: Basic " + base64.b64encode(b"guest:guest") + b"\r\n"


def head(verb, path, *fields, login=b""):
    return f"{verb} {path} HTTP/1.1\r\nHost: x\r\n".encode() + b"".join(f.encode() + b"\r\n" for f in fields) + login + b"\r\n"


def connect(node, data=b"", port=None, window=None):
    link = socket.socket()
    if window:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    link.settimeout(10)
    link.connect((node.host, port or node.management_port))
    with contextlib.suppress(*QUIET):
        link.sendall(data)
    return link


def push(links, bytes_each, seconds):
    """Sends to all of them as fast as they take it, until each has had its bytes or the time is over."""
    block = b"x" * 65536
    left = {link: bytes_each for link in links}
    for link in links:
        link.setblocking(False)
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        _, writable, _ = select.select([], list(left), [], 0.2)
        for link in writable:
            try:
                left[link] -= link.send(block)
            except BlockingIOError:
                continue
            except OSError:
                left[link] = 0
            if left[link] <= 0:
                del left[link]


def close(links):
    for link in links:
        link.close()


def queues(node, count):
    no_wait = bytes([1 << 4])
    with Fast(node) as link:
        for i in range(count):
            link.send(method(1, 50, 10, b"\0\0" + short_text(f"{'q' * 80}.{i}") + no_wait + long(b"")))
        link.declare(f"{'q' * 80}.0")


@attack
def bodies_without_password(node, short):
    """Bodies of 20 MB each, on eighty connections that nobody has logged in on."""
    links = [connect(node, head("POST", "/api/definitions", "Content-Length: 20000000")) for _ in range(80)]
    push(links, 20000000, 5 if short else 20)
    close(links)


@attack
def bodies_with_password(node, short):
    """The same of somebody who may, never finished."""
    links = [connect(node, head("POST", "/api/definitions", "Content-Length: 200000000", login=LOGIN)) for _ in range(80)]
    push(links, 190000000, 10 if short else 40)
    close(links)


@attack
def idle_connections(node, short):
    """Five hundred connections that say nothing."""
    links = []
    for _ in range(500):
        with contextlib.suppress(*QUIET):
            links.append(connect(node))
    time.sleep(2 if short else 10)
    close(links)


@attack
def dripping_heads(node, short):
    """A byte now and then on each of a hundred connections."""
    links = [connect(node, b"GET /api/overview HTTP/1.1\r\n") for _ in range(100)]
    end = time.monotonic() + (3 if short else 30)
    while time.monotonic() < end:
        for link in links:
            with contextlib.suppress(*QUIET):
                link.send(b"X")
        time.sleep(0.1)
    close(links)


@attack
def guessed_passwords(node, short):
    """Log-ins with wrong passwords from twenty threads, as fast as they are answered."""
    end = time.monotonic() + (4 if short else 20)
    answered = []

    def guess(number):
        count = 0
        while time.monotonic() < end:
            with contextlib.suppress(*QUIET):
                Api(node, "guest", f"{number}.{count}").get("overview")
                count += 1
        answered.append(count)

    threads = [threading.Thread(target=guess, args=(i,)) for i in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Api(node, "guest", "guest").get("overview").code in (200, 429)


@attack
def scrapes_nobody_reads(node, short):
    """Metrics of single objects, asked for by forty clients that do not read."""
    queues(node, 2000 if short else 20000)
    links = [connect(node, head("GET", "/metrics/per-object"), node.metrics_port, 4096) for _ in range(40)]
    time.sleep(3 if short else 20)
    close(links)


@attack
def listings_nobody_reads(node, short):
    """The same with a log-in and the list of all queues."""
    queues(node, 2000 if short else 20000)
    links = [connect(node, head("GET", "/api/queues", login=LOGIN), None, 4096) for _ in range(40)]
    time.sleep(3 if short else 20)
    close(links)


@attack
def a_million_keys(node, short):
    """JSON with as many keys as fit, in each path that takes JSON."""
    many = "{" + ",".join(f'"k{i}":{i}' for i in range(100000 if short else 1000000)) + "}"
    bodies = (("POST", "/api/exchanges/%2F/amq.default/publish",
               '{"properties":{"headers":' + many + '},"routing_key":"x","payload":"","payload_encoding":"string"}'),
              ("PUT", "/api/queues/%2F/keys", '{"arguments":' + many + "}"),
              ("POST", "/api/definitions", '{"users":[],"filler":' + many + "}"))
    for verb, path, body in bodies:
        for _ in range(3):
            with contextlib.suppress(*QUIET):
                Api(node).call(verb, path, raw=body)


@attack
def bulk_users(node, short):
    """Users and permissions imported and deleted in bulk."""
    count = 200 if short else 2000
    users = [{"name": f"u{i}", "password_hash": "", "tags": ""} for i in range(count)]
    permissions = [{"user": f"u{i}", "vhost": "/", "configure": "", "write": "", "read": ""} for i in range(count)]
    for _ in range(2):
        Api(node).post("definitions", {"users": users, "permissions": permissions})
        Api(node).post("users/bulk-delete", raw=json.dumps({"users": [u["name"] for u in users]}))


@attack
def bulk_vhosts(node, short):
    """Vhosts imported, many at once."""
    Api(node).post("definitions", {"vhosts": [{"name": f"v{i}"} for i in range(20 if short else 300)]})
