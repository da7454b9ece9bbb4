#!/usr/bin/python3
"""What the broker says it is: to clients, by which they choose how they behave, and to the tools that read the HTTP API."""
import re

from client import Raw
from harness import main, test
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
