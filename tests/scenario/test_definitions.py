#!/usr/bin/python3
"""Definitions in and out: all of a file or what not of it, whole round trips, portions, files at the start, RabbitMQ's eyes."""
import base64
import hashlib
import json
import shutil
import threading

import broker
from fast import Fast
from harness import Skip, main, name, test
from http_api import Api, q


def queue(queue_name, vhost="/", durable=True, **arguments):
    return {"name": queue_name, "vhost": vhost, "durable": durable, "auto_delete": False,
            "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}}


def exchange(exchange_name, kind="topic", vhost="/", **arguments):
    return {"name": exchange_name, "vhost": vhost, "type": kind, "durable": True, "auto_delete": False, "internal": False,
            "arguments": {key.replace("_", "-"): value for key, value in arguments.items()}}


def binding(source, destination, key="", vhost="/", kind="queue", **arguments):
    return {"source": source, "vhost": vhost, "destination": destination, "destination_type": kind, "routing_key": key,
            "arguments": arguments}


def user(user_name, **more):
    return {"name": user_name, "password_hash": "", "tags": "", **more}


def hashed(algorithm, password="pw", salt=b"\1\2\3\4"):
    return base64.b64encode(salt + hashlib.new(algorithm, salt + password.encode()).digest()).decode()


# A definition that cannot be, the list it stands in, and what is said of it.
CANNOT_BE = [
    ({"queues": [queue("x", x_message_ttl=-1)]}, "queues[1] 'x' in vhost '/': invalid arg 'x-message-ttl'"),
    ({"queues": [queue("x", x_max_length="10")]}, "queues[1] 'x' in vhost '/': invalid arg 'x-max-length'"),
    ({"queues": [queue("x", x_queue_type="stream")]}, "queues[1] 'x' in vhost '/': queue type 'stream'"),
    ({"queues": [queue("x", x_queue_type="quorum", x_max_priority=5)]}, "invalid arg 'x-max-priority'"),
    ({"queues": [queue("x", False, x_queue_type="quorum")]}, "queues[1] 'x'"),
    ({"queues": [queue("x" * 256)]}, "longer than 255 bytes"),
    ({"queues": [queue("")]}, "empty name"),
    ({"queues": [queue("x", "nowhere")]}, "queues[1] 'x': vhost: there is no vhost 'nowhere'"),
    ({"queues": [{"name": "x", "durable": True}]}, "queues[1] 'x': [{key_missing,vhost}]"),
    ({"queues": [{"name": "x", "vhost": "/", "durable": None}]}, "durable: must be a boolean, not null"),
    ({"queues": [{"name": "x", "vhost": "/", "durable": True, "arguments": 7}]}, "arguments: must be an object"),
    ({"queues": ["x"]}, "queues[1]"),
    ({"queues": [queue("good", x_max_length=3)]}, "queues[1] 'good' in vhost '/': the file has it before"),
    ({"exchanges": [exchange("x"), exchange("x"), exchange("x", "fanout")]}, "exchanges[2] 'x' in vhost '/': the file has"),
    ({"queues": {"name": "x"}}, "queues: must be a list"),
    ({"exchanges": [exchange("x", "x-jms-topic")]}, "exchanges[0] 'x' in vhost '/': unknown exchange type"),
    ({"exchanges": [exchange("x", "x-delayed-message")]}, "x-delayed-type"),
    ({"exchanges": [exchange("x", alternate_exchange=3)]}, "alternate-exchange"),
    ({"bindings": [binding("amq.topic", "x", kind="exchange")]}, "bindings[0] 'x' in vhost '/': there is no exchange 'x'"),
    ({"bindings": [binding("nowhere", "good")]}, "there is no exchange 'nowhere'"),
    ({"bindings": [{**binding("amq.headers", "good"), "arguments": {"x-match": "some"}}]}, "Invalid x-match"),
    ({"exchanges": [exchange("h", "x-consistent-hash")], "bindings": [binding("h", "good", "10000")]}, "binding key"),
    ({"exchanges": [exchange("h", "x-consistent-hash")], "bindings": [binding("h", "good", "heavy")]}, "binding key"),
    ({"bindings": [binding("amq.topic", "good", kind="thing")]}, "destination_type"),
    ({"policies": [{"vhost": "/", "name": "p", "pattern": "(", "definition": {"max-length": 1}}]}, "policies[0] 'p'"),
    ({"policies": [{"vhost": "/", "name": "p", "pattern": "x", "definition": {"foo": 1}}]}, "not recognised"),
    ({"parameters": [{"vhost": "/", "component": "operator_policy", "name": "p",
                      "value": {"pattern": "x", "definition": {"max-length": -1}}}]}, "parameters[0] 'p'"),
    ({"parameters": [{"vhost": "/", "component": "user-limits", "name": "p", "value": {}}]},
     "parameters[0] 'p': component 'user-limits' is not known here, and may restrict"),
    ({"parameters": [{"vhost": "/", "name": "p", "value": {}}]}, "component '' is not known here, and may restrict"),
    ({"user_limits": [{"user": "guest"}]}, "user_limits: not known here, and may restrict"),
    ({"permissions": [{"user": "guest", "vhost": "/", "configure": "", "write": "", "read": "", "admin": False}]},
     "permissions[0]: key 'admin' is not known here, and may restrict"),
    ({"topic_permissions": [{"user": "guest", "vhost": "/", "exchange": "x", "write": "", "read": "", "queue": "q"}]},
     "key 'queue' is not known here"),
    ({"vhosts": [{"name": "w", "metadata": {"protected_from_purge": True}}]}, "key 'metadata.protected_from_purge' is not known"),
    ({"queues": [{**queue("x"), "consumer_limit": 3}]}, "key 'consumer_limit' is not known here, and may restrict"),
    ({"parameters": [{"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-cats": 1}}]}, "max-cats"),
    ({"global_parameters": [{"name": "x", "value": 1}, {"name": "x"}]}, "global_parameters[1] 'x': [{key_missing,value}]"),
    ({"global_parameters": [{"value": 1}]}, "global_parameters[0] '': [{key_missing,name}]"),
    ({"global_parameters": [{"name": "x", "value": "v" * 70000}]}, "at most 65536 bytes"),
    ({"global_parameters": [{"name": "cluster_tags", "value": 5}]}, "the tags of a cluster are an object"),
    ({"topic_permissions": [{"user": "guest", "vhost": "/", "exchange": "x", "write": "(", "read": "b"}]},
     "topic_permissions[0] 'guest' in vhost '/': "),
    ({"topic_permissions": [{"user": "guest", "vhost": "/", "exchange": "x", "write": "a"}]}, "key_missing,read"),
    ({"topic_permissions": [{"user": "no one", "vhost": "/", "exchange": "x", "write": "a", "read": "b"}]},
     "there is no user 'no one'"),
    ({"topic_permissions": [{"user": "guest", "vhost": "no", "exchange": "x", "write": "a", "read": "b"}]},
     "there is no vhost 'no'"),
    ({"users": [user("u", hashing_algorithm="rot13", password_hash=hashed("md5"))]}, "users[0] 'u': password_hash"),
    ({"users": [user("u", password_hash="!")]}, "users[0] 'u': password_hash"),
    ({"users": [user("u", password_hash=None)]}, "password_hash: must be a string, not null"),
    ({"users": [user("")]}, "users[0] ''"),
    ({"users": [{"name": "u"}]}, "key_missing,tags"),
    ({"users": [user("u", limits={"max-cats": 1})]}, "max-cats"),
    ({"vhosts": [{"name": "w", "default_queue_type": "lazy"}]}, "vhosts[0] 'w': default_queue_type"),
    ({"vhosts": [{"name": "w", "metadata": {"protected_from_deletion": "yes"}}]}, "protected_from_deletion"),
    ({"vhosts": [{"name": "w", "metadata": {"default_queue_type": "quorum"}}],
      "queues": [queue("x", "w", x_max_priority=3)]}, "queues[1] 'x' in vhost 'w': invalid arg 'x-max-priority'"),
    ({"queues": [queue("x", x_queue_type="quorum", x_delayed_retry_type="all")]}, "delayed retry is not supported"),
    ({"policies": [{"vhost": "/", "name": "p", "pattern": "x", "definition": {"delayed-retry-type": "all"}}]}, "delayed retry"),
    ({"parameters": [{"vhost": "/", "component": "operator_policy", "name": "p",
                      "value": {"pattern": "x", "definition": {"delayed-retry-min": 100}}}]}, "delayed retry is not supported"),
    ({"vhosts": [{"name": "w", "metadata": {"default_queue_type": "stream"}}]}, "default_queue_type"),
    ({"vhosts": [{"name": "w", "limits": {"max-queues": "5"}}]}, "max-queues"),
    ({"permissions": [{"user": "guest", "vhost": "/", "configure": "(", "write": "", "read": ""}]}, "permissions[0] 'guest'"),
    ({"permissions": [{"user": "nobody", "vhost": "/", "configure": "", "write": "", "read": ""}]}, "no user 'nobody'"),
    ({"permissions": [{"user": "guest", "vhost": "nowhere", "configure": "", "write": "", "read": ""}]}, "no vhost"),
]


