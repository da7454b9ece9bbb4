"""The frame of the attack programs: a broker with little of everything, a probe beside the attack, and a row for each.

The broker has a watermark of 500 MB and 400 descriptors. The probe, a process of its own, publishes a hundred durable
messages a second to a queue of its own vhost, with confirms, and consumes them. An attack is a function that gets the broker
and whether it is to be short; what it is refused is no error. A row fails when the broker has died, held more than its
watermark and 30 %, or lost a message that it had confirmed to the probe; and, on a quiet machine only, when the probe's p99
is above 20 ms.
"""
import contextlib
import os
import select
import shutil
import signal
import struct
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scenario"))

import broker  # noqa: E402
from fast import Fast, Gone  # noqa: E402
from http_api import Api  # noqa: E402

MB = 1000000
WATERMARK_BYTES = 500 * MB
RESIDENT_MAX = WATERMARK_BYTES * 13 // 10
DESCRIPTORS = 400
RATE = 100               # messages a second
DRAIN_SECONDS = 60       # for what is confirmed to be delivered after the attack
ATTACK_SECONDS = 300     # an attack that takes longer is ended
P99_MS_MAX = 20
QUIET = (OSError, Gone, EOFError)

_attacks = []


def attack(function):
    """Registers an attack: function(node, short)."""
    _attacks.append(function)
    return function


def names():
    return [one.__name__ for one in _attacks]


# ---- The broker.

def _prefix():
    limit = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    capabilities = 0
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            capabilities = int(line.split()[1], 16)
    if capabilities & 1 << 24:  # with CAP_SYS_RESOURCE it would raise the limit
        limit += ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-all"]
    return limit


def start_broker():
    settings = {"vm_memory_high_watermark.absolute": str(WATERMARK_BYTES), "disk_free_limit.absolute": "1MB"}
    node = broker.Leveretd(settings=settings, management=True, prefix=_prefix())
    node.start()
    assert Api(node).put("vhosts/probe").code == 201
    assert Api(node).put("permissions/probe/guest", {"configure": ".*", "write": ".*", "read": ".*"}).code in (201, 204)
    return node


# ---- The probe.

class _Probe:
    def __init__(self, node):
        self.link = Fast(node, seconds=ATTACK_SECONDS, vhost="probe")
        self.link.declare("probe", durable=True)
        self.link.confirm()
        self.link.consume("probe")
        self.sent, self.times, self.confirmed, self.delivered, self.up_to = 0, {}, set(), set(), 0

    def publish(self):
        self.sent += 1
        self.times[self.sent] = time.monotonic()
        self.link.send(self.link.publish("", "probe", b"%d" % self.sent))

    def take(self, event, latencies):
        if event[0] == "ack":
            first = self.up_to + 1 if event[2] else event[1]
            self.confirmed.update(range(first, event[1] + 1))
            self.up_to = max(self.up_to, event[1]) if event[2] else self.up_to
        elif event[0] == "deliver":
            number = int(event[4])
            self.delivered.add(number)
            latencies.append(time.monotonic() - self.times[number])
            self.link.send(self.link.ack(event[1]))

    def readable(self, seconds):
        left = self.link.buffer[self.link.at:self.link.at + 7]
        if len(left) == 7 and len(self.link.buffer) - self.link.at >= struct.unpack(">BHL", left)[2] + 8:
            return True
        return bool(select.select([self.link.socket], [], [], seconds)[0])


def _probe_main(node, stop, out):
    latencies, lost, sent, why = [], 0, 0, ""
    ending = []
    signal.signal(signal.SIGTERM, lambda *unused: ending.append(True))
    try:
        probe = _Probe(node)
        os.write(stop, b"r")
        due = time.monotonic()
        while not ending:
            now = time.monotonic()
            if now >= due:
                probe.publish()
                due = max(due + 1 / RATE, now - 1)
            if probe.readable(max(0, due - now)):
                probe.take(probe.link.next(), latencies)
        end = time.monotonic() + DRAIN_SECONDS
        while (len(probe.confirmed) < probe.sent or len(probe.delivered) < probe.sent) and time.monotonic() < end:
            if probe.readable(0.1):
                probe.take(probe.link.next(), latencies)
        lost, sent = len(probe.confirmed - probe.delivered), probe.sent
        if len(probe.confirmed) < sent:
            why = f"{sent - len(probe.confirmed)} not confirmed"
    except BaseException as error:
        why = f"the probe ended: {type(error).__name__} {error}"
    latencies.sort()

    def percentile(part):
        return 1000 * latencies[min(len(latencies) - 1, int(len(latencies) * part))] if latencies else float("nan")

    os.write(out, f"{percentile(0.5)} {percentile(0.99)} {percentile(1)} {sent} {lost} {why}".encode())


