#!/usr/bin/python3
"""All that a queue can do, in one mix, killed at a random moment, again and again.

One data directory goes through all cycles. In each, for a second or so: publishers (confirms, and transactions) send to
queues with a byte limit that drops and one that refuses, with priorities, behind a delayed exchange, with
deduplication, with dead letters (rejected, expired, returned too often); consumers ack, reject, give back. Then the
broker is killed, or loses power (test_crash.cut_files), and started again, and each queue is compared with the ledger:

    - what was confirmed (or committed) is there, unless it was acked, or had a reason to leave: then it is where dead
      letters go, or it was dropped from the head of a queue that drops;
    - a message is in one place at a time: not in its queue and among its dead letters, not twice;
    - message_bytes of the API is the sum of the bodies that come when the queue is drained, to the byte, before and
      after the crash; a limit in bytes holds;
    - a priority is never behind a lower one; within one, a publisher's messages are in order;
    - a message that says that it came back is marked redelivered, and none came back more often than the limit: such a
      one is a dead letter;
    - of messages with one identifier, the deduplicating queue has one;
    - a delayed message comes, and not before its time.

LEVERET_TEST_CYCLES (6, half of each form), LEVERET_TEST_FORM ("kill", "power"; both by turns), LEVERET_TEST_SEED and
LEVERET_TEST_MIX_SECONDS (1.2: the longest that a cycle works) set length and course. scripts/soak runs hundreds.
"""
import os
import random
import shutil
import struct
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

import broker
import fast
from fast import Fast, Gone, Window
from http_api import Api, q
from test_crash import READ_SECONDS, Wrong, build_shim, cut_files

SIZES = (12, 12, 16, 24, 100, 1000, 4096, 5000, 20_000, 140_000)
FILLER = random.Random(2).randbytes(150_000)
DELAYED = "mix.later"
LETTERS = "mix.letters"
MARKS = "mix.marks"
LIMIT_BYTES = 400_000
CLOCK_SECONDS = 1   # how far the broker's clock, which is read once a turn, may be behind ours
DELIVERY_LIMIT = 3


def table(**fields):
    out = b""
    for name, value in fields.items():
        out += fast.short(name.replace("_", "-"))
        if isinstance(value, bool):
            out += b"t" + bytes([value])
        else:
            out += b"S" + fast.long(value.encode()) if isinstance(value, str) else b"l" + struct.pack(">q", value)
    return out


class Queue:
    """A queue of the mix, and how its messages are published."""

    def __init__(self, name, arguments, exchange="", transacts=False):
        self.name, self.arguments, self.exchange, self.transacts = name, arguments, exchange, transacts
        self.drops = arguments.get("x_max_length_bytes") and arguments.get("x_overflow", "drop-head") == "drop-head"
        self.letters = "x_dead_letter_exchange" in arguments
        self.limit = arguments.get("x_max_length_bytes")
        self.priorities = "x_max_priority" in arguments
        self.deduplicates = "x_message_deduplication" in arguments
        self.counts = arguments.get("x_queue_type") == "quorum"


SAFE_LETTERS = {"x_dead_letter_exchange": "", "x_dead_letter_routing_key": LETTERS}
QUEUES = [
    Queue("mix.plain", {}, transacts=True),
    Queue("mix.drops", {"x_max_length_bytes": LIMIT_BYTES}),
    Queue("mix.refuses", {"x_max_length_bytes": LIMIT_BYTES, "x_overflow": "reject-publish"}),
    Queue("mix.priorities", {"x_max_priority": 5}, transacts=True),
    Queue("mix.delayed", {}, exchange=DELAYED),
    Queue("mix.once", {"x_message_deduplication": True}),
    Queue("mix.dead", {**SAFE_LETTERS, "x_max_length_bytes": LIMIT_BYTES}),
    Queue("mix.counts", {**SAFE_LETTERS, "x_queue_type": "quorum", "x_delivery_limit": DELIVERY_LIMIT,
                         "x_dead_letter_strategy": "at-least-once", "x_overflow": "reject-publish"}),
]
ALL = [queue.name for queue in QUEUES] + [LETTERS]


def body_of(publisher, number):
    mixed = (publisher * 2654435761 + number * 40503) & 0xFFFFFFFF
    size = SIZES[mixed % 6] if mixed % 12 else SIZES[(mixed >> 8) % len(SIZES)]
    start = mixed % 1000
    return struct.pack(">LL", publisher, number) + FILLER[start:start + size - 8]


