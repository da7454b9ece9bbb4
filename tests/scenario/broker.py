"""Brokers for the scenario tests: a leveretd of their own, a private RabbitMQ, or one that runs elsewhere.

    with broker.start() as node:          # what the environment says
        connect to node.host, node.port
        node.kill(); node.start()         # kill -9; the data stays

The environment, which tests/scenario/run sets from its options:

    LEVERETD                the leveretd to start (default: BUILD/leveretd, build/leveretd, build-test/leveretd)
    LEVERET_TEST_WORKERS    its number of workers (default: leveretd's own choice)
    LEVERET_TEST_SET        further settings, "key=value key=value"
    LEVERET_TEST_BROKER     "leveretd" (default), or a private node of a RabbitMQ, the judge: "rabbitmq", Debian's, or
                            "rabbitmq43", the newest
    RABBITMQ_NEWEST_ROOT    the folder with the newest one (default /var/tmp/rabbitmq-newest; scripts/rabbitmq-newest makes it)
    LEVERET_TEST_HOST/PORT  a broker that runs already: tests that must start or kill one are skipped

Only the standard library is used. A leveretd is killed with the process that started it, and its folder removed; what it
wrote to its log is in node.log(), which the harness shows when a test fails.
"""
import ctypes
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
TOP = HERE.parent.parent
START_SECONDS = 60
STOP_SECONDS = 60
NEWEST_SERIES = "4.3."
PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """The broker that was asked for cannot be had here: skip."""


class DidNotStart(Exception):
    """The broker ended or did not serve in time; its text has the log's end."""


def free_ports(count):
    """Ports that nobody listens on now."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def build_folder():
    for folder in (os.environ.get("BUILD"), TOP / "build", TOP / "build-test"):
        if folder and (Path(folder) / "leveretd").exists():
            return Path(folder)
    return Path(os.environ.get("BUILD") or TOP / "build")


def leveretd_path():
    path = os.environ.get("LEVERETD") or build_folder() / "leveretd"
    if not os.access(path, os.X_OK):
        raise Unavailable(f"no leveretd at {path}")
    return str(path)


def kind():
    """"leveretd", "rabbitmq", "rabbitmq43" or "external"."""
    if os.environ.get("LEVERET_TEST_PORT"):
        return "external"
    return os.environ.get("LEVERET_TEST_BROKER", "leveretd")


def judge():
    """Whether the broker is a RabbitMQ, whose behaviour the tests follow."""
    return os.environ.get("LEVERET_TEST_BROKER") in ("rabbitmq", "rabbitmq43")


def judge43():
    """Whether the broker is RabbitMQ 4.3."""
    return os.environ.get("LEVERET_TEST_BROKER") == "rabbitmq43"


def start(**options):
    """A broker that serves. Options are Leveretd's; RabbitMQ takes none, a broker elsewhere is as it is."""
    if kind() == "external":
        return External()
    return private(**options)


def private(**options):
    """A broker of the caller's own, that it may kill. Raises Unavailable when there is none to be had."""
    if kind() == "external" and not judge():
        raise Unavailable("needs a broker of its own")
    if judge():
        return (Rabbit43 if judge43() else Rabbit)(options.get("dir")).start()
    return Leveretd(**options).start()


class External:
    """One that somebody else runs."""

    def __init__(self):
        self.host = os.environ.get("LEVERET_TEST_HOST", "127.0.0.1")
        self.port = int(os.environ["LEVERET_TEST_PORT"])
        self.pid = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        pass

    def alive(self):
        return True

    def log(self):
        return ""


def _die_with_parent():
    # A test that is killed must not leave a broker behind.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def wait_for_port(host, port, seconds, alive):
    end = time.monotonic() + seconds
    while time.monotonic() < end and alive():
        try:
            socket.create_connection((host, port), 1).close()
            return True
        except OSError:
            time.sleep(0.02)
    return False


def wait_for_ready(notified, seconds, alive):
    """Whether READY=1 comes on a socket of sd_notify(3) before the process ends."""
    notified.settimeout(0.2)
    until = time.monotonic() + seconds
    while time.monotonic() < until and alive():
        try:
            if b"READY=1" in notified.recv(4096).split(b"\n"):
                return True
        except TimeoutError:
            pass
    return False


