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


if __name__ == "__main__":
    main()
