#!/usr/bin/python3
"""leveretctl against a leveretd: every command, the three formats, settings, exit codes and what is said on errors."""
import json
import os
import select
import shutil
import socket
import stat
import subprocess
import tempfile
import threading
from pathlib import Path

import broker
import pika
from client import connect, parameters
from harness import Skip, eventually, main, name, test
from http_api import Api

REFUSED, USAGE, UNREACHABLE, LOCAL = 1, 2, 3, 4


class Result:
    def __init__(self, done):
        self.code = done.returncode
        self.raw = done.stdout
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")
        self.lines = self.out.splitlines()

    def rows(self):
        """TSV as lists of texts."""
        return [line.split("\t") for line in self.lines]


def run(node, *arguments, input=b"", code=0, environment=None, home=None, said=None):
    """Runs leveretctl; it must end with the code, and say so many lines: one when the code is not 0, and nothing when it is."""
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("LEVERETCTL_")}
    variables = {**inherited, "HOME": str(home or node.dir), "LEVERETCTL_HOST": node.host,
                 "LEVERETCTL_PORT": str(node.management_port), **(environment or {})}
    done = subprocess.run([program, *arguments], input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env={k: v for k, v in variables.items() if v is not None}, timeout=60)
    result = Result(done)
    assert result.code == code, f"{arguments}: ended with {result.code}: {result.out}{result.err}"
    if code or said:
        assert result.err.count("\n") == (said or 1) and result.err.startswith("leveretctl: "), result.err
        assert not result.out, result.out
    else:
        assert not result.err or "warning" in result.err, result.err
    return result


def tsv(node, *arguments, **options):
    return run(node, "-q", "-f", "tsv", *arguments, **options).rows()


def as_json(node, *arguments, **options):
    return json.loads(run(node, "-f", "json", *arguments, **options).out)


@test
def help_is_there(node):
    everything = run(node, "help").out
    assert run(node, "--help").out == everything
    commands = [row[0] for row in tsv(node, "help")]
    assert len(commands) > 35 and len(set(commands)) == len(commands)
    for command in commands:
        text = run(node, "help", command).out
        assert command in everything and command in text and "Allowed to" in text
        assert run(node, command, "--help").out == text
    assert "--if-unused" in run(node, "help", "delete_queue").out
    assert run(node, "--version").out.startswith("leveretctl ")


@test
def usage_is_checked(node):
    for arguments, said in [
        ([], "which command"), (["frobnicate"], "no command frobnicate"), (["help", "frobnicate"], "frobnicate"),
        (["--frobnicate", "status"], "--frobnicate"),
        (["list_queus"], "did you mean list_queues?"), (["list_queues", "--al-vhosts"], "did you mean --all-vhosts?"),
        (["--formatter", "erlang", "status"], "no Erlang"), (["-n", "rabbit@elsewhere", "status"], "elsewhere"), (["status", "x"], "status takes no arguments"),
        (["get"], "get takes QUEUE"), (["bind", "a"], "bind takes"), (["list_users", "-p", "/"], "takes no --vhost"),
        (["status", "--count", "1"], "no --count"), (["-P", "0", "status"], "--port"), (["-P", "x", "status"], "--port"),
        (["-P", "65536", "status"], "--port"), (["-f", "xml", "status"], "--format"), (["-t", "-1", "status"], "--timeout"),
        (["-H", "a/b", "status"], "--host"), (["get", "q", "--count", "many"], "--count"),
        (["get", "q", "--ack-mode", "maybe"], "--ack-mode"), (["declare_queue", "q", "-a", "x"], "NAME=VALUE"),
        (["declare_queue", "q", "-a", "x:={"], "not JSON"), (["publish", "", "q", "--property", "priority=high"], "number"),
        (["declare_queue", b"\xff"], "UTF-8"), (["--host"], "--host"),
    ]:
        assert said in run(node, *arguments, code=USAGE).err, arguments


@test
def status_in_each_format(node):
    lines = dict(line.split(None, 1) for line in run(node, "status").lines)
    assert lines["product"] == "Leveret" and lines["pid"] == str(node.pid)
    rows = dict(tsv(node, "status"))
    assert rows["pid"] == str(node.pid) and f"amqp {node.host}:{node.port}" in rows["listeners"]
    answer = as_json(node, "status")
    assert int(rows["memory.connection_other"]) >= 0 and answer["memory"]["total"]["rss"] > 0, answer["memory"]
    assert answer["overview"]["node"] == rows["node"] and answer["node"]["os_pid"] == str(node.pid)
    assert dict(tsv(node, "whoami")) == {"name": "guest", "tags": "administrator"}
    run(node, "check_running")
    run(node, "check_alarms")
    run(node, "check_virtual_hosts")
    run(node, "check_port_listener", str(node.port))
    assert "refused" in run(node, "check_port_listener", "1", code=REFUSED).err


