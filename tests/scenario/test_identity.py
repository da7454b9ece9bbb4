#!/usr/bin/python3
"""What the broker says it is: to clients, by which they choose how they behave, and to the tools that read the HTTP API."""
import re

from client import Raw
from harness import eventually, main, name, test
from http_api import Api


def server_properties(node):
    with Raw(node) as raw:
        return raw.server.server_properties


@test(leveret_only="who Leveret is")
def dialect_and_self(node):
    api, properties = Api(node), server_properties(node)
    overview, version = api.get("overview").json, api.get("version").json
    assert properties["product"] == "RabbitMQ"
    assert re.fullmatch(r"\d+\.\d+\.\d+", properties["version"]), properties["version"]
    told = {properties["version"], overview["rabbitmq_version"], overview["management_version"],
            api.get("definitions").json["rabbitmq_version"], version}
    assert len(told) == 1, told
    own = properties["leveret_version"]
    assert own and properties["platform"] == f"Leveret {own}" and f"Leveret {own}" in properties["information"], properties
    assert (overview["product_name"], overview["product_version"], overview["leveret_version"]) == ("Leveret", own, own)


@test
def what_clients_choose_by(node):
    """The questions that clients ask of product, version, flags and limits before they work; each in its own words."""
    api, properties = Api(node), server_properties(node)
    version = tuple(int(part) for part in properties["version"].split("."))
    # kombu, and so Celery: basic.qos with global means the whole channel.
    assert properties["product"] == "RabbitMQ" and version >= (3, 3)
    # NServiceBus up to 9, over AMQP; from 10 on, over the API.
    assert version >= (3, 10, 0)
    overview = api.get("overview").json
    assert overview["rabbitmq_version"] == overview["management_version"] == api.get("version").json == properties["version"]
    assert overview["disable_stats"] is False
    flags = {one["name"]: one["state"] for one in api.get("feature-flags").json}
    assert flags["stream_queue"] == "enabled"


@test
def a_limit_of_deliveries_is_taken_off(node):
    """NServiceBus 10 and ServiceControl: a quorum queue tells its limit, and a policy of -1 takes it off."""
    api, queue = Api(node), name("q")
    assert api.put(f"queues/%2F/{queue}", {"durable": True, "arguments": {
        "x-queue-type": "quorum", "x-dead-letter-exchange": "amq.fanout"}}).code == 201
    path = f"policies/%2F/nsb.{queue}.delivery-limit"
    limit = lambda: api.get(f"queues/%2F/{queue}").json.get("delivery_limit")
    assert eventually(limit) == 20
    assert api.put(path, {"pattern": f"^{queue}$", "apply-to": "quorum_queues", "priority": 0,
                          "definition": {"delivery-limit": -1}}).code == 201
    eventually(lambda: limit() == "unlimited", what="no limit")
    assert api.get(f"queues/%2F/{queue}").json["effective_policy_definition"] == {"delivery-limit": -1}
    assert api.delete(path).code == 204
    eventually(lambda: limit() == 20, what="the limit again")
    assert api.delete(f"queues/%2F/{queue}").code == 204


@test(leveret_only="who Leveret is")
def dialect_in_metrics(node):
    overview = Api(node).get("overview").json
    answer = Api(node).call("GET", "/metrics")
    line = next(line for line in answer.text.splitlines() if line.startswith("rabbitmq_build_info{"))
    assert f'rabbitmq_version="{overview["rabbitmq_version"]}"' in line, line
    assert f'product_name="Leveret",product_version="{overview["product_version"]}"' in line, line


@test(own=True, management=True, leveret_only="its settings",
      settings={"server_properties.product": "Another", "server_properties.version": "1.2.3"})
def settings_override(node):
    properties, overview = server_properties(node), Api(node).get("overview").json
    assert (properties["product"], properties["version"]) == ("Another", "1.2.3"), properties
    assert properties["platform"].startswith("Leveret ") and properties["leveret_version"]
    assert overview["product_name"] == "Leveret" and overview["rabbitmq_version"] != "1.2.3"


if __name__ == "__main__":
    main(management=True)
