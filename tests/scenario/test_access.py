#!/usr/bin/python3
"""Who sees what over the HTTP API: every way of asking, by every tag, in a vhost with permissions and in one without."""
from client import channel_on
from harness import main, name, test
from http_api import Api, q

ALL = {"configure": ".*", "write": ".*", "read": ".*"}
TAGS = ("administrator", "monitoring", "policymaker", "management", "none")


class World:
    """Two vhosts with one of each thing in them; a user for each tag, with permissions on the first one."""

    def __init__(self, node):
        self.api = Api(node)
        self.inside, self.outside = name("in"), name("out")
        self.node_name = self.api.get("overview").json["node"]
        for vhost in (self.inside, self.outside):
            assert self.api.put(f"vhosts/{vhost}").code == 201
            assert self.api.put(f"queues/{vhost}/q").code == 201
            assert self.api.put(f"exchanges/{vhost}/x", {"type": "topic"}).code == 201
            assert self.api.post(f"bindings/{vhost}/e/x/q/q", {"routing_key": "k"}).code == 201
            for kind in ("policies", "operator-policies"):
                assert self.api.put(f"{kind}/{vhost}/p", {"pattern": "^z", "definition": {"max-length": 1}}).code == 201
            assert self.api.put(f"vhost-limits/{vhost}/max-queues", {"value": 100}).code == 204
        self.users = {}
        for tag in TAGS:
            user = f"{self.inside}-{tag}"
            assert self.api.put(f"users/{user}", {"password": "p", "tags": "" if tag == "none" else tag}).code == 201
            assert self.api.put(f"permissions/{self.inside}/{user}", ALL).code == 201
            assert self.api.put(f"user-limits/{user}/max-channels", {"value": 100}).code == 204
            self.users[tag] = Api(node, user, "p")

    def user(self, tag):
        return f"{self.inside}-{tag}"


# Path → which of TAGS are answered; all others get 401. "u" stands for the user without tags, "n" for the node.
ADMINISTRATORS = "a...."
MONITORS = "am..."
POLICYMAKERS = "a.p.."
ANY = "ampg."
WHOLE = {
    "overview": ANY, "whoami": ANY, "version": ANY, "extensions": ANY, "cluster-name": ANY, "nodes": MONITORS,
    "nodes/{n}": MONITORS, "feature-flags": ANY, "deprecated-features": ANY, "deprecated-features/used": ANY,
    "auth/hash_password/x": ADMINISTRATORS, "queues/detailed": ANY, "auth": "ampgn", "auth/attempts": MONITORS,
    "auth/attempts/{n}": MONITORS, "connections": ANY, "connections/username/{u}": ANY, "channels": ANY, "consumers": ANY,
    "exchanges": ANY, "queues": ANY, "bindings": ANY, "vhosts": ANY, "policies": ANY, "operator-policies": ANY,
    "parameters": POLICYMAKERS, "parameters/policy": POLICYMAKERS, "parameters/operator_policy": POLICYMAKERS,
    "users": ADMINISTRATORS, "users/without-permissions": ADMINISTRATORS, "users/{u}": ADMINISTRATORS,
    "users/{u}/permissions": ADMINISTRATORS, "users/{u}/topic-permissions": ADMINISTRATORS, "permissions": ADMINISTRATORS,
    "topic-permissions": ADMINISTRATORS, "vhost-limits": ANY, "user-limits": ANY, "user-limits/{u}": ANY,
    "global-parameters": POLICYMAKERS, "definitions": ADMINISTRATORS, "health/checks/alarms": ANY,
    "health/checks/local-alarms": ANY, "health/checks/virtual-hosts": ANY, "health/checks/protocol-listener/amqp": ANY,
    "health/checks/certificate-expiration/1/days": ANY, "health/checks/node-is-quorum-critical": ANY,
    "health/checks/is-in-service": ANY, "health/checks/ready-to-serve-clients": ANY,
    "health/checks/metadata-store/initialized": ANY, "health/checks/metadata-store/initialized/with-data": ANY,
    "health/checks/below-node-connection-limit": ANY, "health/checks/reached-target-cluster-size": ANY,
    "health/checks/quorum-queues-without-elected-leaders/all-vhosts": ANY,
    "health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/%5Eq": ANY,
}
# Path → who is answered in the vhost with permissions, who in the other one.
OF_VHOST = {
    "permissions/{v}/{u}": (ADMINISTRATORS, None), "vhosts/{v}": (ADMINISTRATORS, ADMINISTRATORS),
    "vhosts/{v}/permissions": (ADMINISTRATORS, ADMINISTRATORS), "vhosts/{v}/topic-permissions": (ADMINISTRATORS, ADMINISTRATORS),
    "vhosts/{v}/connections": (ANY, ADMINISTRATORS), "vhosts/{v}/channels": (ANY, ADMINISTRATORS),
    "consumers/{v}": (ANY, ADMINISTRATORS), "exchanges/{v}": (ANY, ADMINISTRATORS), "exchanges/{v}/x": (ANY, ADMINISTRATORS),
    "exchanges/{v}/x/bindings/source": (ANY, ADMINISTRATORS), "exchanges/{v}/x/bindings/destination": (ANY, ADMINISTRATORS),
    "queues/{v}": (ANY, ADMINISTRATORS), "queues/{v}/q": (ANY, ADMINISTRATORS), "queues/{v}/q/bindings": (ANY, ADMINISTRATORS),
    "bindings/{v}": (ANY, ADMINISTRATORS), "bindings/{v}/e/x/q/q": (ANY, ADMINISTRATORS),
    "bindings/{v}/e/x/q/q/k": (ANY, ADMINISTRATORS), "policies/{v}": (ANY, ADMINISTRATORS),
    "policies/{v}/p": (POLICYMAKERS, ADMINISTRATORS), "operator-policies/{v}": (ANY, ADMINISTRATORS),
    "operator-policies/{v}/p": (ADMINISTRATORS, ADMINISTRATORS), "parameters/policy/{v}": (POLICYMAKERS, ADMINISTRATORS),
    "parameters/operator_policy/{v}": (POLICYMAKERS, ADMINISTRATORS),
    "parameters/operator_policy/{v}/p": (POLICYMAKERS, ADMINISTRATORS), "vhost-limits/{v}": (ANY, MONITORS),
    "definitions/{v}": (ADMINISTRATORS, ADMINISTRATORS), "aliveness-test/{v}": (ANY, None),
}