@test(own=True, management=True)
def watermarks(node):
    def limits():
        answer = Api(node).get(f"nodes/{Api(node).get('overview').json['node']}/limits").json
        return answer["vm_memory_high_watermark"]["absolute"], answer["disk_free_limit"]["absolute"]

    memory, disk = limits()
    run(node, "set_vm_memory_high_watermark", "absolute", "1500MB")
    assert limits() == (1_500_000_000, disk)
    run(node, "set_vm_memory_high_watermark", "0.4")
    assert limits() == (memory, disk)
    run(node, "set_disk_free_limit", "2 GiB")
    assert limits() == (memory, 2 << 30)
    run(node, "set_disk_free_limit", "mem_relative", "0.5")
    assert abs(limits()[1] - memory / 0.4 * 0.5) < 10
    run(node, "set_disk_free_limit", "0")
    assert limits() == (memory, 0)
    run(node, "check_alarms")
    run(node, "set_vm_memory_high_watermark", "0")
    run(node, "check_alarms", code=REFUSED)
    run(node, "set_vm_memory_high_watermark", "absolute", "1000")
    run(node, "check_alarms", code=REFUSED)
    run(node, "set_vm_memory_high_watermark", "0.9")
    run(node, "check_alarms")
    run(node, "set_disk_free_limit", "100TB")
    run(node, "check_alarms", code=REFUSED)
    for arguments, code in ((["set_vm_memory_high_watermark", "much"], USAGE), (["set_disk_free_limit", "relative", "1"], USAGE),
                            (["set_vm_memory_high_watermark", "1.5"], REFUSED), (["set_disk_free_limit", "2 loads"], REFUSED),
                            (["set_vm_memory_high_watermark", "absolute", "lots"], REFUSED)):
        run(node, *arguments, code=code)
    assert limits() == (int(memory / 0.4 * 0.9), 100 * 10**12) or abs(limits()[0] - memory / 0.4 * 0.9) < 10


@test(own=True, leveret_only="a command of leveretctl", management=True, settings={"heartbeat": "17", "default_pass": "guest"})
def environment(node):
    rows = {key: (value, origin) for key, value, origin in tsv(node, "environment")}
    assert rows["heartbeat"] == ("17", "--set"), rows["heartbeat"]
    assert rows["frame_max"] == ("131072", "default")
    assert rows["default_pass"] == ("***", "--set")
    api = Api(node)
    assert {"key": "heartbeat", "value": "17", "origin": "--set"} in api.get("config/effective").json
    assert api.put("users/watcher", {"password": "p", "tags": "monitoring"}).code == 201
    assert Api(node, "watcher", "p").get("config/effective").code == 401


@test
def global_parameters(node):
    run(node, "set_global_parameter", "mine", '{"a": [1, null]}')
    assert ["mine", '{"a":[1,null]}'] in tsv(node, "list_global_parameters"), tsv(node, "list_global_parameters")
    run(node, "set_global_parameter", "mine", '"text"')
    assert ["mine"] in tsv(node, "list_global_parameters", "name")
    assert "JSON" in run(node, "set_global_parameter", "mine", "text", code=USAGE).err
    run(node, "clear_global_parameter", "mine")
    assert "mine" in run(node, "clear_global_parameter", "mine", code=REFUSED).err
    run(node, "set_cluster_name", "named by hand")
    assert dict(tsv(node, "status"))["cluster"] == "named by hand"
    run(node, "clear_global_parameter", "cluster_name")


@test
def queues(node):
    first, second = name("a/b ü%"), name("z")
    run(node, "declare_queue", first, "--argument", "x-expires=3600000", "-a", "note:={\"a\":[1,null]}")
    run(node, "declare_queue", second, "--transient", "--auto-delete")
    run(node, "declare_queue", first, "--argument", "x-expires=3600000", "-a", "note:={\"a\":[1,null]}")
    assert "inequivalent" in run(node, "declare_queue", first, code=REFUSED).err
    table = run(node, "list_queues", "name", "messages").lines
    assert table[0].split() == ["name", "messages"]
    width = max(len(line) for line in table)
    mine = [line for line in table if line.startswith(first)]
    assert len(mine) == 1 and mine[0].endswith(" 0") and len(mine[0]) == width, table
    rows = {row[0]: row[1:] for row in tsv(node, "list_queues", "name", "durable,auto_delete", "arguments.x-expires")}
    assert rows[first] == ["true", "false", "3600000"] and rows[second] == ["false", "true", ""]
    found = {q["name"]: q for q in as_json(node, "list_queues", "name", "arguments", "messages")}
    assert found[first] == {"name": first, "messages": 0,
                            "arguments": {"x-expires": 3600000, "note": {"a": [1, None]}, "x-queue-type": "classic"}}
    assert run(node, "-f", "tsv", "list_queues").lines[0] == \
        "name\tmessages\tmessages_ready\tmessages_unacknowledged\tconsumers"
    assert ["/", first, "0"] in tsv(node, "list_queues", "-A", "name", "messages")
    for wrong, said in (("frob", "there are: "), ("mesages", "did you mean messages?"), ("name.x", "no column 'name.x'"),
                        ("name,argument", "did you mean arguments?")):
        refused = run(node, "list_queues", wrong, code=USAGE).err
        assert said in refused and "messages_ready" in refused, refused
    assert tsv(node, "list_queues", "message_stats.publish_details.rate", "-p", "/")
    run(node, "publish", "", first, "x")
    assert "not empty" in run(node, "delete_queue", first, "--if-empty", code=REFUSED).err
    run(node, "purge_queue", first)
    run(node, "delete_queue", first, "--if-empty", "--if-unused")
    run(node, "delete_queue", second)
    for command in ("delete_queue", "purge_queue", "get"):
        assert "no queue" in run(node, command, first, code=REFUSED).err
    assert "no virtual host 'nowhere'" in run(node, "list_queues", "-p", "nowhere", code=REFUSED).err