@test(own=True, management=True, seconds=120)
def what_cannot_be_changes_nothing(node):
    """Each such file has a good user, vhost and queue too, and none of them is made."""
    api = Api(node)
    before = api.get("definitions").json
    for bad, said in CANNOT_BE:
        file = {"users": [], "vhosts": [], "queues": [queue("good")], "rabbit_version": "3.10.8"}
        for key, entries in bad.items():
            file[key] = file.get(key, []) + entries if isinstance(entries, list) else entries
        file["vhosts"] = file["vhosts"] + [{"name": "good"}]
        file["users"] = file["users"] + [user("good")]
        answer = api.post("definitions", file)
        assert answer.code == 400 and answer.json["error"] == "bad_request", (bad, answer)
        assert said in answer.json["reason"], (bad, said, answer)
        assert api.get("definitions").json == before, (bad, "something has changed")
    many = api.post("definitions", {"queues": [queue(f"x{i}", x_expires=0) for i in range(30)]}).json
    assert "queues[9] 'x9'" in many["reason"] and "queues[10]" not in many["reason"], many
    assert many["reason"].endswith("; and 20 more") and "left_out" not in many and "imported" not in many, many
    assert [(one["path"], one["name"], one["vhost"]) for one in many["errors"]] == \
        [(f"queues[{i}]", f"x{i}", "/") for i in range(30)], many
    assert all("x-expires" in one["why"] for one in many["errors"]), many
    most = api.post("definitions", {"queues": [{"name": f"x{i}"} for i in range(10003)]}).json
    assert len(most["errors"]) == 10000 and most["errors_more"] == 3, most["reason"]


