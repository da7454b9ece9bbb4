#!/usr/bin/python3
"""The HTTP API and metrics of a leveretd, as tools written for RabbitMQ's management API use them."""
import base64
import json
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

from fast import Fast, Gone
from harness import Skip, eventually, main, name, test
from http_api import Api, parse_metrics, q

NAMES_OF_OVERVIEW = ("rabbitmq_version", "management_version", "product_name", "product_version", "cluster_name", "node",
                     "message_stats", "queue_totals", "object_totals", "listeners", "contexts", "exchange_types", "churn_rates")
NAMES_OF_QUEUE = ("name", "vhost", "durable", "auto_delete", "exclusive", "arguments", "node", "state", "type", "consumers",
                  "messages", "messages_ready", "messages_unacknowledged", "messages_details", "message_bytes", "memory",
                  "policy", "idle_since")
NAMES_OF_CONNECTION = ("name", "user", "vhost", "state", "protocol", "channels", "channel_max", "frame_max", "timeout", "ssl",
                       "host", "port", "peer_host", "peer_port", "connected_at", "client_properties", "recv_oct", "send_oct",
                       "auth_mechanism", "node", "type")
NAMES_OF_CHANNEL = ("name", "number", "user", "vhost", "confirm", "transactional", "prefetch_count", "global_prefetch_count",
                    "consumer_count", "messages_unacknowledged", "messages_unconfirmed", "connection_details", "state",
                    "message_stats")


def has(thing, names):
    missing = [n for n in names if n not in thing]
    assert not missing, f"{missing} missing in {thing}"


def refused(answer, code, error=None, reason=None):
    assert answer.code == code, answer
    assert error is None or answer.json["error"] == error, answer
    assert reason is None or reason in str(answer.json["reason"]), answer


# ---- Who may ask.

@test
def login(node):
    for api in (Api(node, user=None), Api(node, password="wrong"), Api(node, user="nobody")):
        answer = api.get("overview")
        refused(answer, 401, "not_authorized")
        assert answer.headers["WWW-Authenticate"].startswith("Basic "), answer.headers
    for header in ("Basic", "Basic !!!", "Bearer x", "Basic " + base64.b64encode(b"nocolon").decode()):
        assert Api(node, user=None).call("GET", "/api/overview", headers={"Authorization": header}).code == 401
    own = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
    assert Api(node).get("whoami").json == {"name": "guest", "tags": ["administrator"],
                                            "is_internal_user": True, "permissions": [own]}


@test
def tags_decide(node):
    api, stem, vhost = Api(node), name("u"), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    users = {}
    for tag in ("management", "monitoring", "policymaker", "administrator", ""):
        user = f"{stem}{tag}"
        assert api.put(f"users/{user}", {"password": "p", "tags": tag}).code == 201
        assert api.put(f"permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"}).code == 201
        users[tag] = Api(node, user, "p")
    refused(users[""].get("whoami"), 401, "not_authorised")
    for tag, path, code in (("management", "users", 401), ("management", "nodes", 401), ("management", "overview", 200),
                            ("management", "queues/%2F", 401), ("management", f"queues/{vhost}", 200),
                            ("monitoring", "nodes", 200), ("monitoring", "queues/%2F", 401), ("monitoring", "users", 401),
                            ("policymaker", "parameters", 200), ("management", "parameters", 401),
                            ("administrator", "users", 200)):
        assert users[tag].get(path).code == code, (tag, path)
    assert [v["name"] for v in users["management"].get("vhosts").json] == [vhost]
    assert len(users["monitoring"].get("vhosts").json) > 1
    # Seeing is not changing: that needs permissions on the vhost, of an administrator too.
    refused(users["administrator"].put("queues/%2F/x"), 401, "not_authorised")
    assert users["management"].put(f"queues/{vhost}/mine").code == 201
    refused(users["management"].put(f"vhosts/{vhost}2"), 401)
    for user in users.values():
        assert api.delete(f"users/{stem}").code in (204, 404)
    assert api.delete(f"vhosts/{vhost}").code == 204