def check(world, path, who):
    for tag, letter in zip(TAGS, who):
        code = world.users[tag].get(path).code
        assert code == (401 if letter == "." else 200), (path, tag, code)


@test(seconds=120)
def who_is_answered(node):
    world = World(node)
    for path, who in WHOLE.items():
        check(world, path.format(u=world.user("none"), n=world.node_name), who)
    for path, (inside, outside) in OF_VHOST.items():
        check(world, path.format(v=world.inside, u=world.user("none")), inside)
        if outside:
            check(world, path.format(v=world.outside), outside)
        else:
            for tag in TAGS[1:]:
                assert world.users[tag].get(path.format(v=world.outside, u=world.user("none"))).code == 401, (path, tag)


@test(seconds=120)
def what_listings_show(node):
    world = World(node)
    mine = {world.inside, world.outside}
    for path in ("exchanges", "queues", "bindings", "policies", "operator-policies"):
        for tag in TAGS[:-1]:
            seen = {row["vhost"] for row in world.users[tag].get(path).json} & mine
            assert seen == (mine if tag == "administrator" else {world.inside}), (path, tag, seen)
    for path, key in (("vhosts", "name"), ("vhost-limits", "vhost")):
        for tag in TAGS[:-1]:
            seen = {row[key] for row in world.users[tag].get(path).json} & mine
            assert seen == (mine if tag in ("administrator", "monitoring") else {world.inside}), (path, tag, seen)
    for path in ("parameters", "parameters/policy", "parameters/operator_policy"):
        for tag in ("administrator", "policymaker"):
            seen = {row["vhost"] for row in world.users[tag].get(path).json} & mine
            assert seen == (mine if tag == "administrator" else {world.inside}), (path, tag, seen)
    for tag in TAGS[:-1]:
        seen = {row["user"] for row in world.users[tag].get("user-limits").json if row["user"].startswith(world.inside)}
        everybody = {world.user(one) for one in TAGS}
        assert seen == (everybody if tag in ("administrator", "monitoring") else {world.user(tag)}), (tag, seen)
        queues = world.users[tag].get("overview").json["object_totals"]["queues"]
        assert queues == 1 or tag in ("administrator", "monitoring"), (tag, queues)


@test(seconds=120)
def connections_of_others(node):
    world = World(node)
    connected = {"user": world.user("none"), "password": "p", "virtual_host": world.inside}
    with channel_on(node, **connected):
        for tag in TAGS[:-1]:
            api, watches = world.users[tag], tag in ("administrator", "monitoring")
            for path in ("connections", "channels", f"vhosts/{world.inside}/connections", f"vhosts/{world.inside}/channels"):
                seen = [row for row in api.get(path).json if row["user"] == world.user("none")]
                assert len(seen) == (1 if watches else 0), (tag, path, seen)
        one = world.api.get(f"connections/username/{world.user('none')}").json[0]["name"]
        # Who monitors sees it, and closes only his own.
        assert world.users["monitoring"].get(f"connections/{q(one)}").code == 200
        for tag in TAGS[1:-1]:
            assert world.users[tag].delete(f"connections/{q(one)}").code == 401, tag
        assert world.users["management"].get(f"connections/{q(one)}").code == 401
        assert world.api.get(f"connections/{q(one)}").code == 200, "it is still there"
        assert world.users["administrator"].delete(f"connections/{q(one)}").code == 204


@test(seconds=120)
def changing_needs_permissions(node):
    world = World(node)
    for tag in TAGS:
        api = world.users[tag]
        for method, path, body in (("PUT", "queues/{v}/new", {}), ("DELETE", "queues/{v}/q/contents", None),
                                   ("PUT", "exchanges/{v}/new", {"type": "fanout"}),
                                   ("POST", "bindings/{v}/e/x/q/q", {"routing_key": "j"}),
                                   ("POST", "exchanges/{v}/x/publish", {"properties": {}, "routing_key": "", "payload": "",
                                                                        "payload_encoding": "string"}),
                                   ("POST", "queues/{v}/q/get", {"count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"})):
            assert api.call(method, "/api/" + path.format(v=world.outside), body).code == 401, (tag, method, path)
        for path in ("policies/{v}/p2", "operator-policies/{v}/p2"):
            code = api.put(path.format(v=world.outside), {"pattern": "z", "definition": {"max-length": 2}}).code
            assert code == (201 if tag == "administrator" else 401), (tag, path, code)


if __name__ == "__main__":
    main(management=True)
