#!/usr/bin/python3
"""Bad disks: one that fills, one that fails, files that are damaged, directories that are in use or too new."""
import contextlib
import hashlib
import random
import re
import shutil
import socket
import subprocess
import time

import broker
from fast import Fast, Gone, Window
from harness import Skip, eventually, main, name, test
from http_api import Api
from small_disk import free_bytes, small_disk

MIB = 1 << 20
BLOCKED = ("connection.blocked",)
QUEUE = "disk"


def body_of(number, size):
    rng = random.Random(number)
    return b"%08d" % number + rng.randbytes(size - 8)


class Publisher:
    """Publishes durable messages as long as they are confirmed, and keeps the ledger."""

    def __init__(self, node, first=0):
        self.link = Fast(node, capabilities=BLOCKED)
        self.link.declare(QUEUE, durable=True)
        self.link.confirm()
        self.link.socket.settimeout(3)          # from here on not to be read is an answer
        self.first, self.window, self.confirmed, self.refused = first, Window(), set(), set()
        self.was_blocked = False

    def send(self, size):
        self.window.sent += 1
        self.link.send(self.link.publish("", QUEUE, body_of(self.first + self.window.sent, size)))

    def read(self, seconds):
        """Reads confirms until all are there or nothing came for so long."""
        self.link.socket.settimeout(seconds)
        try:
            while self.window.open():
                event = self.link.next()
                if event[0] in ("ack", "nack"):
                    numbers = {self.first + t for t in self.window.take(event[1], event[2])}
                    (self.confirmed if event[0] == "ack" else self.refused).update(numbers)
                self.was_blocked |= event[0] == "blocked"
            return True
        except socket.timeout:
            return False

    def until_stopped(self, size, most):
        """Publishes until the broker does not take more; answers why."""
        try:
            for _ in range(most):
                self.send(size)
                if not self.read(2):
                    return "blocked" if self.was_blocked else "silent"
                if self.refused:
                    return "nacked"
        except socket.timeout:
            return "blocked" if self.was_blocked else "not read"
        except Gone as gone:
            return f"closed with {gone.code}"
        return None


def take(node, count, ack=True):
    """Gets and acks so many; answers the numbers, having checked the bodies."""
    with Fast(node) as link:
        there = link.declare(QUEUE, durable=True, passive=True)[0]
        link.consume(QUEUE)
        numbers = []
        while len(numbers) < min(count, there):
            _, tag, _, _, body = link.next()
            numbers.append(int(body[:8]))
            assert body == body_of(numbers[-1], len(body)), f"the body of {numbers[-1]} is damaged"
            if ack:
                link.send(link.ack(tag))
        # The acks have arrived when this is answered.
        link.qos(1)
        return numbers


def publishes(node, first, seconds=5):
    """Whether a durable message is confirmed in time."""
    try:
        publisher = Publisher(node, first)
        publisher.send(100)
        done = publisher.read(seconds)
        publisher.link.close()
        return done and bool(publisher.confirmed)
    except (Gone, OSError):
        return False


def unhealthy(node):
    """The checks that fail; disk_free_alarm says the same as they do."""
    api = Api(node)
    failing = {check for check in ("alarms", "local-alarms", "virtual-hosts") if api.get(f"health/checks/{check}").code == 503}
    assert api.get("nodes").json[0]["disk_free_alarm"] == ("alarms" in failing)
    return failing


