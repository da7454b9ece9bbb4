#!/usr/bin/python3
"""Disk use follows what is alive: fill, drain, and the directory is small again within a minute.

LEVERET_TEST_SPACE_MB (200) is how much is filled; 2000 is what the issue speaks of.
"""
import os
import random
import threading
import time

import broker
from fast import Fast, Window
from harness import eventually, main, name, test

MIB = 1 << 20
FILL = int(os.environ.get("LEVERET_TEST_SPACE_MB", "200")) * MIB
SECONDS = 60 + FILL // MIB // 2
SMALL = 24 * MIB
GIVEN_BACK_SECONDS = 60
RANDOM = random.Random(3).randbytes(1 << 20)


def fill(node, queue, bytes_wanted, size):
    """Durable messages of a size, confirmed; answers how many and how long it took."""
    started, window = time.monotonic(), Window()
    with Fast(node, seconds=60) as link:
        link.declare(queue, durable=True)
        link.confirm()
        count = max(1, bytes_wanted // size)
        while window.sent < count or window.open():
            batch = []
            while window.sent < count and window.open() < 1000 and len(batch) < 50:
                window.sent += 1
                at = window.sent * 7919 % (len(RANDOM) // 2)
                batch.append(link.publish("", queue, b"%08d" % window.sent + RANDOM[at:at + size - 8]))
            if batch:
                link.send(b"".join(batch))
            if not batch or window.open() >= 1000:
                event = link.next()
                if event[0] == "ack":
                    window.take(event[1], event[2])
    return count, time.monotonic() - started


def drain(node, queue, count, each=100):
    """Consumes and acks all, in order; answers how long it took."""
    started = time.monotonic()
    with Fast(node, seconds=60) as link:
        link.qos(1000)
        link.consume(queue)
        for number in range(1, count + 1):
            _, tag, _, _, body = link.next()
            assert int(body[:8]) == number, f"{int(body[:8])} where {number} was due"
            if number % each == 0 or number == count:
                link.send(link.ack(tag, True))
        link.qos(1)
    return time.monotonic() - started


def small_again(node):
    started = time.monotonic()
    eventually(lambda: broker.folder_bytes(node.data) < SMALL, GIVEN_BACK_SECONDS,
               f"a small directory (it has {broker.folder_bytes(node.data) // MIB} MiB)")
    print(f"small again after {time.monotonic() - started:.1f} s: {broker.folder_bytes(node.data) // 1024} KiB")


def fill_and_drain(node, size, share=1.0):
    queue = name()
    count, took = fill(node, queue, int(FILL * share), size)
    full = broker.folder_bytes(node.data)
    print(f"{count} of {size} B filled in {took:.1f} s; {full // MIB} MiB, {node.rss_bytes() // MIB} MiB resident")
    assert full < 2.5 * FILL + SMALL, f"{full // MIB} MiB for {FILL // MIB} MiB of messages"
    took = drain(node, queue, count)
    print(f"drained in {took:.1f} s")
    small_again(node)
    with Fast(node) as link:
        link.delete(queue)


@test(own=True, seconds=SECONDS, leveret_only="its own directory")
def small_messages(node):
    fill_and_drain(node, 1000, 0.5)


@test(own=True, seconds=SECONDS, leveret_only="its own directory")
def large_messages(node):
    fill_and_drain(node, 100_000)


@test(own=True, seconds=SECONDS, leveret_only="its own directory")
def purged(node):
    """A purge and a delete give the space back as draining does."""
    first, second = name(), name()
    count, _ = fill(node, first, FILL // 2, 20_000)
    fill(node, second, FILL // 2, 20_000)
    with Fast(node, seconds=60) as link:
        assert link.purge(first) == count
        link.delete(second)
    small_again(node)


@test(own=True, seconds=SECONDS, leveret_only="its own directory")
def a_queue_in_use_stays_small(node):
    """Publisher and consumer at once: far more passes through than ever lies there."""
    queue = name()
    size = 10_000
    count = FILL // size
    highest, done = [0], threading.Event()

    def watch():
        while not done.wait(0.1):
            highest[0] = max(highest[0], broker.folder_bytes(node.data))

    with Fast(node) as link:
        link.declare(queue, durable=True)
    watcher = threading.Thread(target=watch)
    consumer = threading.Thread(target=drain, args=(node, queue, count, 10))
    watcher.start()
    consumer.start()
    fill(node, queue, FILL, size)
    consumer.join(30)
    done.set()
    watcher.join()
    assert not consumer.is_alive(), "the consumer did not get all"
    print(f"at most {highest[0] // MIB} MiB while {FILL // MIB} MiB went through")
    small_again(node)


@test(own=True, seconds=SECONDS, leveret_only="its own figures",
      settings={"vm_memory_high_watermark.absolute": "128MiB", "disk_free_limit.absolute": "50MB"})
def memory_is_bounded(node):
    """A backlog larger than the memory that the broker may use, durable and transient, is on the disk, and comes back whole."""
    queue = name()
    count, took = fill(node, queue, FILL, 4000)
    with Fast(node, seconds=60) as link:
        transient = name("t")
        link.declare(transient)
        link.confirm()
        body = RANDOM[:4000]
        sent = 0
        while sent < count:
            link.send(b"".join(link.publish("", transient, b"%08d" % (sent + i + 1) + body[8:], persistent=False)
                               for i in range(min(100, count - sent))))
            sent = min(count, sent + 100)
            while True:
                event = link.next()
                if event[0] == "ack" and event[1] >= sent:
                    break
    resident = node.rss_bytes()
    print(f"{2 * count} messages, {2 * FILL // MIB} MiB; {resident // MIB} MiB resident")
    assert resident < 200 * MIB, f"{resident // MIB} MiB resident with a limit of 128"
    drain(node, queue, count)
    drain(node, transient, count)
    small_again(node)


if __name__ == "__main__":
    main(shared=False)