@test
def permissions_hold(node):
    api, user, vhost = Api(node), name("u"), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    assert api.put(f"users/{user}", {"password": "p", "tags": "management"}).code == 201
    assert api.put(f"permissions/{vhost}/{user}", {"configure": "^c", "write": "^w|^amq", "read": "^r"}).code == 201
    assert api.put(f"permissions/{vhost}/{user}", {"configure": "^c", "write": "^w|^amq", "read": "^r"}).code == 204
    own = Api(node, user, "p")
    assert own.put(f"queues/{vhost}/c1").code == 201
    refused(own.put(f"queues/{vhost}/d1"), 401, "not_authorised")
    refused(own.put(f"exchanges/{vhost}/d1"), 401)
    refused(own.take("c1", vhost=vhost), 401)
    refused(own.delete(f"queues/{vhost}/c1/contents"), 401)
    refused(own.publish("x1", "k", "m", vhost=vhost), 401)
    refused(own.post(f"bindings/{vhost}/e/amq.topic/q/c1"), 401)
    refused(own.delete(f"queues/{vhost}/w"), 401)
    assert own.publish("amq.fanout", "k", "m", vhost=vhost).json == {"routed": False}
    assert api.delete(f"permissions/{vhost}/{user}").code == 204
    refused(own.put(f"queues/{vhost}/c2"), 401)


# ---- Listings.

@test
def overview(node):
    answer = Api(node).get("overview")
    has(answer.json, NAMES_OF_OVERVIEW)
    assert answer.headers["Content-Type"] == "application/json"
    has(answer.json["object_totals"], ("connections", "channels", "queues", "exchanges", "consumers"))
    assert {"amqp", "http"} <= {one["protocol"] for one in answer.json["listeners"]}
    assert Api(node).get("overview?columns=node").json.keys() == {"node"}
    node_name = answer.json["node"]
    has(Api(node).get("nodes").json[0], ("name", "running", "mem_used", "mem_limit", "mem_alarm", "disk_free", "disk_free_limit",
                                         "disk_free_alarm", "fd_used", "fd_total", "sockets_used", "proc_used", "uptime"))
    assert Api(node).get(f"nodes/{q(node_name)}").json["name"] == node_name
    assert Api(node).get("nodes/nobody").code == 404
    assert Api(node).get("cluster-name").json["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", Api(node).get("version").json)


@test
def paging(node):
    api, vhost = Api(node), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    for i in range(7):
        assert api.put(f"queues/{vhost}/q{i}").code == 201
    for i in range(3):
        assert api.publish("amq.default", "q3", f"{i}", vhost=vhost).json["routed"]
    page = api.get(f"queues/{vhost}?page=2&page_size=3&columns=name").json
    assert page == {"filtered_count": 7, "item_count": 3, "page": 2, "page_count": 3, "page_size": 3, "total_count": 7,
                    "items": [{"name": "q3"}, {"name": "q4"}, {"name": "q5"}]}, page
    by_size = api.get(f"queues/{vhost}?sort=messages&sort_reverse=true&columns=name,messages").json
    assert by_size[0] == {"name": "q3", "messages": 3}, by_size
    assert [one["name"] for one in by_size[1:]] == ["q6", "q5", "q4", "q2", "q1", "q0"], by_size
    assert api.get(f"queues/{vhost}?page=1&name=%5Eq%5B12%5D&use_regex=true&columns=name").json["filtered_count"] == 2
    assert api.get(f"queues/{vhost}?page=1&name=Q3&columns=name").json["items"] == [{"name": "q3"}]
    refused(api.get(f"queues/{vhost}?page=5&page_size=3"), 400, "page_out_of_range")
    refused(api.get(f"queues/{vhost}?page=1&page_size=501"), 400)
    refused(api.get(f"queues/{vhost}?page=x"), 400)
    stats = api.get(f"queues/{vhost}?columns=name,message_stats.publish").json
    assert {"name": "q3", "message_stats": {"publish": 3}} in stats, stats
    assert api.delete(f"vhosts/{vhost}").code == 204
    assert api.get(f"queues/{vhost}").code == 404


