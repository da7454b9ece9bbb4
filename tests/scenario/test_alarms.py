#!/usr/bin/python3
"""Memory that is counted, alarms, and what goes on while publishers are held."""
import os

import pika
from harness import main, name, test, eventually
from http_api import Api, q

KINDS = ("connection_readers", "connection_contents", "connection_writers", "connection_other", "http_requests",
         "http_answers", "messages", "transactions", "consumers", "bindings", "hash_rings", "definitions", "deduplication")


def node_name(node):
    return Api(node).get("overview").json["node"]


def memory(node):
    return Api(node).get(f"nodes/{q(node_name(node))}/memory").json["memory"]


# ---- What is counted.

@test(leveret_only="kinds of memory by its API")
def memory_by_kind(node):
    shown = memory(node)
    assert set(KINDS) <= shown.keys() and shown["strategy"] == "rss", shown
    total = shown["total"]
    assert total["rss"] > 0 and 0 < total["allocated"] == total["erlang"], shown
    shares = Api(node).get(f"nodes/{q(node_name(node))}/memory/relative").json["memory"]
    assert set(KINDS) <= shares.keys() and shares["total"] == 100, shares
    assert Api(node).get("nodes/nobody/memory").code == 404
    text = Api(node).call("GET", "/metrics").text
    for kind in KINDS:
        assert f'leveret_memory_bytes{{kind="{kind}"}} ' in text, kind


@test(leveret_only="kinds of memory by its API")
def messages_are_counted(node):
    queue, before = name("q"), memory(node)["messages"]
    with pika.BlockingConnection(pika.ConnectionParameters(node.host, node.port)) as link:
        channel = link.channel()
        channel.queue_declare(queue)
        channel.confirm_delivery()
        for _ in range(20):
            channel.basic_publish("", queue, os.urandom(50_000))
        eventually(lambda: memory(node)["messages"] >= before + 1_000_000)
        channel.queue_delete(queue)
        eventually(lambda: memory(node)["messages"] < before + 1_000_000)


if __name__ == "__main__":
    main(management=True)
