#!/usr/bin/python3
"""What strangers send to the HTTP API: values of the wrong type, names that cannot be, URLs and bodies that mean nothing.
Each is refused with 400 and a reason that names it; nothing is changed, and the broker goes on."""
import http.client
import json
import subprocess
from pathlib import Path

import broker
import pika
from client import channel_on, connect, connection_error
from harness import eventually, main, name, test
from http_api import Api, q

WRONG = {"null": None, "a boolean": True, "a number": 7, "a fraction": 1.5, "a string": "x", "a list": [1], "an object": {"a": 1}}
TEXT, FLAG, NUMBER, LIST, MAP = "a string", "a boolean", "an integer", "a list", "an object"
TAKEN = {TEXT: ("a string",), FLAG: ("a boolean",), NUMBER: ("a number",), LIST: ("a list",), MAP: ("an object",)}


def refused(answer, reason, code=400):
    assert answer.code == code, answer
    assert reason in str(answer.json["reason"]), (answer, reason)


def wrong_types(api, method, path, body, field, kind, within=()):
    """Each value of another type in this field of the body is 400 with the field's name."""
    for word, value in WRONG.items():
        if word in TAKEN[kind]:
            continue
        changed = json.loads(json.dumps(body))
        place = changed
        for key in within:
            place = place.setdefault(key, {})
        place[field] = value
        refused(api.call(method, f"/api/{path}", changed), f"{field}: must be {kind}, not {word}")


@test(seconds=120)
def fields_of_things(node):
    api, vhost = Api(node), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    assert api.put(f"queues/{vhost}/q").code == 201
    for field, kind in (("durable", FLAG), ("auto_delete", FLAG), ("arguments", MAP)):
        wrong_types(api, "PUT", f"queues/{vhost}/new", {}, field, kind)
    for field, kind in (("type", TEXT), ("durable", FLAG), ("auto_delete", FLAG), ("internal", FLAG), ("arguments", MAP)):
        wrong_types(api, "PUT", f"exchanges/{vhost}/new", {}, field, kind)
    for field, kind in (("routing_key", TEXT), ("arguments", MAP)):
        wrong_types(api, "POST", f"bindings/{vhost}/e/amq.topic/q/q", {}, field, kind)
        wrong_types(api, "POST", f"bindings/{vhost}/e/amq.topic/e/amq.fanout", {}, field, kind)
    assert [one["name"] for one in api.get(f"queues/{vhost}").json] == ["q"]
    assert api.get(f"exchanges/{vhost}/new").code == 404
    assert all(one["source"] == "" for one in api.get(f"bindings/{vhost}").json)
    # What RabbitMQ's tools send is taken.
    assert api.put(f"queues/{vhost}/texts", {"durable": "true", "auto_delete": "false", "arguments": []}).code == 201
    assert api.get(f"queues/{vhost}/texts").json["durable"] is True
    wrong_types(api, "POST", f"queues/{vhost}/q/actions", {}, "action", TEXT)