def message_of(body, where):
    message = struct.unpack_from(">LL", body)
    if body != body_of(*message):
        raise Wrong(f"{where}: the body of {message} is not what was sent")
    return message


def priority_of(number):
    return number * 7919 % 6


def identifier_of(publisher, number):
    # Each comes twice, one after the other.
    return f"{publisher}-{number // 2}"


class Ledger:
    """What was promised for one queue."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = {}            # publisher → highest number
        self.confirmed = set()
        self.acked = set()        # an ack was sent: may be gone
        self.settled = set()      # and is on the disk: must be gone
        self.refused = set()      # rejected: may be a dead letter
        self.returned = {}        # message → how often it was given back
        self.deliveries = {}      # message → how often it was delivered
        self.due = {}             # message → wall clock before which it must not come


class Publisher(threading.Thread):
    def __init__(self, node, ledger, queue, identity, rng):
        super().__init__(daemon=True)
        self.node, self.ledger, self.queue, self.identity = node, ledger, queue, identity
        self.transacts = queue.transacts and rng.random() < 0.5
        self.window = rng.choice((1, 20, 300))
        self.rng = random.Random(rng.random())
        self.error, self.confirms, self.refusals = None, 0, 0

    def run(self):
        try:
            self.work()
        except (Gone, OSError):
            pass
        except Exception as error:  # the main thread reports it
            self.error = error
            traceback.print_exc()

    def frames(self, link, number):
        """Notes the message as sent and answers its frames."""
        with self.ledger.lock:
            self.ledger.sent[self.identity] = number
        headers, priority = None, None
        if self.queue.exchange == DELAYED:
            delay = self.rng.choice((0, 1, 50, 400, 1500))
            headers = table(x_delay=delay)
            self.ledger.due[self.identity, number] = time.time() + delay / 1000 - CLOCK_SECONDS
        if self.queue.deduplicates:
            headers = table(x_deduplication_header=identifier_of(self.identity, number))
        if self.queue.priorities:
            priority = priority_of(number)
        return link.publish(self.queue.exchange, self.queue.name, body_of(self.identity, number), headers=headers,
                            priority=priority)

    def note(self, numbers):
        self.confirms += len(numbers)
        with self.ledger.lock:
            self.ledger.confirmed.update((self.identity, number) for number in numbers)

    def work(self):
        link = Fast(self.node, READ_SECONDS)
        if self.transacts:
            self.work_in_transactions(link)
        link.confirm()
        window = Window()
        while True:
            batch = []
            while window.open() < self.window and len(batch) < 50:
                window.sent += 1
                batch.append(self.frames(link, window.sent))
            if batch:
                link.send(b"".join(batch))
            while window.open() >= self.window or link.at < len(link.buffer):
                event = link.next()
                if event[0] == "ack":
                    self.note(window.take(event[1], event[2]))
                elif event[0] == "nack":
                    self.refusals += len(window.take(event[1], event[2]))
                if window.open() < self.window // 2 + 1:
                    break
            time.sleep(self.rng.choice((0, 0, 0.002)))

    def work_in_transactions(self, link):
        link.call(90, 10, b"", 11)
        number = 0
        while True:
            group = range(number + 1, number + 1 + self.rng.randint(1, 20))
            number = group[-1]
            link.send(b"".join(self.frames(link, n) for n in group))
            if self.rng.random() < 0.2:
                link.call(90, 30, b"", 31)  # rolled back: may not be there
                with self.ledger.lock:
                    self.ledger.refused.update((self.identity, n, "rolled back") for n in group)
            else:
                link.call(90, 20, b"", 21)
                self.note(group)


class Consumer(threading.Thread):
    def __init__(self, node, ledger, queue, rng):
        super().__init__(daemon=True)
        self.node, self.ledger, self.queue = node, ledger, queue
        self.rng = random.Random(rng.random())
        self.ack_share = rng.choice((0.1, 0.5, 0.9))
        self.error, self.acks = None, 0

    def run(self):
        try:
            self.work()
        except (Gone, OSError):
            pass
        except Exception as error:
            self.error = error
            traceback.print_exc()

    def work(self):
        rng, ledger = self.rng, self.ledger
        link = Fast(self.node, READ_SECONDS)
        link.qos(rng.choice((1, 20, 400, 4000)))
        link.consume(self.queue.name)
        for event in link.events():
            if event[0] != "deliver":
                continue
            message = message_of(event[4], self.queue.name)
            check_due(ledger, message, self.queue.name)
            chance = rng.random()
            with ledger.lock:
                ledger.deliveries[message] = ledger.deliveries.get(message, 0) + 1
                if chance < self.ack_share:
                    ledger.acked.add(message)
                elif chance < self.ack_share + 0.05:
                    ledger.refused.add(message)
                elif chance < 0.97:
                    ledger.returned[message] = ledger.returned.get(message, 0) + 1
            if chance < self.ack_share:
                self.acks += 1
                link.send(link.ack(event[1]))
            elif chance < self.ack_share + 0.05:
                link.send(link.nack(event[1], requeue=False))
            elif chance < 0.97:
                link.send(link.nack(event[1]))
            # else it stays out


def count_of(properties):
    """A message's x-delivery-count; 0: it has none."""
    at = properties.find(b"\x10x-delivery-count")
    if at < 0:
        return 0
    kind = properties[at + 17:at + 18]
    form = {b"l": ">q", b"I": ">i", b"i": ">I", b"s": ">h", b"b": ">b", b"L": ">q"}[kind]
    return struct.unpack_from(form, properties, at + 18)[0]


