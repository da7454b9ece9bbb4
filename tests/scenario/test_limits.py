#!/usr/bin/python3
"""Limits of vhosts and users: set by the API and the command line, kept over a restart, and what clients are told."""
import os
import subprocess

import broker
import pika
from client import refused
from harness import main, name, test
from http_api import Api, q


def connect(node, user="guest", password="guest", vhost="/"):
    return pika.BlockingConnection(pika.ConnectionParameters(
        node.host, node.port, vhost, pika.PlainCredentials(user, password)))


def make_user(api, user):
    assert api.put(f"users/{user}", {"password": "p", "tags": ""}).code == 201
    assert api.put(f"permissions/%2F/{user}", {"configure": ".*", "write": ".*", "read": ".*"}).code == 201


def ctl(node, *arguments):
    command = [str(broker.build_folder() / "leveretctl"), "--port", str(node.management_port), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LEVERETCTL_CONFIG": "/dev/null"})


@test(own=True, leveret_only="limits by its API", management=True)
def connections_of_a_vhost(node):
    api = Api(node)
    assert api.put("vhosts/lim").code == 201
    assert api.put("vhost-limits/lim/max-connections", {"value": 1}).code == 204
    assert api.get("vhost-limits/lim").json == [{"vhost": "lim", "value": {"max-connections": 1}}]
    first = connect(node, vhost="lim")
    refused(lambda: connect(node, vhost="lim"), 530,
            "access to vhost 'lim' refused for user 'guest': connection limit (1) is reached")
    connect(node).close()
    first.close()
    connect(node, vhost="lim").close()
    node.restart()
    assert api.get("vhost-limits").json == [{"vhost": "lim", "value": {"max-connections": 1}}]
    first = connect(node, vhost="lim")
    refused(lambda: connect(node, vhost="lim"), 530, "connection limit (1)")
    first.close()
    assert api.put("vhost-limits/lim/max-connections", {"value": 0}).code == 204
    refused(lambda: connect(node, vhost="lim"), 530, "connection limit (0)")
    assert api.delete("vhost-limits/lim/max-connections").code == 204
    connect(node, vhost="lim").close()
    assert api.get("vhost-limits").json == []


@test(own=True, leveret_only="limits by its API", management=True)
def queues_of_a_vhost(node):
    api = Api(node)
    link = connect(node)
    channel = link.channel()
    channel.queue_declare("one", durable=True)
    assert api.put("vhost-limits/%2F/max-queues", {"value": 2}).code == 204
    channel.queue_declare("two")
    refused(lambda: channel.queue_declare("three"), 406,
            "cannot declare queue 'three': queue limit in vhost '/' (2) is reached")
    channel = link.channel()
    channel.queue_declare("two")
    channel.queue_delete("two")
    channel.queue_declare("three", durable=True)
    link.close()
    node.restart()
    link = connect(node)
    channel = link.channel()
    refused(lambda: channel.queue_declare("four"), 406, "queue limit")
    assert api.put("vhost-limits/%2F/max-queues", {"value": -1}).code == 204
    link.channel().queue_declare("four")
    link.close()


@test(own=True, leveret_only="limits by its API", management=True)
def connections_and_channels_of_a_user(node):
    api = Api(node)
    make_user(api, "ann")
    assert api.put("user-limits/ann/max-connections", {"value": 2}).code == 204
    assert api.put("user-limits/ann/max-channels", {"value": 3}).code == 204
    assert api.get("user-limits/ann").json == [{"user": "ann", "value": {"max-connections": 2, "max-channels": 3}}]
    assert api.get("users/ann").json["limits"] == {"max-connections": 2, "max-channels": 3}
    a, b = connect(node, "ann", "p"), connect(node, "ann", "p")
    refused(lambda: connect(node, "ann", "p"), 530, "Connection refused for user 'ann': user connection limit (2) is reached")
    a.channel()
    a.channel().close()
    b.channel()
    b.channel()
    refused(a.channel, 530, "number of channels opened for user 'ann' has reached the maximum allowed user limit of (3)")
    a = connect(node, "ann", "p")
    b.close()
    for _ in range(3):
        a.channel()
    a.close()
    export = api.get("definitions").json
    assert [u["limits"] for u in export["users"] if u["name"] == "ann"] == [{"max-connections": 2, "max-channels": 3}]
    assert api.delete("users/ann").code == 204
    make_user(api, "ann")
    assert api.get("user-limits").json == []
    assert api.post("definitions", export).code in (200, 201, 204)
    assert api.get("user-limits/ann").json[0]["value"] == {"max-connections": 2, "max-channels": 3}


@test(own=True, leveret_only="limits by its API", management=True)
def what_makes_no_sense(node):
    api = Api(node)
    assert api.put("vhost-limits/nowhere/max-queues", {"value": 2}).code == 404
    assert api.put("user-limits/nobody/max-channels", {"value": 2}).code == 404
    assert api.put("vhost-limits/%2F/max-channels", {"value": 2}).code == 400
    assert api.put("vhost-limits/%2F/max-queues", {"value": "many"}).code == 400
    assert api.put("vhost-limits/%2F/max-queues", {}).code == 400
    make_user(api, "bob")
    assert api.put("users/bob", {"password": "p", "tags": "management"}).code == 204
    assert Api(node, "bob", "p").put("vhost-limits/%2F/max-queues", {"value": 2}).code == 401
    parameter = {"component": "vhost-limits", "vhost": "/", "name": "limits", "value": {"max-queues": 7}}
    assert api.post("definitions", {"parameters": [parameter]}).code in (200, 201, 204)
    assert api.get(f"vhost-limits/{q('/')}").json[0]["value"] == {"max-queues": 7}


@test(own=True, leveret_only="leveretctl", management=True)
def from_the_command_line(node):
    vhost = name("v")
    for arguments in (("add_vhost", vhost), ("set_vhost_limits", "-p", vhost, '{"max-connections": 5, "max-queues": 6}')):
        done = ctl(node, *arguments)
        assert done.returncode == 0, done
    assert ctl(node, "--quiet", "--format", "tsv", "list_vhost_limits", "-p", vhost).stdout.split() == ["5", "6"]
    assert ctl(node, "set_vhost_limits", '{"max-fun": 5}').returncode == 2
    assert ctl(node, "set_vhost_limits", "5").returncode == 2
    assert ctl(node, "clear_vhost_limits", "-p", vhost).returncode == 0
    assert ctl(node, "--quiet", "--format", "tsv", "list_vhost_limits", "-p", vhost).stdout == ""
    assert ctl(node, "set_user_limits", "guest", '{"max-channels": 9}').returncode == 0
    assert "guest" in ctl(node, "list_user_limits").stdout
    assert ctl(node, "clear_user_limits", "guest", "max-fun").returncode == 2
    assert ctl(node, "clear_user_limits", "guest", "all").returncode == 0
    assert "guest" not in ctl(node, "--quiet", "list_user_limits").stdout
    assert ctl(node, "set_user_limits", "nobody", '{"max-channels": 9}').returncode == 1


if __name__ == "__main__":
    main(shared=False)
