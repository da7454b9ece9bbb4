#!/usr/bin/python3
"""What the HTTP API says of the broker as a whole, and what it does to it: fields of the overview, health checks, resets."""
import contextlib
import re
import resource
import socket

import broker
from client import channel_on, queue
from harness import eventually, main, name, test
from http_api import Api, q

QUORUM = "health/checks/quorum-queues-without-elected-leaders"


@test
def about_the_node(node):
    api = Api(node)
    assert re.fullmatch(r"\d+\.\d+\.\d+", api.get("version").json)
    overview = api.get("overview").json
    assert overview["is_op_policy_updating_enabled"] is True and overview["require_definition_json_extension"] is False
    assert overview["default_queue_type"] == "classic" and overview["cluster_tags"] == {} == overview["node_tags"], overview
    assert api.get("deprecated-features").json == [] == api.get("deprecated-features/used").json
    for path in ("stream/connections", "stream/publishers"):
        assert api.get(path).code == 404, path


@test(own=True, management=True, leveret_only="counts nothing else")
def churn_of_queues(node):
    api, before = Api(node), Api(node).get("overview").json["churn_rates"]
    assert (before["queue_declared"], before["queue_created"], before["queue_deleted"]) == (0, 0, 0), before
    with channel_on(node) as channel:
        mine = queue(channel, name(), exclusive=False)
        channel.queue_declare(mine)                 # declared once more, created once
        channel.queue_declare(mine, passive=True)   # looks only
        queue(channel, name(), exclusive=True)
        assert api.put(f"queues/%2F/{q(name())}").code == 201
        after = api.get("overview").json["churn_rates"]
        assert (after["queue_declared"], after["queue_created"], after["queue_deleted"]) == (4, 3, 0), after
        channel.queue_delete(mine)
    # The exclusive queue has gone with its connection.
    eventually(lambda: api.get("overview").json["churn_rates"]["queue_deleted"] == 2, what="the end of two queues")
    node_now = api.get("nodes").json[0]
    assert node_now["queue_created"] == 3 and node_now["queue_created_details"].keys() == {"rate"}, node_now


@test
def hashes_of_passwords(node):
    api, user = Api(node), name("u")
    hashed = api.get("auth/hash_password/" + q("p/ä")).json["ok"]
    assert hashed != api.get("auth/hash_password/" + q("p/ä")).json["ok"], "each hash has its own salt"
    assert api.put(f"users/{user}", {"password_hash": hashed, "tags": "management"}).code == 201
    plain = api.get("auth/hash_password/plain").json["ok"]
    assert api.put(f"users/{user}", {"password_hash": plain, "tags": "management"}).code == 204
    assert Api(node, user, "plain").get("whoami").json["name"] == user


@test
def resets(node):
    api = Api(node)
    here = api.get("overview").json["node"]
    for method, path, code in (("POST", "rebalance/queues", 204), ("DELETE", "reset", 204), ("DELETE", f"reset/{q(here)}", 204),
                               ("DELETE", "reset/nobody", 404)):
        assert api.call(method, f"/api/{path}").code == code, path
    user = name("u")
    assert api.put(f"users/{user}", {"password": "p", "tags": "monitoring"}).code == 201
    for method, path in (("POST", "rebalance/queues"), ("DELETE", "reset"), ("PUT", "feature-flags/quorum_queue/enable"),
                         ("GET", "auth/hash_password/x")):
        assert Api(node, user, "p").call(method, f"/api/{path}").code == 401, path


@test
def checks_of_the_store_and_cluster(node):
    api, vhost = Api(node), name("v")
    assert api.put(f"vhosts/{vhost}").code == 201
    assert api.put(f"queues/{vhost}/qq", {"durable": True, "arguments": {"x-queue-type": "quorum"}}).code == 201
    for check in ("health/checks/metadata-store/initialized", "health/checks/metadata-store/initialized/with-data",
                  "health/checks/below-node-connection-limit", "health/checks/reached-target-cluster-size",
                  f"{QUORUM}/all-vhosts", f"{QUORUM}/all-vhosts/", f"{QUORUM}/all-vhosts/pattern/%5Eqq",
                  f"{QUORUM}/vhost/{vhost}", f"{QUORUM}/vhost/{vhost}/pattern/q."):
        answer = api.get(check)
        assert (answer.code, answer.json) == (200, {"status": "ok"}), (check, answer)
    assert api.get(f"{QUORUM}/all-vhosts/pattern/%28").code == 400, "half an expression"


@test
def checks_of_protocols(node):
    api = Api(node)
    for asked, protocol in (("amqp", "amqp"), ("amqp091", "amqp"), ("amqp,http", "amqp,http"), ("http", "http")):
        answer = api.get(f"health/checks/protocol-listener/{asked}")
        assert answer.code == 200 and answer.json["protocol"] == protocol, (asked, answer)
        assert {"amqp", "http"} <= set(answer.json["protocols"]), answer
    answer = api.get("health/checks/protocol-listener/mqtt,http,stomp")
    assert answer.code == 503 and answer.json["missing"] == ["mqtt", "stomp"], answer
    assert answer.json["reason"] == "No active listener" and "http" in answer.json["protocols"], answer


@test(leveret_only="the limit is that of open files")
def check_of_connections(node):
    """A broker with few descriptors: as many connections as it may have, then fewer."""
    path = "health/checks/below-node-connection-limit"
    resource.setrlimit(resource.RLIMIT_NOFILE, (700, 700))
    with contextlib.ExitStack() as stack:
        # None of them logs in, and none is to be closed for that meanwhile.
        small = stack.enter_context(broker.private(management=True, settings={"handshake_timeout": "3600000"}))
        api, links = Api(small), []
        limit = api.get("nodes").json[0]["sockets_total"]
        assert api.get(path).json == {"status": "ok"}

        for _ in range(limit):      # HTTP's are among these: more than AMQP's
            links.append(stack.enter_context(socket.create_connection((small.host, small.port))))
        answer = eventually(lambda: [a for a in [api.get(path)] if a.code == 503], what="the limit")[0]
        assert answer.json["status"] == "failed" and answer.json["limit"] == answer.json["connections"] <= len(links), answer
        for link in links:
            link.close()
        eventually(lambda: api.get(path).code == 200, what="a place")


if __name__ == "__main__":
    main(management=True)