@test
def connections_come_and_go(node):
    api, queue = Api(node), name()
    with Fast(node) as link:
        link.declare(queue)
        link.consume(queue, tag="the-tag")
        link.confirm()
        ours = [c for c in api.get("connections").json if c["peer_port"] == link.socket.getsockname()[1]]
        assert len(ours) == 1, ours
        has(ours[0], NAMES_OF_CONNECTION)
        path = q(ours[0]["name"])
        assert api.get(f"connections/{path}").json["user"] == "guest"
        assert ours[0]["name"] in {c["name"] for c in api.get("vhosts/%2F/connections").json}
        assert ours[0]["name"] in {c["name"] for c in api.get("connections/username/guest").json}
        channels = api.get(f"connections/{path}/channels").json
        assert len(channels) == 1 and channels[0]["confirm"] is True and channels[0]["consumer_count"] == 1, channels
        has(channels[0], NAMES_OF_CHANNEL)
        details = api.get(f"channels/{q(channels[0]['name'])}").json["consumer_details"]
        assert details[0]["consumer_tag"] == "the-tag" and details[0]["queue"] == {"name": queue, "vhost": "/"}, details
        assert "the-tag" in {c["consumer_tag"] for c in api.get("consumers/%2F").json}
        assert api.get(f"queues/%2F/{q(queue)}").json["consumer_details"][0]["ack_required"] is True
        assert api.delete(f"connections/{path}", headers={"X-Reason": "because I can"}).code == 204
        assert api.get(f"connections/{path}").code == 404
        assert api.delete(f"connections/{path}").code == 404
        try:
            link.next()
            raise AssertionError("the connection stayed")
        except Gone as gone:
            assert gone.code == 320 and "because I can" in str(gone), gone
    assert api.delete(f"queues/%2F/{q(queue)}").code == 204


# ---- Queues, exchanges, bindings.

@test
def queues(node):
    api, queue = Api(node), name("a/b c%ä")
    path = f"queues/%2F/{q(queue)}"
    body = {"durable": True, "arguments": {"x-message-ttl": 60000, "x-expires": 600000}}
    assert api.put(path, body).code == 201
    assert api.put(path, body).code == 204
    refused(api.put(path, {"durable": False}), 400, "bad_request", "inequivalent arg 'durable'")
    answer = api.get(path).json
    has(answer, NAMES_OF_QUEUE)
    assert "message_stats" not in answer, "a queue that had no message has none, as in RabbitMQ"
    assert answer["name"] == queue and answer["arguments"] == {**body["arguments"], "x-queue-type": "classic"} and answer["durable"] is True, answer
    refused(api.put("queues/%2F/amq.mine"), 401)
    refused(api.put("queues/none/x"), 404, "not_found")
    refused(api.put(f"queues/%2F/{q(name())}", {"durable": "yes"}), 400)
    refused(api.put(f"queues/%2F/{q(name())}", {"arguments": {"x-expires": 0}}), 400)
    refused(api.put(path, raw="{nojson"), 400, "bad_request", "not_json")
    refused(api.put(f"queues/%2F/{'x' * 256}"), 400)
    assert api.publish("amq.default", queue, "m").json == {"routed": True}
    assert api.get(path).json["message_stats"]["publish"] == 1
    refused(api.delete(path + "?if-empty=true"), 400, "bad_request", "not empty")
    assert api.delete(path + "/contents").code == 204
    assert api.get(path).json["messages"] == 0
    assert api.delete(path + "?if-empty=true&if-unused=true").code == 204
    for gone in (api.get(path), api.delete(path), api.delete(path + "/contents")):
        refused(gone, 404)
    # An empty body is an empty object.
    assert api.put(path, raw="").code == 201
    assert api.delete(path).code == 204


@test
def exchanges(node):
    api, exchange = Api(node), name("x")
    path = f"exchanges/%2F/{q(exchange)}"
    assert api.put(path, {"type": "topic", "durable": True, "auto_delete": False, "internal": False, "arguments": {}}).code == 201
    assert api.put(path, {"type": "topic", "durable": True}).code == 204
    refused(api.put(path, {"type": "fanout", "durable": True}), 400, "bad_request", "inequivalent arg 'type'")
    refused(api.put(f"exchanges/%2F/{q(name('x'))}", {"type": "nonsense"}), 400)
    refused(api.put("exchanges/%2F/amq.mine", {"type": "direct"}), 401)
    assert api.get(path).json["type"] == "topic"
    assert api.get("exchanges/%2F/amq.default").json["name"] == ""
    assert {"", "amq.direct", "amq.fanout", "amq.topic", "amq.headers", "amq.match", exchange} <= \
        {x["name"] for x in api.get("exchanges/%2F").json}
    refused(api.delete("exchanges/%2F/amq.direct"), 401)
    assert api.delete(path).code == 204
    refused(api.delete(path), 404)