@test(seconds=120)
def fields_of_the_directory(node):
    api, vhost, user = Api(node), name("v"), name("u")
    assert api.put(f"users/{user}", {"password": "good", "tags": "management"}).code == 201
    for field, kind in (("password", TEXT), ("password_hash", TEXT), ("hashing_algorithm", TEXT)):
        wrong_types(api, "PUT", f"users/{user}", {"tags": "administrator"}, field, kind)
    for wrong in (None, 5, True, {"a": 1}, [5], [None], ["a,b"]):
        refused(api.put(f"users/{user}", {"password": "other", "tags": wrong}), "tags:")
    assert Api(node, user, "good").get("whoami").json["tags"] == ["management"], "nothing has changed"
    for field, kind in (("description", TEXT), ("tracing", FLAG), ("metadata", MAP)):
        wrong_types(api, "PUT", f"vhosts/{vhost}", {}, field, kind)
    wrong_types(api, "PUT", f"vhosts/{vhost}", {}, "description", TEXT, within=("metadata",))
    refused(api.put(f"vhosts/{vhost}", {"tags": None}), "tags: must be a string, not null")
    assert api.get(f"vhosts/{vhost}").code == 404
    assert api.put(f"vhosts/{vhost}").code == 201
    for field in ("configure", "write", "read"):
        wrong_types(api, "PUT", f"permissions/{vhost}/{user}", {"configure": "", "write": "", "read": ""}, field, TEXT)
    assert api.get(f"permissions/{vhost}/{user}").code == 404
    for path in (f"vhost-limits/{vhost}/max-queues", f"user-limits/{user}/max-channels"):
        wrong_types(api, "PUT", path, {}, "value", NUMBER)
        refused(api.put(path, {}), "key_missing,value")
    wrong_types(api, "POST", "users/bulk-delete", {}, "users", LIST)
    for kind in ("policies", "operator-policies"):
        good = {"pattern": "^z", "definition": {"max-length": 1}}
        for field, wrongs in (("pattern", (None, 5, True, [], {})), ("definition", (None, 5, True, "x", [1])),
                              ("priority", (None, True, "5", [], {})), ("apply-to", (None, 5, True, [], {}))):
            for wrong in wrongs:
                refused(api.put(f"{kind}/{vhost}/p", {**good, field: wrong}), field)
        assert api.get(f"{kind}/{vhost}/p").code == 404


@test(seconds=120)
def fields_of_messages(node):
    api, queue = Api(node), name()
    assert api.put(f"queues/%2F/{queue}").code == 201
    path, good = "exchanges/%2F/amq.default/publish", {"properties": {}, "routing_key": queue, "payload": "m",
                                                       "payload_encoding": "string"}
    for field, kind in (("properties", MAP), ("routing_key", TEXT), ("payload", TEXT), ("payload_encoding", TEXT)):
        wrong_types(api, "POST", path, good, field, kind)
    for field in ("content_type", "content_encoding", "correlation_id", "reply_to", "expiration", "message_id", "type", "user_id",
                  "app_id", "cluster_id"):
        wrong_types(api, "POST", path, good, field, TEXT, within=("properties",))
        refused(api.publish("amq.default", queue, "m", {field: "x" * 256}), "longer than 255 bytes")
    for field in ("delivery_mode", "priority", "timestamp"):
        wrong_types(api, "POST", path, good, field, NUMBER, within=("properties",))
    wrong_types(api, "POST", path, good, "headers", MAP, within=("properties",))
    for properties, reason in (
            ({"expiration": ""}, "no_integer"), ({"expiration": "soon"}, "no_integer"), ({"expiration": "1.5"}, "leftover_string"),
            ({"expiration": "-1"}, "value_negative"), ({"expiration": "9" * 40}, "value_too_large"),
            ({"delivery_mode": 256}, "not between"), ({"delivery_mode": -1}, "not between"), ({"priority": 256}, "not between"),
            ({"user_id": "somebody"}, "user_id property set to 'somebody'"), ({"headers": {"CC": "a"}}, "unacceptable_type_in_header"),
            ({"headers": {"BCC": {"a": 1}}}, "unacceptable_type_in_header"), ({"headers": {"k" * 256: 1}}, "255 bytes"),
            ({"headers": {"a": "x" * 200000}}, "properties: more than")):
        refused(api.publish("amq.default", queue, "m", properties), reason)
    for wrong in ("x" * 256, "x" * 70000):
        refused(api.publish("amq.default", wrong, "m"), "routing_key: longer than 255 bytes")
    for field, kind in (("ackmode", TEXT), ("encoding", TEXT), ("count", NUMBER), ("truncate", NUMBER)):
        for word, value in WRONG.items():
            if word not in TAKEN[kind]:
                asked = {"count": 1, "ackmode": "ack_requeue_false", "encoding": "auto", field: value}
                refused(api.post(f"queues/%2F/{queue}/get", asked), f"{field}: must be {kind}, not {word}")
    assert api.get(f"queues/%2F/{queue}").json["messages"] == 0
    for transient in (0, 3, 255):       # as RabbitMQ 4: what is not 2 is not kept
        assert api.publish("amq.default", queue, "m", {"delivery_mode": transient}).json == {"routed": True}, transient
    assert eventually(lambda: [q for q in [api.get(f"queues/%2F/{queue}").json] if q["messages"] == 3])[0]["messages_persistent"] == 0
    assert len(api.take(queue, count=3).json) == 3
    assert api.publish("amq.default", queue, "m", {"user_id": "guest", "expiration": "60000", "delivery_mode": 2}).json == {"routed": True}
    assert api.take(queue, count="5").json[0]["properties"]["user_id"] == "guest"