@test
def what_is_there_anyway_is_passed_over(node):
    api, vhost = Api(node), name("v")
    api.put(f"vhosts/{vhost}")
    file = {"exchanges": [exchange("", "direct", vhost), exchange("amq.mine", "topic", vhost), exchange("x", "topic", vhost)],
            "queues": [queue("q", vhost), queue("amq.other", vhost), queue("amq.gen-1", vhost)],
            "bindings": [binding("", "q", "q", vhost), binding("amq.rabbitmq.trace", "q", "#", vhost),
                         binding("x", "amq.gen-1", "k", vhost)],
            "global_parameters": [{"name": "cluster_name", "value": "x"}, {"name": "internal_cluster_id", "value": "y"}]}
    answer = api.post("definitions", file)
    assert answer.code == 204, answer
    assert sorted(one["name"] for one in api.get(f"queues/{vhost}").json) == ["amq.gen-1", "q"]
    assert api.get(f"exchanges/{vhost}/amq.mine").code == 404
    # RabbitMQ exports the bindings of queues that go with their connection, without these queues.
    answer = api.post("definitions", {"bindings": [binding("x", "gone", "k", vhost), binding("x", "q", "k", vhost)]})
    assert answer.code == 200 and answer.json == {"imported": {"bindings": 1}, "left_out": [
        {"path": "bindings[0]", "name": "gone", "vhost": vhost, "why": "there is no such queue"}]}, answer
    assert [b["destination"] for b in api.get(f"exchanges/{vhost}/x/bindings/source").json] == ["amq.gen-1", "q"]
    api.delete(f"vhosts/{vhost}")


