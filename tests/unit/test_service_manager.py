#!/usr/bin/env python3
"""What leveretd tells the service manager over NOTIFY_SOCKET. Run from the build folder by "make check"."""
import os
import signal
import socket
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_leveretd import Broker, main  # noqa: E402

HANG_SECONDS = 60


class ServiceManagerTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(HANG_SECONDS)
        self.broker = None

    def tearDown(self):
        if self.broker:
            self.broker.kill()
        self.socket.close()
        self.folder.cleanup()

    def start(self, *arguments, **environment):
        self.broker = Broker(self.folder.name, *arguments,
                             environment={"NOTIFY_SOCKET": self.path, **environment})

    def message(self, leave_out=("EXTEND_TIMEOUT_USEC", "WATCHDOG")):
        """The next message, as a dictionary; those that repeat are left out unless they are asked for."""
        while True:
            found = dict(line.split("=", 1) for line in self.socket.recv(65536).decode().splitlines())
            if not set(found) <= set(leave_out):
                return found

    def test_start_reload_and_stop(self):
        self.start()
        first = self.message(leave_out=())
        self.assertEqual({"EXTEND_TIMEOUT_USEC": "30000000"}, first, "a start may take long")
        ready = self.message()
        self.assertEqual("1", ready["READY"])
        self.assertRegex(ready["STATUS"], r"^AMQP on 127\.0\.0\.1:\d+")
        port = int(ready["STATUS"].split(":")[1].split(",")[0].split(";")[0])
        socket.create_connection(("127.0.0.1", port), HANG_SECONDS).close()

        self.broker.process.send_signal(signal.SIGHUP)
        reloading = self.message()
        self.assertEqual("1", reloading["RELOADING"])
        self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
        self.assertEqual({"READY": "1"}, self.message())

        self.assertEqual(0, self.broker.stop())
        self.assertEqual("1", self.message()["STOPPING"])
        self.assertEqual({"EXTEND_TIMEOUT_USEC": "30000000"}, self.message(leave_out=()), "a stop may take long")
        self.assertRegex(self.broker.log().splitlines()[-1], r"\bstopped$")

    def test_the_watchdog_is_fed_by_the_main_loop(self):
        self.start(WATCHDOG_USEC="200000")
        while "READY" not in self.message():
            pass
        for _ in range(3):
            self.assertEqual({"WATCHDOG": "1"}, self.message(leave_out=()))
        # A main loop that does not turn feeds nothing: what was sent before is read until there is silence.
        self.broker.process.send_signal(signal.SIGSTOP)
        self.socket.settimeout(1)
        with self.assertRaises(TimeoutError):
            while True:
                self.message(leave_out=())
        self.socket.settimeout(HANG_SECONDS)
        self.broker.process.send_signal(signal.SIGCONT)
        self.assertEqual({"WATCHDOG": "1"}, self.message(leave_out=()))

    def test_a_start_that_fails_is_never_ready(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.start("--set", f"management.tcp.port={taken.getsockname()[1]}",
                       "--set", "management.tcp.ip=127.0.0.1")
            self.assertEqual(1, self.broker.process.wait(HANG_SECONDS))
        self.socket.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            while True:
                self.assertNotIn("READY", self.message(leave_out=()))

    def test_a_manager_that_is_gone_is_no_trouble(self):
        os.unlink(self.path)
        self.start()
        self.broker.ready()
        self.assertEqual(0, self.broker.stop())


if __name__ == "__main__":
    main(ServiceManagerTest)
