#!/usr/bin/python3
"""Keys of the configuration that change the HTTP servers: other origins, transport security, the path and the login of
metrics."""
from harness import main, test
from http_api import Api

WHY = "the configuration is its own"


@test(own=True, leveret_only=WHY, management=True, settings={
    "management.cors.allow_origins.1": "https://page.example", "management.cors.max_age": "77",
    "management.hsts.policy": "max-age=31536000"})
def other_origins(node):
    api = Api(node)
    got = api.call("GET", "/api/overview", headers={"Origin": "https://page.example"})
    assert got.code == 200 and got.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert got.headers["Vary"] == "Accept-Encoding, Origin" and got.headers["Access-Control-Allow-Credentials"] == "true"
    assert got.headers["Strict-Transport-Security"] == "max-age=31536000"
    got = api.call("GET", "/api/overview", headers={"Origin": "https://other.example"})
    assert got.code == 200 and "Access-Control-Allow-Origin" not in got.headers
    got = Api(node, user=None).call("OPTIONS", "/api/queues/%2F/q", headers={"Origin": "https://page.example"})
    assert got.code == 200 and got.headers["Access-Control-Max-Age"] == "77", got.headers
    assert "PUT" in got.headers["Access-Control-Allow-Methods"]
    assert "Authorization" in got.headers["Access-Control-Allow-Headers"]


@test(own=True, leveret_only=WHY, management=True)
def without_these_keys(node):
    got = Api(node).call("GET", "/api/overview", headers={"Origin": "https://page.example"})
    for field in ("Access-Control-Allow-Origin", "Strict-Transport-Security"):
        assert field not in got.headers, got.headers


def metrics(node, path, user=None):
    return Api(node, user, port=node.metrics_port).call("GET", path)


@test(own=True, leveret_only=WHY, management=True, settings={"prometheus.path": "/figures"})
def the_path_of_metrics(node):
    assert "rabbitmq_build_info" in metrics(node, "/figures").text
    assert "rabbitmq_build_info" in metrics(node, "/figures/per-object").text
    for path in ("/metrics", "/figuresque", "/metrics/per-object"):
        assert metrics(node, path).code == 404, path
    assert Api(node).call("GET", "/metrics").code == 200  # the API's port keeps its path


@test(own=True, leveret_only=WHY, management=True, settings={"prometheus.authentication.enabled": "true"})
def a_login_for_metrics(node):
    assert metrics(node, "/metrics").code == 401
    assert metrics(node, "/metrics", "guest").code == 200
    assert Api(node).put("users/plain", {"password": "guest", "tags": "management"}).code == 201
    assert metrics(node, "/metrics", "plain").code == 401


@test(own=True, leveret_only=WHY, management=True, settings={"prometheus.return_per_object_metrics": "true"})
def metrics_of_each_object(node):
    assert Api(node).put("queues/%2F/one", {"durable": True}).code == 201
    assert 'queue="one"' in metrics(node, "/metrics").text


SMALL = {"name", "vhost", "type", "node", "state", "durable", "auto_delete", "exclusive", "arguments", "policy", "operator_policy",
         "effective_policy_definition", "internal", "internal_owner"}
TOTALS = {"messages", "messages_ready", "messages_unacknowledged"}


def small_everywhere(api, query, totals):
    """That nothing tells statistics, but for sums of queues where they are on."""
    queues = api.get("queues" + query).json
    wanted = SMALL | (TOTALS if totals else set())
    assert queues and all(queue.keys() == wanted for queue in queues), queues
    assert api.get("queues/%2F/q" + query).json.keys() == wanted
    for path in ("exchanges", "exchanges/%2F/amq.topic", "vhosts", "vhosts/%2F", "overview"):
        told = api.get(path + query).text
        assert "message_stats" not in told and "_details" not in told, (path, told[:300])
    assert api.get(f"queues{query}&columns=name,messages_ready,messages_details.rate").json == [
        {"name": "q", "messages_ready": 0} if totals else {"name": "q"}]
    assert api.get(f"queues{query}&columns=messages_details").json == [{}]


@test(own=True, leveret_only=WHY, management=True)
def statistics_left_out_by_the_query(node):
    api = Api(node)
    api.put("queues/%2F/q", {"durable": True})
    small_everywhere(api, "?disable_stats=true", False)
    small_everywhere(api, "?disable_stats=true&enable_queue_totals=true", True)
    assert "messages_details" in api.get("queues?disable_stats=false&enable_queue_totals=true").json[0]
    assert api.get("overview").json["disable_stats"] is False


@test(own=True, leveret_only=WHY, management=True, settings={"management.disable_stats": "true"})
def statistics_left_out_by_a_key(node):
    api = Api(node)
    api.put("queues/%2F/q", {"durable": True})
    small_everywhere(api, "?", False)
    assert api.get("overview").json["disable_stats"] is True


@test(own=True, leveret_only=WHY, management=True,
      settings={"management.disable_stats": "true", "management.enable_queue_totals": "true"})
def sums_of_queues_by_a_key(node):
    api = Api(node)
    api.put("queues/%2F/q", {"durable": True})
    small_everywhere(api, "?", True)
    assert api.get("overview").json["enable_queue_totals"] is True


@test(own=True, leveret_only=WHY, management=True)
def pages_where_rabbitmq_has_them(node):
    api = Api(node)
    for path in ("queues", "exchanges", "connections", "channels", "vhosts", "users"):
        assert api.get(path + "?page=1").json["page"] == 1, path
    for path in ("consumers", "bindings", "policies", "operator-policies"):
        assert isinstance(api.get(path + "?page=1").json, list), path
        assert api.get(path + "?page=1&pagination=true").json["page"] == 1, path


@test(own=True, leveret_only=WHY, management=True)
def members_of_quorum_queues(node):
    api = Api(node)
    api.put("queues/%2F/classic", {"durable": True})
    api.put("queues/%2F/quorum", {"durable": True, "arguments": {"x-queue-type": "quorum"}})
    name = api.get("overview").json["node"]
    assert api.get("queues/quorum/%2F/quorum/status").json == [
        {"Node Name": name, "Raft State": "leader", "Membership": "voter"}]
    assert api.get("queues/quorum/%2F/classic/status").code == 503
    assert api.get("queues/quorum/%2F/nosuch/status").code == 404
    for call in (lambda: api.post("queues/quorum/%2F/quorum/replicas/add", {"node": "x"}),
                 lambda: api.delete("queues/quorum/%2F/quorum/replicas/delete"),
                 lambda: api.post(f"queues/quorum/replicas/on/{name}/grow", {"strategy": "all"}),
                 lambda: api.delete(f"queues/quorum/replicas/on/{name}/shrink")):
        answer = call()
        assert answer.code == 400 and "one node" in answer.json["reason"], answer
    assert api.get("queues/%2F/quorum").json["open_files"] == {name: 0}


if __name__ == "__main__":
    main()
