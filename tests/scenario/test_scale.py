#!/usr/bin/python3
"""Very many queues and bindings: what each costs in memory, in listings, and at a restart.

LEVERET_TEST_SCALE (20000) is how many; 100000 is what the aims speak of: at most 1.5 KB each, all listed in under a
second, served again within two. Memory is asserted; times are printed, for a quiet machine to be judged by.
"""
import base64
import json
import multiprocessing
import os
import time
import urllib.request

import broker
from fast import Fast, method, short
from harness import main, test

COUNT = int(os.environ.get("LEVERET_TEST_SCALE", "20000"))
BYTES_EACH_MAX = 1536
WORK_MS_MAX = 20000  # generous: a message that waits for a listing to end would wait for it all


def declare_all(node, count):
    with Fast(node, seconds=120) as link:
        for first in range(0, count, 500):
            batch = []
            for i in range(first, min(count, first + 500)):
                queue, key = f"queue-{i:06d}", f"key-{i:06d}"
                batch.append(method(1, 50, 10, b"\0\0" + short(queue) + b"\x12" + b"\0\0\0\0"))  # durable, no-wait
                batch.append(method(1, 50, 20, b"\0\0" + short(queue) + short("amq.direct") + short(key) + b"\1" + b"\0\0\0\0"))
            link.send(b"".join(batch))
        link.declare("last", durable=True)


class Ticks:
    """A message every few milliseconds from a publisher to a consumer, and the longest that one took. A process of its
    own: reading a large answer would hold up a thread of this one."""

    def __init__(self, node):
        self.node, self.over, self.longest_ms = node, multiprocessing.Event(), multiprocessing.Value("d", 0.0)
        self.process = multiprocessing.Process(target=self._run)

    def _run(self):
        with Fast(self.node, seconds=60) as link:
            link.declare("ticks")
            link.qos(10)
            link.consume("ticks")
            while not self.over.is_set():
                started = time.monotonic()
                link.send(link.publish("", "ticks", b"tick", persistent=False))
                event = link.next()
                link.send(link.ack(event[1], False))
                self.longest_ms.value = max(self.longest_ms.value, (time.monotonic() - started) * 1000)
                time.sleep(0.002)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *unused):
        self.over.set()
        self.process.join()


def timed_get(node, path):
    """The JSON, its size, and the seconds until all of it was here (without those for reading it)."""
    request = urllib.request.Request(f"http://{node.host}:{node.management_port}/api/{path}",
                                     headers={"Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()})
    started = time.monotonic()
    with urllib.request.urlopen(request) as answer:
        data = answer.read()
    seconds = time.monotonic() - started
    return json.loads(data), f"{len(data) // 1000} kB in {seconds:.2f} s"


@test(own=True, seconds=300, leveret_only="its own figures", management=True)
def many_queues_are_cheap(node):
    before = node.rss_bytes()
    started = time.monotonic()
    declare_all(node, COUNT)
    took = time.monotonic() - started
    each = (node.rss_bytes() - before) / COUNT
    print(f"{COUNT} queues with a binding each: {took:.2f} s, {each:.0f} bytes each")
    if "san" not in str(broker.leveretd_path()) and COUNT >= 20000:
        assert each <= BYTES_EACH_MAX, f"{each:.0f} bytes each"

    with Ticks(node) as ticks:
        rows, took = timed_get(node, "queues")
        print(f"/api/queues: {took}")
        assert len(rows) >= COUNT
        page, took = timed_get(node, "queues?page=3&page_size=100&sort=messages")
        print(f"a page of it, sorted: {took}")
        assert len(page["items"]) == 100
        rows, took = timed_get(node, "bindings")
        print(f"/api/bindings: {took}")
        assert len(rows) >= 2 * COUNT
    print(f"the longest that a message took meanwhile: {ticks.longest_ms.value:.1f} ms")
    assert 0 < ticks.longest_ms.value < WORK_MS_MAX

    node.stop()
    started = time.monotonic()
    node.start()
    print(f"served again after {time.monotonic() - started:.2f} s")
    with Fast(node, seconds=60) as link:
        link.confirm()
        link.send(link.publish("amq.direct", f"key-{COUNT - 1:06d}", b"found"))
        assert link.next()[0] == "ack"
    queue, _ = timed_get(node, f"queues/%2F/queue-{COUNT - 1:06d}")
    assert queue["messages"] == 1, queue


if __name__ == "__main__":
    main(shared=False)