@test
def queues_with_odd_names(node):
    for queue in ("..", ".", "-dash", "tab\tand\nline", "%2F", "a?b#c&d=e", "\\"):
        run(node, "declare_queue", "--", queue)
        listed = [q["name"] for q in as_json(node, "list_queues", "name")]
        assert queue in listed, (queue, listed)
        escaped = queue.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        assert [escaped] in tsv(node, "list_queues", "name")
        run(node, "delete_queue", "--", queue)
    assert not {"..", "%2F"} & {q["name"] for q in as_json(node, "list_queues", "name")}


@test(seconds=90)
def many_queues(node):
    run(node, "add_vhost", "many")
    run(node, "set_permissions", "-p", "many", "guest", ".*", ".*", ".*")
    connection = pika.BlockingConnection(parameters(node, virtual_host="many"))
    channel = connection.channel()
    for i in range(1501):
        channel.queue_declare(f"many.{i}")
    connection.close()
    listed = tsv(node, "list_queues", "-p", "many", "name")
    assert len(listed) == 1501 and len({row[0] for row in listed}) == 1501
    run(node, "delete_vhost", "many")


@test
def exchanges_and_bindings(node):
    source, other, queue = name("x"), name("y"), name("q")
    run(node, "declare_exchange", source, "topic")
    run(node, "declare_exchange", other, "fanout", "--transient", "--auto-delete", "--internal")
    run(node, "declare_queue", queue)
    assert [source, "topic", "true", "false"] in tsv(node, "list_exchanges")
    assert [other, "false", "true"] in tsv(node, "list_exchanges", "name", "durable", "internal")
    run(node, "declare_exchange", source, "nonsense", code=REFUSED)
    run(node, "bind", source, queue, "a.#")
    run(node, "bind", source, queue, "a.#", "-a", "x=1")
    run(node, "bind", source, other, "b", "--to-exchange")
    listed = [row for row in tsv(node, "list_bindings") if row[0] == source]
    assert sorted(listed) == sorted([[source, queue, "queue", "a.#", ""], [source, queue, "queue", "a.#", '{"x":1}'],
                                     [source, other, "exchange", "b", ""]]), listed
    assert {"source_name": source, "routing_key": "b"} in as_json(node, "list_bindings", "source_name", "routing_key")
    assert "not bound" in run(node, "unbind", source, queue, "other", code=REFUSED).err
    run(node, "unbind", source, queue, "a.#")
    run(node, "unbind", source, other, "b", "--to-exchange")
    listed = [row for row in tsv(node, "list_bindings") if row[0] == source]
    assert listed == [[source, queue, "queue", "a.#", '{"x":1}']], listed
    run(node, "unbind", source, queue, "a.#", "-a", "x=1")
    run(node, "bind", source, name("missing"), "k", code=REFUSED)
    run(node, "delete_exchange", source, "--if-unused")
    run(node, "delete_exchange", other)
    assert "no exchange" in run(node, "delete_exchange", other, code=REFUSED).err


@test
def messages(node):
    queue = name()
    run(node, "declare_queue", queue)
    run(node, "publish", "", queue, "Hello, hare!", "--persistent", "--property", "content_type=text/plain", "--property",
        "priority=3", "--property", "expiration=600000", "--header", "n=7", "--header", "yes=true", "--header", "t=x=y")
    binary = bytes(range(256)) * 4
    run(node, "publish", "amq.default", queue, input=binary)
    run(node, "publish", "", queue, "")
    got = as_json(node, "get", queue, "--count", "10")
    assert [m["payload_bytes"] for m in got] == [12, 1024, 0] and got[0]["payload"] == "Hello, hare!"
    assert got[0]["properties"] == {"content_type": "text/plain", "priority": 3, "expiration": "600000", "delivery_mode": 2,
                                    "headers": {"n": 7, "yes": True, "t": "x=y"}}
    assert got[1]["payload_encoding"] == "base64"
    lines = run(node, "get", queue).lines
    assert len(lines) == 2 and lines[0].split()[-1] == "body" and lines[1].endswith("Hello, hare!")
    assert "true" in lines[1].split()  # redelivered: it was got before
    assert run(node, "get", queue, "--raw", "-c", "2").raw == b"Hello, hare!" + binary
    assert run(node, "get", queue, "--raw", "--ack-mode", "ack").raw == b"Hello, hare!"
    assert run(node, "get", queue, "--raw", "--ack-mode", "reject").raw == binary
    assert eventually(lambda: [queue, "1"] in tsv(node, "list_queues", "name", "messages"))
    run(node, "get", queue, "--ack-mode", "ack")
    assert as_json(node, "get", queue) == []
    assert run(node, "-q", "get", queue).out == ""
    assert "no queue took the message" in run(node, "publish", "amq.direct", "nowhere", "x", code=REFUSED).err
    assert "no exchange" in run(node, "publish", "missing", "k", "x", code=REFUSED).err
    big = os.urandom(3_000_000)
    run(node, "publish", "", queue, input=big)
    assert run(node, "get", queue, "--raw", "--ack-mode", "ack").raw == big
    run(node, "delete_queue", queue)