@test(own=True, management=True)
def what_is_not_known_and_restricts_nothing_is_left_out(node):
    """Told with 200; refused whole with strict=true; the rest is there all the same."""
    api, before = Api(node), Api(node).get("definitions").json
    file = {"parameters": [{"vhost": "/", "component": "shovel", "name": "s", "value": {"src-uri": "amqp://"}},
                           {"vhost": "/", "component": "federation-upstream", "name": "f", "value": {}},
                           {"vhost": "/", "component": "vhost-limits", "name": "limits", "value": {"max-queues": 90}}],
            "queues": [{**queue("q"), "leader": "rabbit@x"}], "vhosts": [{"name": "w", "metadata": {"cluster": "c"}}],
            "users": [user("u")], "streams": []}
    told = [("streams", "not known here"), ("vhosts[0]", "key 'metadata.cluster' is not known here"),
            ("parameters[0]", "component 'shovel' is not known here"),
            ("parameters[1]", "component 'federation-upstream' is not known here"),
            ("queues[0]", "key 'leader' is not known here")]
    answer = api.post("definitions?strict=true", file)
    assert answer.code == 400 and [(one["path"], one["why"]) for one in answer.json["left_out"]] == told, answer
    assert answer.json["reason"].startswith("to be left out: streams: not known here; ") and "errors" not in answer.json, answer
    answer = api.post("definitions?strict=true", {**file, "permissions": [{}]})
    assert answer.code == 400 and len(answer.json["errors"]) == 1 and len(answer.json["left_out"]) == 5, answer
    assert api.get("definitions").json == before
    answer = api.post("definitions", file)
    assert answer.code == 200 and [(one["path"], one["why"]) for one in answer.json["left_out"]] == told, answer
    assert answer.json["imported"] == {"users": 1, "vhosts": 1, "parameters": 1, "queues": 1}, answer
    assert "definitions left out: streams: not known here; vhosts[0] 'w': key" in node.log()
    assert api.get("queues/%2F/q").code == 200 and api.get("vhost-limits/%2F").json[0]["value"] == {"max-queues": 90}
    for key in ("parameters", "streams", "vhosts"):
        del file[key]
    del file["queues"][0]["leader"]
    assert api.post("definitions?strict=true", file).code == 204


@test
def where_they_are(node):
    """The older path, the name of a download, and a vhost that is not there."""
    api = Api(node)
    assert api.get("all-configuration").json == api.get("definitions").json
    made = name("v")
    assert api.post("all-configuration", {"vhosts": [{"name": made}]}).code == 204
    assert api.get("definitions/" + made).code == 200 and api.delete("vhosts/" + made).code == 204
    for path in ("definitions", "all-configuration", "definitions/%2F"):
        answer = api.get(path + "?download=my-file_1.json")
        assert answer.headers["Content-Disposition"] == "attachment; filename=my-file_1.json", answer.headers
        assert "Content-Disposition" not in api.get(path).headers
    answer = api.get("definitions?download=a%0d%0aX-Evil:%20%22b")
    assert answer.headers["Content-Disposition"] == "attachment; filename=a__X-Evil___b" and "X-Evil" not in answer.headers
    assert api.get("definitions/nosuch").code == 400 and api.post("definitions/nosuch", {"queues": []}).code == 404


@test
def what_exists_and_is_different_is_told(node):
    api, vhost = Api(node), name("v")
    api.put(f"vhosts/{vhost}")
    api.put(f"queues/{vhost}/q", {"durable": True})
    answer = api.post(f"definitions/{vhost}", {"queues": [queue("a"), queue("q", x_max_length=3), queue("z")]})
    assert answer.code == 400, answer
    assert answer.json["reason"].startswith(f"2 of 3 entries were carried out; not: queues[1] 'q' in vhost '{vhost}': "
                                            "inequivalent arg 'x-max-length'"), answer
    assert answer.json["imported"] == {"queues": 2}, answer
    assert [(one["path"], one["name"], one["vhost"]) for one in answer.json["errors"]] == [("queues[1]", "q", vhost)], answer
    assert sorted(one["name"] for one in api.get(f"queues/{vhost}").json) == ["a", "q", "z"]
    api.put(f"vhost-limits/{vhost}/max-queues", {"value": 4})
    answer = api.post(f"definitions/{vhost}", {"queues": [queue("b"), queue("c"), queue("d")]})
    assert answer.code == 400 and "1 of 3" in answer.json["reason"] and "limit" in answer.json["reason"], answer
    api.delete(f"vhosts/{vhost}")


@test
def password_hashes(node):
    """Of each algorithm; a file of 3.5 does not say that it means MD5."""
    api = Api(node)
    for number, (version, algorithm, digest) in enumerate((
            ("3.10.8", "rabbit_password_hashing_sha256", "sha256"), ("3.10.8", "rabbit_password_hashing_sha512", "sha512"),
            ("3.10.8", "rabbit_password_hashing_md5", "md5"), ("3.5.7", None, "md5"), ("2.8.1", None, "md5"),
            ("3.6.0", None, "sha256"), (None, None, "sha256"))):
        one = user(f"hash-{number}", password_hash=hashed(digest), tags="management")
        if algorithm:
            one["hashing_algorithm"] = algorithm
        answer = api.post("definitions", {"rabbit_version": version, "users": [one]} if version else {"users": [one]})
        assert answer.code == 204, (version, algorithm, answer)
        assert Api(node, one["name"], "pw").get("whoami").code == 200, (version, algorithm)
        assert Api(node, one["name"], "PW").get("whoami").code == 401
        api.delete(f"users/{one['name']}")


