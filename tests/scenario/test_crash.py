#!/usr/bin/python3
"""kill -9 under load, and a ledger: nothing that was confirmed is lost, the order within a queue is kept, and what was
settled and synced does not come back.

Publishers with windows of 1, 50 and 5,000, bodies of 8 B to 300 KB, a consumer on each queue that acks some of what it
gets. At a random moment the broker is killed. In the second form every file of the data directory is then cut back to
what was synced (synced.c), as after a power cut. The broker starts again, the queues are drained and compared with the ledger.

LEVERET_CRASH_CYCLES (20: half of each form) and LEVERET_CRASH_SEED (printed) set how often and how.
"""
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import broker
from harness import Skip, main, test

WINDOWS = (1, 50, 5000)
SIZES = (8, 8, 8, 100, 1000, 1000, 5000, 30000, 300000)
CYCLES = int(os.environ.get("LEVERET_CRASH_CYCLES", "20"))
SEED = int(os.environ.get("LEVERET_CRASH_SEED", random.randrange(1 << 32)))
LOAD_SECONDS = (0.05, 1.5)
DRAIN_SECONDS = 60
FRAME_PAYLOAD_MAX = 131072 - 8


class Gone(Exception):
    """The broker is dead, as it should be."""


class Client:
    """Just enough of AMQP 0-9-1, without a library's own queueing: one connection, channel 1."""

    def __init__(self, node):
        self.socket = socket.create_connection((node.host, node.port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.socket.sendall(b"AMQP\0\0\x09\x01")
        self.expect(10, 10)
        self.method(0, 10, 11, struct.pack(">I", 0) + shorts(b"PLAIN") + longs(b"\0guest\0guest") + shorts(b"en_US"))
        self.expect(10, 30)
        self.method(0, 10, 31, struct.pack(">HIH", 0x7ff, 131072, 0))
        self.method(0, 10, 40, shorts(b"/") + b"\0\0")
        self.expect(10, 41)
        self.method(1, 20, 10, b"\0")
        self.expect(20, 11)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            raise Gone from None

    def method(self, channel, class_id, method_id, arguments):
        self.send(frame(1, channel, struct.pack(">HH", class_id, method_id) + arguments))

    def next_frame(self):
        while True:
            if len(self.buffer) >= 7:
                kind, channel, length = struct.unpack_from(">BHI", self.buffer)
                if len(self.buffer) >= length + 8:
                    payload = bytes(self.buffer[7:7 + length])
                    assert self.buffer[7 + length] == 0xCE
                    del self.buffer[:length + 8]
                    return kind, channel, payload
            try:
                data = self.socket.recv(1 << 18)
            except socket.timeout:
                raise AssertionError("the broker does not answer") from None
            except OSError:
                raise Gone from None
            if not data:
                raise Gone
            self.buffer += data

    def expect(self, class_id, method_id):
        """The next method, which must be this one; answers its arguments."""
        kind, _, payload = self.next_frame()
        assert kind == 1 and payload[:4] == struct.pack(">HH", class_id, method_id), payload[:300]
        return payload[4:]

    def declare(self, queue):
        self.method(1, 50, 10, b"\0\0" + shorts(queue) + b"\x02" + struct.pack(">I", 0))
        self.expect(50, 11)

    def confirm_select(self):
        self.method(1, 85, 10, b"\0")
        self.expect(85, 11)

    def consume(self, queue, no_ack, prefetch=0):
        self.method(1, 60, 10, struct.pack(">IHB", 0, prefetch, 0))
        self.expect(60, 11)
        self.method(1, 60, 20, b"\0\0" + shorts(queue) + shorts(b"c") + (b"\x02" if no_ack else b"\0") +
                    struct.pack(">I", 0))
        self.expect(60, 21)

    def delivery(self):
        """The next delivery: its tag, whether it is marked as redelivered, its body."""
        arguments = self.expect(60, 60)
        at = 1 + arguments[0]
        tag, redelivered = struct.unpack_from(">QB", arguments, at)
        kind, _, header = self.next_frame()
        assert kind == 2
        left = struct.unpack_from(">Q", header, 4)[0]
        body = b""
        while len(body) < left:
            kind, _, piece = self.next_frame()
            assert kind == 3
            body += piece
        return tag, bool(redelivered), body

    def count(self, queue):
        self.method(1, 50, 10, b"\0\0" + shorts(queue) + b"\x01" + struct.pack(">I", 0))
        arguments = self.expect(50, 11)
        return struct.unpack_from(">I", arguments, 1 + arguments[0])[0]

    def close(self):
        self.socket.close()


def shorts(text):
    return struct.pack(">B", len(text)) + text


def longs(text):
    return struct.pack(">I", len(text)) + text


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def message(queue, body):
    """basic.publish of a persistent message."""
    parts = [frame(1, 1, struct.pack(">HH", 60, 40) + b"\0\0" + shorts(b"") + shorts(queue) + b"\0"),
             frame(2, 1, struct.pack(">HHQHB", 60, 0, len(body), 0x1000, 2))]
    parts += [frame(3, 1, body[i:i + FRAME_PAYLOAD_MAX]) for i in range(0, len(body), FRAME_PAYLOAD_MAX)]
    return b"".join(parts)


def body_of(number, size):
    """Numbered, and recognisable to its last byte."""
    return struct.pack(">Q", number) + bytes((number + i) & 0xFF for i in range(min(size, 64) - 8)) + \
        bytes([number & 0xFF]) * max(0, size - 64)


class Ledger:
    """What one queue's clients know."""

    def __init__(self, window):
        self.window = window
        self.queue = f"crash.{window}".encode()
        self.sent = 0             # messages 1 … sent were published
        self.sizes = {}           # number → size
        self.confirmed = set()
        self.acked = set()        # acks were sent for these
        self.settled = set()      # and a later confirm says that the acks were synced
        self.problems = []

    def fail(self, text):
        self.problems.append(f"{self.queue.decode()}: {text}")


def publisher(node, ledger, seed, stop):
    rng = random.Random(seed)
    try:
        client = Client(node)
        client.confirm_select()
        first, open_tags, tag = ledger.sent, set(), 0
        while not stop.is_set():
            batch = []
            while len(open_tags) < ledger.window and len(batch) < 500:
                number = ledger.sent + 1
                size = rng.choice(SIZES)
                ledger.sizes[number] = size
                ledger.sent = number
                tag += 1
                open_tags.add(tag)
                batch.append(message(ledger.queue, body_of(number, size)))
                if sum(map(len, batch)) > 1 << 20:
                    break
            if batch:
                client.send(b"".join(batch))
            kind, _, payload = client.next_frame()
            assert kind == 1 and payload[:4] == struct.pack(">HH", 60, 80), payload[:200]
            upto, multiple = struct.unpack_from(">QB", payload, 4)
            tags = {t for t in open_tags if t <= upto} if multiple else {upto}
            if not tags <= open_tags:
                ledger.fail(f"confirm {upto} of what was confirmed before")
            open_tags -= tags
            ledger.confirmed |= {first + t for t in tags}
    except Gone:
        pass
    except BaseException as error:  # noqa: BLE001: told by the main thread
        ledger.fail(f"publisher: {error!r}")


def consumer(node, ledger, seed, stop):
    """Acks two of three; publishes a marker with a confirm now and then, after which its acks are synced."""
    rng = random.Random(seed)
    try:
        client, marker = Client(node), b"crash.marker"
        client.confirm_select()
        client.consume(ledger.queue, no_ack=False, prefetch=20)
        since, waiting_marker = [], None  # acks since the last marker; those that the open one covers
        while not stop.is_set():
            kind, _, payload = client.next_frame()
            assert kind == 1
            if payload[:4] == struct.pack(">HH", 60, 80):
                ledger.settled |= set(waiting_marker)
                waiting_marker = None
                continue
            arguments = payload[4:]
            tag = struct.unpack_from(">Q", arguments, 1 + arguments[0])[0]
            _, _, header = client.next_frame()
            left, body = struct.unpack_from(">Q", header, 4)[0], b""
            while len(body) < left:
                body += client.next_frame()[2]
            number = struct.unpack_from(">Q", body)[0]
            if rng.random() < 0.05:
                client.method(1, 60, 120, struct.pack(">QB", tag, 2))  # nack, requeue
                continue
            ledger.acked.add(number)
            client.method(1, 60, 80, struct.pack(">QB", tag, 0))
            since.append(number)
            if len(since) >= 10 and waiting_marker is None:
                waiting_marker, since = since, []
                client.send(message(marker, b"marker"))
    except Gone:
        pass
    except BaseException as error:  # noqa: BLE001
        ledger.fail(f"consumer: {error!r}")


def load(node, ledgers, rng):
    """Runs all clients for a random while, and kills the broker under them."""
    stop = threading.Event()
    threads = []
    for ledger in ledgers:
        for work in (publisher, consumer):
            if work is consumer and rng.random() < 0.3:
                continue
            threads.append(threading.Thread(target=work, args=(node, ledger, rng.random(), stop)))
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(*LOAD_SECONDS))
    node.kill()
    stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "a client hangs although the broker is dead"


def compare(node, ledger):
    """Drains a queue and checks it against the ledger."""
    client = Client(node)
    left = client.count(ledger.queue)
    client.consume(ledger.queue, no_ack=True)
    found, last = set(), 0
    for _ in range(left):
        _, _, body = client.delivery()
        number = struct.unpack_from(">Q", body)[0]
        if number <= last:
            ledger.fail(f"{number} came after {last}")
        last = number
        found.add(number)
        if body != body_of(number, ledger.sizes.get(number, -1)):
            ledger.fail(f"the body of {number} is damaged")
    client.close()
    lost = ledger.confirmed - ledger.acked - found
    if lost:
        ledger.fail(f"{len(lost)} confirmed messages are lost, the first {min(lost)} of {ledger.sent}")
    back = ledger.settled & found
    if back:
        ledger.fail(f"{len(back)} settled messages came back, the first {min(back)}")
    # What was found is gone now: a later cycle's ledger begins with new numbers.
    ledger.confirmed, ledger.acked, ledger.settled = set(), set(), set()
    return len(found)


def cut_back(data, notes):
    """Cuts every file to its last noted length. A file without a note was never synced: it loses all."""
    lengths = {}
    for line in notes.read_text().splitlines():
        length, path = line.split(" ", 1)
        lengths[path] = int(length)
    cut = 0
    for path in data.rglob("*"):
        if not path.is_file() or path.name in ("lock", "LOCK", "LOG", "LOG.old", "CURRENT", "format"):
            continue
        size, safe = path.stat().st_size, lengths.get(str(path), 0)
        if size > safe:
            os.truncate(path, safe)
            cut += size - safe
    return cut


def shim():
    """Compiles synced.c."""
    folder = Path(tempfile.mkdtemp(prefix="leveret-synced-"))
    built = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(folder / "synced.so"),
                            str(broker.HERE / "synced.c"), "-ldl"], stderr=subprocess.PIPE, text=True, check=False)
    if built.returncode != 0:
        raise Skip(f"synced.c does not compile: {built.stderr[-200:]}")
    return folder