@test
def bindings(node):
    api, queue, exchange, other = Api(node), name(), name("x"), name("y")
    assert api.put(f"queues/%2F/{queue}").code == 201
    for one in (exchange, other):
        assert api.put(f"exchanges/%2F/{one}", {"type": "topic"}).code == 201
    between = f"bindings/%2F/e/{exchange}/q/{queue}"
    for key, arguments in (("a.b", {}), ("a.b", {"x": 1, "y": "z"}), ("", {}), ("a b/c~d%e#*.é", {}), ("", {"n": None, "l": [1]})):
        answer = api.post(between, {"routing_key": key, "arguments": arguments})
        assert answer.code == 201, answer
        # Location leads to the binding, from where it was posted.
        found = api.call("GET", f"/api/bindings/%2F/e/{exchange}/q/{answer.headers['Location']}")
        assert found.json["routing_key"] == key and found.json["arguments"] == arguments, found
    listed = api.get(between).json
    assert len(listed) == 5 and api.get(f"queues/%2F/{queue}/bindings").json == [
        {"source": "", "vhost": "/", "destination": queue, "destination_type": "queue", "routing_key": queue, "arguments": {},
         "properties_key": q(queue)}] + listed, listed
    answer = api.post(f"bindings/%2F/e/{exchange}/e/{other}", {"routing_key": "z"})
    assert answer.code == 201 and answer.headers["Location"] == f"{other}/z"
    assert len(api.get(f"exchanges/%2F/{exchange}/bindings/source").json) == 6
    assert api.get(f"exchanges/%2F/{other}/bindings/destination").json[0]["destination_type"] == "exchange"
    for one in listed:
        assert api.delete(f"{between}/{q(one['properties_key'])}").code == 204, one
        assert api.delete(f"{between}/{q(one['properties_key'])}").code == 404, one
    assert api.get(between).json == []
    assert api.delete(f"bindings/%2F/e/{exchange}/e/{other}/z").code == 204
    refused(api.post(f"bindings/%2F/e/{exchange}/q/none"), 404, "not_found", "no queue 'none'")
    refused(api.post(f"bindings/%2F/e/none/q/{queue}"), 404, "not_found", "no exchange 'none'")
    refused(api.post(f"bindings/%2F/e/amq.default/q/{queue}"), 401)


# ---- Messages.

@test
def publish_and_get(node):
    api, queue = Api(node), name()
    assert api.put(f"queues/%2F/{queue}", {"durable": True}).code == 201
    properties = {"delivery_mode": 2, "priority": 3, "content_type": "text/plain", "content_encoding": "utf-8", "message_id": "m",
                  "correlation_id": "c", "reply_to": "r", "expiration": "600000", "timestamp": 123456, "type": "t",
                  "user_id": "guest", "app_id": "a", "headers": {"i": 1, "s": "x", "l": [1, 2.5, None], "t": {"b": True}}}
    assert api.publish("amq.default", queue, "héllo", properties).json == {"routed": True}
    assert api.publish("amq.default", queue, base64.b64encode(b"\x00\xff").decode(), encoding="base64").json == {"routed": True}
    assert api.publish("amq.default", name("nowhere"), "x").json == {"routed": False}
    for redelivered in (False, True):
        first, second = api.take(queue, 10, "ack_requeue_true").json
        assert first["payload"] == "héllo" and first["payload_encoding"] == "string" and first["payload_bytes"] == 6, first
        assert first["properties"] == properties and first["exchange"] == "" and first["routing_key"] == queue, first
        assert first["redelivered"] is redelivered and (first["message_count"], second["message_count"]) == (1, 0), first
        assert second["payload"] == "AP8=" and second["payload_encoding"] == "base64" and second["properties"] == [], second
    assert api.take(queue, 1, "reject_requeue_true", "base64").json[0]["payload"] == base64.b64encode("héllo".encode()).decode()
    assert api.take(queue, 1, "ack_requeue_true", truncate=1).json[0]["payload"] == "h"
    assert api.get(f"queues/%2F/{queue}").json["messages_ready"] == 2
    assert len(api.take(queue, "1", "reject_requeue_false").json) == 1
    assert len(api.take(queue, -1).json) == 1
    assert api.take(queue).json == []
    # A large one, in pieces on the wire and many times the size at which bodies are sliced.
    large = "x" * 3_000_000
    assert api.publish("amq.default", queue, large).json == {"routed": True}
    assert api.take(queue).json[0]["payload"] == large