def fill(api, node):
    """One of each kind."""
    assert api.put("users/u", {"password": "p", "tags": "management,policymaker"}).code == 201
    api.put("user-limits/u/max-channels", {"value": 7})
    assert api.put("vhosts/v", {"description": "d", "tags": "a,b"}).code == 201
    api.put("vhost-limits/v/max-queues", {"value": 50})
    api.put("permissions/v/u", {"configure": "a", "write": "b", "read": ""})
    api.put("policies/v/p", {"pattern": "^q", "definition": {"max-length": 9}, "apply-to": "queues", "priority": 3})
    api.put("operator-policies/v/o", {"pattern": "^q", "definition": {"max-length": 5}, "apply-to": "queues"})
    assert api.put("exchanges/v/x", {"type": "headers", "durable": True, "arguments": {"alternate-exchange": "y"}}).code == 201
    assert api.put("exchanges/v/y", {"type": "fanout", "durable": False, "internal": True}).code == 201
    assert api.put("exchanges/v/h", {"type": "x-consistent-hash", "durable": True}).code == 201
    assert api.put("queues/v/q", {"durable": True, "arguments": {"x-message-ttl": 5, "x-queue-type": "quorum"}}).code == 201
    assert api.put("queues/v/t", {"durable": False, "auto_delete": True}).code == 201
    api.post("bindings/v/e/x/q/q", {"routing_key": "k", "arguments": {"x-match": "all", "n": 3}})
    api.post("bindings/v/e/x/e/y", {"routing_key": ""})
    api.post("bindings/v/e/h/q/t", {"routing_key": "20"})
    with Fast(node, vhost="v") as link:
        link.declare("", durable=True)


def sorted_parts(file):
    return {key: sorted(json.dumps(one, sort_keys=True) for one in value) if isinstance(value, list) else value
            for key, value in file.items()}


@test(own=True, management=True, seconds=120)
def a_dry_run(node):
    """Says what would be made and changed, and changes nothing; then the import does just that."""
    api = Api(node)
    fill(api, node)
    whole = api.get("definitions").json
    answer = api.post("definitions?dry_run=true", whole)
    assert answer.code == 200 and answer.json["created"] == answer.json["changed"] == {}, answer.text
    assert answer.json["unchanged"] == {key: len(value) for key, value in whole.items() if isinstance(value, list) and value}
    assert "changes" not in answer.json and "conflicts" not in answer.json and answer.json["dry_run"] is True
    one = api.post("definitions/v?dry_run=true", api.get("definitions/v").json)
    assert one.code == 200 and one.json["created"] == one.json["changed"] == {} and one.json["unchanged"]["queues"] == 3, one.text
    file = {"users": [user("u", tags=["management"]), user("w")], "vhosts": [{"name": "v", "description": "other"}, {"name": "w"}],
            "permissions": [{"user": "u", "vhost": "v", "configure": "a", "write": "b", "read": "c"}],
            "parameters": [{"component": "vhost-limits", "vhost": "v", "name": "limits", "value": {"max-queues": 51}},
                           {"component": "shovel", "vhost": "v", "name": "s", "value": {}}],
            "global_parameters": [{"name": "mine", "value": [1]}],
            "policies": [{"vhost": "v", "name": "p", "pattern": "^q", "definition": {"max-length": 9}, "apply-to": "queues",
                          "priority": 4}],
            "exchanges": [exchange("y", "direct", "v"), exchange("amq.topic"), exchange("z", "fanout", "w")],
            "queues": [queue("q", "v", x_message_ttl=5, x_queue_type="quorum"), queue("t", "v"), queue("n", "w"), queue("n", "w")],
            "bindings": [{**binding("x", "q", "k", "v"), "arguments": {"n": 3, "x-match": "all"}}, binding("x", "q", "k", "v"),
                         binding("x", "gone", "k", "v")]}
    before = api.get("definitions").json
    answer = api.post("definitions?dry_run=true", file)
    assert answer.code == 200, answer
    told = answer.json
    assert told["created"] == {"users": 1, "vhosts": 1, "global_parameters": 1, "exchanges": 1, "queues": 1, "bindings": 1}, told
    assert told["changed"] == {"users": 1, "vhosts": 1, "permissions": 1, "parameters": 1, "policies": 1}, told
    assert told["unchanged"] == {"queues": 2, "bindings": 1}, told
    assert [(one["path"], one["why"]) for one in told["changes"]] == [
        ("users[0]", "changed: password_hash, tags"), ("users[1]", "created"), ("vhosts[0]", "changed: description"),
        ("vhosts[1]", "created"), ("permissions[0]", "changed: read"), ("global_parameters[0]", "created"),
        ("parameters[0]", "changed: value"), ("policies[0]", "changed: priority"), ("exchanges[2]", "created"),
        ("queues[2]", "created"), ("bindings[1]", "created")], told
    assert [(one["path"], one["name"], one["vhost"]) for one in told["conflicts"]] == [
        ("exchanges[0]", "y", "v"), ("queues[1]", "t", "v")], told
    assert [one["path"] for one in told["left_out"]] == ["parameters[1]", "bindings[2]"], told
    assert api.get("definitions").json == before, "nothing has changed"
    assert api.post("definitions?dry_run=true", {"queues": [queue("")]}).code == 400
    many = {"queues": [queue(f"a-queue-with-a-usual-name-{i:06}", x_dead_letter_exchange="letters") for i in range(9000)]}
    assert api.post("definitions?dry_run=true", many).json["created"] == {"queues": 9000}
    assert api.post("definitions", many).code == 204
    answer = api.post("definitions?dry_run=true", many)
    assert answer.code == 200 and answer.json["unchanged"] == {"queues": 9000}, f"parsed on a thread: {answer}"
    # A queue that does not say its type has the vhost's; one of another type is another queue.
    other = {"queues": [queue(f"a-queue-with-a-usual-name-{i:06}", x_dead_letter_exchange="letters", x_queue_type=kind)
                        for i, kind in enumerate(("classic", "quorum"))]}
    answer = api.post("definitions?dry_run=true", other).json
    assert answer["unchanged"] == {"queues": 1} and [one["path"] for one in answer["conflicts"]] == ["queues[1]"], answer


