#!/usr/bin/python3
"""Global parameters: any JSON by name, kept over a restart, in definitions; and the names and tags that are some of them."""
from client import Raw
from harness import main, name, test
from http_api import Api, q

VALUES = (5, -2.5, True, None, "text", "", [], [1, [2]], {}, {"b": {"a": [None]}}, 2**63 - 1, "\u00e9\u0000\"")


def told(node):
    with Raw(node) as raw:
        return raw.server.server_properties["cluster_name"]


@test
def set_change_clear(node):
    api, mine = Api(node), name("p/\u00e9")
    path = f"global-parameters/{q(mine)}"
    assert api.get(path).code == 404 == api.delete(path).code
    for i, value in enumerate(VALUES):
        assert api.put(path, {"value": value, "name": "another"}).code == (204 if i else 201), value
        assert api.get(path).json == {"name": mine, "value": value}, value
        assert {"name": mine, "value": value} in api.get("global-parameters").json, value
    assert api.get(f"{path}?columns=name").json == {"name": mine}
    assert api.delete(path).code == 204 and api.get(path).code == 404


@test
def what_is_refused(node):
    api, mine = Api(node), name("p")
    path = f"global-parameters/{mine}"
    deep = "[" * 65 + "]" * 65
    for raw in ("{}", "[]", "5", "x", '{"value": }', '{"value": %s}' % deep, '{"value": "%s"}' % ("v" * 65536), '{"value": 1e999}'):
        answer = api.put(path, raw=raw.encode(), headers={"Content-Type": "application/json"})
        assert answer.code == 400 and answer.json["error"] == "bad_request", (raw[:40], answer)
    assert api.put(path, {}).json["reason"] == "[{key_missing,value}]"
    assert api.put("global-parameters/" + "n" * 256, {"value": 1}).code == 400
    for wrong in (5, "", None, ["x"], "n" * 256, "a\u0000b"):
        assert api.put("global-parameters/cluster_name", {"value": wrong}).code == 400, wrong
        assert api.put("cluster-name", {"name": wrong}).code == 400, wrong
    assert api.put("cluster-name", {}).json["reason"] == "[{key_missing,name}]"
    assert api.put("global-parameters/cluster_tags", {"value": 5}).code == 400
    assert api.get(path).code == 404 and api.get("overview").code == 200


@test
def who_may(node):
    api, stem, path = Api(node), name("u"), f"global-parameters/{name('p')}"
    for tag, code in (("management", 401), ("monitoring", 401), ("policymaker", 201), ("administrator", 204)):
        user = Api(node, f"{stem}{tag}", "p")
        assert api.put(f"users/{stem}{tag}", {"password": "p", "tags": tag}).code == 201
        assert user.put(path, {"value": 1}).code == code, tag
        assert user.get(path).code == (401 if code == 401 else 200), tag
        assert user.put("cluster-name", {"name": "mine"}).code == (204 if tag == "administrator" else 401), tag
    assert api.delete(path).code == 204


@test(own=True, management=True, leveret_only="its settings",
      settings={"cluster_name": "configured", "default_queue_type": "quorum", "cluster_tags.region": "eu", "cluster_tags.say": '"hi"', "node_tags.rack": "b 7"})
def names_and_tags(node):
    api = Api(node)
    overview = api.get("overview").json
    assert overview["cluster_tags"] == {"region": "eu", "say": '"hi"'} and overview["node_tags"] == {"rack": "b 7"}, overview
    assert overview["default_queue_type"] == "quorum", overview
    parameters = {one["name"]: one["value"] for one in api.get("global-parameters").json}
    assert parameters.keys() == {"cluster_tags", "internal_cluster_id"}, parameters
    assert told(node) == api.get("cluster-name").json["name"] == overview["cluster_name"] == "configured"

    assert api.put("cluster-name", {"name": 'the "lot"'}).code == 204
    assert api.put("global-parameters/mine", {"value": {"a": [1]}}).code == 201
    assert api.put("global-parameters/cluster_tags", {"value": {}}).code == 204
    for _ in range(2):
        assert told(node) == api.get("cluster-name").json["name"] == api.get("overview").json["cluster_name"] == 'the "lot"'
        assert api.get("global-parameters/mine").json["value"] == {"a": [1]}
        label = f'rabbitmq_cluster_permanent_id="{parameters["internal_cluster_id"]}"'
        for path, endpoint in (("", "aggregated"), ("/per-object", "per-object"), ("/detailed", "detailed")):
            text = api.call("GET", f"/metrics{path}").text
            line = next(line for line in text.splitlines() if line.startswith("rabbitmq_identity_info{"))
            assert label in line and r'rabbitmq_cluster="the \"lot\""' in line and f'rabbitmq_endpoint="{endpoint}"' in line, line
        node.kill()
        node.start()
    # The configuration's tags are the cluster's again.
    assert api.get("overview").json["cluster_tags"]["region"] == "eu"
    assert api.delete("global-parameters/cluster_name").code == 204
    assert told(node) == api.get("cluster-name").json["name"] == "configured"