@test
def clients(node):
    queue = name()
    connection = pika.BlockingConnection(parameters(node))
    channel = connection.channel()
    channel.queue_declare(queue)
    channel.basic_qos(prefetch_count=7)
    channel.basic_consume(queue, lambda *unused: None, consumer_tag="ctl-tag", arguments={"x-priority": 2})
    rows = [row for row in tsv(node, "list_consumers") if row[0] == queue]
    assert len(rows) == 1 and rows[0][2:] == ["ctl-tag", "true", "7", "true", '{"x-priority":2}'], rows
    names = [row[0] for row in tsv(node, "list_connections", "name")]
    assert len(names) == 1 and names[0] in rows[0][1]
    assert tsv(node, "list_connections", "-p", "/", "user", "channels") == [["guest", "1"]]
    assert tsv(node, "list_channels", "user", "consumer_count") == [["guest", "1"]]
    run(node, "close_connection", names[0], "time to\ngo")
    try:
        connection.process_data_events(5)
        raise AssertionError("the connection was not closed")
    except Exception as closed:
        assert "time to go" in str(closed), closed
    assert eventually(lambda: not tsv(node, "list_connections", "name"))
    assert "no connection" in run(node, "close_connection", names[0], "again", code=REFUSED).err
    other = pika.BlockingConnection(parameters(node))
    run(node, "close_all_user_connections", "guest", "bye")
    assert eventually(lambda: not tsv(node, "list_connections", "name"))
    try:
        other.close()
    except Exception:
        pass
    run(node, "delete_queue", queue)


@test
def users_and_permissions(node):
    user, vhost = name("eve"), name("v/1")
    run(node, "add_user", user, input=b"first\n")
    assert "exists already" in run(node, "add_user", user, "x", code=REFUSED).err
    assert [user, ""] in tsv(node, "list_users")
    run(node, "set_user_tags", user, "monitoring", "management")
    assert [user, "monitoring,management"] in tsv(node, "list_users")
    run(node, "authenticate_user", user, "first")
    run(node, "change_password", user, "second")
    assert [user, "monitoring,management"] in tsv(node, "list_users")
    run(node, "set_user_tags", user, "management")
    run(node, "authenticate_user", user, input=b"second\n")
    failed = run(node, "authenticate_user", user, "first", code=REFUSED).err
    assert user in failed and "first" not in failed
    run(node, "add_vhost", vhost, "--description", "for eve")
    assert [vhost, "for eve"] in tsv(node, "list_vhosts", "name", "description")
    run(node, "set_permissions", "-p", vhost, user, "^eve", "", ".*")
    assert [user, "^eve", "", ".*"] in tsv(node, "list_permissions", "--vhost", vhost)
    assert tsv(node, "list_user_permissions", user) == [[vhost, "^eve", "", ".*"]]
    hers = ["-U", user, "--password", "second", "-p", vhost]
    run(node, *hers, "declare_queue", "eve.q")
    assert "may not do this" in run(node, *hers, "declare_queue", "q", code=REFUSED).err
    assert "administrator" in run(node, *hers[:4], "list_users", code=REFUSED).err
    run(node, *hers, "list_queues")
    run(node, "set_permissions", "-p", vhost, user, "(", "", "", code=REFUSED)
    run(node, "set_topic_permissions", "-p", vhost, user, "amq.topic", "^a", "^b")
    run(node, "set_topic_permissions", "-p", vhost, user, "", "x", "y")
    assert tsv(node, "list_user_topic_permissions", user) == [[vhost, "", "x", "y"], [vhost, "amq.topic", "^a", "^b"]]
    run(node, "set_topic_permissions", "-p", vhost, user, "amq.topic", "(", "", code=REFUSED)
    run(node, "clear_topic_permissions", "-p", vhost, user, "")
    assert tsv(node, "list_topic_permissions", "-p", vhost) == [[user, "amq.topic", "^a", "^b"]]
    run(node, "clear_topic_permissions", "-p", vhost, user)
    assert tsv(node, "list_topic_permissions", "-p", vhost) == []
    run(node, "set_permissions", "nobody", "", "", "", code=REFUSED)
    run(node, "clear_permissions", "-p", vhost, user)
    assert "no permissions of user" in run(node, "clear_permissions", "-p", vhost, user, code=REFUSED).err
    run(node, "delete_vhost", vhost)
    assert "no virtual host" in run(node, "delete_vhost", vhost, code=REFUSED).err
    run(node, "delete_user", user)
    for command in (["delete_user"], ["change_password"], ["set_user_tags"], ["list_user_permissions"]):
        assert f"no user '{user}'" in run(node, *command, user, code=REFUSED).err, command