@test(own=True, management=True, settings={"vhost_max": 2})
def vhosts_above_the_limit_change_nothing(node):
    api, file = Api(node), {"vhosts": [{"name": one} for one in ("/", "a", "b")], "users": [user("u")]}
    answer = api.post("definitions", file)
    assert answer.code == 400 and answer.json["errors"] == [
        {"path": "vhosts", "why": "1 are there and 2 are new: vhost limit of 2 is reached"}], answer
    assert api.get("users/u").code == 404
    assert api.post("definitions", {"vhosts": [{"name": "/"}, {"name": "a"}]}).code == 204


@test(own=True, management=True, seconds=120)
def round_trip(node):
    """Export, take all away, import, export: the same; of a node, of a vhost, over the command line."""
    api = Api(node)
    fill(api, node)
    whole, of_one = api.get("definitions").json, api.get("definitions/v").json
    limits = [one for one in whole["parameters"] if one["component"] == "vhost-limits"]
    assert limits == [{"value": {"max-queues": 50}, "vhost": "v", "component": "vhost-limits", "name": "limits"}]
    api.delete("vhosts/v")
    api.delete("users/u")
    assert api.post("definitions", whole).code == 204
    assert sorted_parts(api.get("definitions").json) == sorted_parts(whole)
    assert api.post("definitions", whole).code == 204, "twice is once"
    assert sorted_parts(api.get("definitions").json) == sorted_parts(whole)
    api.delete("vhosts/v")
    api.put("vhosts/v", {"description": "d", "tags": "a,b"})
    assert api.post("definitions/v", of_one).code == 204
    assert sorted_parts(api.get("definitions/v").json) == sorted_parts(of_one)
    assert api.get("vhost-limits/v").json == [{"vhost": "v", "value": {"max-queues": 50}}]
    node.restart()
    again = Api(node).get("definitions/v").json
    for part in ("policies", "parameters"):
        assert again[part] == of_one[part]
    by_name = lambda things: sorted((one for one in things if one["durable"]), key=lambda one: one["name"])
    for part in ("queues", "exchanges"):
        assert by_name(again[part]) == by_name(of_one[part]), (again[part], of_one[part])


def upload(node, body, content_type):
    return Api(node).call("POST", "/api/definitions", raw=body, headers={"Content-Type": content_type})