def check_due(ledger, message, where):
    if time.time() < ledger.due.get(message, 0):
        raise Wrong(f"{where}: {message} comes before its time")


def set_up(node):
    with Fast(node, READ_SECONDS) as link:
        payload = b"\x00\x00" + fast.short(DELAYED) + fast.short("x-delayed-message") + b"\x02"
        link.call(40, 10, payload + fast.long(table(x_delayed_type="direct")), 11)
        link.declare(LETTERS, durable=True)
        link.declare(MARKS, durable=True, arguments=table(x_max_length=1))
        for queue in QUEUES:
            link.declare(queue.name, durable=True, arguments=table(**queue.arguments))
            if queue.exchange:
                link.bind(queue.name, queue.exchange, queue.name)


def settled_down(node, api):
    """Waits until nothing is on its way: no delayed message, no dead letter that waits, no head that is to be dropped and must
    be read from the disk first."""
    end = time.monotonic() + READ_SECONDS
    while time.monotonic() < end:
        waits = sum(x.get("messages_delayed", 0) for x in api.get("exchanges").json)
        queues = {x["name"]: x for x in api.get("queues").json}
        out = {name: queues[name]["messages_unacknowledged"] for name in ALL}
        above = {q.name: queues[q.name]["message_bytes"] for q in QUEUES if q.drops and queues[q.name]["message_bytes"] > q.limit}
        if not waits and not any(out.values()) and not above:
            return queues
        time.sleep(0.02)
    raise Wrong(f"{waits} messages are still delayed, some unacknowledged without a consumer, {out}, or queues above their limits, {above}")


def drain(node, name, wanted):
    """All of a queue in order: (message, bytes of its body, redelivered, tag, count). What is read stays out until the link closes."""
    link = Fast(node, READ_SECONDS)
    link.consume(name)
    found = []
    while len(found) < wanted:
        try:
            event = link.next()
        except TimeoutError:
            raise Wrong(f"{name}: {len(found)} of {wanted} messages came, then nothing for {READ_SECONDS} s; now the API says "
                        f"{Api(node).get('queues/%2F/' + name).json}") from None
        if event[0] == "deliver":
            found.append((message_of(event[4], name), len(event[4]), event[2], event[1], count_of(link.properties)))
    # Nothing more may come: an answer from behind it.
    link.declare(name, passive=True)
    if link.at < len(link.buffer):
        raise Wrong(f"{name}: more messages than the API said")
    return link, found


