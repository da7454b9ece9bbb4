#!/usr/bin/python3
"""Definitions between Leveret and RabbitMQ, 3.10 and 4.3: what one exports, the other takes over whole, or says why not."""
import json

import broker
from client import connect
from harness import Skip, main, test
from http_api import Api

PLUGINS = ("rabbitmq_management", "rabbitmq_consistent_hash_exchange", "rabbitmq_random_exchange")
LISTS = ("users", "vhosts", "permissions", "policies", "parameters", "queues", "exchanges", "bindings", "global_parameters",
         "topic_permissions")


def fill(api, four):
    """One of each kind. four: also what RabbitMQ has had since 3.11."""
    def put(path, body):
        assert api.put(path, body).code in (201, 204), (path, body, api.put(path, body))

    put("users/u", {"password": "p", "tags": "management,policymaker"})
    put("users/nobody", {"password_hash": "", "tags": ""})
    put("user-limits/u/max-channels", {"value": 7})
    put("user-limits/u/max-connections", {"value": 70})
    put("vhosts/v", {"description": "d", "tags": "a,b", **({"default_queue_type": "quorum"} if four else {})})
    put("vhosts/plain", {})
    put("vhost-limits/v/max-queues", {"value": 50})
    put("vhost-limits/v/max-connections", {"value": 60})
    put("permissions/v/u", {"configure": "^a", "write": ".*", "read": ""})
    put("topic-permissions/v/u", {"exchange": "amq.topic", "write": "^a", "read": "{username}"})
    put("topic-permissions/v/u", {"exchange": "amq.headers", "write": "", "read": ".*"})
    put("policies/v/p", {"pattern": "^q", "definition": {"max-length": 9, "dead-letter-exchange": "y"}, "apply-to": "queues",
                         "priority": 3})
    put("policies/v/all", {"pattern": ".*", "definition": {"message-ttl": 600000}, "apply-to": "all", "priority": 0})
    put("policies/v/ex", {"pattern": "^x", "definition": {"alternate-exchange": "y"}, "apply-to": "exchanges", "priority": 1})
    put("operator-policies/v/o", {"pattern": "^q", "definition": {"max-length": 5}, "apply-to": "queues", "priority": 1})
    if four:
        put("policies/v/quorum", {"pattern": "^n", "definition": {"delivery-limit": -1, "target-group-size": 3},
                                  "apply-to": "quorum_queues", "priority": 2})
        put("policies/v/classic", {"pattern": "^n", "definition": {"queue-version": 2}, "apply-to": "classic_queues", "priority": 2})
        put("policies/v/streams", {"pattern": "^n", "definition": {"stream-filter-size-bytes": 32}, "apply-to": "streams",
                                   "priority": 2})
        put("operator-policies/v/over", {"pattern": "^n", "definition": {"overflow": "reject-publish", "delivery-limit": 30},
                                         "apply-to": "queues", "priority": 2})
        put("exchanges/v/l", {"type": "x-local-random", "durable": True, "arguments": {}})
        assert api.post("vhosts/v/deletion/protection").code == 204
    put("exchanges/v/x", {"type": "headers", "durable": True, "arguments": {"alternate-exchange": "y"}})
    put("exchanges/v/y", {"type": "fanout", "durable": False, "internal": True, "auto_delete": True, "arguments": {}})
    put("exchanges/v/h", {"type": "x-consistent-hash", "durable": True, "arguments": {"hash-header": "who"}})
    put("exchanges/v/r", {"type": "x-random", "durable": True, "arguments": {}})
    put("queues/v/q", {"durable": True, "arguments": {"x-message-ttl": 5000, "x-queue-type": "quorum", "x-delivery-limit": 7}})
    put("queues/v/said", {"durable": True, "arguments": {"x-queue-type": "classic", "x-max-priority": 4}})
    put("queues/v/plain", {"durable": True, "arguments": {}})
    put("queues/v/t", {"durable": False, "auto_delete": True, "arguments": {}})
    api.post("bindings/v/e/x/q/q", {"routing_key": "k", "arguments": {"x-match": "all", "n": 3, "s": "t", "b": True}})
    api.post("bindings/v/e/x/e/y", {"routing_key": "", "arguments": {}})
    api.post("bindings/v/e/h/q/t", {"routing_key": "20", "arguments": {}})
    put("global-parameters/mine", {"value": {"a": [1, "b"]}})


def told(one, kind, four):
    """An entry as both sides tell it, without what only one of them has."""
    one = json.loads(json.dumps(one))
    if kind == "queues":
        one.pop("type", None)                               # 3.10 has it in the arguments only
        one["arguments"].setdefault("x-queue-type", "classic")
    if kind == "vhosts":
        tags = one["tags"]
        told_too = ("default_queue_type", "protected_from_deletion") if four else ()
        one = {**{key: one[key] for key in ("name", "description", *told_too)}, "tags": tags.split(",") if isinstance(tags, str) else tags}
    if kind == "exchanges":
        one = {key: one[key] for key in ("name", "vhost", "type", "durable", "auto_delete", "internal", "arguments")}
    return json.dumps(one, sort_keys=True)