@test
def publish_and_get_refusals(node):
    api, queue = Api(node), name()
    assert api.put(f"queues/%2F/{queue}").code == 201
    refused(api.publish("none", queue, "x"), 400, "bad_request", "404 NOT_FOUND - no exchange 'none'")
    refused(api.take("none"), 404, "not_found", "no queue 'none'")
    refused(api.publish("amq.default", queue, "!", encoding="base64"), 400, None, "not_base64")
    refused(api.publish("amq.default", queue, "!", encoding="zz"), 400, None, "unsupported_encoding")
    for wrong in ({"delivery_mode": "2"}, {"expiration": 5}, {"expiration": "x"}, {"headers": 3}, {"user_id": "bob"}):
        refused(api.publish("amq.default", queue, "x", wrong), 400)
    refused(api.post("exchanges/%2F/amq.default/publish", {"routing_key": "x"}), 400, None, "key_missing,payload")
    refused(api.post(f"queues/%2F/{queue}/get", {"count": 1}), 400, None, "key_missing,ackmode")
    refused(api.take(queue, encoding="zz"), 400)
    refused(api.take(queue, "many"), 400)
    refused(api.take(queue, ackmode="zz"), 400)
    assert api.get(f"queues/%2F/{queue}").json["messages"] == 0


@test
def an_exclusive_queue_is_somebody_elses(node):
    api, queue = Api(node), name()
    with Fast(node) as link:
        link.declare(queue, exclusive=True)
        assert api.get(f"queues/%2F/{queue}").json["owner_pid_details"]["name"]
        refused(api.take(queue), 400, None, "405 RESOURCE_LOCKED")
        refused(api.delete(f"queues/%2F/{queue}"), 400)
    eventually(lambda: api.get(f"queues/%2F/{queue}").code == 404)


# ---- Users, vhosts, definitions.

@test
def users(node):
    api, user = Api(node), name("u")
    assert api.put(f"users/{user}", {"password": "p", "tags": "management,custom"}).code == 201
    assert api.get(f"users/{user}").json["tags"] == ["management", "custom"]
    hashed = api.get(f"users/{user}").json["password_hash"]
    assert user in {u["name"] for u in api.get("users/without-permissions").json}
    # A hash is as good as the password.
    assert api.put(f"users/{user}2", {"password_hash": hashed, "tags": ["management"]}).code == 201
    assert Api(node, user + "2", "p").get("whoami").code == 200
    assert api.put(f"users/{user}", {"tags": ""}).code == 204
    assert Api(node, user, "p").get("whoami").code == 401
    refused(api.put(f"users/{user}", {"password": "p"}), 400, None, "tags")
    refused(api.put(f"users/{user}", {"password_hash": "!!", "tags": ""}), 400)
    refused(api.post("users/bulk-delete", {"users": [user, "nobody"]}), 400, None, "no_such_user")
    assert api.post("users/bulk-delete", {"users": [user, user + "2"]}).code == 204
    refused(api.get(f"users/{user}"), 404)
    refused(api.delete(f"users/{user}"), 404)
    refused(api.put("permissions/%2F/nobody", {"configure": "", "write": "", "read": ""}), 400)
    refused(api.put("permissions/%2F/guest", {"configure": "(", "write": "", "read": ""}), 400)
    assert api.get("permissions/%2F/guest").json == {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}


@test
def vhosts_keep_apart(node):
    api, vhost = Api(node), name("v/ä")
    path = f"vhosts/{q(vhost)}"
    assert api.put(path, {"description": "d", "tags": "a,b"}).code == 201
    assert api.put(path, {"description": "e"}).code == 204
    assert api.get(path).json["description"] == "e"
    assert api.get(f"permissions/{q(vhost)}/guest").code == 200, "who makes a vhost may use it"
    assert api.put(f"queues/{q(vhost)}/q").code == 201
    assert api.get("queues/%2F/q").code == 404
    assert api.get(f"aliveness-test/{q(vhost)}").json == {"status": "ok"}
    with Fast(node, vhost=vhost) as link:
        link.declare("mine")
        assert api.delete(path).code == 204
        try:
            link.next()
            raise AssertionError("the connection outlived its vhost")
        except Gone:
            pass
    refused(api.get(path), 404)
    refused(api.delete(path), 404)
    # A new one of the name has nothing of the old.
    assert api.put(path).code == 201
    assert api.get(f"queues/{q(vhost)}").json == []
    assert api.delete(path).code == 204