@test
def definitions(node):
    queue, exchange, path = name("q"), name("x"), node.dir / "definitions.json"
    run(node, "declare_queue", queue)
    run(node, "declare_exchange", exchange, "direct")
    run(node, "bind", exchange, queue, "k")
    run(node, "export_definitions", str(path))
    assert path.stat().st_mode & 0o077 == 0
    told = json.loads(path.read_text())
    assert queue in [q["name"] for q in told["queues"]] and told == json.loads(run(node, "export_definitions").out)
    run(node, "delete_queue", queue)
    run(node, "delete_exchange", exchange)
    run(node, "import_definitions", str(path))
    assert [exchange, queue, "queue", "k", ""] in tsv(node, "list_bindings")
    run(node, "delete_queue", queue)
    run(node, "import_definitions", input=path.read_bytes())
    assert [queue] in tsv(node, "list_queues", "name")
    run(node, "import_definitions", str(node.dir / "missing"), code=LOCAL)
    run(node, "import_definitions", input=b"nonsense", code=LOCAL)
    run(node, "export_definitions", "/nonexistent/file", code=LOCAL)
    # What was left out is told, and ends with 5 when that was asked for; what is wrong is told line by line.
    left = json.dumps({"queues": [{"name": queue, "vhost": "/", "durable": True, "leader": "n"}], "streams": []}).encode()
    lines = ["leveretctl: left out: streams: not known here",
             f"leveretctl: left out: queues[0] '{queue}': key 'leader' is not known here"]
    assert run(node, "import_definitions", input=left, said=2).err.splitlines() == lines
    assert run(node, "import_definitions", "--strict", input=left, code=5, said=2).err.splitlines() == lines
    assert run(node, "import_definitions", "--strict", input=b"{}").err == ""
    wrong = json.dumps({"queues": [{"name": "a"}, {"name": "b"}]}).encode()
    assert run(node, "import_definitions", input=wrong, code=REFUSED, said=2).err.splitlines() == [
        f"leveretctl: refused: queues[{i}] '{one}': [{{key_missing,vhost}}]" for i, one in enumerate("ab")]
    other = json.dumps({"queues": [{"name": queue, "vhost": "/", "durable": False}]}).encode()
    said = run(node, "import_definitions", input=other, code=REFUSED).err
    assert said.startswith(f"leveretctl: not carried out: queues[0] '{queue}' in virtual host '/': inequivalent arg"), said


@test
def runtime_parameters(node):
    vhost = name("v")
    run(node, "add_vhost", vhost)
    run(node, "set_parameter", "-p", vhost, "vhost-limits", "limits", '{"max-queues": 5}')
    run(node, "set_operator_policy", "-p", vhost, "o", "^a", '{"max-length": 3}')
    rows = tsv(node, "list_parameters", "-p", vhost, "component", "name")
    assert sorted(rows) == [["operator_policy", "o"], ["vhost-limits", "limits"]], rows
    assert ["vhost-limits", "limits", '{"max-queues":5}'] in tsv(node, "list_parameters", "-p", vhost)
    assert "not found" in run(node, "set_parameter", "-p", vhost, "shovel", "s", "{}", code=REFUSED).err
    assert "as JSON" in run(node, "set_parameter", "-p", vhost, "vhost-limits", "limits", "{", code=USAGE).err
    assert "may not be set using this method" in run(
        node, "set_parameter", "-p", vhost, "operator_policy", "o", '{"pattern": "a", "definition": {}}', code=REFUSED).err
    run(node, "clear_parameter", "-p", vhost, "vhost-limits", "limits")
    run(node, "clear_operator_policy", "-p", vhost, "o")
    assert tsv(node, "list_parameters", "-p", vhost) == []
    assert f"no parameter 'limits' in virtual host '{vhost}'" in run(
        node, "clear_parameter", "-p", vhost, "vhost-limits", "limits", code=REFUSED).err
    run(node, "delete_vhost", vhost)


