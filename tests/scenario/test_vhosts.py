#!/usr/bin/python3
"""Vhosts: the default type of their queues, over AMQP, the API, definitions and a restart; protection from deletion."""
import os
import subprocess

import broker
import pika
from client import channel_error, connect
from harness import main, name, test
from http_api import Api, q

CLASSIC, QUORUM = {"x-queue-type": "classic"}, {"x-queue-type": "quorum"}


def ctl(node, *arguments, code=0):
    command = [str(broker.build_folder() / "leveretctl"), "--port", str(node.management_port), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "LEVERETCTL_CONFIG": "/dev/null"})
    assert done.returncode == code, done
    return done.stderr


def types(api, vhost):
    """Each queue's type as the API tells it, which is in the arguments too."""
    told = api.get(f"queues/{q(vhost)}").json
    for one in told:
        assert one["arguments"]["x-queue-type"] == one["type"], one
    return {one["name"]: one["type"] for one in told}


def default_of(api, vhost):
    one = api.get(f"vhosts/{q(vhost)}").json
    assert one["metadata"]["default_queue_type"] == one["default_queue_type"], one
    return one["default_queue_type"]


@test
def default_queue_type(node):
    api, vhost = Api(node), name("v")
    assert api.put(f"vhosts/{vhost}", {"default_queue_type": "quorum"}).code == 201
    assert default_of(api, vhost) == "quorum"
    with connect(node, virtual_host=vhost) as connection:
        channel = connection.channel()
        channel.queue_declare("q", durable=True)
        channel.queue_declare("q", durable=True, arguments=QUORUM)
        channel.queue_declare("transient")
        channel.queue_declare("auto", durable=True, auto_delete=True)
        channel.queue_declare("said", durable=True, arguments=CLASSIC)
        channel.queue_declare("mine", exclusive=True)
        assert channel.queue_declare("", exclusive=True).method.queue.startswith("amq.gen-")
        with channel_error(406, "inequivalent arg 'x-queue-type' for queue 'q' in vhost '%s': received 'classic' but current is "
                           "'quorum'" % vhost):
            connection.channel().queue_declare("q", durable=True, arguments=CLASSIC)
        with channel_error(406, "Cannot declare a server-named queue for type rabbit_quorum_queue"):
            connection.channel().queue_declare("", durable=True)
        with channel_error(406, "invalid arg 'x-max-priority' for queue 'p' in vhost '%s' of queue type rabbit_quorum_queue" % vhost):
            connection.channel().queue_declare("p", durable=True, arguments={"x-max-priority": 3})
        told = types(api, vhost)
        assert {key: told[key] for key in ("q", "transient", "auto", "said", "mine")} == {
            "q": "quorum", "transient": "classic", "auto": "classic", "said": "classic", "mine": "classic"}, told
    assert api.put(f"queues/{vhost}/http", {"durable": True}).code == 201
    assert api.post("definitions", {"queues": [{"name": "file", "vhost": vhost, "durable": True}]}).code == 204
    answer = api.post("definitions", {"queues": [{"name": "bad", "vhost": vhost, "durable": True,
                                                  "arguments": {"x-max-priority": 3}}]})
    assert answer.code == 400 and "x-max-priority" in answer.json["reason"], answer
    assert types(api, vhost)["http"] == types(api, vhost)["file"] == "quorum"
    # Another default changes what comes, not what is there.
    assert api.put(f"vhosts/{vhost}", {"description": "changed", "tags": ["a"]}).code == 204
    assert default_of(api, vhost) == "quorum", "a change keeps what it does not say"
    assert api.post("definitions", {"vhosts": [{"name": vhost}]}).code == 204
    kept = api.get(f"vhosts/{vhost}").json
    assert (kept["description"], kept["tags"], kept["default_queue_type"]) == ("changed", ["a"], "quorum"), kept
    assert api.put(f"vhosts/{vhost}", {"default_queue_type": "classic"}).code == 204
    assert default_of(api, vhost) == "classic"
    with connect(node, virtual_host=vhost) as connection:
        connection.channel().queue_declare("later", durable=True)
        with channel_error(406, "received 'classic' but current is 'quorum'"):
            connection.channel().queue_declare("q", durable=True)
    assert types(api, vhost)["later"] == "classic" and types(api, vhost)["q"] == "quorum"
    api.delete(f"vhosts/{vhost}")