class Run:
    def __init__(self, seed, folder):
        self.rng = random.Random(seed)
        self.ledgers = {queue.name: Ledger() for queue in QUEUES}
        self.identity = 0
        self.synced_log = folder / "synced.log"
        shim = build_shim(folder)
        self.can_cut = shim is not None
        environment = {"LD_PRELOAD": str(shim), "SYNCED_LOG": str(self.synced_log)} if shim else {}
        self.node = broker.Leveretd(dir=folder / "node", environment=environment, management=True)
        self.api = Api(self.node)
        self.seconds = float(os.environ.get("LEVERET_TEST_MIX_SECONDS") or 1.2)
        self.sums = {"confirmed": 0, "refused": 0, "acked": 0, "read": 0, "letters": 0, "came back": 0, "cut": 0}

    def cycle(self, cut):
        rng, node = self.rng, self.node
        set_up(node)
        publishers, consumers = [], []
        for queue in QUEUES:
            if rng.random() < 0.8:
                self.identity += 1
                publishers.append(Publisher(node, self.ledgers[queue.name], queue, self.identity, rng))
            if rng.random() < 0.6:
                consumers.append(Consumer(node, self.ledgers[queue.name], queue, rng))
        for worker in publishers + consumers:
            worker.start()
        time.sleep(rng.uniform(0.05, self.seconds))
        if not node.alive():
            raise Wrong("leveretd ended by itself")
        node.kill()
        for worker in publishers + consumers:
            worker.join(READ_SECONDS)
            if worker.error:
                raise worker.error
        if cut:
            self.sums["cut"] += cut_files(node.data, self.synced_log, rng)
        node.start()
        self.sums["confirmed"] += sum(p.confirms for p in publishers)
        self.sums["refused"] += sum(p.refusals for p in publishers)
        self.sums["acked"] += sum(c.acks for c in consumers)
        self.check()

    def check(self):
        """Reads every queue, compares, and takes most of it away; what stays goes through the next crash too."""
        listed = settled_down(self.node, self.api)
        found, links = {}, []
        for name in ALL:
            link, found[name] = drain(self.node, name, listed[name]["messages"])
            links.append(link)
            there = sum(entry[1] for entry in found[name])
            if listed[name]["message_bytes"] != there:
                raise Wrong(f"{name}: message_bytes is {listed[name]['message_bytes']}, and {there} bytes are there "
                            f"in {len(found[name])} messages")
        letters = {}
        for message, *_ in found[LETTERS]:
            letters[message] = letters.get(message, 0) + 1
        for queue in QUEUES:
            self.check_queue(queue, found[queue.name], letters)
            self.sums["read"] += len(found[queue.name])
            self.sums["came back"] += sum(1 for *_, count in found[queue.name] if count)
        self.sums["letters"] += len(letters)
        for name, link in zip(ALL, links):
            self.leave(name, link, found[name])

    def check_queue(self, queue, found, letters):
        ledger = self.ledgers[queue.name]
        seen, last, identifiers = set(), {}, set()
        size = 0
        for place, (message, bytes_, redelivered, _, count) in enumerate(found):
            publisher, number = message
            size += bytes_
            check_due(ledger, message, queue.name)
            if number > ledger.sent.get(publisher, 0):
                raise Wrong(f"{queue.name}: {message} was never sent")
            if message in seen:
                raise Wrong(f"{queue.name}: {message} is there twice")
            if count > DELIVERY_LIMIT or (count and not redelivered):
                raise Wrong(f"{queue.name}: {message} came back {count} times, the limit is {DELIVERY_LIMIT}; "
                            f"redelivered: {redelivered}")
            if message in ledger.settled:
                raise Wrong(f"{queue.name}: {message} was settled on the disk, here or as a dead letter, and is back")
            if message + ("rolled back",) in ledger.refused:
                raise Wrong(f"{queue.name}: {message} was rolled back and is there")
            if message in letters and letters[message] and not queue.counts:
                raise Wrong(f"{queue.name}: {message} is there and a dead letter, too")
            seen.add(message)
            rank = priority_of(number) if queue.priorities else 0
            if queue.priorities and place and rank > min(priority_of(m[1]) for m, *_ in found[place - 1:place]):
                raise Wrong(f"{queue.name}: {message} of priority {rank} comes behind a lower one")
            if queue.exchange != DELAYED and number < last.get((publisher, rank), 0):
                raise Wrong(f"{queue.name}: {message} comes after {last[publisher, rank]}")
            last[publisher, rank] = number
            if queue.deduplicates:
                identifier = identifier_of(*message)
                if identifier in identifiers:
                    raise Wrong(f"{queue.name}: two messages are there with the identifier {identifier}")
                identifiers.add(identifier)
        if queue.limit and size > queue.limit and queue.drops:
            raise Wrong(f"{queue.name}: {size} bytes are there, the limit is {queue.limit}")
        self.check_lost(queue, ledger, seen, letters, found)
        gone = ledger.acked - seen
        ledger.confirmed -= gone

    def check_lost(self, queue, ledger, seen, letters, found):
        lost = ledger.confirmed - ledger.acked - seen
        if queue.letters:
            lost = {m for m in lost if m not in letters}
        elif queue.drops:
            # Dropped from the head of what was ready: what is there is younger than what is not, but for what was out.
            youngest = {}
            for message, _, redelivered, *_ in found:
                if not redelivered:
                    youngest.setdefault(message[0], message[1])
            lost = {m for m in lost if m[1] > youngest.get(m[0], 1 << 62)}
        elif queue.deduplicates:
            lost = {m for m in lost if not self.has_twin(queue, ledger, seen, m)}
        lost = {m for m in lost if queue.letters or m not in ledger.refused}
        if lost:
            raise Wrong(f"{queue.name}: {len(lost)} confirmed messages are lost, such as {sorted(lost)[:5]}; "
                        f"{len(seen)} are there")

    @staticmethod
    def has_twin(queue, ledger, seen, message):
        """Whether another message with the same identifier came before, and what became of it is known."""
        publisher, number = message
        twin = (publisher, number ^ 1)
        return twin in seen or twin in ledger.acked or twin in ledger.refused

    def leave(self, name, link, found):
        """Acks what was read but for a rest at the end, which the next crash meets again."""
        keep = 0 if name == LETTERS else self.rng.choice((0, 0, 20, 200))
        gone = found[:max(len(found) - keep, 0)]
        if gone:
            link.send(link.ack(gone[-1][3], True))
        # What a vhost's owner does is journalled in order: when the mark is confirmed, the acks are on the disk.
        link.confirm()
        link.send(link.publish("", MARKS, b"mark"))
        while link.next()[0] != "ack":
            pass
        taken = {message for message, *_ in gone}
        # A publisher sends to one queue only; a dead letter is done with in the queue that it came from.
        for ledger in [self.ledgers[name]] if name in self.ledgers else self.ledgers.values():
            mine = {message for message in taken if message[0] in ledger.sent}
            ledger.acked |= mine
            ledger.settled |= mine
            ledger.confirmed -= mine
        link.close()


