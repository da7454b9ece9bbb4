#!/usr/bin/python3
"""What the HTTP API tells of queues and consumers: names and types as RabbitMQ 4.3's, and figures that are true."""
import pika

from client import channel_on, publish
from harness import eventually, main, name, test
from http_api import Api, q

QUORUM = {"x-queue-type": "quorum"}
ONLY_QUORUM = {"leader": str, "members": list, "online": list, "messages_ready_returned": int, "messages_delayed": int,
               "delayed_retry": str, "messages_by_priority": dict, "messages_active_priorities": int, "messages_dlx": int}
EACH = {"internal": bool, "internal_owner": bool, "type": str, "messages_ram": int, "messages_ready_ram": int,
        "messages_unacknowledged_ram": int, "messages_persistent": int}


def of(api, queue, **query):
    return api.get(f"queues/%2F/{q(queue)}" + "".join(f"?{key}={value}" for key, value in query.items())).json


@test
def fields_and_types(node):
    api, classic, quorum = Api(node), name("c"), name("q")
    with channel_on(node) as channel:
        channel.queue_declare(classic, durable=True)
        channel.queue_declare(quorum, durable=True, arguments=QUORUM)
    here = api.get("overview").json["node"]
    one, other = of(api, quorum), of(api, classic)
    for row in (one, other):
        for field, kind in EACH.items():
            assert type(row[field]) is kind, (field, row)
        assert (row["internal"], row["internal_owner"]) == (False, False)
    for field, kind in ONLY_QUORUM.items():
        assert type(one[field]) is kind, (field, one)
        assert field not in other, (field, other)
    assert (one["type"], one["leader"], one["members"], one["online"]) == ("quorum", here, [here], [here]), one
    assert one["delayed_retry"] == "disabled" and one["messages_dlx"] == 0, one
    for path in ("queues", "queues/detailed", "queues/%2F"):
        listed = {row["name"]: row for row in api.get(f"{path}?columns=name,leader,online,internal").json}
        assert listed[quorum] == {"name": quorum, "leader": here, "online": [here], "internal": False}, (path, listed[quorum])
        assert listed[classic] == {"name": classic, "internal": False}, (path, listed[classic])
    for queue in (classic, quorum):
        assert api.delete(f"queues/%2F/{q(queue)}").code == 204


@test
def returned_messages(node):
    api, stem = Api(node), name("q")
    with channel_on(node) as channel:
        for i in range(3):
            channel.queue_declare(f"{stem}{i}", durable=True, arguments=QUORUM)
            publish(channel, f"{stem}{i}", *[b"m"] * 5)
            tags = [channel.basic_get(f"{stem}{i}")[0].delivery_tag for _ in range(i)]
            for tag in tags:
                channel.basic_nack(tag, requeue=True)
        figures = lambda: [(row["messages_ready"], row["messages_ready_returned"]) for row in
                           api.get(f"queues?name={stem}&page=1&sort=name").json["items"]]
        eventually(lambda: figures() == [(5, 0), (5, 1), (5, 2)], what="what was returned")
        by_returns = api.get(f"queues?name={stem}&page=1&sort=messages_ready_returned&sort_reverse=true&columns=name").json["items"]
        assert [row["name"] for row in by_returns] == [f"{stem}2", f"{stem}1", f"{stem}0"], by_returns
        tag = channel.basic_get(f"{stem}2")[0].delivery_tag     # one of the two is out again
        row = eventually(lambda: [r for r in [of(api, f"{stem}2")] if r["messages_ready_returned"] == 1])[0]
        assert (row["messages_ready_ram"], row["messages_unacknowledged_ram"]) == (4, 1), row
        channel.basic_ack(tag)
        for i in range(3):
            channel.queue_delete(f"{stem}{i}")


@test
def priorities(node):
    api, plain, mixed = Api(node), name("q"), name("q")
    figures = lambda queue: (of(api, queue)["messages_by_priority"], of(api, queue)["messages_active_priorities"])
    with channel_on(node) as channel:
        for queue in (plain, mixed):
            channel.queue_declare(queue, durable=True, arguments=QUORUM)
        assert figures(plain) == ({}, 0)
        channel.confirm_delivery()
        publish(channel, plain, b"m", b"m")
        for priority in (None, 4, 0, 31, 200, 31):
            channel.basic_publish("", mixed, b"m", pika.BasicProperties(priority=priority))
        assert figures(plain) == ({"4": 2}, 1), figures(plain)
        assert figures(mixed) == ({"0": 1, "4": 2, "31": 3}, 3), figures(mixed)
        listed = {row["name"]: row for row in api.get("queues?columns=name,messages_by_priority.31").json}
        assert listed[mixed]["messages_by_priority"] == {"31": 3}, listed[mixed]
        channel.basic_get(mixed, auto_ack=True)
        tag = channel.basic_get(mixed)[0].delivery_tag          # is not ready while it is out
        assert figures(mixed)[0] == {"0": 1, "4": 2, "31": 1}, figures(mixed)
        channel.basic_ack(tag)
        for queue in (plain, mixed):
            channel.queue_delete(queue)


@test
def consumer_timeouts(node):
    api, queues = Api(node), [name("q") for _ in range(3)]
    with channel_on(node) as channel:
        for queue, arguments in zip(queues, ({}, {"x-consumer-timeout": 70000}, {"x-consumer-timeout": 70000})):
            channel.queue_declare(queue, durable=True, arguments={**QUORUM, **arguments})
        for queue, arguments in zip(queues, ({}, {}, {"x-consumer-timeout": 80000})):
            channel.basic_consume(queue, lambda *_: None, arguments=arguments)
        told = {row["queue"]["name"]: row["consumer_timeout"] for row in api.get("consumers").json}
        assert [told[queue] for queue in queues] == [1800000, 70000, 80000], told
        assert of(api, queues[2])["consumer_details"][0]["consumer_timeout"] == 80000
        for queue in queues:
            channel.queue_delete(queue)


@test(own=True, management=True, settings={"consumer_timeout": "0"}, leveret_only="its settings")
def no_consumer_timeout(node):
    with channel_on(node) as channel:
        queue = channel.queue_declare("", exclusive=True).method.queue
        channel.basic_consume(queue, lambda *_: None)
        assert Api(node).get("consumers").json[0]["consumer_timeout"] == "infinity"


if __name__ == "__main__":
    main(management=True)