@test
def default_queue_types_that_are_none(node):
    api, vhost = Api(node), name("v")
    for wrong, said in (("nonsense", "nonsense is not a valid queue type"), ("", "must not be an empty string"),
                        ("stream", "cannot be the default"), (3, "must be a string")):
        for body in ({"default_queue_type": wrong}, {"metadata": {"default_queue_type": wrong}}):
            answer = api.put(f"vhosts/{vhost}", body)
            assert answer.code == 400 and said in answer.json["reason"], (body, answer)
            answer = api.post("definitions", {"vhosts": [{"name": vhost, **body}]})
            assert answer.code == 400 and said in answer.json["reason"], (body, answer)
    assert api.get(f"vhosts/{vhost}").code == 404
    for good, told in (("rabbit_quorum_queue", "quorum"), ("undefined", "classic"), (None, "classic"), ("classic", "classic")):
        assert api.put(f"vhosts/{vhost}", {"default_queue_type": good}).code in (201, 204)
        assert default_of(api, vhost) == told
    api.delete(f"vhosts/{vhost}")


@test(own=True, management=True)
def default_queue_type_of_the_node(node):
    """default_queue_type counts for vhosts that are made from then on; what is said of one survives a restart."""
    api = Api(node)
    assert default_of(api, "/") == "classic"
    api.put("vhosts/old", {"default_queue_type": "classic"})
    node.settings["default_queue_type"] = "quorum"
    node.restart()
    api = Api(node)
    assert default_of(api, "old") == default_of(api, "/") == "classic"
    assert api.put("vhosts/new").code == 201 and default_of(api, "new") == "quorum"
    assert api.get("overview").json["default_queue_type"] == "quorum"
    for vhost in ("old", "new"):
        with connect(node, virtual_host=vhost) as connection:
            connection.channel().queue_declare("q", durable=True)
    del node.settings["default_queue_type"]
    node.restart()
    api = Api(node)
    assert types(api, "old") == {"q": "classic"} and types(api, "new") == {"q": "quorum"}
    with connect(node, virtual_host="new") as connection:
        connection.channel().queue_declare("q", durable=True)
    exported = [one for one in api.get("definitions").json["vhosts"] if one["name"] == "new"][0]
    assert exported["metadata"]["default_queue_type"] == "quorum", exported
    node.stop()
    node.settings["default_queue_type"] = "stream"
    try:
        node.start()
        raise AssertionError("streams are no default yet")
    except broker.DidNotStart as refused:
        assert "default_queue_type" in str(refused), refused


@test(own=True, management=True)
def protection_from_deletion(node):
    api = Api(node)
    protected = lambda: [api.get("vhosts/v").json[key] for key in ("protected_from_deletion",)] + \
        [api.get("vhosts/v").json["metadata"]["protected_from_deletion"]]
    api.put("vhosts/v", {"description": "d", "default_queue_type": "quorum"})
    assert protected() == [False, False]
    assert api.post("vhosts/v/deletion/protection").code == 204 and protected() == [True, True]
    assert (api.get("vhosts/v").json["description"], default_of(api, "v")) == ("d", "quorum"), "the rest stays"
    for _ in range(2):
        answer = api.delete("vhosts/v")
        assert answer.code == 412 and answer.json == {
            "error": "precondition_failed",
            "reason": "Refusing to delete virtual host 'v' because it is protected from deletion"}, answer
        assert "protected from deletion" in ctl(node, "delete_vhost", "v", code=1)
        assert api.put("vhosts/v", {"description": "e"}).code == 204 and protected() == [True, True], "a change keeps it"
        node.restart()
        assert protected() == [True, True]
    exported = api.get("definitions").json
    assert api.delete("vhosts/v/deletion/protection").code == 204 and protected() == [False, False]
    assert api.post("definitions", {"vhosts": exported["vhosts"]}).code == 204 and protected() == [True, True]
    ctl(node, "disable_vhost_deletion_protection", "v")
    assert protected() == [False, False]
    ctl(node, "enable_vhost_deletion_protection", "v")
    assert protected() == [True, True]
    for method in (api.post, api.delete):
        assert method("vhosts/nowhere/deletion/protection").code == 404
    assert "no virtual host" in ctl(node, "enable_vhost_deletion_protection", "nowhere", code=1)
    assert api.put("users/plain", {"password": "p", "tags": "monitoring"}).code == 201
    assert Api(node, "plain", "p").delete("vhosts/v/deletion/protection").code == 401 and protected() == [True, True]
    ctl(node, "disable_vhost_deletion_protection", "v")
    assert api.delete("vhosts/v").code == 204