def contents(api, four):
    """All that is defined, but what the sides have by themselves: the broker's own exchanges, the cluster's names.

    RabbitMQ's export has no internal exchanges, and 3.10's says little of vhosts: those are listed."""
    file = api.get("definitions").json
    file.update(exchanges=api.get("exchanges").json, vhosts=api.get("vhosts").json)
    all_of = {kind: {told(one, kind, four) for one in file.get(kind, [])} for kind in LISTS}
    own = {"exchanges": ('"name": "amq.', '"name": ""'), "users": ('"name": "guest"',), "permissions": ('"user": "guest"',),
           "global_parameters": ('"cluster_', '"internal_cluster_id"'), "vhosts": ('"name": "/"',)}
    for kind, marks in own.items():
        all_of[kind] = {one for one in all_of[kind] if not any(mark in one for mark in marks)}
    return all_of


def same(mine, theirs):
    for kind in LISTS:
        assert mine[kind] == theirs[kind], f"{kind}: lost {mine[kind] - theirs[kind]}, new {theirs[kind] - mine[kind]}"


def rabbit(version):
    try:
        return {"3.10": broker.Rabbit, "4.3": broker.Rabbit43}[version](plugins=PLUGINS).start()
    except broker.Unavailable as unavailable:
        raise Skip(str(unavailable)) from None


def both_ways(node, version):
    """Leveret's file into RabbitMQ, RabbitMQ's own file back into an empty Leveret."""
    api, four = Api(node), version != "3.10"
    fill(api, four)
    mine = contents(api, four)
    judge = rabbit(version)
    try:
        other = Api(judge)
        answer = other.post("definitions", api.get("definitions").json)
        assert answer.code == 204, answer
        same(mine, contents(other, four))
        assert Api(judge, "u", "p").get("whoami").code == 200
        assert other.get("vhost-limits/v").json == [{"vhost": "v", "value": {"max-connections": 60, "max-queues": 50}}]
        if four:
            assert other.delete("vhosts/v").code == 412, "the protection has come along"
        assert other.delete("exchanges/v/y").code == 204, "it would be in no export, but the binding to it"
        theirs, left = other.get("definitions").json, contents(other, four)
        of_one = other.get("definitions/v").json
    finally:
        judge.remove()
    api.delete("vhosts/v/deletion/protection")
    for path in ("vhosts/v", "vhosts/plain", "users/u", "users/nobody", "global-parameters/mine"):
        assert api.delete(path).code == 204, path
    answer = api.post("definitions", theirs)
    assert answer.code in (200, 204), answer
    back = contents(api, four)
    if not four:
        left["vhosts"] = back["vhosts"]  # 3.10's own export has no descriptions
        assert {one["name"] for one in api.get("vhosts").json} == {"/", "v", "plain"}
    same(left, back)
    assert Api(node, "u", "p").get("whoami").code == 200
    with connect(node, virtual_host="v") as connection:
        connection.channel().queue_declare("q", passive=True)
    # The file of one virtual host, into another one.
    assert api.put("vhosts/w").code == 201
    answer = api.post("definitions/w", of_one)
    assert answer.code in (200, 204), answer
    names = lambda vhost: {kind: sorted(one["name"] for one in api.get(f"{kind}/{vhost}").json)
                           for kind in ("queues", "exchanges", "policies", "operator-policies")}
    assert names("v") == names("w") and len(api.get("bindings/v").json) == len(api.get("bindings/w").json)
    assert api.get("vhost-limits/w").json[0]["value"] == {"max-connections": 60, "max-queues": 50}


@test(own=True, management=True, seconds=600)
def with_310(node):
    both_ways(node, "3.10")


@test(own=True, management=True, seconds=600)
def with_43(node):
    both_ways(node, "4.3")


# What 4.3 can be told and Leveret cannot do: a path below /api and its body, and what the refusal says.
NOT_HERE = [
    ("queues/n/stream", {"durable": True, "arguments": {"x-queue-type": "stream"}}, "queue type 'stream'"),
    ("queues/n/later", {"durable": True, "arguments": {"x-queue-type": "quorum", "x-delayed-retry-type": "all"}},
     "delayed retry is not supported"),
    ("policies/n/retry", {"pattern": "^a", "definition": {"delayed-retry-type": "all", "delayed-retry-min": 100}},
     "policies[0] 'retry' in vhost 'n': 100 is not taken as delayed-retry-min"),
    ("operator-policies/n/retry", {"pattern": "^a", "apply-to": "queues", "definition": {"delayed-retry-min": 100}},
     "delayed retry is not supported"),
    ("vhosts/n", {"default_queue_type": "stream"}, "'stream' cannot be made yet"),
]


@test(own=True, management=True, seconds=600)
def refused_whole(node):
    """A file of 4.3 with one thing that is not to be had here changes nothing, and says so."""
    api, judge = Api(node), rabbit("4.3")
    try:
        other = Api(judge)
        before = contents(api, True)
        for path, body, said in NOT_HERE:
            for make in ("users/u", {"password": "p", "tags": ""}), ("vhosts/n", {}):
                assert other.put(*make).code in (201, 204)
            answer = other.put(path, body)
            assert answer.code in (201, 204), (path, answer)
            answer = api.post("definitions", other.get("definitions").json)
            assert answer.code == 400 and said in answer.json["reason"], (path, answer)
            same(before, contents(api, True))
            assert other.delete("vhosts/n").code == 204
        answer = api.post("definitions", other.get("definitions").json)
        assert answer.code == 204, answer
    finally:
        judge.remove()


if __name__ == "__main__":
    main(management=True)