@test(own=True, management=True)
def definitions(node):
    api = Api(node)
    api.put("vhosts/v")
    api.put("users/u", {"password": "p", "tags": "management"})
    api.put("permissions/v/u", {"configure": "a", "write": "b", "read": "c"})
    api.put("queues/v/q", {"durable": True, "arguments": {"x-message-ttl": 5}})
    api.put("exchanges/v/x", {"type": "headers", "durable": True})
    api.post("bindings/v/e/x/q/q", {"routing_key": "k", "arguments": {"x-match": "all"}})
    exported = api.get("definitions").json
    assert api.get("definitions/v").json["queues"][0]["name"] == "q"
    api.delete("vhosts/v")
    api.delete("users/u")
    assert api.post("definitions", exported).code == 204
    assert api.post("definitions", exported).code == 204, "twice is once"
    again = api.get("definitions").json
    for part in ("users", "vhosts", "permissions", "queues", "exchanges", "bindings"):
        order = lambda things: sorted(json.dumps(one, sort_keys=True) for one in things)
        assert order(again[part]) == order(exported[part]), (part, again[part], exported[part])
    assert Api(node, "u", "p").get("whoami").code == 200
    # What exists with other properties stays, and that is said; a single vhost's definitions have no vhost in them.
    refused(api.post("definitions/v", {"queues": [{"name": "q", "durable": False}, {"name": "r", "durable": True}]}), 400,
            reason="1 of 2 entries were carried out; not: queues[0] 'q' in vhost 'v': inequivalent arg 'durable'")
    assert {one["name"]: one["durable"] for one in api.get("queues/v").json} == {"q": True, "r": True}
    many = [{"name": f"many-{i}", "vhost": "/", "durable": True, "arguments": {}} for i in range(1000)]
    assert api.post("definitions", {"queues": many}).code == 204
    assert len(api.get("queues/%2F?columns=name").json) == 1000
    for wrong in ({"users": 3}, {"queues": [{"name": "x" * 300, "vhost": "/"}]}, {"users": [{}]}):
        refused(api.post("definitions", wrong), 400)
    node.restart()
    eventually(lambda: api.get("whoami").code == 200)
    assert len(api.get("queues/%2F?columns=name").json) == 1000
    assert Api(node, "u", "p").get("permissions").code == 401


# ---- Health and metrics.

@test
def health(node):
    api = Api(node)
    for check in ("alarms", "local-alarms", "virtual-hosts", f"port-listener/{node.port}", "protocol-listener/amqp", "is-in-service",
                  "ready-to-serve-clients", "certificate-expiration/1/months", "node-is-quorum-critical"):
        answer = api.get(f"health/checks/{check}")
        assert answer.code == 200 and answer.json["status"] == "ok", (check, answer)
    for check in ("port-listener/1", "protocol-listener/mqtt"):
        answer = api.get(f"health/checks/{check}")
        assert answer.code == 503 and answer.json["status"] == "failed", (check, answer)
    refused(api.get("health/checks/port-listener/x"), 400)


@test
def metrics(node):
    queue = name('odd"\\\n')
    assert Api(node).put(f"queues/%2F/{q(queue)}").code == 201
    before = parse_metrics(Api(node).call("GET", "/metrics").text)
    for i in range(5):
        Api(node).publish("amq.default", queue, "m")
    after = parse_metrics(Api(node, user=None, port=node.metrics_port).call("GET", "/metrics").text)
    received = 'rabbitmq_global_messages_received_total{protocol="amqp091"}'
    assert after[received] == before[received] + 5
    for one in ("rabbitmq_connections", "rabbitmq_channels", "rabbitmq_queues", "rabbitmq_consumers", "rabbitmq_queue_messages_ready",
                "rabbitmq_queue_messages_unacked", "rabbitmq_queue_messages", "process_resident_memory_bytes", "process_open_fds",
                "rabbitmq_disk_space_available_bytes", "leveret_journal_commit_seconds_count", 'leveret_mailbox_letters{worker="0"}'):
        assert one in after, one
    assert any(key.startswith("rabbitmq_identity_info{") for key in after)
    refused(Api(node, user=None).call("GET", "/metrics"), 401)
    each = parse_metrics(Api(node).call("GET", "/metrics/per-object").text)
    escaped = queue.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    assert each[f'rabbitmq_queue_messages_ready{{vhost="/",queue="{escaped}"}}'] == 5
    detailed = Api(node, user=None, port=node.metrics_port).call("GET", "/metrics/detailed?family=queue_coarse_metrics&vhost=%2F").text
    assert "rabbitmq_detailed_queue_messages_ready{" in detailed and "queue_consumers" not in detailed
    parse_metrics(detailed)
    assert Api(node, port=node.metrics_port).get("overview").code == 404, "the metrics port has nothing else"