@test(seconds=120)
def long_names(node):
    """Names of 255 bytes are names, longer ones are refused, wherever they stand."""
    api = Api(node)
    full, longer, far = "n" * 255, "n" * 256, "n" * 5000
    assert api.put(f"queues/%2F/{full}").code == 201
    assert api.put(f"exchanges/%2F/{full}", {"type": "direct"}).code == 201
    assert api.post(f"bindings/%2F/e/{full}/q/{full}", {"routing_key": full}).code == 201
    assert api.publish(full, full, "m").json == {"routed": True}
    assert api.delete(f"queues/%2F/{full}").code == 204
    assert api.delete(f"exchanges/%2F/{full}").code == 204
    put = {"queues/%2F/{}": {}, "exchanges/%2F/{}": {}, "vhosts/{}": {}, "users/{}": {"password": "p", "tags": ""},
           "policies/%2F/{}": {"pattern": "z", "definition": {"max-length": 1}},
           "operator-policies/%2F/{}": {"pattern": "z", "definition": {"max-length": 1}},
           "permissions/%2F/{}": {"configure": "", "write": "", "read": ""}, "user-limits/guest/{}": {"value": 1},
           "vhost-limits/%2F/{}": {"value": 1}}
    for wrong in (longer, far):
        for path, body in put.items():
            refused(api.put(path.format(wrong), body), "")
        for path in ("queues/%2F/{}", "exchanges/%2F/{}", "vhosts/{}", "users/{}", "policies/%2F/{}"):
            refused(api.put(path.format(wrong), put[path]), "name too long")
        for path in ("queues/{}/q", "exchanges/{}/x", "policies/{}/p", "user-limits/{}/max-channels", "vhost-limits/{}/max-queues"):
            assert api.put(path.format(wrong), {"pattern": "z", "definition": {"max-length": 1}, "value": 1}).code in (400, 404), path
        refused(api.publish(wrong, "k", "m"), "longer than 255 bytes")
        assert api.publish("amq.topic", "k", "m", vhost=wrong).code == 404
        assert api.take(wrong).code == 404
        refused(api.post(f"bindings/%2F/e/amq.topic/q/{wrong}"), "")
        refused(api.post(f"bindings/%2F/e/{wrong}/e/amq.topic"), "")
        for path in ("queues/%2F/{}", "exchanges/%2F/{}", "vhosts/{}", "users/{}", "policies/%2F/{}", "permissions/%2F/{}",
                     "permissions/{}/guest", "connections/{}", "channels/{}", "nodes/{}", "parameters/policy/%2F/{}", "users/{}/permissions"):
            assert api.get(path.format(wrong)).code == 404, path
        for path in ("queues/%2F/{}", "exchanges/%2F/{}", "vhosts/{}", "users/{}", "policies/%2F/{}", "permissions/%2F/{}",
                     "queues/%2F/{}/contents", "connections/{}", "bindings/%2F/e/amq.topic/q/{}/k"):
            assert api.delete(path.format(wrong)).code == 404, path
        assert Api(node, user=wrong).get("whoami").code == 401
    assert api.get("whoami").code == 200