def _start_probe(node):
    ready_read, ready_write = os.pipe()
    result_read, result_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ready_read)
        os.close(result_read)
        try:
            _probe_main(node, ready_write, result_write)
        finally:
            os._exit(0)
    os.close(ready_write)
    os.close(result_write)
    os.read(ready_read, 1)
    os.close(ready_read)
    return pid, result_read


def _end_probe(pid, result):
    os.kill(pid, signal.SIGTERM)
    text = b""
    while more := os.read(result, 4096):
        text += more
    os.close(result)
    os.waitpid(pid, 0)
    p50, p99, top, sent, lost, *why = text.decode().split(" ", 5)
    return float(p50), float(p99), float(top), int(sent), int(lost), " ".join(why)


# ---- An attack and its row.

def _attack_process(function, node, short):
    """Runs the attack in a process of its own, so that it neither slows the probe nor outlives its time."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.nice(10)  # it would be another machine: the probe is to feel the broker, not who gets the cores
        signal.alarm(ATTACK_SECONDS)
        code = 0
        try:
            function(node, short)
        except QUIET:
            pass
        except BaseException:
            traceback.print_exc()
            code = 1
        os._exit(code)
    return pid


def _peak_bytes(node):
    return broker.status_bytes(node.pid, "VmHWM") if node.alive() else 0


def run(function, short, quiet_machine):
    """Answers whether the row passed, and prints it."""
    node = start_broker()
    wrong, peak = [], 0
    started = time.monotonic()
    try:
        probe = _start_probe(node)
        pid = _attack_process(function, node, short)
        while not (done := os.waitpid(pid, os.WNOHANG))[0]:
            peak = max(peak, _peak_bytes(node))
            time.sleep(0.05)
        if os.waitstatus_to_exitcode(done[1]) not in (0, -signal.SIGALRM):
            wrong.append("the attack itself failed")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        took = time.monotonic() - started
        p50, p99, top, sent, lost, why = _end_probe(*probe)
        peak = max(peak, _peak_bytes(node))
        if not node.alive():
            wrong.append("the broker died")
        if peak > RESIDENT_MAX:
            wrong.append(f"more than {RESIDENT_MAX // MB} MB resident")
        if lost:
            wrong.append(f"{lost} confirmed messages lost")
        if why:
            wrong.append(why)
        if quiet_machine and not p99 <= P99_MS_MAX:
            wrong.append(f"p99 above {P99_MS_MAX} ms")
        print(f"{'FAIL' if wrong else 'PASS'} attack.{function.__name__}: {peak // MB} MB, p50 {p50:.1f} p99 {p99:.1f} "
              f"max {top:.0f} ms, {sent} messages, {lost} lost, {took:.0f} s{': ' + '; '.join(wrong) if wrong else ''}", flush=True)
        if wrong:
            print("    " + node.log()[-2000:].replace("\n", "\n    "))
    finally:
        node.remove()
    return not wrong


def main(arguments):
    short = "--short" in arguments
    quiet_machine = "--quiet-machine" in arguments
    wanted = [a for a in arguments if not a.startswith("--")]
    unknown = [a for a in wanted if a not in names()]
    if unknown or "--help" in arguments:
        print(f"usage: scripts/attack [--short] [--quiet-machine] [NAME…]\nattacks: {' '.join(names())}")
        return 2 if unknown else 0
    if not shutil.which("prlimit"):
        print("SKIP attack: there is no prlimit")
        return 0
    passed = failed = 0
    for one in _attacks:
        if wanted and one.__name__ not in wanted:
            continue
        if run(one, short, quiet_machine):
            passed += 1
        else:
            failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0