@test(seconds=60)
def rates(node):
    api, queue = Api(node), name()
    assert api.put(f"queues/%2F/{queue}").code == 201
    api.get(f"queues/%2F/{queue}")
    end = time.monotonic() + 6
    while time.monotonic() < end:
        api.publish("amq.default", queue, "m")
        time.sleep(0.05)
    details = api.get(f"queues/%2F/{queue}").json["message_stats"]["publish_details"]["rate"]
    assert 0 < details < 100, details
    total = api.get("overview").json["message_stats"]["publish_details"]["rate"]
    assert total > 0, total


# ---- HTTP itself.

def raw(node, data, seconds=60):
    link = socket.create_connection((node.host, node.management_port), seconds)
    link.sendall(data)
    return link


@test
def odd_requests(node):
    api = Api(node)
    refused(api.get("nothing"), 404)
    assert api.call("PATCH", "/api/queues").code == 405
    assert api.call("DELETE", "/api/queues").headers["Allow"].startswith("HEAD, GET")
    assert api.call("OPTIONS", "/api/queues/%2F/x").headers["Allow"] == "HEAD, GET, PUT, DELETE, OPTIONS"
    answer = api.call("HEAD", "/api/overview")
    assert answer.code == 200 and not answer.text and int(answer.headers["Content-Length"]) > 100
    refused(api.get("queues/%2F/a%00b"), 404)
    refused(api.put("queues/%2F/x", raw="[1]"), 400)
    deep = '{"arguments":' + '{"a":' * 1000 + "1" + "}" * 1001
    refused(api.put("queues/%2F/x", raw=deep), 400)
    assert api.call("GET", "/api/queues?" + "a=b&" * 10000).code in (200, 400, 414)
    refused(api.get("queues?page=1&use_regex=true&name=(a%2B)%2B%24"), 200)


@test
def clients_that_leave(node):
    """Before their answer, in the middle of a request, or with many requests in one packet."""
    authorization = b"Authorization: Basic " + base64.b64encode(b"guest:guest") + b"\r\n"
    request = b"GET /api/queues HTTP/1.1\r\nHost: x\r\n" + authorization + b"\r\n"
    for data in (request, request[:20], b"PUT /api/queues/%2F/x HTTP/1.1\r\nContent-Length: 100\r\n" + authorization + b"\r\n{",
                 b"\x00" * 1000, b"GET / HTTP/9.9\r\n\r\n", b"POST /api/definitions HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"):
        for _ in range(20):
            raw(node, data).close()
    link = raw(node, request * 5)
    link.settimeout(60)
    seen = b""
    while seen.count(b"HTTP/1.1 200") < 5:
        more = link.recv(65536)
        assert more, seen[-200:]
        seen += more
    link.close()
    assert Api(node).get("whoami").code == 200


@test
def many_at_once(node):
    api, queue, wrong = Api(node), name(), []
    assert api.put(f"queues/%2F/{queue}").code == 201

    def work(number):
        try:
            for i in range(20):
                assert api.publish("amq.default", queue, f"{number}.{i}").json == {"routed": True}
                assert api.get(f"queues/%2F/{queue}").code == 200
                assert len(api.take(queue).json) == 1
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not wrong, wrong[0]
    assert api.get(f"queues/%2F/{queue}").json["messages"] == 0


# ---- The tool itself.