@test(own=True, seconds=120, leveret_only="its own disk")
def full_disk(node):
    """The queue itself fills the disk: nothing is confirmed that is not stored; reading makes room, and it works again."""
    node.stop()
    with small_disk(24 * MIB) as folder:
        small = broker.Leveretd(dir=folder, settings={"disk_free_limit.absolute": "0"})
        small.log_path = node.dir / "small.log"
        with small.start():
            publisher = Publisher(small)
            why = publisher.until_stopped(20_000, 3000)
            print(f"stopped after {len(publisher.confirmed)} confirms: {why}; {free_bytes(folder)} bytes free")
            print(small.log()[-1500:])
            assert why, "60 MB fit on a disk of 24 MB"
            assert len(publisher.confirmed) >= 200, f"only {len(publisher.confirmed)} messages of 20 kB fit on 24 MB"
            assert why in ("blocked", "nacked") or why.startswith("closed with"), f"the publisher was left {why}"
            # What was confirmed can be read and settled.
            taken = take(small, 200)
            assert taken == list(range(1, 201)), taken[:5]
            # And there is room again: what waited is confirmed, more comes through.
            eventually(lambda: publishes(small, 1_000_000), 30, "publishing after messages were taken")
            publisher.link.socket.settimeout(5)
            if why == "blocked":
                assert publisher.read(60), "what was sent before the disk was full is not confirmed when there is room"
            # Nothing confirmed is lost, through a crash on the full disk too.
            small.kill()
            small.start()
            left = take(small, 10_000)
            lost = publisher.confirmed - set(taken) - set(left)
            assert not lost, f"{len(lost)} confirmed messages are lost: {sorted(lost)[:5]}"
            own = [number for number in left if number < 1_000_000]
            assert own == sorted(own), "out of order"
            eventually(lambda: publishes(small, 2_000_000), 30, "publishing after all was taken")


@test(own=True, seconds=120, leveret_only="its own disk")
def another_program_fills_the_disk(node):
    """Another program takes all the space, and gives it back."""
    node.stop()
    with small_disk(32 * MIB) as folder:
        small = broker.Leveretd(dir=folder, settings={"disk_free_limit.absolute": "0"}, management=True)
        small.log_path = node.dir / "small.log"
        with small.start():
            assert unhealthy(small) == set()
            publisher = Publisher(small)
            for _ in range(300):
                publisher.send(10_000)
            assert publisher.read(60)
            glutton = folder / "glutton"
            with open(glutton, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 65536)
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 512)
            why = publisher.until_stopped(10_000, 1000)
            print(f"stopped after {len(publisher.confirmed)} confirms: {why}; {free_bytes(folder)} bytes free")
            assert why, "10 MB were confirmed on a disk with no room"
            assert why in ("blocked", "nacked") or why.startswith("closed with"), f"the publisher was left {why}"
            if why == "blocked":
                eventually(lambda: unhealthy(small) == {"alarms", "local-alarms", "virtual-hosts"}, 10, "word of the disk")
            with open(glutton, "ab", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 512)
            # Reading and acking go on. An ack takes no answer, so all that is seen is that it does no harm.
            assert take(small, 100) == list(range(1, 101))
            # Other clients that do not publish notice nothing.
            with Fast(small, seconds=5) as link:
                queue = name("transient")
                link.declare(queue, exclusive=True)
            glutton.unlink()
            eventually(lambda: publishes(small, 1_000_000), 30, "publishing after space was given back")
            if why == "blocked":
                assert publisher.read(60), "what was sent before is not confirmed"
            small.kill()
            small.start()
            left = take(small, 10_000)
            lost = publisher.confirmed - set(range(1, 101)) - set(left)
            assert not lost, f"{len(lost)} confirmed messages are lost: {sorted(lost)[:5]}"
            assert re.search(r"space|disk", small.log(), re.I), "no word of the full disk in the log"


def take_all_room(file):
    """Writes until nothing fits, not even a few bytes."""
    with open(file, "ab", buffering=0) as out:
        for piece in (65536, 512, 1):
            with contextlib.suppress(OSError):
                while True:
                    out.write(b"x" * piece)


@test(own=True, seconds=120, leveret_only="its own disk")
def start_on_a_full_disk(node):
    """A start on a disk without any room serves what is stored, and confirms only what is; with room it goes on by itself."""
    node.stop()
    with small_disk(48 * MIB) as folder:
        small = broker.Leveretd(dir=folder, settings={"disk_free_limit.absolute": "0"})
        small.log_path = node.dir / "small.log"
        with small.start():
            publisher = Publisher(small)
            for _ in range(300):
                publisher.send(10_000)
            assert publisher.read(60)
            glutton = folder / "glutton"
            take_all_room(glutton)
            for stop in (small.kill, small.stop, small.kill):
                stop()
                small.start()
                # Read, and given back when the connection goes.
                assert take(small, 300, ack=False) == list(range(1, 301))
            late = Publisher(small, 1_000_000)
            assert late.until_stopped(20_000, 2500), "50 MB are confirmed on a disk without room"
            glutton.unlink()
            eventually(lambda: publishes(small, 2_000_000), 30, "publishing when there is room")
            small.kill()
            small.start()
            left = take(small, 10_000)
            assert left[:300] == list(range(1, 301))
            lost = late.confirmed - set(left)
            assert not lost, f"{len(lost)} confirmed messages are lost: {sorted(lost)[:5]}"


