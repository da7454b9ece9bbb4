#!/usr/bin/python3
"""Nothing confirmed is lost: publish, kill -9 at a random moment, start again, compare with the ledger.

One data directory goes through all cycles. In each, publishers with windows of 1, 50 and 5,000 send bodies of 8 B to
300 KB to durable queues, some through a fanout exchange to three of them, and consumers settle some; the broker is killed,
started (sometimes killed again while it recovers), and each queue is read to its end:

    - each message that was confirmed and that no consumer had settled is there, with its body;
    - a message whose settling is known to be on the disk does not return. An ack promises nothing by itself; but what a
      vhost's owner does is journalled in order, so acks sent before a publish on the same channel are on the disk when
      that is confirmed;
    - messages of one publisher are in order, none twice, none that was never sent.

In the second form of a cycle each file of the data directory is cut, after the kill, back to the length that was synced
(synced.c notes it), or to one between that and what had been written: what a loss of power may leave.

LEVERET_TEST_CYCLES (20, half of each form) and LEVERET_TEST_SEED set length and course; the seed is printed. scripts/soak
runs hundreds.
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
import traceback
from pathlib import Path

import broker
from fast import Fast, Gone, Window

QUEUES = ["crash.one", "crash.two", "crash.three"]
FANOUT = "crash.fanout"
MARKS = "crash.marks"
SIZES = (8, 8, 20, 100, 128, 1000, 1024, 4000, 4096, 4097, 20_000, 131_064, 131_065, 300_000)
FILLER = random.Random(1).randbytes(400_000)
READ_SECONDS = 20


class Wrong(Exception):
    """The broker broke a promise."""


def body_of(publisher, number):
    """The only body that this message can have."""
    mixed = (publisher * 2654435761 + number * 40503) & 0xFFFFFFFF
    # Most are small, so that there are many.
    size = SIZES[mixed % 7] if mixed % 16 else SIZES[(mixed >> 8) % len(SIZES)]
    start = mixed % 1000
    return struct.pack(">LL", publisher, number) + FILLER[start:start + size - 8]


class Ledger:
    """What was promised for one queue. A message is (publisher, number)."""

    def __init__(self):
        self.sent = {}              # publisher → highest number
        self.transient = set()      # publishers whose messages may go
        self.confirmed = set()
        self.acked = set()          # an ack was sent: may be gone
        self.settled = set()        # and is on the disk: must be gone
        self.delivered = set()
        self.lock = threading.Lock()

    def check(self, queue, found):
        """found: (message, redelivered) in the order of the queue."""
        seen, last = set(), {}
        for message, _ in found:
            publisher, number = message
            if number > self.sent.get(publisher, 0):
                raise Wrong(f"{queue}: {message} was never sent")
            if message in seen:
                raise Wrong(f"{queue}: {message} is there twice")
            if number < last.get(publisher, 0):
                raise Wrong(f"{queue}: {message} comes after {last[publisher]}")
            if message in self.settled:
                raise Wrong(f"{queue}: {message} was settled on the disk and is back")
            seen.add(message)
            last[publisher] = number
        lost = self.confirmed - self.acked - seen
        if lost:
            some = sorted(lost)[:5]
            raise Wrong(f"{queue}: {len(lost)} confirmed messages are lost, such as {some}; {len(seen)} are there")
        # What is gone now need not be carried on: it may not come back either.
        gone = self.acked - seen
        self.confirmed -= gone
        return {m for m, redelivered in found if redelivered}, seen


class Publisher(threading.Thread):
    def __init__(self, node, ledgers, identity, window, target, transient, rng):
        super().__init__(daemon=True)
        self.node, self.ledgers, self.identity, self.window = node, ledgers, identity, window
        self.exchange, self.key = (FANOUT, "") if target is None else ("", target)
        self.queues = QUEUES if target is None else [target]
        self.transient = transient
        self.pause = rng.choice((0, 0, 0, 0.001))
        self.error = None
        self.confirms = 0

    def run(self):
        try:
            self.work()
        except (Gone, OSError):
            pass
        except Exception as error:
            self.error = error
            traceback.print_exc()

    def work(self):
        link = Fast(self.node, READ_SECONDS)
        link.confirm()
        window = Window()
        for queue in self.queues:
            if self.transient:
                self.ledgers[queue].transient.add(self.identity)
        while True:
            batch = []
            while window.open() < self.window and len(batch) < 50:
                window.sent += 1
                batch.append(link.publish(self.exchange, self.key, body_of(self.identity, window.sent),
                                          persistent=not self.transient))
            # Known to be sent before it is: the kill may come in between.
            for queue in self.queues:
                self.ledgers[queue].sent[self.identity] = window.sent
            if batch:
                link.send(b"".join(batch))
            # Reads what there is, and waits only when the window is full.
            while window.open() >= self.window or link.at < len(link.buffer):
                event = link.next()
                if event[0] == "ack":
                    self.note(window.take(event[1], event[2]))
                elif event[0] == "nack":
                    window.take(event[1], event[2])
                if window.open() < self.window // 2 + 1:
                    break
            if self.pause:
                time.sleep(self.pause)

    def note(self, numbers):
        self.confirms += len(numbers)
        if self.transient:
            return
        for queue in self.queues:
            ledger = self.ledgers[queue]
            with ledger.lock:
                ledger.confirmed.update((self.identity, number) for number in numbers)


class Consumer(threading.Thread):
    """Settles part of what it gets, and learns by marks which of that is on the disk."""

    def __init__(self, node, ledger, queue, rng):
        super().__init__(daemon=True)
        self.node, self.ledger, self.queue = node, ledger, queue
        self.rng = random.Random(rng.random())
        self.share = rng.choice((0.1, 0.5, 0.95))
        self.error = None
        self.acks = 0

    def run(self):
        try:
            self.work()
        except (Gone, OSError):
            pass
        except Exception as error:
            self.error = error
            traceback.print_exc()

    def work(self):
        rng = self.rng
        link = Fast(self.node, READ_SECONDS)
        link.confirm()
        link.qos(rng.choice((10, 200, 1000)))
        link.consume(self.queue)
        since_mark, marks, mark = [], {}, 0
        for event in link.events():
            if event[0] == "deliver":
                _, tag, _, _, body = event
                message = struct.unpack_from(">LL", body)
                if body != body_of(*message):
                    raise Wrong(f"{self.queue}: the body of {message} is not what was sent")
                self.ledger.delivered.add(message)
                if rng.random() < self.share:
                    with self.ledger.lock:
                        self.ledger.acked.add(message)
                    since_mark.append(message)
                    link.send(link.ack(tag))
                    self.acks += 1
                elif rng.random() < 0.9:
                    link.send(link.nack(tag))
                # else it stays unsettled
                if len(since_mark) >= 100:
                    mark += 1
                    marks[mark] = since_mark
                    since_mark = []
                    link.send(link.publish("", MARKS, b"mark"))
            elif event[0] == "ack":
                for number in [m for m in marks if m <= event[1]] if event[2] else [event[1]]:
                    with self.ledger.lock:
                        self.ledger.settled.update(marks.pop(number, ()))


def build_shim(folder):
    out = folder / "synced.so"
    done = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", out, broker.HERE / "synced.c",
                           "-ldl"], stderr=subprocess.PIPE, text=True)
    return out if done.returncode == 0 else None


def cut_files(data, log, rng):
    """Cuts each file back to what was synced; answers how many bytes went."""
    synced = {}
    for line in log.read_text(errors="surrogateescape").splitlines() if log.exists() else ():
        inode, length, path = line.split(" ", 2)
        synced[int(inode)] = (max(int(length), synced.get(int(inode), (0, ""))[0])
                              if synced.get(int(inode), (0, ""))[1] == path else int(length), path)
    gone, exact = 0, rng.random() < 0.7
    for path in sorted(data.rglob("*")):
        if not path.is_file() or path.name in ("lock", "LOCK"):
            continue
        about = path.stat()
        length, noted = synced.get(about.st_ino, (0, ""))
        # An inode may have been another file's before. What is written aside is synced under another name.
        if noted not in (str(path), f"{path}.new") and not (path.name == "CURRENT" and noted.endswith(".dbtmp")):
            length = 0
        if length >= about.st_size:
            continue
        keep = length if exact else rng.randint(length, about.st_size)
        gone += about.st_size - keep
        os.truncate(path, keep)
    return gone


def set_up(node):
    with Fast(node, READ_SECONDS) as link:
        link.exchange(FANOUT, "fanout", durable=True)
        for queue in QUEUES + [MARKS]:
            link.declare(queue, durable=True)
        for queue in QUEUES:
            link.bind(queue, FANOUT)
        link.purge(MARKS)


def read_queue(node, queue, take):
    """All of a queue in order, as (message, redelivered). take: how many of them to settle for good."""
    with Fast(node, READ_SECONDS) as link:
        wanted = link.declare(queue, passive=True)[0]
        link.confirm()
        link.consume(queue)
        found, last = [], 0
        while len(found) < wanted:
            event = link.next()
            if event[0] != "deliver":
                continue
            _, last, redelivered, _, body = event
            message = struct.unpack_from(">LL", body)
            if body != body_of(*message):
                raise Wrong(f"{queue}: the body of {message} is not what was sent")
            found.append((message, redelivered))
            if len(found) == take:
                link.send(link.ack(last, True))
        # Nothing more may come, and the acks are on the disk with this mark.
        link.send(link.publish("", MARKS, b"mark"))
        while True:
            event = link.next()
            if event[0] == "deliver":
                raise Wrong(f"{queue}: more messages than declare-ok said")
            if event[0] == "ack":
                return found


class Run:
    def __init__(self, seed, cycles, folder):
        self.rng = random.Random(seed)
        self.cycles = cycles
        self.folder = folder
        self.ledgers = {queue: Ledger() for queue in QUEUES}
        self.identity = 0
        self.synced_log = folder / "synced.log"
        shim = build_shim(folder)
        self.can_cut = shim is not None
        environment = {"LD_PRELOAD": str(shim), "SYNCED_LOG": str(self.synced_log)} if shim else {}
        self.node = broker.Leveretd(dir=folder / "node", environment=environment)
        self.sums = {"confirmed": 0, "acked": 0, "read": 0, "cut": 0, "unmarked": 0}

    def cycle(self, number, cut):
        rng, node = self.rng, self.node
        set_up(node)
        workers = []
        for window in (1, 50, 5000, rng.choice((1, 50, 5000))):
            self.identity += 1
            target = None if rng.random() < 0.3 else rng.choice(QUEUES)
            workers.append(Publisher(node, self.ledgers, self.identity, window, target, rng.random() < 0.1, rng))
        for queue in QUEUES:
            if rng.random() < 0.7:
                workers.append(Consumer(node, self.ledgers[queue], queue, rng))
        for worker in workers:
            worker.start()
        time.sleep(rng.uniform(0.05, 1.5))
        if not node.alive():
            raise Wrong("leveretd ended by itself")
        node.kill()
        for worker in workers:
            worker.join(READ_SECONDS)
            if worker.error:
                raise worker.error
        self.lose_power(cut)
        while rng.random() < 0.25:
            # A crash during recovery.
            node.launch()
            time.sleep(rng.uniform(0, 0.1))
            node.kill()
            self.lose_power(cut)
        started = time.monotonic()
        node.start()
        self.start_seconds = time.monotonic() - started
        self.sums["confirmed"] += sum(w.confirms for w in workers if isinstance(w, Publisher))
        self.sums["acked"] += sum(w.acks for w in workers if isinstance(w, Consumer))
        self.check(all_out=number % 3 == 0)

    def lose_power(self, cut):
        if cut:
            self.sums["cut"] += cut_files(self.node.data, self.synced_log, self.rng)

    def check(self, all_out):
        for queue, ledger in self.ledgers.items():
            take = 1 << 60 if all_out else 0
            with Fast(self.node, READ_SECONDS) as link:
                there = link.declare(queue, passive=True)[0]
            # Not all at times, so that a rest goes through several crashes; never so much that the test grows slow.
            if all_out or there > 30_000:
                take = there
            elif self.rng.random() < 0.5:
                take = self.rng.randint(0, there)
            found = read_queue(self.node, queue, take)
            redelivered, seen = ledger.check(queue, found)
            self.sums["read"] += len(found)
            self.sums["unmarked"] += len((seen & ledger.delivered) - redelivered)
            taken = {message for message, _ in found[:take]}
            ledger.acked |= taken
            ledger.settled |= taken
            ledger.confirmed -= taken
            ledger.delivered |= seen


def main():
    seed = int(os.environ.get("LEVERET_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    cycles = int(os.environ.get("LEVERET_TEST_CYCLES") or 20)
    if broker.kind() != "leveretd":
        print("SKIP crash: of Leveret only")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="leveret-crash-"))
    try:
        run = Run(seed, cycles, folder)
    except broker.Unavailable as unavailable:
        print(f"SKIP crash: {unavailable}")
        return 0
    failed = 0
    print(f"crash: {cycles} cycles with seed {seed}", flush=True)
    try:
        run.node.start()
        for number in range(1, cycles + 1):
            cut = number % 2 == 0
            label = f"crash.{'power' if cut else 'kill'}_{number}"
            if cut and not run.can_cut:
                print(f"SKIP {label}: no C compiler for synced.c", flush=True)
                continue
            try:
                run.cycle(number, cut)
            except (Wrong, Gone, socket.timeout, broker.DidNotStart, AssertionError) as error:
                failed = 1
                keep = Path(os.environ.get("LEVERET_TEST_KEEP", "/tmp")) / f"leveret-crash-{seed}"
                print(f"FAIL {label}: {type(error).__name__}: {' '.join(str(error).split())[:600]} (seed {seed})")
                run.node.kill()
                print("    " + run.node.log()[-3000:].replace("\n", "\n    "))
                shutil.rmtree(keep, ignore_errors=True)
                shutil.copytree(folder, keep)
                print(f"    the data directory is kept in {keep}", flush=True)
                break
            print(f"PASS {label}", flush=True)
        figures = ", ".join(f"{count} {what}" for what, count in run.sums.items())
        print(f"crash: seed {seed}: {figures}", flush=True)
    finally:
        run.node.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