@test(seconds=60)
def rabbitmqadmin(node):
    found = sorted(Path("/usr/lib/rabbitmq").glob("lib/*/plugins/rabbitmq_management-*/priv/www/cli/rabbitmqadmin"))
    if not found:
        raise Skip("there is no rabbitmqadmin here")

    def admin(*arguments, code=0):
        done = subprocess.run(["/usr/bin/python3", str(found[-1]), "-H", node.host, "-P", str(node.management_port), "-f", "tsv", *arguments],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        assert done.returncode == code, done.stdout
        return done.stdout

    queue, exchange = name(), name("x")
    admin("declare", "queue", f"name={queue}", "durable=true", 'arguments={"x-message-ttl": 60000}')
    admin("declare", "exchange", f"name={exchange}", "type=topic")
    admin("declare", "binding", f"source={exchange}", f"destination={queue}", "routing_key=a.#")
    assert "NOT routed" not in admin("publish", f"exchange={exchange}", "routing_key=a.b", "payload=hello")
    assert "NOT routed" in admin("publish", f"exchange={exchange}", "routing_key=c", "payload=hello")
    assert "hello" in admin("get", f"queue={queue}")
    assert f"{queue}\t1" in admin("list", "queues", "name", "messages")
    for thing in ("connections", "channels", "consumers", "exchanges", "bindings", "users", "vhosts", "permissions", "nodes",
                  "parameters", "policies", "operator_policies", "vhost_limits"):
        admin("list", thing)
    admin("show", "overview")
    admin("purge", "queue", f"name={queue}")
    admin("export", str(node.dir / "definitions.json"))
    admin("import", str(node.dir / "definitions.json"))
    admin("delete", "binding", f"source={exchange}", "destination_type=queue", f"destination={queue}", "properties_key=a.%23")
    admin("delete", "queue", f"name={queue}")
    admin("delete", "exchange", f"name={exchange}")
    assert "Not found" in admin("delete", "queue", f"name={queue}", code=1)


@test(own=True, management=True, leveret_only="RabbitMQ has no conditions")
def conditions_of_lists(node):
    api = Api(node)
    for number in range(1200):
        settings = {"durable": True, "arguments": {"x-queue-type": "quorum"} if number % 100 == 7 else {}}
        if number == 5:
            settings["arguments"] = {"x-dead-letter-exchange": "", "x-message-ttl": 60000}
        assert api.put(f"queues/%2F/q{number:04}", settings).code == 201
    for number in (5, 7, 9):
        assert api.publish("amq.default", f"q{number:04}", "x").json["routed"]
    def names(where, more=""):
        answer = api.get(f"queues?columns=name&{'&'.join('where=' + q(one) for one in where)}{more}")
        assert answer.code == 200, answer
        return [row["name"] for row in answer.json]
    assert len(names([])) == 1200
    assert names(["type:eq:quorum"]) == [f"q{n:04}" for n in range(7, 1200, 100)]
    assert names(["messages:gt:0"]) == names(["messages:ne:0"]) == ["q0005", "q0007", "q0009"]
    assert names(["messages:gt:0", "type:eq:quorum"]) == ["q0007"]
    assert names(["messages:gt:0"], "&sort=name&sort_reverse=true") == ["q0009", "q0007", "q0005"]
    assert names(["messages:lt:1", "name:eq:q0001"]) == ["q0001"]
    assert names(["arguments.x-dead-letter-exchange:has:"]) == names(["arguments.x-message-ttl:eq:60000"]) == ["q0005"]
    assert names(["auto_delete:eq:true"]) == [] and len(names(["durable:eq:true"])) == 1200
    assert names(["nothing:eq:1"]) == [] and len(names(["nothing:ne:1"])) == 1200
    page = api.get("queues?page=1&page_size=5&columns=name&name=Q00&where=type:eq:quorum").json
    assert (page["total_count"], page["filtered_count"], page["item_count"]) == (1200, 1, 1), page
    refused(api.get("queues?page=2&page_size=5&name=Q00&where=type:eq:quorum"), 400, "page_out_of_range")
    page = api.get("queues?page=2&page_size=5&columns=name&where=type:eq:quorum").json
    assert page["filtered_count"] == 12 and [row["name"] for row in page["items"]] == [f"q{n:04}" for n in range(507, 1007, 100)], page
    for wrong in ("type", "type:eq", "type:is:x", ":eq:1", "messages:gt:many", "a,b:eq:1"):
        refused(api.get("queues?where=" + q(wrong)), 400, "bad_request", "COLUMN:TEST:VALUE")
    refused(api.get("queues?" + "&".join(["where=type:eq:quorum"] * 9)), 400, "bad_request")


if __name__ == "__main__":
    main(management=True)
