#!/usr/bin/python3
"""What would happen: which queues a routing key reaches, and what a policy would change. Nothing changes by asking."""
from harness import main, test
from http_api import Api, q

WHY = "RabbitMQ has no such endpoints"


def reached(api, exchange, key, headers=None):
    answer = api.post(f"exchanges/%2F/{q(exchange)}/route", {"routing_key": key, **({"headers": headers} if headers else {})})
    assert answer.code == 200 and answer.json["count"] == len(answer.json["queues"]), answer
    return sorted(answer.json["queues"])


@test(own=True, leveret_only=WHY, management=True)
def routes(node):
    api = Api(node)
    for name in ("all", "eu", "rest", "plain"):
        assert api.put(f"queues/%2F/{name}", {"durable": True}).code == 201
    assert api.put("exchanges/%2F/fan", {"type": "fanout"}).code == 201
    assert api.put("exchanges/%2F/news", {"type": "topic", "arguments": {"alternate-exchange": "fan"}}).code == 201
    assert api.put("exchanges/%2F/marked", {"type": "headers"}).code == 201
    for exchange, kind, to, key in (("fan", "q", "rest", ""), ("news", "q", "all", "eu.#"), ("news", "q", "eu", "eu.*"), ("news", "e", "fan", "us")):
        assert api.post(f"bindings/%2F/e/{exchange}/{kind}/{to}", {"routing_key": key}).code == 201
    assert api.post("bindings/%2F/e/marked/q/eu", {"arguments": {"x-match": "all", "zone": "eu", "n": 1}}).code == 201
    assert reached(api, "news", "eu.sport") == ["all", "eu"]
    assert reached(api, "news", "eu.sport.ball") == ["all"]
    assert reached(api, "news", "us") == ["rest"]          # through another exchange
    assert reached(api, "news", "asia") == ["rest"]        # the alternate exchange
    assert reached(api, "amq.default", "plain") == ["plain"]
    assert reached(api, "amq.default", "nothing") == [] and reached(api, "amq.direct", "x") == []
    assert reached(api, "marked", "", {"zone": "eu", "n": 1}) == ["eu"] and reached(api, "marked", "", {"zone": "us", "n": 1}) == []
    assert sum(queue["messages"] for queue in api.get("queues").json) == 0
    assert api.post("exchanges/%2F/none/route", {"routing_key": "x"}).code == 404
    assert api.post("exchanges/none/amq.topic/route", {"routing_key": "x"}).code == 404
    assert api.post("exchanges/%2F/news/route", {"routing_key": 5}).code == 400
    assert api.post("exchanges/%2F/news/route", {"routing_key": "k" * 300}).code == 400


@test(own=True, leveret_only=WHY, management=True)
def who_may_try(node):
    api = Api(node)
    for name, tags in (("plain", "management"), ("maker", "policymaker")):
        assert api.put(f"users/{name}", {"password": "guest", "tags": tags}).code == 201
    assert Api(node, "plain").post("exchanges/%2F/amq.topic/route", {"routing_key": "x"}).code == 401
    body = {"pattern": ".*", "definition": {"max-length": 1}}
    assert Api(node, "maker").post("policies/%2F/p/preview", body).code == 401
    for name in ("plain", "maker"):
        assert api.put(f"permissions/%2F/{name}", {"configure": "", "write": "", "read": ""}).code == 201
    assert Api(node, "plain").post("exchanges/%2F/amq.topic/route", {"routing_key": "x"}).code == 200
    assert Api(node, "maker").post("policies/%2F/p/preview", body).code == 200
    assert Api(node, "plain").post("policies/%2F/p/preview", body).code == 401
    assert Api(node, "maker").post("operator-policies/%2F/p/preview", body).code == 401