@test
def bodies_of_other_tools(node):
    api, names = Api(node), [name("q") for _ in range(3)]
    files = [json.dumps({"queues": [queue(n)]}).encode() for n in names]
    assert upload(node, b"\xef\xbb\xbf" + files[0], "application/json").code == 204
    form = (b'--XX\r\nContent-Disposition: form-data; name="redirect"\r\n\r\n/\r\n'
            b'--XX\r\nContent-Disposition: form-data; name="file"; filename="d.json"\r\n'
            b"Content-Type: application/octet-stream\r\n\r\n%s\r\n--XX--\r\n")
    assert upload(node, form % files[1], "multipart/form-data; boundary=XX").code == 204
    assert upload(node, form % (b"\xef\xbb\xbf" + files[2]), 'multipart/form-data; boundary="XX"').code == 204
    assert {n for n in names if api.get(f"queues/%2F/{q(n)}").code == 200} == set(names)
    for body, kind in ((form % files[0], "multipart/form-data"), (b"no form", "multipart/form-data; boundary=XX"),
                       (b"\xef\xbb\xbf", "application/json"), (b"[]", "application/json"), (b"{", "application/json")):
        answer = upload(node, body, kind)
        assert answer.code == 400 and "not_json" in answer.json["reason"], (body, kind, answer)


@test(seconds=120)
def a_large_file(node):
    """Above what is parsed at once."""
    api, vhost = Api(node), name("v")
    api.put(f"vhosts/{vhost}")
    queues = [queue(f"a-queue-with-a-usual-name-{i:06}", vhost, x_dead_letter_exchange="letters") for i in range(6000)]
    bindings = [binding("amq.topic", one["name"], f"some.routing.key.{i}", vhost) for i, one in enumerate(queues)]
    file = {"queues": queues, "bindings": bindings}
    assert len(json.dumps(file)) > 2 << 20
    assert api.post("definitions", file).code == 204
    exported = api.get(f"definitions/{vhost}").json
    assert len(exported["queues"]) == 6000 and len(exported["bindings"]) == 6000
    bad = upload(node, json.dumps(file).encode()[:-1], "application/json")
    assert bad.code == 400 and "not_json" in bad.json["reason"], bad
    api.delete(f"vhosts/{vhost}")


def seen_under_way(node, users):
    """Imports the users; answers whether somebody who asked meanwhile saw some of them there and others not."""
    api, codes = Api(node), []
    importing = threading.Thread(target=lambda: codes.append(api.post("definitions", {"users": users}).code))
    importing.start()
    seen = False
    while importing.is_alive() and not seen:
        seen = api.get(f"users/{users[0]['name']}").code == 200 and api.get(f"users/{users[-1]['name']}").code == 404
    importing.join()
    assert codes == [204] and api.get(f"users/{users[-1]['name']}").code == 200
    return seen


@test(seconds=120)
def imports_go_on_in_portions(node):
    """While some thousand users are imported others are served. Who asks may come too late: then it is tried again."""
    assert any(seen_under_way(node, [user(f"{stem}-{i}") for i in range(4000)]) for stem in (name("u") for _ in range(10)))


@test(own=True, management=True, seconds=120)
def at_the_start(node):
    """load_definitions: there before the first client is served; refused as a whole; what exists stays."""
    node.stop()
    path = node.dir / "definitions.json"
    node.settings["load_definitions"] = path
    path.write_text(json.dumps({"vhosts": [{"name": "v"}], "users": [user("u", password="p")],
                                "permissions": [{"user": "u", "vhost": "v", "configure": ".*", "write": ".*", "read": ".*"}],
                                "queues": [queue(f"q{i}", "v") for i in range(2000)]}))
    node.start()
    with Fast(node, vhost="v", user="u", password="p") as link:
        assert link.declare("q1999", durable=True, passive=True)[0] == 0
    path.write_text(json.dumps({"queues": [queue("q1", "v", x_max_length=3), queue("new", "v")]}))
    node.restart()
    with Fast(node, vhost="v", user="u", password="p") as link:
        assert link.declare("new", durable=True, passive=True)[0] == 0
    assert "queues[0] 'q1' in vhost 'v': inequivalent arg" in node.log(this_run=True)
    node.stop()
    for wrong, said in (('{"queues":[{"name":"q","vhost":"none"}]}', "there is no vhost 'none'"), ("{", "not_json"),
                        (None, "cannot read")):
        path.write_text(wrong) if wrong else path.unlink()
        node.launch()
        code, node.process = node.process.wait(30), None
        said_so = node.log(this_run=True)
        assert code == 1 and said in said_so and "load_definitions" in said_so, (wrong, code, said_so)