@test(own=True, seconds=60, leveret_only="its own disk")
def a_vhost_that_finds_no_room_comes_back(node):
    """Without room to be opened in, a vhost is down and the broker runs; when there is room it is opened by itself."""
    node.stop()
    with small_disk(48 * MIB) as folder:
        small = broker.Leveretd(dir=folder, settings={"disk_free_limit.absolute": "0"}, management=True)
        small.log_path = node.dir / "small.log"
        with small.start():
            assert publishes(small, 1, 60)
            small.stop()
            (vhost,) = (small.data / "vhosts").iterdir()
            (vhost / "reserve").unlink()
            glutton = folder / "glutton"
            take_all_room(glutton)
            small.start()
            api = Api(small)
            state = api.get("vhosts/%2F").json
            assert state["state"] == "down" and "space" in state["reason"], state
            glutton.unlink()
            eventually(lambda: api.get("vhosts/%2F").json["state"] == "running", 30, "the vhost")
            assert take(small, 1) == [2]


@test(own=True, seconds=60, leveret_only="its own disk")
def disk_watermark(node):
    """Below disk_free_limit publishers are blocked while the disk still has room; above it they go on."""
    node.stop()
    with small_disk(64 * MIB) as folder:
        small = broker.Leveretd(dir=folder, settings={"disk_free_limit.absolute": "40MiB"})
        small.log_path = node.dir / "small.log"
        with small.start():
            assert publishes(small, 1, 60)
            glutton = folder / "glutton"
            glutton.write_bytes(b"x" * (30 * MIB))
            with Fast(small, seconds=15, capabilities=BLOCKED) as link:
                link.declare(QUEUE, durable=True, passive=True)
                eventually(lambda: "disk" in small.log().lower(), 15, "a word of the alarm in the log")
                link.send(link.publish("", QUEUE, body_of(2, 100)))
                assert link.next() == ("blocked",)
                glutton.unlink()
                assert link.next() == ("unblocked",)
            eventually(lambda: publishes(small, 3), 10, "publishing after the alarm")


def build_shim(folder):
    out = folder / "synced.so"
    done = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", out, broker.HERE / "synced.c",
                           "-ldl"], stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Skip("no C compiler")
    return out


@test(own=True, seconds=60, leveret_only="its own disk")
def failing_sync(node):
    """The disk refuses to sync: nothing is confirmed; when it works again, all is, and is still there after a crash."""
    node.stop()
    flag = node.dir / "fail"
    node.environment = {"LD_PRELOAD": str(build_shim(node.dir)), "SYNCED_FAIL": str(flag)}
    node.start()
    publisher = Publisher(node)
    for size in (100, 100_000):
        publisher.send(size)
    assert publisher.read(60)
    before = set(publisher.confirmed)
    flag.write_text("")
    for size in (100, 5_000, 300_000, 20):
        with contextlib.suppress(socket.timeout, Gone):
            publisher.send(size)
    with contextlib.suppress(Gone):
        publisher.read(2)
    assert publisher.confirmed == before, "confirmed without a sync"
    assert take(node, 1, ack=False) == [1], "reading does not go on"
    flag.unlink()
    eventually(lambda: publishes(node, 1_000_000), 30, "publishing after the disk works again")
    with contextlib.suppress(Gone):
        publisher.read(10)
    node.kill()
    node.start()
    lost = publisher.confirmed - set(take(node, 100))
    assert not lost, f"lost: {sorted(lost)}"