def preview(api, name, pattern, definition, priority=0, to="all", kind="policies"):
    answer = api.post(f"{kind}/%2F/{name}/preview", {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": to})
    assert answer.code == 200, answer
    return answer.json


def put(api, name, pattern, definition, priority=0, to="all", kind="policies"):
    answer = api.put(f"{kind}/%2F/{name}", {"pattern": pattern, "definition": definition, "priority": priority, "apply-to": to})
    assert answer.code in (201, 204), answer


@test(own=True, leveret_only=WHY, management=True)
def policies(node):
    api = Api(node)
    for name in ("a1", "a2", "b1"):
        assert api.put(f"queues/%2F/{name}", {"durable": True}).code == 201
    assert api.put("queues/%2F/a3", {"durable": True, "arguments": {"x-queue-type": "quorum"}}).code == 201
    assert api.put("exchanges/%2F/a-x", {"type": "fanout"}).code == 201
    got = preview(api, "p", "^a", {"max-length": 10}, to="queues")
    assert (got["matched"], got["wins"], got["changed"]) == (3, 3, 3), got
    assert got["objects"][0] == {"kind": "queue", "name": "a1", "policy": "", "new_policy": "p", "definition": {},
                                 "new_definition": {"max-length": 10}}, got
    assert preview(api, "p", "^a", {"max-length": 10}, to="classic_queues")["matched"] == 2
    assert preview(api, "p", "^a[0-9-]", {"alternate-exchange": "x"})["matched"] == 4
    assert [queue.get("policy") for queue in api.get("queues").json] == [None] * 4

    put(api, "p", "^a", {"max-length": 10}, priority=5, to="queues")
    # What would be tried behind p does not win; with p's own name it takes its place.
    got = preview(api, "q", ".*", {"max-length": 7}, priority=1, to="queues")
    assert (got["matched"], got["wins"], got["changed"]) == (4, 1, 1) and got["objects"][0]["name"] == "b1", got
    assert preview(api, "a", ".*", {"max-length": 7}, priority=5, to="queues")["wins"] == 4   # a name before p's
    assert preview(api, "z", ".*", {"max-length": 7}, priority=5, to="queues")["wins"] == 1
    got = preview(api, "p", "^a", {"max-length": 10}, priority=5, to="queues")
    assert (got["matched"], got["wins"], got["changed"], got["objects"]) == (3, 3, 0, []), got
    got = preview(api, "p", "^b", {"max-length": 10}, priority=5, to="queues")
    assert (got["matched"], got["changed"]) == (1, 4), got
    assert [(one["name"], one["policy"], one["new_policy"]) for one in got["objects"]] == [
        ("a1", "p", ""), ("a2", "p", ""), ("b1", "", "p"), ("a3", "p", "")], got

    # An operator policy lowers what a policy says; preview and what is then in effect agree.
    got = preview(api, "cap", "^a", {"max-length": 4}, to="queues", kind="operator-policies")
    assert got["objects"][0]["new_definition"] == {"max-length": 4} and got["objects"][0]["new_policy"] == "cap", got
    told = {one["name"]: one["new_definition"] for one in got["objects"]}
    put(api, "cap", "^a", {"max-length": 4}, to="queues", kind="operator-policies")
    for queue in api.get("queues").json:
        assert queue["effective_policy_definition"] == told.get(queue["name"], {}), queue
    assert preview(api, "cap", "^a", {"max-length": 400}, to="queues", kind="operator-policies")["changed"] == 3

    for wrong in ({"pattern": "("}, {"definition": {"max-length": -1}}, {"definition": {"nonsense": 1}}, {"priority": "x"}, {"apply-to": "all things"}):
        answer = api.post("policies/%2F/p/preview", {"pattern": "^a", "definition": {"max-length": 10}, **wrong})
        assert answer.code == 400, (wrong, answer)
    assert api.post("policies/none/p/preview", {"pattern": "", "definition": {"max-length": 1}}).code == 404


@test(own=True, leveret_only=WHY, management=True)
def a_policy_for_many(node):
    """More objects than one portion looks at, and more than an answer names."""
    api = Api(node)
    for number in range(1500):
        assert api.put(f"queues/%2F/m{number}", {"durable": False}).code == 201
    got = preview(api, "p", "^m", {"max-length": 10}, to="queues")
    assert (got["matched"], got["wins"], got["changed"], len(got["objects"])) == (1500, 1500, 1500, 100), got


if __name__ == "__main__":
    main()