@test(seconds=120)
def nul_in_names(node):
    """Queues, exchanges and keys may hold any bytes that are UTF-8, over both ways; users and vhosts no NUL."""
    api, vhost = Api(node), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    odd = "a\0b"
    with channel_on(node, virtual_host=vhost) as channel:
        channel.queue_declare(odd)
        channel.queue_bind(odd, "amq.topic", odd)
    assert api.get(f"queues/{vhost}/{q(odd)}").json["name"] == odd
    assert api.get(f"queues/{vhost}/a").code == 404, "the name does not end at the NUL"
    assert [one["name"] for one in api.get(f"queues/{vhost}").json] == [odd]
    key = [one for one in api.get(f"bindings/{vhost}").json if one["source"]][0]
    assert (key["destination"], key["routing_key"]) == (odd, odd)
    assert api.get(f"bindings/{vhost}/e/amq.topic/q/{q(odd)}/{q(key['properties_key'])}").json["routing_key"] == odd
    assert api.put(f"exchanges/{vhost}/{q(odd)}", {"type": "direct"}).code == 201
    assert api.post(f"bindings/{vhost}/e/{q(odd)}/q/{q(odd)}", {"routing_key": odd}).code == 201
    assert api.publish(odd, odd, "m", vhost=vhost).json == {"routed": True}
    got = api.take(odd, vhost=vhost).json[0]
    assert (got["exchange"], got["routing_key"]) == (odd, odd)
    exported = api.get(f"definitions/{vhost}").json
    assert odd in [one["name"] for one in exported["exchanges"]]
    ctl = Path(broker.leveretd_path()).parent / "leveretctl"
    listed = subprocess.run([ctl, "--host", node.host, "--port", str(node.management_port), "-f", "json", "list_queues", "--vhost", vhost, "name"],
                            stdout=subprocess.PIPE, timeout=60, check=True)
    assert [one["name"] for one in json.loads(listed.stdout)] == [odd]
    assert api.delete(f"exchanges/{vhost}/{q(odd)}").code == 204
    assert api.delete(f"queues/{vhost}/{q(odd)}").code == 204
    for path, body in (("vhosts/a%00b", {}), ("users/a%00b", {"password": "p", "tags": ""}), ("policies/%2F/a%00b", {}),
                       ("permissions/%2F/gu%00est", {}), ("queues/a%00b/q", {}), ("vhost-limits/%2F/max%00", {"value": 1})):
        answer = api.put(path, body)
        assert answer.code in (400, 404), (path, answer)
        assert api.get(path.replace("vhost-limits/%2F/max%00", "vhosts/%00")).code == 404, path
    for field in ("password", "password_hash", "hashing_algorithm", "tags"):
        refused(api.put(f"users/{name('u')}", {"tags": "", "password": "p", field: "a\0b"}), f"{field}: must not contain a NUL")
    refused(api.put(f"permissions/%2F/guest", {"configure": "a\0", "write": "", "read": ""}), "configure: must not contain a NUL")


@test(seconds=120)
def urls(node):
    api = Api(node)
    for part in ("%", "%2", "%zz", "a%", "%%32%46", "%ff", "%c3", "%c3%28", "%ed%a0%80", "%f8%88%80%80%80"):
        for method, path in (("GET", "queues/%2F/{}"), ("PUT", "queues/%2F/{}"), ("GET", "vhosts/{}"), ("DELETE", "users/{}")):
            refused(api.call(method, "/api/" + path.format(part), {} if method == "PUT" else None), "the path holds")
        for query in ("columns={}", "page={}", "sort={}", "name={}&page=1", "unknown={}", "{}"):
            refused(api.get("queues?" + query.format(part)), "the query holds")
    for query in ("columns=a%00b", "page=1%00"):
        refused(api.get("queues?" + query), "the query holds")
    for query in ("page=0", "page=-1", "page=x", "page=1.5", "page=1e3", "page=18446744073709551616", "page=1&page_size=0",
                  "page=1&page_size=501", "page=1&page_size=-5", "page=1&page_size=x", "page=99999999999999999999", "page=",
                  "page=1000000&page_size=500", "page=%201", "page=1&name=(&use_regex=true", "page=1&name=%5B&use_regex=true"):
        assert api.get("exchanges?" + query).code == 400, query
    for query in ("columns=", "columns=,,,", "columns=a.b.c.d.e.f.g.h.i.j.k", "columns=" + ",".join("c" * 50 for _ in range(300)),
                  "columns=" + "." * 5000, "sort=", "sort=a,b", "sort=" + "x" * 5000, "sort=nothing&sort_reverse=true",
                  "sort=name.vhost.type", "sort_reverse=maybe", "columns&sort&page_size=3", "&&&=&=&", "columns=name&columns=vhost",
                  "page=1&name=" + "a" * 3000, "page=1&name=(a%2B)%2B%24&use_regex=true", "columns=%22%5C%0A"):
        answer = api.get("exchanges?" + query)
        assert answer.code == 200 and answer.json is not None, (query, answer)
    for path in ("", "/", "//", "queues//", "queues/%2F/", "queues/%2F/a/b/c/d/e/f/g/h", "%00", "..", "../..", "%2e%2e/queues",
                 "queues/%2F/q/contents/x", "x" * 5000):
        assert api.get(path).code in (200, 404), path