def cycles(node, count, notes=None):
    rng = random.Random(SEED + (1 if notes else 0))
    ledgers = [Ledger(window) for window in WINDOWS]
    client = Client(node)
    for ledger in ledgers:
        client.declare(ledger.queue)
    client.declare(b"crash.marker")
    client.close()
    print(f"seed {SEED}")
    for cycle in range(count):
        load(node, ledgers, rng)
        cut = cut_back(node.data, notes) if notes else 0
        confirmed = sum(len(ledger.confirmed) for ledger in ledgers)
        node.start()
        found = 0
        # Not every cycle empties the queues, so that old and new messages meet.
        if cycle % 3 != 1 or cycle == count - 1:
            found = sum(compare(node, ledger) for ledger in ledgers)
        problems = [p for ledger in ledgers for p in ledger.problems]
        print(f"cycle {cycle}: {confirmed} confirmed, {found} found, {cut} bytes cut")
        assert not problems, f"seed {SEED}, cycle {cycle}: " + "; ".join(problems[:5])


@test(own=True, seconds=60 + 15 * CYCLES)
def kill_under_load(node):
    cycles(node, CYCLES - CYCLES // 2)


@test(own=True, seconds=60 + 15 * CYCLES, leveret_only="its classic queues confirm before they sync")
def power_cut_under_load(node):
    folder = shim()
    notes = folder / "notes"
    try:
        node.stop()
        node.environment = {"LD_PRELOAD": str(folder / "synced.so"), "SYNCED_NOTES": str(notes)}
        shutil.rmtree(node.data)
        node.start()
        cycles(node, CYCLES // 2, notes)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(shared=False)
