#!/usr/bin/python3
"""Policies and operator policies: over HTTP and leveretctl, what they do to queues and exchanges, and that they stay."""
import json
import os
import subprocess
import time
from pathlib import Path

import broker
import pika
from client import channel_on
from harness import Skip, eventually, main, name, test
from http_api import Api, q


def policy(pattern, definition, priority=0, target="all"):
    return {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": target}


def refused(answer, text, code=400):
    assert answer.code == code and answer.json["reason"] == text, answer


def invalid(answer, text):
    refused(answer, f"Validation failed\n\n{text}\n")


def shown(api, queue):
    one = api.get(f"queues/%2F/{q(queue)}").json
    return one["policy"], one["operator_policy"], one["effective_policy_definition"]


def forget_all(api):
    for kind in ("policies", "operator-policies"):
        for one in api.get(kind).json:
            assert api.delete(f"{kind}/{q(one['vhost'])}/{q(one['name'])}").code == 204


@test
def over_http(node):
    api = Api(node)
    for kind in ("policies", "operator-policies"):
        assert api.get(kind).json == []
        assert api.put(f"{kind}/%2F/p", policy("^q", {"max-length": 7}, 3, "queues")).code == 201
        assert api.put(f"{kind}/%2F/p", policy("^q", {"max-length": 8}, 3, "queues")).code == 204
        assert api.put(f"{kind}/%2F/a%20b", {"pattern": "x", "definition": {"expires": 100000}}).code == 201
        one = {"vhost": "/", "name": "p", "pattern": "^q", "apply-to": "queues", "definition": {"max-length": 8}, "priority": 3}
        two = {"vhost": "/", "name": "a b", "pattern": "x", "apply-to": "all", "definition": {"expires": 100000}, "priority": 0}
        assert api.get(f"{kind}/%2F/p").json == one
        assert api.get(kind).json == api.get(f"{kind}/%2F").json == [two, one]
        assert api.delete(f"{kind}/%2F/a%20b").code == 204
        for answer in (api.delete(f"{kind}/%2F/a%20b"), api.get(f"{kind}/%2F/a%20b"), api.get(f"{kind}/nope"), api.get(f"{kind}/nope/p")):
            refused(answer, "Not Found", 404)
        refused(api.put(f"{kind}/nope/p", policy("^q", {"max-length": 7})), "vhost_not_found", 404)
        refused(api.put(f"{kind}/%2F/p", {"pattern": "^q"}), "[{key_missing,definition}]")
        refused(api.put(f"{kind}/%2F/p", {}), "[{key_missing,pattern},{key_missing,definition}]")
        invalid(api.put(f"{kind}/%2F/p", policy("^q", {})), "no policy provided")
        invalid(api.put(f"{kind}/%2F/p", policy("^q", {"foo": 1, "bar": "x"})),
                '[{<<"bar">>,<<"x">>},{<<"foo">>,1}] are not recognised policy settings')
        invalid(api.put(f"{kind}/%2F/p", policy("^q", {"message-ttl": "x"})), '<<"x">> is not a valid message TTL')
        invalid(api.put(f"{kind}/%2F/p", policy("^q", {"max-length": 1}, "3")),
                'priority should be a number, actually was <<"3">>')
        invalid(api.put(f"{kind}/%2F/p", policy("^q", {"max-length": 1}, 0, "x")),
                "apply-to 'x' unrecognised; should be one of: 'queues', 'classic_queues', 'quorum_queues', 'streams', "
                "'exchanges', or 'all'")
        invalid(api.put(f"{kind}/%2F/p", policy(3, {"max-length": 1})), "pattern should be a binary but was 3")
        assert "should be regular expression but is invalid" in api.put(f"{kind}/%2F/p", policy("(", {"max-length": 1})).json["reason"]
        assert api.get(f"{kind}/%2F/p").json == one, "what was refused changed nothing"
    invalid(api.put("operator-policies/%2F/p", policy("^q", {"queue-mode": "lazy"})),
            '[{<<"queue-mode">>,<<"lazy">>}] are not recognised policy settings')
    parameter = {"value": {"pattern": "^q", "definition": {"max-length": 8}, "priority": 3, "apply-to": "queues"},
                 "vhost": "/", "component": "policy", "name": "p"}
    assert api.get("parameters/policy").json == api.get("parameters/policy/%2F").json == [parameter]
    assert api.get("parameters/policy/%2F/p").json == parameter
    assert api.get("parameters").json == api.get("parameters/operator_policy").json == [{**parameter, "component": "operator_policy"}]
    assert api.get("parameters/foo").json == []
    refused(api.get("parameters/foo/%2F/x"), "Not Found", 404)
    refused(api.put("parameters/policy/%2F/p", {"value": {}}), "policies may not be set using this method")
    invalid(api.put("parameters/foo/%2F/p", {"value": {}}), "component foo not found")
    forget_all(api)


@test
def who_may(node):
    api = Api(node)
    assert api.put("policies/%2F/p", policy("^q", {"max-length": 7})).code == 201
    assert api.put("operator-policies/%2F/p", policy("^q", {"max-length": 7})).code == 201
    expected = {"management": (401, 401, 401, 401), "policymaker": (200, 204, 401, 200), "monitoring": (401, 401, 401, 401)}
    for tag, codes in expected.items():
        api.put(f"users/{tag}", {"password": "p", "tags": tag})
        api.put(f"permissions/%2F/{tag}", {"configure": "", "write": "", "read": ""})
        user = Api(node, tag, "p")
        assert len(user.get("policies").json) == len(user.get("policies/%2F").json) == 1
        assert len(user.get("operator-policies").json) == 1
        got = (user.get("policies/%2F/p").code, user.put("policies/%2F/p", policy("^q", {"max-length": 7})).code,
               user.put("operator-policies/%2F/p", policy("^q", {"max-length": 7})).code, user.get("parameters").code)
        assert got == codes, (tag, got)
        api.delete(f"permissions/%2F/{tag}")
        if tag != "monitoring":
            assert user.get("policies").json == [], tag
        assert user.put("policies/%2F/p", policy("^q", {"max-length": 7})).code == 401
        api.delete(f"users/{tag}")
    forget_all(api)


@test
def what_queues_show(node):
    api = Api(node)
    queue, exclusive = name("shown"), name("shown-exclusive")
    with channel_on(node) as channel:
        channel.queue_declare(queue, durable=True, arguments={"x-max-length": 20})
        channel.queue_declare(exclusive, exclusive=True)
        assert shown(api, queue) == (None, None, {})
        api.put("policies/%2F/p", policy(r"\.shown", {"max-length": 7, "expires": 1000000}))
        assert shown(api, queue) == ("p", None, {"max-length": 7, "expires": 1000000})
        assert shown(api, exclusive)[0] == "p"
        api.put("operator-policies/%2F/o", policy(r"\.shown", {"max-length": 5, "message-ttl": 50000}, target="queues"))
        assert shown(api, queue) == ("p", "o", {"max-length": 5, "expires": 1000000, "message-ttl": 50000})
        api.put("policies/%2F/higher", policy(r"\.shown", {"overflow": "reject-publish"}, 1))
        assert shown(api, queue) == ("higher", "o", {"max-length": 5, "message-ttl": 50000, "overflow": "reject-publish"})
        listed = {one["name"]: one for one in api.get("queues/%2F?columns=name,policy,operator_policy").json}
        assert listed[queue] == {"name": queue, "policy": "higher", "operator_policy": "o"}
        # Declaring again looks at the arguments only.
        channel.queue_declare(queue, durable=True, arguments={"x-max-length": 20})
        api.put("policies/%2F/x", policy("^amq.fanout$|^$", {"alternate-exchange": "amq.direct"}, 1, "exchanges"))
        exchanges = {one["name"]: one.get("policy") for one in api.get("exchanges/%2F").json}
        assert exchanges["amq.fanout"] == exchanges[""] == "x" and exchanges["amq.topic"] is None
        forget_all(api)
        assert shown(api, queue) == (None, None, {})


@test
def effects(node):
    api = Api(node)
    with channel_on(node) as channel:
        count = lambda queue: channel.queue_declare(queue, passive=True).method.message_count
        # Lengths: trimmed at once, and no longer when the policy goes.
        long = name("long")
        channel.queue_declare(long)
        for i in range(100):
            channel.basic_publish("", long, str(i).encode())
        assert count(long) == 100
        api.put("policies/%2F/l", policy(r"\.long", {"max-length": 10}))
        eventually(lambda: count(long) == 10)
        assert channel.basic_get(long, auto_ack=True)[2] == b"90"
        api.delete("policies/%2F/l")
        for i in range(30):
            channel.basic_publish("", long, b"m")
        assert count(long) == 39
        # An operator's limit is over a higher one and over none.
        api.put("operator-policies/%2F/o", policy(r"\.long", {"max-length": 5}))
        api.put("policies/%2F/l", policy(r"\.long", {"max-length": 50}))
        eventually(lambda: count(long) == 5)
        # Time to live: of messages that come from now on.
        live = name("live")
        channel.queue_declare(live)
        channel.basic_publish("", live, b"old")
        api.put("policies/%2F/t", policy(r"\.live", {"message-ttl": 300}))
        channel.basic_publish("", live, b"new")
        time.sleep(0.6)
        assert count(live) == 2, "what has no time to live stays, and what is behind it"
        assert channel.basic_get(live, auto_ack=True)[2] == b"old"
        eventually(lambda: count(live) == 0)
        # Expiry of the queue: from the moment on in which the policy comes.
        short = name("short")
        channel.queue_declare(short)
        api.put("policies/%2F/e", policy(r"\.short", {"expires": 5000}))
        assert api.get(f"queues/%2F/{q(short)}").code == 200
        eventually(lambda: api.get(f"queues/%2F/{q(short)}").code == 404)
        # Alternate exchange, on exchanges old and new.
        lost, old, new = name("lost"), name("alternating"), name("alternating")
        channel.queue_declare(lost)
        channel.queue_bind(lost, "amq.fanout")
        channel.exchange_declare(old)
        api.put("policies/%2F/a", policy(r"\.alternating", {"alternate-exchange": "amq.fanout"}, 0, "exchanges"))
        channel.exchange_declare(new)
        channel.confirm_delivery()
        for exchange in (old, new):
            channel.basic_publish(exchange, "nowhere", b"m", mandatory=True)
        assert count(lost) == 2
        api.delete("policies/%2F/a")
        try:
            channel.basic_publish(old, "nowhere", b"m", mandatory=True)
            raise AssertionError("it was routed")
        except pika.exceptions.UnroutableError:
            pass
        # Dead letters.
        dead, dying = name("dead"), name("dying")
        channel.queue_declare(dead)
        channel.queue_declare(dying)
        api.put("policies/%2F/d", policy(r"\.dying", {"dead-letter-exchange": "", "dead-letter-routing-key": dead}))
        channel.basic_publish("", dying, b"m")
        channel.basic_reject(channel.basic_get(dying)[0].delivery_tag, requeue=False)
        eventually(lambda: count(dead) == 1)
        for queue in (long, live, lost, dead, dying):
            channel.queue_delete(queue)
    forget_all(api)


@test(own=True, management=True)
def kept_over_a_restart(node):
    api = Api(node)
    kept = name("kept")
    with channel_on(node) as channel:
        channel.queue_declare(kept, durable=True)
    api.put("policies/%2F/k", policy(r"\.kept", {"max-length": 3}, -2, "queues"))
    api.put("policies/%2F/gone", policy(r"\.kept", {"max-length": 3}))
    api.put("operator-policies/%2F/k", policy(r"\.kept", {"max-length": 2}))
    assert api.delete("policies/%2F/gone").code == 204
    node.kill()
    node.start()
    eventually(lambda: api.get("whoami").code == 200)
    assert shown(api, kept) == ("k", "k", {"max-length": 2})
    assert api.get("policies").json == [{"vhost": "/", "name": "k", "pattern": r"\.kept", "apply-to": "queues",
                                         "definition": {"max-length": 3}, "priority": -2}]
    with channel_on(node) as channel:
        for _ in range(5):
            channel.basic_publish("", kept, b"m")
        assert channel.queue_declare(kept, passive=True).method.message_count == 2
    forget_all(api)


@test
def definitions(node):
    api = Api(node)
    api.put("policies/%2F/p", policy("^q", {"max-length": 3}, 2, "queues"))
    api.put("operator-policies/%2F/o", policy("^q", {"max-length": 2}))
    exported, of_one = api.get("definitions").json, api.get("definitions/%2F").json
    assert exported["policies"] == of_one["policies"] == api.get("policies").json
    assert exported["parameters"] == of_one["parameters"] == api.get("parameters").json
    forget_all(api)
    assert api.post("definitions", exported).code == 204
    assert api.get("policies").json == exported["policies"] and api.get("parameters").json == exported["parameters"]
    forget_all(api)
    api.put("vhosts/other")
    assert api.post("definitions/other", of_one).code == 204
    assert [one["vhost"] for one in api.get("policies").json + api.get("operator-policies").json] == ["other", "other"]
    api.delete("vhosts/other")
    bad = {"policies": [{"vhost": "/", "name": "bad", "pattern": "x", "definition": {"max-length": -3}}]}
    refused(api.post("definitions", bad), "policies[0] 'bad' in vhost '/': -3 is not a valid maximum length")
    bad = {"policies": [{"vhost": "/", "name": "bad", "definition": {"max-length": 3}}]}
    refused(api.post("definitions", bad), "policies[0] 'bad' in vhost '/': pattern should be a binary but was undefined")
    many = [{"vhost": "/", "name": f"p{i}", "pattern": f"^q{i}$", "definition": {"max-length": i + 1}} for i in range(200)]
    queues = [{"vhost": "/", "name": f"q{i}", "durable": True, "arguments": {}} for i in range(200)]
    assert api.post("definitions", {"policies": many, "queues": queues}).code == 204
    assert shown(api, "q17") == ("p17", None, {"max-length": 18})
    for i in range(200):
        api.delete(f"queues/%2F/q{i}")
    forget_all(api)


@test
def by_rabbitmqadmin(node):
    found = sorted(Path("/usr/lib/rabbitmq").glob("lib/*/plugins/rabbitmq_management-*/priv/www/cli/rabbitmqadmin"))
    if not found:
        raise Skip("there is no rabbitmqadmin here")

    def admin(*arguments):
        done = subprocess.run(["/usr/bin/python3", str(found[-1]), "-H", node.host, "-P", str(node.management_port), "-f", "tsv", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert done.returncode == 0, done.stdout
        return done.stdout

    for kind, plural in (("policy", "policies"), ("operator_policy", "operator_policies")):
        admin("declare", kind, "name=adm", "pattern=^adm", 'definition={"max-length": 3}', "priority=2", "apply-to=queues")
        assert "adm\t^adm\tqueues\t2" in admin("list", plural, "name", "pattern", "apply-to", "priority")
        admin("delete", kind, "name=adm")
        assert "adm" not in admin("list", plural, "name")


@test
def events(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        for key in ("policy.#", "operator.#"):
            channel.queue_bind(queue, "amq.rabbitmq.event", key)
        api.put("policies/%2F/e", policy("^e", {"max-length": 3}, 2, "queues"))
        api.put("operator-policies/%2F/e", policy("^e", {"max-length": 3}))
        api.delete("policies/%2F/e")
        api.delete("operator-policies/%2F/e")
        got = []

        def next_one():
            method, properties, _ = channel.basic_get(queue, auto_ack=True)
            if method:
                got.append((method.routing_key, properties.headers))
            return len(got) == 4

        eventually(next_one)
        assert [key for key, _ in got] == ["policy.set", "policy.set", "policy.cleared", "operator.policy.cleared"], got
        headers = got[0][1]
        assert headers["name"] == "e" and headers["vhost"] == "/" and headers["definition"] == {"max-length": 3}
        assert headers["apply-to"] == "queues" and headers["priority"] == 2 and headers["user_who_performed_action"] == "guest"


class Result:
    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout.decode(), done.stderr.decode()


def ctl(node, *arguments, code=0):
    program = Path(broker.leveretd_path()).parent / "leveretctl"
    done = subprocess.run([program, "-H", node.host, "-P", str(node.management_port), "-q", "-f", "tsv", *arguments],
                          capture_output=True, timeout=60, env={**os.environ, "HOME": str(node.dir)})
    result = Result(done)
    assert result.code == code, f"{arguments}: ended with {result.code}: {result.out}{result.err}"
    return result


@test
def by_command(node):
    queue = name("commanded")
    for command, kind in (("policy", "policies"), ("operator_policy", "operator_policies")):
        ctl(node, f"set_{command}", "--priority", "-4", "--apply-to", "queues", "p", r"\.commanded\.", '{"max-length": 3}')
        ctl(node, f"set_{command}", "other", "^x", '{"expires": 10000}')
        rows = [line.split("\t") for line in ctl(node, f"list_{kind}").out.splitlines()]
        assert rows == [["/", "other", "^x", "all", '{"expires":10000}', "0"],
                        ["/", "p", r"\\.commanded\\.", "queues", '{"max-length":3}', "-4"]], rows
        ctl(node, f"clear_{command}", "other")
        assert "no " in ctl(node, f"clear_{command}", "other", code=1).err
        for bad, said in (('{"max-length": -3}', "not a valid maximum length"), ('{"foo": 1}', "not recognised")):
            assert said in ctl(node, f"set_{command}", "bad", "x", bad, code=1).err
        assert "definition" in ctl(node, f"set_{command}", "bad", "x", "{bad", code=2).err
        assert "apply-to" in ctl(node, f"set_{command}", "--apply-to", "foo", "bad", "x", '{"max-length": 3}', code=1).err
        assert "vhost" in ctl(node, f"set_{command}", "-p", "nope", "bad", "x", '{"max-length": 3}', code=1).err
        assert "--priority" in ctl(node, f"set_{command}", "--priority", "x", "bad", "x", "{}", code=2).err
    with channel_on(node) as channel:
        channel.queue_declare(queue)
        shown_queue = ctl(node, "list_queues", "name", "policy", "operator_policy", "effective_policy_definition").out
        assert f'{queue}\tp\tp\t{{"max-length":3}}' in shown_queue.splitlines(), shown_queue
        channel.queue_delete(queue)
    exported = json.loads(ctl(node, "export_definitions").out)
    assert [one["name"] for one in exported["policies"]] == ["p"] and exported["parameters"][0]["component"] == "operator_policy"
    forget_all(Api(node))


def deliveries(channel, queue, most):
    """How often the queue's one message is delivered, given back each time, up to most."""
    for times in range(most):
        method = channel.basic_get(queue)[0]
        if method is None:
            return times
        channel.basic_nack(method.delivery_tag)
    return most


@test
def delivery_limits(node):
    api, queue = Api(node), name("q")
    limit = lambda: api.get(f"queues/%2F/{q(queue)}").json["delivery_limit"]
    with channel_on(node) as channel:
        channel.confirm_delivery()
        channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
        channel.basic_publish("", queue, b"m")
        assert limit() == "unlimited" and deliveries(channel, queue, 30) == 30
        assert api.put("policies/%2F/dlx", policy(f"^{queue}$", {"dead-letter-exchange": "nowhere"})).code == 201
        assert limit() == 20 and deliveries(channel, queue, 30) == 30      # the exchange does not exist: it would be lost
        both = {"dead-letter-exchange": "nowhere", "delivery-limit": -1}
        assert api.put("policies/%2F/dlx", policy(f"^{queue}$", both)).code == 204
        assert limit() == "unlimited" and deliveries(channel, queue, 30) == 30
        assert api.put("operator-policies/%2F/op", policy(f"^{queue}$", {"delivery-limit": -5})).code == 201
        assert limit() == "unlimited" and deliveries(channel, queue, 30) == 30
        assert api.put("operator-policies/%2F/op", policy(f"^{queue}$", {"delivery-limit": 125})).code == 204
        assert limit() == 125 and deliveries(channel, queue, 30) == 6       # the 126th return is one too many
        channel.basic_publish("", queue, b"m")
        assert deliveries(channel, queue, 130) == 126
        invalid(api.put("policies/%2F/dlx", policy("^q", {"delivery-limit": "-1"})), '<<"-1">> is not a valid delivery limit')
        channel.queue_delete(queue)
        channel.queue_declare(queue, durable=True)
        assert "delivery_limit" not in api.get(f"queues/%2F/{q(queue)}").json
        channel.queue_delete(queue)
    forget_all(api)


if __name__ == "__main__":
    main(management=True)