@test(seconds=120)
def methods(node):
    api = Api(node)
    for path, allow in (("queues", {"GET", "OPTIONS"}), ("queues/%2F/q", {"GET", "PUT", "DELETE", "OPTIONS"}),
                        ("exchanges/%2F/x/publish", {"POST", "OPTIONS"}), ("overview", {"GET", "OPTIONS"}),
                        ("definitions", {"GET", "POST", "OPTIONS"}), ("users/bulk-delete", {"GET", "PUT", "POST", "DELETE", "OPTIONS"}),
                        ("bindings/%2F/e/x/q/q", {"GET", "POST", "OPTIONS"})):
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
            if method in allow:
                continue
            answer = api.call(method, f"/api/{path}")
            assert answer.code == 405, (method, path, answer)
            assert set(answer.headers["Allow"].replace(",", " ").split()) >= allow - {"OPTIONS"}, answer.headers["Allow"]
        assert api.call("OPTIONS", f"/api/{path}").code == 200
    for path in ("overview", "queues", "exchanges/%2F/amq.topic", "whoami"):
        got, head = api.get(path), api.call("HEAD", f"/api/{path}")
        assert head.code == 200 and head.text == "" and int(head.headers["Content-Length"]) > 0, head
        assert got.headers["Content-Type"] == head.headers["Content-Type"]
    assert api.call("HEAD", "/api/queues/%2F/nothing").code == 404


@test(seconds=120)
def bodies(node):
    api = Api(node)
    path = f"queues/%2F/{name()}"
    for raw in ("{", "[", "[1]", "5", "null", "true", '"x"', "{}x", "{} {}", "{\"a\":1,\"a\":2}", "{\"durable\":true,\"durable\":false}",
                "{'a':1}", "{\"a\":1e999}", "{\"a\":NaN}", "{\"a\":18446744073709551616}", "{\"a\":-9223372036854775809}",
                "{\"a\":01}", "{\"a\":\"\\ud800\"}", "{\"\\u0000\":1}", "[" * 100000, "{\"a\":" * 100000, b"\xff{}",
                b"{\"a\":\"\xff\"}", b"\0", "{\"a\":\"\x01\"}", "{" + ",".join(f'"k{i}":1' for i in range(100000)) + "}"):
        answer = api.put(path, raw=raw if isinstance(raw, bytes) else raw.encode())
        assert answer.code in (400, 413) and (answer.code == 413 or "not_json" in answer.json["reason"]), (raw[:40], answer)
    assert api.get(path).code == 404, "nothing was made"
    for raw in (None, "", " ", "\r\n\t "):
        one = f"queues/%2F/{name()}"
        assert api.put(one, raw=raw).code == 201
        refused(api.post("exchanges/%2F/amq.topic/publish", raw=raw), "key_missing,properties")
    many = {f"k{i}": 1 for i in range(5000)}
    deep = json.loads("[" * 70 + "1" + "]" * 70)
    for wrong in (many, {"l": list(range(5000))}, {"a": deep}, {"k" * 256: 1}):
        refused(api.put(path, {"arguments": wrong}), "arguments:")
        refused(api.post("bindings/%2F/e/amq.topic/e/amq.fanout", {"arguments": wrong}), "arguments:")
        refused(api.publish("amq.topic", "k", "m", {"headers": wrong}), "headers:")
        refused(api.put("policies/%2F/p", {"pattern": "z", "definition": wrong}), "")
    for raw in ("[" * 100000, '{"a":' * 100000, '{"properties":' * 3000 + "}" * 3000):
        refused(api.post("exchanges/%2F/amq.topic/publish", raw=raw.encode()), "")
    for good in (9223372036854775807, -9223372036854775808, 0, 1e308, -1.5e-300, True, None, "", "a\0b", [], {}, [[], {}]):
        one = f"queues/%2F/{name()}"
        assert api.put(one, {"arguments": {"mine": good}}).code == 201, good
        assert api.get(one).json["arguments"]["mine"] == good, good
    for wrong in (2**64, -2**63 - 1):
        assert api.put(path, {"arguments": {"mine": wrong}}).code == 400