@test(own=True, seconds=60, leveret_only="its own disk")
def failing_reads(node):
    """The disk cannot be read for a while: the queue waits and says so, and then gives out all that it has."""
    node.stop()
    flag = node.dir / "fail-reads"
    shim = build_shim(node.dir)
    broken = broker.Leveretd(dir=node.dir / "broken", management=True,
                             environment={"LD_PRELOAD": str(shim), "SYNCED_FAIL_READ": str(flag)})
    broken.log_path = node.dir / "broken.log"
    with broken.start():
        publisher = Publisher(broken)
        for _ in range(1500):
            publisher.send(10_000)
        assert publisher.read(60)
        publisher.link.close()
        broken.restart()
        flag.touch()
        api = Api(broken)
        path = f"queues/%2F/{QUEUE}"
        with Fast(broken) as link:
            link.consume(QUEUE)
            eventually(lambda: api.get(path).json.get("state_reason") == "waiting for the disk", 20, "the reason")
            assert api.get(path).json["state"] == "running"
            flag.unlink()
            numbers = [int(link.next()[4][:8]) for _ in range(1500)]
            assert numbers == list(range(1, 1501))
            eventually(lambda: "state_reason" not in api.get(path).json, 20, "the end of the reason")
        assert "cannot be read just now" in broken.log() and "reading works again" in broken.log()
        assert "purge" not in broken.log()


@test(own=True, seconds=30, leveret_only="its own data directory")
def second_broker(node):
    """A second leveretd on the same data directory is refused, and does no harm."""
    assert publishes(node, 1, 60)
    second = broker.Leveretd(dir=node.dir)
    second.log_path = node.dir / "second.log"
    try:
        second.start()
    except broker.DidNotStart as refused:
        assert "in use" in str(refused) and str(node.data) in str(refused), refused
    else:
        second.kill()
        raise AssertionError("a second broker runs on the same data directory")
    assert publishes(node, 2, 60)


@test(own=True, seconds=30, leveret_only="its own data directory")
def newer_format(node):
    assert publishes(node, 1, 60)
    node.stop()
    file = node.data / "format"
    kept = file.read_text()
    file.write_text(re.sub(r"\d+", "999", kept))
    before = picture(node.data)
    refused = refusal(node)
    assert str(file) in refused and "newer" in refused, refused
    assert picture(node.data) == before, "something was changed"
    file.write_text(kept)
    node.start()
    assert take(node, 10) == [2]


def picture(folder):
    return {str(path): hashlib.sha1(path.read_bytes()).hexdigest() for path in folder.rglob("*")
            if path.is_file() and path.name not in ("lock", "LOCK", "LOG", "LOG.old", "reserve")}


def refusal(node):
    """Starts a broker that must refuse to start, or to open its one vhost; answers what it said, None when it serves."""
    try:
        node.start()
        Fast(node).close()
    except broker.DidNotStart as refused:
        return str(refused)
    except Gone as down:
        assert down.code == 541 and "vhost '/' is down" in str(down), down
        node.kill()
        return node.log(this_run=True)
    return None