@test
def settings_and_their_order(node):
    home = node.dir / "home"
    home.mkdir()
    file = home / ".leveretctl"
    none = {"LEVERETCTL_HOST": None, "LEVERETCTL_PORT": None}
    file.write_text(f"# the broker\nhost = {node.host}\nport = {node.management_port}\nformat = tsv\nquiet = true\n")
    assert run(node, "whoami", environment=none, home=home).rows() == [["name", "guest"], ["tags", "administrator"]]
    more = {**none, "LEVERETCTL_FORMAT": "json"}
    assert json.loads(run(node, "whoami", environment=more, home=home).out)["name"] == "guest"
    assert run(node, "-f", "tsv", "whoami", environment=more, home=home).lines[0] == "name\tguest"
    assert "--port" not in run(node, "whoami", environment={"LEVERETCTL_PORT": "1"}, home=home, code=UNREACHABLE).err
    assert "LEVERETCTL_PORT" in run(node, "whoami", environment={"LEVERETCTL_PORT": "no"}, home=home, code=USAGE).err
    file.write_text("host = localhost\nhots = x\n")
    assert f"{file}:2: hots" in run(node, "whoami", home=home, code=USAGE).err
    file.write_text("just words\n")
    assert f"{file}:1:" in run(node, "whoami", home=home, code=USAGE).err
    secret = "p ;#=w"
    file.write_text(f"user = quiet\npassword = {secret}\n")
    run(node, "add_user", "quiet", secret)
    file.chmod(0o644)
    assert "others may read" in run(node, "authenticate_user", "quiet", secret, home=home).err
    file.chmod(0o600)
    run(node, "set_user_tags", "quiet", "management")
    assert run(node, "-f", "tsv", "whoami", home=home).rows()[0] == ["name", "quiet"]
    wrong = run(node, "whoami", home=home, environment={"LEVERETCTL_PASSWORD": "not-it"}, code=REFUSED).err
    assert "'quiet'" in wrong and "not-it" not in wrong and secret not in wrong
    (home / "password").write_text(secret + "\n")
    by_file = ["-U", "quiet", "--password-file", str(home / "password"), "whoami"]
    run(node, *by_file)
    run(node, "--password-file", "/nonexistent", "whoami", code=USAGE)
    run(node, "--config", "/nonexistent", "whoami", code=USAGE)
    run(node, "delete_user", "quiet")


@test
def wrong_password(node):
    said = run(node, "--password", "not-the-one", "status", code=REFUSED).err
    assert "'guest'" in said and "not-the-one" not in said


@test
def unreachable(node):
    port = broker.free_ports(1)[0]
    said = run(node, "-P", str(port), "status", code=UNREACHABLE).err
    assert f"no answer from {node.host}:{port}" in said
    silent = socket.create_server(("127.0.0.1", 0))
    run(node, "-P", str(silent.getsockname()[1]), "-t", "1", "status", code=UNREACHABLE)
    strange = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            one, _ = strange.accept()
            one.recv(65536)
            one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
            one.close()
    threading.Thread(target=serve, daemon=True).start()
    assert "is no Leveret" in run(node, "-P", str(strange.getsockname()[1]), "status", code=REFUSED).err


@test
def looking_and_moving(node):
    first, second, dead = name("first"), name("second"), name("dead")
    for queue in (second, dead):
        run(node, "declare_queue", queue)
    run(node, "declare_queue", first, "-a", "x-dead-letter-exchange=", "-a", f"x-dead-letter-routing-key={dead}")
    for body in ("one", "two", "three"):
        run(node, "publish", "", first, body, "--persistent")
    rows = as_json(node, "peek", first, "-c", "2", "--offset", "1")
    assert [(r["position"], r["payload"], r["redelivered"]) for r in rows] == [(1, "two", False), (2, "three", False)], rows
    assert "three" in run(node, "peek", first, "--from", "tail").out
    assert as_json(node, "peek", first, "--unacked") == []
    run(node, "pause_queue", first)
    assert dict(run(node, "-f", "tsv", "-q", "list_queues", "name", "state").rows())[first] == "paused"
    run(node, "resume_queue", first)
    run(node, "get", first, "-c", "2", "--ack-mode", "reject")
    assert as_json(node, "redrive", dead, "--dry-run")["skipped_because"] == {}
    done = as_json(node, "redrive", dead)
    assert (done["state"], done["moved"], done["queue"]) == ("done", 2, dead), done
    done = as_json(node, "move", first, second, "-c", "2")
    assert (done["moved"], done["to"]) == (2, {"queue": second}), done
    done = as_json(node, "move", first, "--exchange", "", "--routing-key", second)
    assert done["moved"] == 1, done
    assert str(done["id"]) in run(node, "list_tasks").out
    run(node, "stop_task", str(done["id"]))
    assert "say where to" in run(node, "move", first, code=USAGE).err
    assert "--routing-key" in run(node, "move", first, second, "--routing-key", "k", code=USAGE).err
    assert "no queue" in run(node, "peek", "gone", code=REFUSED).err.lower()
    started = as_json(node, "move", second, first, "--rate", "1", "--no-wait")
    assert started["state"] in ("running", "waiting"), started
    run(node, "stop_task", str(started["id"]))