@test
def realm_and_flags(node):
    assert Api(node, user=None).get("overview").headers["WWW-Authenticate"] == 'Basic realm="RabbitMQ Management"'
    flags = {one["name"]: one for one in Api(node).get("feature-flags").json}
    for flag in ("quorum_queue", "stream_queue", "implicit_default_bindings", "virtual_host_metadata", "user_limits",
                 "drop_unroutable_metric", "empty_basic_get_metric", "rabbit_exchange_type_local_random",
                 "detailed_queues_endpoint"):
        assert flags[flag]["state"] == "enabled" and flags[flag]["stability"] == "required" and flags[flag]["desc"], flags
    assert {"name", "state", "stability", "desc", "doc_url", "provided_by", "require_level", "experiment_level",
            "callbacks"} == set(flags["quorum_queue"])
    assert Api(node).put("feature-flags/stream_queue/enable").code == 204
    assert Api(node).put("feature-flags/no_such_flag/enable").json == {"error": "bad_request", "reason": "unsupported"}


@test
def names_of_connections(node):
    api = Api(node)
    named = lambda rows: [one.get("user_provided_name") for one in rows]
    with channel_on(node, client_properties={"connection_name": "worker-7\n"}), channel_on(node):
        rows = eventually(lambda: [r for r in [api.get("connections").json] if len(r) >= 2])[0]
        assert "worker-7\n" in named(rows) and None in named(rows), rows
        only = api.get("vhosts/%2F/connections?columns=name,user_provided_name").json
        assert {"worker-7\n"} == {one["user_provided_name"] for one in only if len(one) == 2}, only
        one = [row["name"] for row in rows if row.get("user_provided_name")][0]
        assert api.get(f"connections/{q(one)}").json["user_provided_name"] == "worker-7\n"
        ctl = Path(broker.leveretd_path()).parent / "leveretctl"
        listed = subprocess.run([ctl, "--host", node.host, "--port", str(node.management_port), "-f", "json", "list_connections",
                                 "name", "user_provided_name"], stdout=subprocess.PIPE, timeout=60, check=True)
        assert "worker-7\n" in named(json.loads(listed.stdout))
        assert "vhost=/ name=worker-7\\x0a: open" in node.log(), node.log()[-500:]


@test(seconds=120)
def reasons_of_closing(node):
    """Whatever the reason is, the client can read it: the reply text is UTF-8 and cut between characters."""
    api = Api(node)
    for reason, told in ((b"maintenance", "maintenance"), (b"%s%n", "%s%n"), (b"", ""), ("\u00e9".encode() * 200, "\u00e9" * 117),
                         ("x\u20ac".encode() * 100, "x\u20ac" * 58 + "x"), (b"\xff\xfe" * 3, "??????"), (b"a\xc3", "a?")):
        with connect(node) as connection:
            one = eventually(lambda: [r["name"] for r in api.get("connections").json])[0]
            assert api.delete(f"connections/{q(one)}", headers={"X-Reason": reason}).code == 204
            with connection_error(320):
                try:
                    connection.process_data_events(10)
                except pika.exceptions.ConnectionClosedByBroker as error:
                    assert error.reply_text == "CONNECTION_FORCED - " + told, (reason, error.reply_text)
                    raise
        eventually(lambda: api.get("connections").json == [])


if __name__ == "__main__":
    main(management=True)
