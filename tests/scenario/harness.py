"""A small frame for scenario tests: each test is a process of its own, with a time limit.

    from harness import test, main

    @test
    def a_name(node): ...                 # node: the file's broker
    @test(own=True, seconds=60, settings={"heartbeat": "1"})
    def another(node): ...                # a broker for this test alone, that it may kill
    if __name__ == "__main__":
        main()

A file's tests share one broker, so each uses names of its own (name("q")). A test fails by an exception, by running over
its time (its process group is killed: a client that hangs), or when the broker has died. Lines on standard output:
"PASS name", "FAIL name: why", "SKIP name: why". With arguments only the tests whose names contain one of them run. With
LEVERET_TEST_VERBOSE set what a test that passed has printed (figures) is shown too.
"""
import itertools
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import broker

TEST_SECONDS = 30       # what a test may take on a quiet machine
PATIENCE = 4            # a busy one may take so many times as long: limits only end what hangs
WAIT_SECONDS = 60       # for something that is to come
CODE_SKIP = 77
LOG_TAIL = 3000

_tests = []
_current = "none"
_serial = itertools.count(1)


class Skip(Exception):
    """Raised by a test that cannot run here."""


class _Test:
    def __init__(self, function, own=False, seconds=TEST_SECONDS, leveret_only=None, **options):
        self.function = function
        self.name = function.__name__
        self.own = own
        self.seconds = seconds
        self.leveret_only = leveret_only
        self.options = options


def test(function=None, **options):
    """Registers a test. own: a broker of its own; seconds: its limit; leveret_only: why RabbitMQ is not asked; further
    options are the broker's."""
    if function is None:
        return lambda f: test(f, **options)
    _tests.append(_Test(function, **options))
    return function


def name(stem="q"):
    """A name that no other test uses."""
    return f"{_current}.{stem}.{os.getpid()}.{next(_serial)}"


def eventually(condition, seconds=WAIT_SECONDS, what="the condition"):
    """Waits until condition() is true, and answers what it answered. What comes may be late, so less than WAIT_SECONDS is not
    asked for; more is."""
    seconds = max(seconds, WAIT_SECONDS)
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


def _why():
    kind, value, trace = sys.exc_info()
    text = " ".join(str(value).split()) or kind.__name__
    frame = traceback.extract_tb(trace)[-1]
    for one in traceback.extract_tb(trace):
        if Path(one.filename).parent == broker.HERE and "harness" not in one.filename:
            frame = one
    return f"{kind.__name__}: {text[:300]} ({Path(frame.filename).name}:{frame.lineno}: {frame.line})"


def _body(entry, node):
    global _current
    _current = entry.name
    if entry.leveret_only and broker.judge():
        raise Skip(f"not of RabbitMQ: {entry.leveret_only}")
    if not entry.own:
        entry.function(node)
        return
    try:
        own = broker.private(**entry.options)
    except broker.Unavailable as unavailable:
        raise Skip(str(unavailable)) from None
    try:
        entry.function(own)
    except BaseException:
        print(f"--- the broker's log\n{own.log()[-LOG_TAIL:]}", file=sys.stderr)
        raise
    finally:
        own.remove()


def _child(entry, node, output, reason):
    os.setpgid(0, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    random.seed()
    code, why = 0, ""
    try:
        _body(entry, node)
    except Skip as skip:
        code, why = CODE_SKIP, str(skip)
    except BaseException:
        code, why = 1, _why()
        traceback.print_exc()
    os.write(reason, why.encode()[:2000])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _wait(pid, seconds):
    end = time.monotonic() + seconds
    pause = 0.001
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status
        if time.monotonic() > end:
            return None
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _run(entry, node, label):
    """Runs one test; answers "PASS", "FAIL" or "SKIP"."""
    read_end, write_end = os.pipe()
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        logged = len(node.log()) if node is not None else 0
        pid = os.fork()
        if pid == 0:
            os.close(read_end)
            _child(entry, node, output.fileno(), write_end)
        os.close(write_end)
        # A sanitizer's build is slower.
        seconds = entry.seconds * PATIENCE * float(os.environ.get("LEVERET_TEST_SLOWER", "1"))
        status = _wait(pid, seconds)
        if status is None:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            verdict, why = "FAIL", f"not done within {seconds:g} s"
        else:
            code = os.waitstatus_to_exitcode(status)
            verdict = {0: "PASS", CODE_SKIP: "SKIP"}.get(code, "FAIL")
            os.set_blocking(read_end, False)
            try:
                why = os.read(read_end, 4096).decode(errors="replace")
            except BlockingIOError:
                why = ""
            if verdict == "FAIL" and not why:
                why = f"the test's process ended with {code}"
        os.close(read_end)
        if node is not None and not node.alive():
            verdict, why = "FAIL", f"the broker died ({why})"
        took = time.monotonic() - started
        output.seek(0)
        text = output.read().decode(errors="replace")
        if verdict == "FAIL":
            print(f"FAIL {label}: {why}", flush=True)
            if node is not None:
                text += "--- the broker's log since the test began\n" + node.log()[logged:][-LOG_TAIL:]
            print("    " + text[-8000:].rstrip().replace("\n", "\n    "), flush=True)
        elif verdict == "SKIP":
            print(f"SKIP {label}: {why}", flush=True)
        else:
            print(f"PASS {label}" + (f" ({took:.1f} s)" if took > 2 else ""), flush=True)
            if text and os.environ.get("LEVERET_TEST_VERBOSE"):
                print("    " + text.rstrip().replace("\n", "\n    "), flush=True)
        return verdict




def main(prefix=None, shared=True, **settings):
    """Runs the file's tests and ends the process: 1 when one failed. settings: of the shared broker."""
    stem = prefix or Path(sys.argv[0]).stem.removeprefix("test_")
    chosen = [e for e in _tests if not sys.argv[1:] or any(a in e.name for a in sys.argv[1:])]
    count = {"PASS": 0, "FAIL": 0, "SKIP": 0}
    node = None
    needed = shared and any(not e.own for e in chosen)
    if needed:
        try:
            node = broker.start(**settings)
        except broker.Unavailable as unavailable:
            print(f"SKIP {stem}: {unavailable}")
            sys.exit(0)
        except broker.DidNotStart as failure:
            print(f"FAIL {stem}: {' '.join(str(failure).split())[-600:]}")
            sys.exit(1)
    try:
        for entry in chosen:
            count[_run(entry, node, f"{stem}.{entry.name}")] += 1
            if node is not None and not node.alive():
                print(node.log()[-LOG_TAIL:])
                node.start()
        if node is not None and hasattr(node, "process"):
            code = node.stop()
            if code != 0:
                count["FAIL"] += 1
                print(f"FAIL {stem}.stop: leveretd ended with {code} after SIGTERM\n{node.log()[-LOG_TAIL:]}")
    finally:
        if node is not None and hasattr(node, "remove"):
            node.remove()
    sys.exit(1 if count["FAIL"] else 0)


def limit_files(wanted):
    """Raises this process's limit of open files as far as it goes; answers what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
        except (ValueError, OSError):
            pass
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