def fill(node):
    """Messages of all kinds, so that there are files of all kinds."""
    with Fast(node) as link:
        link.exchange("disk.fanout", "fanout", durable=True)
        for queue in (QUEUE, "disk.second"):
            link.declare(queue, durable=True)
            link.bind(queue, "disk.fanout")
        link.confirm()
        number = 0
        for size in (100, 10_000, 300_000):
            for _ in range(12_000_000 // size // 4 if size > 100 else 2000):
                number += 1
                link.send(link.publish("disk.fanout", "", body_of(number, size)))
                if number % 100 == 0:
                    while link.next()[1] < number:
                        pass
        link.send(link.publish("disk.fanout", "", body_of(number + 1, 100)))
        while link.next()[1] < number + 1:
            pass
        return number + 1


def changed(node, target, good, before, wanted, what):
    """After a refusal: nothing is lost. With the damaged file put right, all is there again. LevelDB may have written its log
    anew when the damage is in a file that is not its own."""
    problems = []
    if not target.name.startswith("segment-") and picture(target.parent) != before:
        problems.append(f"{what}: refused, and files were changed")
    shutil.copyfile(good, target)
    said = refusal(node)
    if said is not None:
        return problems + [f"{what}: refused with the good file too: {said[-300:]}"]
    missing = read_all(node, wanted)
    node.kill()
    return problems + ([f"{what}: with the good file {missing} messages are missing"] if missing else [])


def kind_of(path):
    """LevelDB's and Leveret's file kinds, by name."""
    return "node " * ("node" in path.parts) + re.sub(r"\d+", "N", path.name)


def read_all(node, wanted):
    """Reads both queues; every body that comes must be right. Answers how many are missing."""
    missing = 0
    for queue in (QUEUE, "disk.second"):
        with Fast(node, seconds=3) as link:
            link.consume(queue)
            got = set()
            with contextlib.suppress(socket.timeout, Gone):
                while len(got) < wanted:
                    body = link.next()[4]
                    number = int(body[:8])
                    assert body == body_of(number, len(body)), f"message {number} came damaged"
                    got.add(number)
            missing += wanted - len(got)
    return missing


@test(own=True, seconds=400, leveret_only="its own files")
def flipped_bytes(node):
    """One byte changed in each kind of file: refused with the file's name and advice, or noticed when it is read; a damaged
    message is never delivered, and nothing is deleted."""
    wanted = fill(node)
    # Twice, so that there are tables beside logs, and then a few more messages for the log.
    node.restart()
    node.restart()
    assert publishes(node, 5_000_000, 60)
    node.stop()
    good = node.dir / "good"
    shutil.copytree(node.data, good)
    files = sorted(p for p in good.rglob("*") if p.is_file() and p.stat().st_size > 0 and
                   p.name not in ("lock", "LOCK", "LOG", "LOG.old", "reserve"))
    kinds = {}
    for path in files:
        kinds.setdefault(kind_of(path.relative_to(good)), []).append(path)
    print("kinds:", ", ".join(f"{kind} ({len(paths)})" for kind, paths in kinds.items()))
    rng = random.Random(7)
    problems, tally = [], {}
    for kind, paths in kinds.items():
        path = max(paths, key=lambda p: p.stat().st_size)
        size = path.stat().st_size
        places = sorted({0, size // 2, size - 1} | {rng.randrange(size) for _ in range(2)})
        for place in places:
            shutil.rmtree(node.data)
            shutil.copytree(good, node.data)
            target = node.data / path.relative_to(good)
            with open(target, "r+b") as file:
                file.seek(place)
                byte = file.read(1)[0]
                file.seek(place)
                file.write(bytes([byte ^ (1 << rng.randrange(8))]))
            before = picture(target.parent)
            said = refusal(node)
            what = f"{kind} at {place} of {size}"
            if said is not None:
                tally["refused"] = tally.get("refused", 0) + 1
                if target.name not in said and not (kind.endswith("CURRENT")):
                    problems.append(f"{what}: refused without the file's name: {said[-300:]}")
                if not re.search(r"restore|copy|backup|move", said, re.I):
                    problems.append(f"{what}: refused without advice: {said[-300:]}")
                problems += changed(node, target, path, before, wanted, what)
                continue
            try:
                missing = read_all(node, wanted)
                if missing and target.name not in node.log(this_run=True):
                    problems.append(f"{what}: {missing} messages are missing without a word of {target.name}")
                tally["noticed" if missing else "harmless"] = tally.get("noticed" if missing else "harmless", 0) + 1
            except AssertionError as error:
                problems.append(f"{what}: {error}")
            node.kill()
    print("tally:", tally)
    assert not problems, f"{len(problems)}: " + " | ".join(problems)[:1500]


@test(own=True, seconds=120, leveret_only="its own files")
def missing_files(node):
    """A file of each kind removed: refused, nothing deleted; no message vanishes without a word."""
    wanted = fill(node)
    node.restart()
    node.stop()
    good = node.dir / "good"
    shutil.copytree(node.data, good)
    kinds = {}
    for path in sorted(p for p in good.rglob("*") if p.is_file() and p.stat().st_size > 0):
        if path.name not in ("lock", "LOCK", "LOG", "LOG.old", "reserve", "format"):
            kinds.setdefault(kind_of(path.relative_to(good)), path)
    problems = []
    for kind, path in kinds.items():
        shutil.rmtree(node.data)
        shutil.copytree(good, node.data)
        target = node.data / path.relative_to(good)
        target.unlink()
        before = picture(target.parent)
        said = refusal(node)
        if said is None:
            try:
                missing = read_all(node, wanted)
            except (Gone, OSError, AssertionError) as error:
                missing, _ = 1, error
            if missing and path.name not in node.log(this_run=True):
                problems.append(f"{kind}: {missing} messages are missing without a word")
            node.kill()
        elif not (re.search(r"restore|copy|backup|move", said, re.I) and target.name in said):
            problems.append(f"{kind}: refused without name or advice: {said[-300:]}")
        else:
            problems += changed(node, target, path, before, wanted, kind)
    assert not problems, " | ".join(problems)[:1500]


if __name__ == "__main__":
    main(shared=False)