class Leveretd:
    """A leveretd with its own ports and data directory. settings: key → value, as in --set."""

    def __init__(self, settings=None, workers=None, dir=None, environment=None, management=False, program=None,
                 prefix=()):
        self.host = "127.0.0.1"
        self.port, self.management_port, self.metrics_port = free_ports(3)
        self.own_dir = dir is None
        self.dir = Path(dir or tempfile.mkdtemp(prefix="leveret-test-"))
        self.data = self.dir / "data"
        self.log_path = self.dir / "leveretd.log"
        self.workers = workers or os.environ.get("LEVERET_TEST_WORKERS")
        self.environment = environment or {}
        self.management = management
        self.program = program or leveretd_path()
        self.prefix = list(prefix)
        self.settings = dict(settings or {})
        self.process = None

    def command(self):
        management = self.management_port if self.management else "none"
        settings = {
            "listeners.tcp.default": f"{self.host}:{self.port}",
            "management.tcp.ip": self.host,  # the ports were looked for there
            "management.tcp.port": management,
            "prometheus.tcp.ip": self.host,
            "prometheus.tcp.port": self.metrics_port if self.management else "none",
            "data_dir": self.data,
            **dict(pair.split("=", 1) for pair in os.environ.get("LEVERET_TEST_SET", "").split()),
            **self.settings,
        }
        command = self.prefix + [self.program]
        if self.workers:
            command += ["--workers", str(self.workers)]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        return command

    def launch(self, **environment):
        """Starts the process and does not wait until it serves."""
        self.dir.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.log_at_launch = log.tell()
            self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **environment, **self.environment}, preexec_fn=_die_with_parent)
        return self

    def start(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        path = self.dir / "ready.sock"      # leveretd says here when all that it serves is open
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind(str(path))
            self.launch(NOTIFY_SOCKET=str(path))
            ready = wait_for_ready(notified, START_SECONDS, self.alive)
        if not ready:
            code = self.process.poll()
            self.kill()
            raise DidNotStart(f"leveretd {'did not serve in time' if code is None else f'ended with {code}'}:\n"
                              f"{self.log(this_run=True)[-3000:]}")
        return self

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _end(self, number, seconds):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"leveretd did not stop within {seconds} s of SIGTERM:\n{self.log()[-3000:]}") from None
        self.process = None
        return code

    def stop(self, seconds=STOP_SECONDS):
        """SIGTERM; answers the exit code."""
        return self._end(signal.SIGTERM, seconds)

    def kill(self):
        return self._end(signal.SIGKILL, STOP_SECONDS)

    def restart(self):
        self.stop()
        return self.start()

    def log(self, this_run=False):
        try:
            data = self.log_path.read_bytes()
        except OSError:
            return ""
        return data[self.log_at_launch if this_run else 0:].decode(errors="replace")

    def rss_bytes(self):
        return status_bytes(self.pid, "VmRSS")

    def remove(self):
        if self.process is not None:
            self.kill()
        if self.own_dir:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.remove()


class Rabbit:
    """A private RabbitMQ by tests/scenario/rabbitmq-node. plugins: their names; rabbitmq_management has management_port."""

    root = []                       # options that say which one

    def __init__(self, dir=None, plugins=()):
        self.host = "127.0.0.1"
        self.plugins = ["--plugins", ",".join(plugins)] if plugins else []
        self.own_dir = dir is None
        self.dir = Path(dir or tempfile.mkdtemp(prefix="leveret-judge-"))
        self.data = self.dir / "data"
        self.port = None
        self.pid = None

    def _node(self, action, *arguments, seconds=180):
        return subprocess.run([str(HERE / "rabbitmq-node"), action, "--dir", str(self.dir), *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=seconds)

    def start(self):
        port = ["--port", str(self.port)] if self.port else []
        result = self._node("start", *port, *self.plugins, *self.root)
        if result.returncode == 77:
            raise Unavailable(result.stderr.strip())
        if result.returncode != 0:
            raise DidNotStart(result.stderr)
        facts = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
        self.port, self.pid = int(facts["port"]), int(facts["pid"])
        self.management_port = int(facts.get("management_port", 0))
        return self

    def find(self):
        """One that runs in the folder already."""
        facts = dict(line.split("=", 1) for line in (self.dir / "node").read_text().splitlines())
        self.port, self.pid = int(facts["port"]), int((self.dir / "pid").read_text())
        self.management_port = int(facts["management_port"] or 0)
        return self

    def alive(self):
        return self._node("pid").returncode == 0

    def stop(self):
        self._node("stop")
        return 0

    def kill(self):
        self._node("kill")

    def restart(self):
        self.stop()
        return self.start()

    def log(self, this_run=False):
        return "".join(path.read_text(errors="replace")[-2000:] for path in (self.dir / "log").glob("*.log"))

    def rss_bytes(self):
        return status_bytes(self.pid, "VmRSS")

    def remove(self):
        self._node("stop", *(["--remove"] if self.own_dir else []))

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.remove()


class Rabbit43(Rabbit):
    """RabbitMQ 4.3, from the folder that RABBITMQ_NEWEST_ROOT names."""

    def __init__(self, dir=None, plugins=()):
        super().__init__(dir, plugins)
        root = Path(os.environ.get("RABBITMQ_NEWEST_ROOT") or "/var/tmp/rabbitmq-newest")
        self.root = ["--root", str(root)]
        versions = [path.name.split("-")[-1] for path in root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*")]
        self.unavailable = ("" if any(v.startswith(NEWEST_SERIES) for v in versions) else
                            f"{root} holds RabbitMQ {versions[0]}, not {NEWEST_SERIES}x" if versions else
                            f"no RabbitMQ in {root} (scripts/rabbitmq-newest makes it)")

    def start(self):
        if self.unavailable:
            raise Unavailable(self.unavailable)
        return super().start()


def status_bytes(pid, name):
    """A size of /proc/PID/status, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {name} of process {pid}")


def folder_bytes(folder):
    """What the files below a folder take on the disk."""
    total = 0
    for path in Path(folder).rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except FileNotFoundError:
            pass
    return total


if __name__ == "__main__":
    # By hand: starts one, says where, and stops it at the end of the input.
    with start() as node:
        print(f"{node.host}:{node.port} pid {node.pid}", flush=True)
        sys.stdin.read()