def refused_start(node):
    """Starts a broker that must end with 1; answers what it says."""
    node.launch()
    code, node.process = node.process.wait(30), None
    assert code == 1, code
    return node.log(this_run=True)


@test(own=True, management=True, seconds=120)
def a_folder_at_the_start(node):
    """In order of name, once while nothing changes; every error is a line; users of its own stand for the default one."""
    node.stop()
    shutil.rmtree(node.data)
    folder = node.dir / "definitions"
    folder.mkdir()
    settings = {"definitions.import_backend": "local_filesystem", "definitions.local.path": folder,
                "definitions.skip_if_unchanged": "true"}
    node.settings.update(settings)
    (folder / "1.json").write_text("{")
    assert "1.json: not_json" in refused_start(node)
    (folder / "1.json").write_text(json.dumps({
        "users": [user("u", password="p", tags="administrator")], "vhosts": [{"name": "v"}],
        "permissions": [{"user": "u", "vhost": "v", "configure": ".*", "write": ".*", "read": ".*"}]}))
    (folder / "2.json").write_text(json.dumps({"queues": [queue("a", "v"), queue("x", "nowhere"), queue("", "v")]}))
    (folder / "3.text").write_text("not read")
    said = refused_start(node).splitlines()
    assert any("2.json is refused, nothing in it was carried out" in line for line in said), said
    assert any(line.startswith("leveretd: queues[1] 'x': vhost: there is no vhost") for line in said), said
    assert any(line.startswith("leveretd: queues[2] '' in vhost 'v': ") for line in said), said
    (folder / "2.json").write_text(json.dumps({"queues": [queue("a", "v")], "parameters": [
        {"component": "shovel", "vhost": "v", "name": "s", "value": {}}]}))
    node.start()
    api = Api(node, "u", "p")
    assert [one["name"] for one in api.get("users").json] == ["u"] and Api(node).get("whoami").code == 401
    assert api.get("queues/v/a").code == 200
    assert "definitions left out: parameters[0] 's': component 'shovel'" in node.log(this_run=True)
    assert len((node.data / "definitions.sha256").read_text().splitlines()) == 2
    # What is unchanged is not read again, so that what was deleted stays away; what has changed is.
    assert api.delete("queues/v/a").code == 204
    node.restart()
    assert api.get("queues/v/a").code == 404 and "2.json are unchanged" in node.log(this_run=True)
    (folder / "2.json").write_text(json.dumps({"queues": [queue("a", "v"), queue("b", "v")]}))
    node.restart()
    assert [one["name"] for one in api.get("queues/v").json] == ["a", "b"]
    # A file that could be carried out in part only is read again.
    (folder / "2.json").write_text(json.dumps({"queues": [queue("b", "v", x_max_length=3), queue("c", "v")]}))
    node.restart()
    assert api.delete("queues/v/c").code == 204
    node.restart()
    assert api.get("queues/v/c").code == 200
    # Without the setting every start reads all files.
    node.settings["definitions.skip_if_unchanged"] = "false"
    (folder / "2.json").write_text(json.dumps({"queues": [queue("a", "v")]}))
    for _ in range(2):
        assert api.delete("queues/v/a").code == 204
        node.restart()
        assert api.get("queues/v/a").code == 200


@test(own=True, management=True, seconds=600)
def rabbitmq_reads_them(node):
    """What Leveret exports, RabbitMQ imports, and says the same of it."""
    api = Api(node)
    fill(api, node)
    for kind in ("exchanges/v/h",):
        api.delete(kind)  # a plugin's type
    exported = api.get("definitions").json
    try:
        judge = broker.Rabbit(plugins=("rabbitmq_management",)).start()
    except broker.Unavailable as unavailable:
        raise Skip(str(unavailable)) from None
    try:
        other = Api(judge)
        answer = other.post("definitions", exported)
        assert answer.code == 204, answer
        assert other.get("vhost-limits/v").json == [{"vhost": "v", "value": {"max-queues": 50}}]
        assert sorted(one["name"] for one in other.get("queues/v?columns=name").json) == ["q", "t"]
        assert Api(judge, "u", "p").get("whoami").code == 200
        back = other.get("definitions").json
        assert Api(node).post("definitions", back).code == 204, "and theirs is read here"
    finally:
        judge.remove()


if __name__ == "__main__":
    main(management=True)