@test
def diagnostics(node):
    for command in ("ping", "check_local_alarms", "check_if_node_is_quorum_critical", "check_certificate_expiration",
                    "enable_feature_flag all", "await_startup", "check_protocol_listener amqp"):
        assert run(node, *command.split()).out == "", command
    assert run(node, "is_running").out.strip() == "true" and run(node, "is_booting").out.strip() == "false"
    assert {row[0] for row in tsv(node, "listeners")} == {"amqp", "http", "http/prometheus"}
    assert ["quorum_queue", "enabled"] in [row[:2] for row in tsv(node, "list_feature_flags")]
    assert tsv(node, "list_unresponsive_queues") == [] and tsv(node, "list_deprecated_features") == []
    parts = {row[0]: int(row[1]) for row in tsv(node, "memory_breakdown")}
    assert sum(parts.values()) > 0, parts
    assert "No active listener" in run(node, "check_protocol_listener", "mqtt", code=REFUSED).err
    assert any(row[1] == "127.0.0.1" and row[2] == "guest" for row in tsv(node, "list_node_auth_attempt_stats"))
    run(node, "set_log_level", "debug")
    assert "Try one of" in run(node, "set_log_level", "loud", code=REFUSED).err
    run(node, "set_log_level", "info")
    assert len(run(node, "log_tail", "-N", "2").out.splitlines()) == 2
    told = run(node, "report").out
    assert "# queues" in told and "# config/effective" in told and "password_hash\"" not in told
    assert "or --pid" in run(node, "wait", code=USAGE).err
    run(node, "wait", "--pid", str(node.pid))


@test
def connections_are_closed_by_one_command(node):
    with connect(node) as one, connect(node) as other:
        eventually(lambda: len(as_json(node, "list_connections", "name")) == 2, what="both connections")
        run(node, "close_all_connections", "over for today", "--limit", "1")
        eventually(lambda: len(as_json(node, "list_connections", "name")) == 1, what="one connection")
        run(node, "close_all_connections", "over for today", "-p", "/")
        eventually(lambda: len(as_json(node, "list_connections", "name")) == 0, what="no connection")


@test(own=True, management=True)
def the_broker_is_ended_and_waited_for(node):
    run(node, "suspend_listeners")
    run(node, "resume_listeners")
    run(node, "shutdown")
    eventually(lambda: not node.alive(), 60, "the end")
    run(node, "ping", code=UNREACHABLE)
    assert "does not answer" in run(node, "--timeout", "1", "await_startup", code=UNREACHABLE).err


def first_of(node, command, cause, wanted):
    """The first line with this text of a command that goes on until it is ended. What is done before its stream has begun is not
    in it, so cause(i) does the same again, until a line has come."""
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    place = {"HOME": str(node.dir), "LEVERETCTL_HOST": node.host, "LEVERETCTL_PORT": str(node.management_port)}
    with subprocess.Popen([program, *command], stdout=subprocess.PIPE, env={**os.environ, **place}) as running:
        try:
            for i in range(120):
                cause(i)
                while select.select([running.stdout], [], [], 0.5)[0]:
                    line = running.stdout.readline().decode()
                    assert line, f"{command} has ended"
                    if wanted in line:
                        return line
            raise AssertionError(f"{command} shows no {wanted}")
        finally:
            running.terminate()


@test
def what_goes_on_is_followed(node):
    exchange = name("x")
    run(node, "declare_exchange", exchange, "topic")
    api = Api(node)
    seen = first_of(node, ["tail", exchange, "--routing-key", "a.*"], lambda i: api.publish(exchange, "a.b", "seen"), "seen")
    assert json.loads(seen)["routing_key"] == "a.b", seen
    first_of(node, ["log_tail_stream"], lambda i: run(node, "set_log_level", "debug" if i % 2 else "info"), "log")
    event = first_of(node, ["consume_event_stream"], lambda i: run(node, "declare_queue", name("q")), "queue.created")
    assert json.loads(event)["exchange"] == "amq.rabbitmq.event", event
    assert "no exchange" in run(node, "tail", "gone", code=REFUSED).err


@test
def users_with_tags_and_hashes(node):
    first, second = name("ann"), name("bob")
    run(node, "add_user", first, "secret", "--tags", "monitoring,policymaker")
    assert as_json(node, "list_users")[-1]["tags"] == ["monitoring", "policymaker"] or \
        ["monitoring", "policymaker"] in [u["tags"] for u in as_json(node, "list_users")]
    hashed = run(node, "hash_password", "secret").out.strip()
    run(node, "add_user", second, "--pre-hashed-password", hashed)
    run(node, "authenticate_user", second, "secret")
    run(node, "clear_password", second)
    run(node, "authenticate_user", second, "secret", code=REFUSED)
    run(node, "delete_users", first, second)
    assert not {first, second} & {u["user"] if "user" in u else u["name"] for u in as_json(node, "list_users")}
    vhost = name("v")
    run(node, "add_vhost", vhost, "--tags", "one,two")
    run(node, "set_vhost_tags", vhost, "three")
    assert ["three"] in [v.get("tags") for v in as_json(node, "list_vhosts", "name", "tags")]
    run(node, "delete_vhost", vhost)


@test
def several_queues_are_deleted_by_a_pattern(node):
    stem = name("many")
    for i in range(3):
        run(node, "declare_queue", f"{stem}.{i}")
    run(node, "declare_queue", f"{stem}-stays")
    gone = run(node, "delete_queues", "--pattern", f"^{stem}[.]").out.split()
    assert gone == [f"{stem}.{i}" for i in range(3)], gone
    assert f"{stem}-stays" in [q["name"] for q in as_json(node, "list_queues", "name")]
    assert "--pattern" in run(node, "delete_queues", code=USAGE).err


