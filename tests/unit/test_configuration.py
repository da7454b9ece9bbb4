#!/usr/bin/env python3
"""leveretd's configuration as a process sees it: files of RabbitMQ, folders, the environment, --check-config, SIGHUP.
Run from the build folder by "make check"."""
import gzip
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from test_leveretd import main  # noqa: E402

LEVERETD = os.path.abspath("leveretd")
CONFIGURATIONS = Path(os.environ.get("srcdir", Path(__file__).parents[2])) / "tests/unit/configurations"


def environment(**variables):
    """The environment of a child: nothing of ours or RabbitMQ's but what is given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("LEVERET_", "RABBITMQ_"))}
    return {**own, **variables}


class ConfigurationTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        self.folder.cleanup()

    def file(self, text, name="leveret.conf"):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return str(path)

    def check(self, *arguments, **variables):
        return subprocess.run([LEVERETD, "--check-config", *arguments], capture_output=True, text=True, timeout=60,
                              env=environment(**variables))

    def effective(self, *arguments, **variables):
        """What --verbose tells: key -> (value, origin)."""
        got = self.check("--verbose", *arguments, **variables)
        self.assertEqual(got.returncode, 0, got.stderr)
        lines = [line for line in got.stdout.splitlines() if " = " in line]
        return {key: (value, origin) for key, value, origin in
                (re.fullmatch(r"(\S+) = (.*)  # (.*)", line).groups() for line in lines)}

    def start(self, *arguments, **variables):
        """A broker on free ports; its stderr goes to the file "stderr"."""
        with open(self.path / "stderr", "wb") as stderr:
            process = subprocess.Popen(
                [LEVERETD, *arguments, "--set", "data_dir=none", "--set", "listeners.tcp=none",
                 "--set", "listeners.tcp.1=127.0.0.1:any", "--set", "management.tcp.port=none",
                 "--set", "prometheus.tcp.port=none"],
                stderr=stderr, stdout=subprocess.DEVNULL, env=environment(**variables))
        self.processes.append(process)
        return process

    def wait_for(self, process, path, pattern, seconds=60):
        until = time.monotonic() + seconds
        text = ""
        while time.monotonic() < until:
            text = Path(path).read_text() if Path(path).exists() else ""
            found = re.search(pattern, text)
            if found:
                return found
            if process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(f"no {pattern!r} in {path}:\n{text}")

    # ---- Classes of keys.

    def test_each_class_has_a_line(self):
        path = self.file("heartbeat = 30\nnet_ticktime = 60\nmqtt.vhost = /\nhartbeat = 1\n")
        got = self.check("--config", path)
        self.assertEqual(got.returncode, 2)
        self.assertEqual(got.stdout, "")
        self.assertEqual(got.stderr.splitlines(),
                         [f"warning: {path}:2: net_ticktime has no effect: no Erlang here",
                          f"{path}:3: mqtt.vhost: Leveret does not have this: MQTT",
                          f"{path}:4: unknown key 'hartbeat'; did you mean heartbeat?"])

    def test_only_warnings_end_with_0(self):
        path = self.file("net_ticktime = 60\nmqtt.vhost = /\n")
        got = self.check("--config", path, "--lenient")
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertEqual(len(got.stdout.splitlines()), 3)
        self.assertEqual(got.stdout.splitlines()[2], "ok")
        self.file("net_ticktime = 60\nmqtt.vhost = /\nconfig.lenient = true\n")
        self.assertEqual(self.check("--config", path).returncode, 0)

    def test_warnings_are_in_the_log(self):
        broker = self.start("--config", self.file("net_ticktime = 60\n"))
        self.wait_for(broker, self.path / "stderr",
                      r"warning leveretd: \S+leveret.conf:1: net_ticktime has no effect")

    def test_files_of_others_start(self):
        for name, options in (("docker", []), ("bitnami", []), ("cluster-operator", []), ("example", ["--lenient"])):
            with self.subTest(name):
                # Where a file names certificates or definitions, these do not exist here.
                text = (CONFIGURATIONS / f"{name}.conf").read_text()
                text = re.sub(r"(?m)^(listeners\.ssl|management\.ssl|ssl_options|load_definitions).*\n", "", text)
                broker = self.start("--config", self.file(text), *options)
                self.wait_for(broker, self.path / "stderr", r'(?:leveretd: |"text":")ready: ')
                broker.send_signal(signal.SIGTERM)
                self.assertEqual(broker.wait(60), 0)

    def test_example_file_has_only_warnings(self):
        path = str(CONFIGURATIONS / "example.conf")
        self.assertEqual(self.check("--config", path, "--lenient").returncode, 0)
        got = self.check("--config", path)
        self.assertEqual(got.returncode, 2)
        errors = [line for line in got.stderr.splitlines() if not line.startswith("warning: ")]
        for line in errors:
            self.assertIn("Leveret does not have this", line)

    # ---- Sources.

    def test_values_and_their_origins(self):
        path = self.file("heartbeat = 30\nchannel_max = 7\nlisteners.tcp.1 = 127.0.0.1:5672\ndefault_pass = secret\n")
        got = self.effective("--config", path, "--set", "workers=3", LEVERET_CHANNEL_MAX="8")
        self.assertEqual(got["heartbeat"], ("30", f"{path}:1"))
        self.assertEqual(got["channel_max"], ("8", "LEVERET_CHANNEL_MAX"))
        self.assertEqual(got["workers"], ("3", "--set"))
        self.assertEqual(got["frame_max"], ("131072", "default"))
        self.assertEqual(got["listeners.tcp.1"], ("127.0.0.1:5672", f"{path}:3"))
        self.assertEqual(got["default_pass"], ("***", f"{path}:4"))
        self.assertEqual(got["loopback_users.guest"], ("true", "default"))
        self.assertNotIn("vm_memory_high_watermark.absolute", got)

    def test_a_folder_in_order_of_name(self):
        self.file("heartbeat = 1\nchannel_max = 1\n", "conf/10-a.conf")
        self.file("heartbeat = 2\n", "conf/20-b.conf")
        self.file("heartbeat = 3\n", "conf/30-c.txt")
        got = self.effective("--config", str(self.path / "conf"))
        self.assertEqual((got["heartbeat"][0], got["channel_max"][0]), ("2", "1"))

    def test_secret_from_a_file(self):
        secret = self.file("swordfish\n", "secret")
        got = self.effective(LEVERET_DEFAULT_PASS_FILE=secret)
        self.assertEqual(got["default_pass"], ("***", "LEVERET_DEFAULT_PASS_FILE"))
        got = self.check(LEVERET_DEFAULT_PASS_FILE="/no/such/file")
        self.assertEqual(got.returncode, 2)
        self.assertIn("LEVERET_DEFAULT_PASS_FILE: cannot read /no/such/file", got.stderr)

    def test_unknown_variables_are_warned_of(self):
        got = self.check(LEVERET_HARTBEAT="1", LEVERET_SERVICE_HOST="10.0.0.1", LEVERET_PORT="tcp://10.0.0.1:5672",
                         RABBITMQ_SERVER_ERL_ARGS="+S 2", RABBITMQ_ERLANG_COOKIE="x")
        self.assertEqual(got.returncode, 0)
        warnings = [line for line in got.stdout.splitlines() if line.startswith("warning: ")]
        self.assertEqual(len(warnings), 2, got.stdout)
        self.assertIn("LEVERET_HARTBEAT", warnings[0])
        self.assertIn("RABBITMQ_SERVER_ERL_ARGS", warnings[1])
        self.assertIn("RABBITMQ_ERLANG_COOKIE", warnings[1])

    def test_variables_of_rabbitmq(self):
        got = self.effective(RABBITMQ_DEFAULT_USER="u", RABBITMQ_DEFAULT_PASS="p", RABBITMQ_DEFAULT_VHOST="v",
                             RABBITMQ_NODENAME="rabbit@here", RABBITMQ_NODE_PORT="5679",
                             RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_LOGS="-",
                             RABBITMQ_LOG="warning,connection=debug", RABBITMQ_MNESIA_BASE="/data",
                             RABBITMQ_PID_FILE="/run/pid")
        for key, value in (("default_user", "u"), ("default_pass", "***"), ("default_vhost", "v"),
                           ("node_name", "rabbit@here"), ("listeners.tcp.default", "127.0.0.1:5679"),
                           ("log.console", "true"), ("log.level", "warning"), ("log.connection.level", "debug"),
                           ("data_dir", "/data/leveret"), ("pid_file", "/run/pid")):
            self.assertEqual(got[key][0], value, key)
        self.assertEqual(got["default_user"][1], "RABBITMQ_DEFAULT_USER")
        got = self.effective("--set", "default_user=other", "--set", "listeners.tcp.1=127.0.0.1:1",
                             RABBITMQ_DEFAULT_USER="u", RABBITMQ_NODE_PORT="5679")
        self.assertEqual(got["default_user"], ("other", "--set"))
        self.assertNotIn("listeners.tcp.default", got)

    def test_files_that_rabbitmqs_variables_name(self):
        path = self.file("heartbeat = 11\n", "rabbitmq.conf")
        self.file("channel_max = 12\n", "more/a.conf")
        got = self.effective(RABBITMQ_CONFIG_FILE=path[:-len(".conf")],
                             RABBITMQ_CONFIG_FILES=str(self.path / "more") + "/*.conf")
        self.assertEqual((got["heartbeat"][0], got["channel_max"][0]), ("11", "12"))

    def test_print_config_is_a_file_that_is_good(self):
        got = subprocess.run([LEVERETD, "--print-config"], capture_output=True, text=True, timeout=60,
                             env=environment())
        self.assertEqual(got.returncode, 0)
        keys = [line[2:] for line in got.stdout.splitlines() if re.match(r"# [a-z_.0-9$]+ = ", line)]
        self.assertGreater(len(keys), 50)
        self.assertTrue(all(line.startswith("#") or not line for line in got.stdout.splitlines()))
        active = "".join(line + "\n" for line in keys if "$" not in line and not line.endswith("= "))
        got = self.check("--config", self.file(active))
        self.assertEqual((got.returncode, got.stderr, got.stdout), (0, "", "ok\n"))

    def test_each_key_is_in_the_manual(self):
        manual = (CONFIGURATIONS.parents[2] / "man/leveretd.8.in").read_text()
        got = subprocess.run([LEVERETD, "--print-config"], capture_output=True, text=True, timeout=60,
                             env=environment())
        for key in re.findall(r"(?m)^# (\S+) = ", got.stdout):
            # A family is named by what stands before its variable part, a group by its last parts.
            stem = key.split("$")[0]
            self.assertTrue(stem in manual or "." + key.split(".")[-1] in manual, key)

    # ---- The log.

    def test_file_and_console_at_once(self):
        broker = self.start("--set", f"log.dir={self.path}", "--set", "log.file=broker.log", "--set", "log.console=true",
                            "--set", "log.console.level=error", "--set", "log.file.formatter=json")
        self.wait_for(broker, self.path / "broker.log", r'"level":"info","area":"leveretd","text":"ready: ')
        self.assertEqual((self.path / "stderr").read_text(), "")
        broker.send_signal(signal.SIGTERM)
        self.assertEqual(broker.wait(60), 0)
        self.assertIn('"text":"stopped"}', (self.path / "broker.log").read_text().splitlines()[-1])

    def test_rotation_and_compression(self):
        log = self.path / "broker.log"
        broker = self.start("--set", f"log.file={log}", "--set", "log.file.rotation.size=300",
                            "--set", "log.file.rotation.count=50", "--set", "log.file.rotation.compress=true")
        self.wait_for(broker, log, "leveretd")
        until = time.monotonic() + 60
        while not list(self.path.glob("broker.log.*.gz")) and time.monotonic() < until:
            broker.send_signal(signal.SIGHUP)  # each is a line of the log
            time.sleep(0.05)
        broker.send_signal(signal.SIGTERM)
        self.assertEqual(broker.wait(60), 0)
        archives = list(self.path.glob("broker.log.*.gz"))
        self.assertTrue(archives)
        self.assertIn(b"leveretd", gzip.decompress(archives[0].read_bytes()))

    def test_hangup_changes_levels_and_files(self):
        first, second = self.path / "first.log", self.path / "second.log"
        path = self.file(f"log.file = {first}\nlog.level = warning\n")
        broker = self.start("--config", path)
        until = time.monotonic() + 60
        while not first.exists() and time.monotonic() < until:
            time.sleep(0.02)
        self.file(f"log.file = {second}\nlog.level = info\n")
        until = time.monotonic() + 60
        while not (second.exists() and "SIGHUP" in second.read_text()) and time.monotonic() < until:
            broker.send_signal(signal.SIGHUP)
            time.sleep(0.1)
        self.assertIn("SIGHUP", second.read_text())
        self.assertNotIn("ready", first.read_text())

    def test_each_error_of_a_reload_is_a_line(self):
        path = self.file("heartbeat = 30\n")
        broker = self.start("--config", path)
        self.wait_for(broker, self.path / "stderr", "ready: ")
        self.file("heartbeat = soon\nhartbeat = 1\n")
        broker.send_signal(signal.SIGHUP)
        self.wait_for(broker, self.path / "stderr", r"error leveretd: SIGHUP: \S+:2: unknown key 'hartbeat'")
        log = (self.path / "stderr").read_text()
        self.assertRegex(log, r"error leveretd: SIGHUP: \S+:1: heartbeat must be a whole number\n")
        self.assertNotIn("\\x0a", log)

    def test_pid_file(self):
        path = self.path / "pid"
        broker = self.start("--set", f"pid_file={path}")
        self.wait_for(broker, path, rf"^{broker.pid}\n$")
        broker.send_signal(signal.SIGTERM)
        self.assertEqual(broker.wait(60), 0)
        self.assertFalse(path.exists())


if __name__ == "__main__":
    main(ConfigurationTest)
