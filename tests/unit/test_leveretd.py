#!/usr/bin/env python3
"""leveretd as a process: command line, configuration, start, signals. Run from the build folder by "make check"."""
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

LEVERETD = os.path.abspath("leveretd")
AMQP_HEADER = b"AMQP\x00\x00\x09\x01"


class Broker:
    """A leveretd on free ports, with its log in a file."""

    def __init__(self, folder, *arguments, data_dir="none", environment=None, wrapper=()):
        self.log_path = Path(folder) / f"log.{time.monotonic_ns()}"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [*wrapper, LEVERETD, "--set", "listeners.tcp.1=127.0.0.1:any",
                 "--set", "management.tcp.port=any", "--set", "prometheus.tcp.port=any",
                 "--set", f"data_dir={data_dir}", *arguments],
                stderr=log, stdout=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
        self.port = self.api_port = None

    def log(self):
        return self.log_path.read_text()

    def wait_for(self, pattern, seconds=30):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found = re.search(pattern, self.log())
            if found:
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in the log:\n{self.log()}")

    def ready(self):
        found = self.wait_for(r"ready: AMQP on 127\.0\.0\.1:(\d+)[^;]*; HTTP API on port (\d+)")
        self.port, self.api_port = int(found[1]), int(found[2])
        return self

    def stop(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        return self.process.wait(30)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class LeveretdTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.brokers = []

    def tearDown(self):
        for broker in self.brokers:
            broker.kill()
        self.folder.cleanup()

    def broker(self, *arguments, **options):
        broker = Broker(self.folder.name, *arguments, **options)
        self.brokers.append(broker)
        return broker

    def run_once(self, *arguments, environment=None):
        return subprocess.run([LEVERETD, *arguments], capture_output=True, text=True, timeout=30,
                              env={**os.environ, **(environment or {})})

    def file(self, text):
        path = Path(self.folder.name) / "leveret.conf"
        path.write_text(text)
        return str(path)

    # ---- Command line.

    def test_version_and_help(self):
        self.assertRegex(self.run_once("--version").stdout, r"^leveretd \d+\.\d+")
        got = self.run_once("--help")
        self.assertEqual(got.returncode, 0)
        for option in ("--config", "--set", "--workers", "--check-config"):
            self.assertIn(option, got.stdout)

    def test_wrong_option(self):
        got = self.run_once("--no-such-option")
        self.assertEqual(got.returncode, 2)
        self.assertIn("--no-such-option", got.stderr)
        self.assertEqual(self.run_once("--workers", "many", "--check-config").returncode, 2)

    def test_check_config(self):
        got = self.run_once("--check-config", "--config", self.file("heartbeat = 30\n"))
        self.assertEqual((got.returncode, got.stdout, got.stderr), (0, "ok\n", ""))

    def test_all_errors_are_shown(self):
        path = self.file("heartbeat = soon\n\nhartbeat = 1\n")
        got = self.run_once("--config", path, "--set", "workers=x",
                            environment={"LEVERET_LOG_LEVEL": "loud"})
        self.assertEqual(got.returncode, 2)
        self.assertEqual(got.stdout, "")
        lines = got.stderr.splitlines()
        self.assertEqual(len(lines), 4, got.stderr)
        self.assertTrue(lines[0].startswith(f"{path}:1: heartbeat "))
        self.assertTrue(lines[1].startswith(f"{path}:3: unknown key 'hartbeat'"))
        self.assertIn("LEVERET_LOG_LEVEL", lines[2])
        self.assertIn("workers", lines[3])

    def test_missing_file(self):
        got = self.run_once("--check-config", "--config", "no/such/file")
        self.assertEqual(got.returncode, 2)
        self.assertIn("no/such/file: No such file", got.stderr)

    # ---- Starting and stopping.

    def test_serves_and_stops(self):
        for workers in ("1", "3"):
            broker = self.broker("--workers", workers).ready()
            with socket.create_connection(("127.0.0.1", broker.port), 10) as client:
                client.sendall(AMQP_HEADER)
                frame = client.recv(4096)
                self.assertEqual(frame[:3], b"\x01\x00\x00")  # connection.start on channel 0
                self.assertIn(b"AMQPLAIN", frame)
                self.assertEqual(broker.stop(), 0, broker.log())
            self.assertIn("SIGTERM", broker.log())

    def test_wrong_header_gets_the_right_one(self):
        broker = self.broker().ready()
        with socket.create_connection(("127.0.0.1", broker.port), 10) as client:
            client.sendall(b"GET / HTTP/1.1\r\n\r\n")
            self.assertEqual(client.recv(100), AMQP_HEADER)
            try:
                self.assertEqual(client.recv(100), b"")
            except ConnectionResetError:
                pass

    def test_interrupt_stops_too(self):
        self.assertEqual(self.broker().ready().stop(signal.SIGINT), 0)

    def test_broken_pipe_is_ignored(self):
        broker = self.broker().ready()
        broker.process.send_signal(signal.SIGPIPE)
        time.sleep(0.1)
        self.assertEqual(broker.stop(), 0, broker.log())

    def test_address_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            broker = self.broker("--set", f"listeners.tcp.1=127.0.0.1:{port}")
            self.assertEqual(broker.process.wait(30), 1)
            self.assertIn(str(port), broker.log())
            self.assertRegex(broker.log(), r"leveretd: listeners\.tcp\.1: .*[Aa]ddress")

    def test_unix_socket(self):
        path = str(Path(self.folder.name) / "amqp.sock")
        broker = self.broker("--set", f"listeners.unix={path}").ready()
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(60)
            client.connect(path)
            client.sendall(AMQP_HEADER)
            self.assertEqual(client.recv(4096)[:1], b"\x01")
        self.assertEqual(broker.stop(), 0, broker.log())

    def test_data_directory_is_kept_and_locked(self):
        data = str(Path(self.folder.name) / "data")
        first = self.broker(data_dir=data).ready()
        second = self.broker(data_dir=data)
        self.assertEqual(second.process.wait(30), 1)
        self.assertIn(data, second.log())
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.broker(data_dir=data).ready().stop(), 0)

    def test_data_directory_cannot_be_made(self):
        broker = self.broker(data_dir=self.file("") + "/data")
        self.assertEqual(broker.process.wait(30), 1)
        self.assertIn("leveretd: ", broker.log())

    # ---- Reloading.

    def test_hangup_reopens_the_log_and_reads_its_level(self):
        path = self.file("log.level = warning\n")
        log_file = Path(self.folder.name) / "leveret.log"
        broker = self.broker("--config", path, "--set", f"log.file={log_file}")
        until = time.monotonic() + 30
        while b"\x00" not in self.listening(broker) and time.monotonic() < until:
            time.sleep(0.05)
        self.assertNotIn("ready", log_file.read_text())
        log_file.rename(str(log_file) + ".1")
        self.file("log.level = info\n")
        broker.process.send_signal(signal.SIGHUP)
        while not log_file.exists() and time.monotonic() < until:
            time.sleep(0.02)
        while "SIGHUP" not in log_file.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        self.assertIn("SIGHUP", log_file.read_text())
        self.file("log.level = loud\n")
        broker.process.send_signal(signal.SIGHUP)
        while "has errors" not in log_file.read_text() and time.monotonic() < until:
            time.sleep(0.02)
        self.assertIn("leveret.conf:1: log.level", log_file.read_text())
        self.assertEqual(broker.stop(), 0, broker.log())

    def hang_up(self, broker, pattern):
        broker.process.send_signal(signal.SIGHUP)
        return broker.wait_for(pattern)

    def test_hangup_takes_limits_over(self):
        path = self.file("heartbeat = 30\n")
        broker = self.broker("--config", path, data_dir=os.path.join(self.folder.name, "d")).ready()
        self.assertEqual(self.tune(broker), (2047, 131072, 30))
        self.file("heartbeat = 7\nchannel_max = 9\nframe_max = 65536\n"
                  "disk_free_limit.absolute = 900TB\nworkers = 3\n")
        self.hang_up(broker, "SIGHUP: .* changed: heartbeat, channel_max, frame_max, "
                             r"disk_free_limit\.absolute\n")
        broker.wait_for("warning.*SIGHUP: .* next start only: workers\n")
        broker.wait_for("low on disk: publishers are blocked")
        self.assertEqual(self.tune(broker), (9, 65536, 7))
        self.file("heartbeat = 7\nchannel_max = 9\nframe_max = 65536\n")
        self.hang_up(broker, r"changed: disk_free_limit\.absolute\n")
        broker.wait_for("disk suffices again")
        self.hang_up(broker, "changed: nothing\n")
        self.assertEqual(broker.stop(), 0, broker.log())

    def tune(self, broker):
        """What connection.tune offers: channel_max, frame_max, heartbeat."""
        with socket.create_connection(("127.0.0.1", broker.port), timeout=30) as client:
            stream = client.makefile("rb")

            def frame():
                size = struct.unpack(">BHI", stream.read(7))[2]
                return stream.read(size + 1)[:-1]

            client.sendall(AMQP_HEADER)
            frame()
            payload = (struct.pack(">HHI", 10, 11, 0) + b"\x05PLAIN" +
                       struct.pack(">I", 12) + b"\0guest\0guest" + b"\x05en_US")
            client.sendall(struct.pack(">BHI", 1, 0, len(payload)) + payload + b"\xce")
            return struct.unpack(">HIH", frame()[4:])

    @staticmethod
    def listening(broker):
        """A zero byte once the process handles SIGHUP: signalfd is open."""
        try:
            folder = f"/proc/{broker.process.pid}/fd"
            names = [os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)]
            return b"\x00" if any("signalfd" in name for name in names) else b""
        except OSError:
            return b""

    def test_file_limit_is_told(self):
        broker = self.broker().ready()
        self.assertRegex(broker.log(), r"open files: at most \d+.*, so about \d+ connections fit")

    def limited(self, *arguments):
        """A broker whose limits of open files are 300 and 1000 when it starts."""
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        wrapper = ["prlimit", "--nofile=300:1000", *arguments]
        broker = self.broker(wrapper=wrapper).ready()
        self.assertEqual(resource.getrlimit(resource.RLIMIT_NOFILE), before)
        limits = resource.prlimit(broker.process.pid, resource.RLIMIT_NOFILE)
        return broker, limits

    def test_soft_file_limit_is_raised(self):
        drop = ["setpriv", "--bounding-set=-sys_resource", "--inh-caps=-all"]
        if os.geteuid() != 0:
            drop = []
        elif not all(map(shutil.which, ("prlimit", "setpriv"))):
            self.skipTest("no prlimit or setpriv")
        broker, limits = self.limited(*drop)
        self.assertEqual(limits, (1000, 1000))
        self.assertRegex(broker.log(), "warning.*open files: at most 1000, 201 of them for the journal and "
                                       "125 for HTTP, so about 674 connections fit; raise the hard limit")

    def test_hard_file_limit_is_raised_with_the_capability(self):
        with open("/proc/self/status") as status:
            capabilities = int(re.search(r"CapEff:\s*(\w+)", status.read())[1], 16)
        if not capabilities & 1 << 24:
            self.skipTest("no CAP_SYS_RESOURCE")
        broker, limits = self.limited()
        self.assertEqual(limits, (65536, 65536))
        self.assertRegex(broker.log(), r"open files: at most 65536 \(the hard limit was 1000 and has been raised\), "
                                       r"2124 of them for the journal and \d+ for HTTP, so about 6\d+ connections fit")


def main(tests):
    """Runs the tests of a class and ends with what "make check" expects."""
    if not os.path.exists(LEVERETD):
        print("leveretd is not built")
        sys.exit(77)
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(tests)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    bad = len(result.failures) + len(result.errors)
    good = 100 * (result.testsRun - bad) // max(result.testsRun, 1)
    # In Check's form, for scripts/count-results.
    print(f"{good}%: Checks: {result.testsRun}, Failures: {len(result.failures)}, "
          f"Errors: {len(result.errors)}")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(LeveretdTest)