@test
def by_command(node):
    api, vhost = Api(node), name("v")
    ctl(node, "add_vhost", vhost, "--description", "mine", "--default-queue-type", "quorum")
    assert default_of(api, vhost) == "quorum"
    ctl(node, "trace_on", "-p", vhost)
    one = api.get(f"vhosts/{vhost}").json
    assert one["tracing"] and one["description"] == "mine" and one["default_queue_type"] == "quorum"
    ctl(node, "update_vhost_metadata", vhost, "--description", "yours")
    one = api.get(f"vhosts/{vhost}").json
    assert one["tracing"] and one["description"] == "yours" and one["default_queue_type"] == "quorum"
    ctl(node, "update_vhost_metadata", vhost, "--default-queue-type", "classic")
    assert default_of(api, vhost) == "classic"
    assert "not a valid queue type" in ctl(node, "update_vhost_metadata", vhost, "--default-queue-type", "foo", code=1)
    assert "no virtual host" in ctl(node, "update_vhost_metadata", "nowhere", "--description", "x", code=1)
    api.delete(f"vhosts/{vhost}")


def allowed(node, user, action):
    """The code and the text with which the broker closes the channel, or None."""
    with connect(node, user=user, password=user) as connection:
        try:
            action(connection.channel())
        except pika.exceptions.ChannelClosedByBroker as refused:
            return refused.reply_code, refused.reply_text
    return None


@test
def passive_declarations_need_a_right(node):
    api, queue, exchange = Api(node), name("q"), name("x")
    with connect(node) as connection:
        connection.channel().queue_declare(queue, durable=True)
        connection.channel().exchange_declare(exchange, durable=True)
    rights = ("configure", "write", "read")
    for user, has in [("none", None)] + [(f"only-{right}", right) for right in rights]:
        api.put(f"users/{user}", {"password": user, "tags": ""})
        api.put(f"permissions/%2F/{user}", {right: ".*" if right == has else "" for right in rights})
        for what, action in (("queue", lambda channel: channel.queue_declare(queue, passive=True)),
                             ("exchange", lambda channel: channel.exchange_declare(exchange, passive=True))):
            refused = allowed(node, user, action)
            which = queue if what == "queue" else exchange
            text = f"ACCESS_REFUSED - configure access to {what} '{which}' in vhost '/' refused for user '{user}'"
            assert refused == (None if has else (403, text)), (user, what, refused)
        api.delete(f"users/{user}")
    api.delete(f"queues/%2F/{queue}")
    api.delete(f"exchanges/%2F/{exchange}")


@test
def odd_delivery_modes(node):
    api, queue = Api(node), name("q")
    with connect(node) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True)
        for mode in (0, 3, 255, 2):
            properties = pika.BasicProperties()
            properties.delivery_mode = mode
            channel.basic_publish("", queue, b"m", properties)
        assert api.publish("amq.default", queue, "m", {"delivery_mode": 3}).json == {"routed": True}
        assert api.get(f"queues/%2F/{queue}").json["messages_persistent"] == 1
        modes = [channel.basic_get(queue, auto_ack=True)[1].delivery_mode for _ in range(5)]
        assert modes == [0, 3, 255, 2, 3], modes
        channel.queue_delete(queue)


if __name__ == "__main__":
    main(management=True)