@test(own=True, management=True)
def in_definitions(node):
    api = Api(node)
    file = {"global_parameters": [{"name": "a", "value": {"x": [1.5, None]}}, {"name": "cluster_name", "value": "carried"},
                                  {"name": "cluster_tags", "value": []}]}
    assert api.post("definitions", file).code == 204
    kept = {one["name"]: one["value"] for one in api.get("definitions").json["global_parameters"]}
    assert kept["a"] == {"x": [1.5, None]} and kept["cluster_name"] == "carried", kept
    assert kept["cluster_tags"] in ([], {}) and kept["internal_cluster_id"], kept
    assert api.get("overview").json["cluster_tags"] == {} and told(node) == "carried"
    assert "global_parameters" not in api.get("definitions/%2F").json
    exported = api.get("definitions").json
    assert api.delete("global-parameters/a").code == 204
    assert api.post("definitions", exported).code == 204
    assert api.get("global-parameters/a").json["value"] == {"x": [1.5, None]}


@test(leveret_only="RabbitMQ lists further parameters")
def limits_of_vhosts(node):
    """Limits of a virtual host are a parameter, too; they are the same as those of /api/vhost-limits."""
    api, vhost = Api(node), name("v")
    path, component = f"parameters/vhost-limits/{vhost}/limits", f"parameters/vhost-limits/{vhost}"
    assert api.put(path, {"value": {"max-queues": 5}}).json["reason"] == "vhost_not_found"
    assert api.put(f"vhosts/{vhost}").code == 201
    assert api.get(path).code == 404 == api.delete(path).code
    assert api.put(path, {"value": {"max-queues": 5}}).code == 201
    assert api.put(path, {"value": {"max-connections": 7}}).code == 204
    entry = {"value": {"max-connections": 7}, "vhost": vhost, "component": "vhost-limits", "name": "limits"}
    assert api.get(f"vhost-limits/{vhost}").json == [{"vhost": vhost, "value": {"max-connections": 7}}], "the value replaces all"
    assert api.get(path).json == entry
    assert api.get(component).json == [entry] and entry in api.get("parameters/vhost-limits").json
    assert api.put(f"operator-policies/{vhost}/o", {"pattern": "^z", "definition": {"max-length": 1}}).code == 201
    assert [(p["component"], p["name"]) for p in api.get("parameters").json if p["vhost"] == vhost] == [
        ("vhost-limits", "limits"), ("operator_policy", "o")]
    assert api.put(f"vhost-limits/{vhost}/max-queues", {"value": 3}).code == 204
    assert api.get(path).json["value"] == {"max-connections": 7, "max-queues": 3}
    for wrong in ({}, {"value": {"max-cats": 1}}, {"value": {"max-queues": "x"}}, {"value": 5}):
        assert api.put(path, wrong).code == 400, wrong
    assert api.get(path).json["value"] == {"max-connections": 7, "max-queues": 3}, "what is wrong changes nothing"
    assert api.put(f"{component}/other", {"value": {}}).code == 400 and api.get(f"{component}/other").code == 404
    user = name("maker")
    assert api.put(f"users/{user}", {"password": "p", "tags": "policymaker"}).code == 201
    assert api.put(f"permissions/{vhost}/{user}", {"configure": ".*", "write": ".*", "read": ".*"}).code == 201
    maker = Api(node, user, "p")
    assert maker.get(path).code == 200 and maker.put(path, {"value": {}}).code == 401 == maker.delete(path).code
    assert api.delete(path).code == 204 and api.get(path).code == 404
    assert api.get(f"vhost-limits/{vhost}").json == []


if __name__ == "__main__":
    main(management=True)