def run_local(node, *arguments, **options):
    """Without host and port: by the control socket, if it is found."""
    none = {"LEVERETCTL_HOST": None, "LEVERETCTL_PORT": None, "LEVERET_DATA_DIR": str(node.data)}
    return run(node, *arguments, environment={**none, **options.pop("environment", {})}, **options)


@test(own=True)
def control_socket(node):
    socket_path = node.data / "control.sock"
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
    # There is no HTTP port here: all that follows comes by the socket.
    assert dict(run_local(node, "-f", "tsv", "whoami").rows()) == {"name": "rmq-cli", "tags": "administrator"}
    run_local(node, "change_password", "guest", "forgotten")
    run_local(node, "authenticate_user", "guest", "forgotten")
    wrong = run_local(node, "authenticate_user", "guest", "guest", code=REFUSED).err
    assert "guest" in wrong and str(socket_path) in wrong, wrong
    run_local(node, "add_vhost", "private")
    assert run_local(node, "-q", "-f", "tsv", "list_permissions", "-p", "private").rows() == []
    run_local(node, "declare_queue", "-p", "private", "q")
    run_local(node, "publish", "-p", "private", "", "q", "x")
    assert run_local(node, "get", "-p", "private", "q", "--raw").raw == b"x"
    run_local(node, "delete_vhost", "private")
    assert run(node, "--data-dir", str(node.data), "-f", "tsv", "whoami", environment={"LEVERETCTL_HOST": None,
               "LEVERETCTL_PORT": None}).rows()[0] == ["name", "rmq-cli"]
    assert run(node, "--socket", str(socket_path), "-f", "tsv", "whoami", environment={"LEVERETCTL_HOST": None,
               "LEVERETCTL_PORT": None}).rows()[0] == ["name", "rmq-cli"]
    named = {"LEVERETCTL_HOST": None, "LEVERETCTL_PORT": None, "LEVERETCTL_USER": "guest"}
    assert "no answer" in run_local(node, "-P", str(broker.free_ports(1)[0]), "whoami", code=UNREACHABLE).err
    assert "needs no host" in run(node, "--socket", str(socket_path), "whoami", environment=named, code=USAGE).err
    assert "no broker answers" in run_local(node, "--data-dir", str(node.dir), "whoami", code=USAGE).err
    # The rest of the file goes on as before: a broker that is killed leaves the file, and its next start replaces it.
    node.kill()
    assert socket_path.exists()
    node.start()
    run_local(node, "whoami")
    node.stop()
    assert not socket_path.exists()


@test(own=True)
def control_socket_is_private(node):
    if os.geteuid() != 0:
        raise Skip("needs root, to be somebody else")
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    node.dir.chmod(0o755), node.data.chmod(0o755)
    (node.data / "control.sock").chmod(0o777)       # the mode alone does not open it
    shared = Path(tempfile.mkdtemp(prefix="leveret-ctl-", dir="/tmp"))
    shared.chmod(0o755)
    shutil.copy(program, shared / "leveretctl")
    try:
        done = subprocess.run([shared / "leveretctl", "--socket", str(node.data / "control.sock"), "whoami"], user=65534, group=65534,
                              extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, env={"HOME": "/nonexistent"})
    finally:
        shutil.rmtree(shared)
    assert done.returncode == UNREACHABLE and not done.stdout, done


@test(own=True, settings={"control_socket": "none"})
def no_control_socket(node):
    assert not (node.data / "control.sock").exists()


@test
def uri(node):
    none = {"LEVERETCTL_HOST": None, "LEVERETCTL_PORT": None}
    place = f"{node.host}:{node.management_port}"
    assert run(node, "--uri", f"http://guest:guest@{place}", "-f", "tsv", "whoami", environment=none).rows()[0] == ["name", "guest"]
    assert run(node, "-f", "tsv", "whoami", environment={**none, "LEVERETCTL_URI": f"http://guest:gu%65st@{place}/"}).rows()[0] == \
        ["name", "guest"]
    assert run(node, "--uri", f"http://{place}/no/such", "whoami", environment=none, code=REFUSED).err
    for wrong, said in ((f"ftp://{place}", "http"), ("::", "URI"), (f"http://{place}/?x=1", "query"), ("http://h:99999", "URI")):
        refused = run(node, "--uri", wrong, "whoami", environment=none, code=USAGE).err
        assert said in refused, refused
    secret = run(node, "--uri", f"http://guest:not-it@{place}", "whoami", environment=none, code=REFUSED).err
    assert "not-it" not in secret


@test
def full_output(node):
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program, "-H", node.host, "-P", str(node.management_port), "status"], stdout=full,
                              stderr=subprocess.PIPE, timeout=30)
    assert done.returncode == LOCAL and b"standard output" in done.stderr


if __name__ == "__main__":
    main(management=True)