def main():
    seed = int(os.environ.get("LEVERET_TEST_SEED") or random.SystemRandom().randrange(1 << 32))
    cycles = int(os.environ.get("LEVERET_TEST_CYCLES") or 6)
    form = os.environ.get("LEVERET_TEST_FORM")
    if broker.kind() != "leveretd":
        print("SKIP mix: of Leveret only")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="leveret-mix-"))
    try:
        run = Run(seed, folder)
    except broker.Unavailable as unavailable:
        print(f"SKIP mix: {unavailable}")
        return 0
    failed = 0
    print(f"mix: {cycles} cycles with seed {seed}", flush=True)
    try:
        run.node.start()
        for number in range(1, cycles + 1):
            cut = form == "power" or (form != "kill" and number % 2 == 0)
            label = f"mix.{'power' if cut else 'kill'}_{number}"
            if cut and not run.can_cut:
                print(f"SKIP {label}: no C compiler for synced.c", flush=True)
                continue
            try:
                run.cycle(cut)
            except (Wrong, Gone, OSError, broker.DidNotStart, AssertionError) as error:
                failed = 1
                keep = Path(os.environ.get("LEVERET_TEST_KEEP", "/tmp")) / f"leveret-mix-{seed}"
                print(f"FAIL {label}: {type(error).__name__}: {' '.join(str(error).split())[:600]} (seed {seed})")
                run.node.kill()
                print("    " + run.node.log()[-3000:].replace("\n", "\n    "))
                shutil.rmtree(keep, ignore_errors=True)
                shutil.copytree(folder, keep)
                print(f"    the data directory is kept in {keep}", flush=True)
                break
            print(f"PASS {label}", flush=True)
        figures = ", ".join(f"{count} {what}" for what, count in run.sums.items())
        print(f"mix: seed {seed}: {figures}", flush=True)
    finally:
        run.node.remove()
        shutil.rmtree(folder, ignore_errors=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
