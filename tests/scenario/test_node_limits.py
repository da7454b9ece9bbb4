#!/usr/bin/python3
"""Limits of the node from the configuration: what clients are told when they are reached."""
import socket
import struct

import pika
from client import refused
from harness import eventually, main, test
from http_api import Api

WHY = "the limits are set in its configuration"


def connect(node, vhost="/"):
    return pika.BlockingConnection(pika.ConnectionParameters(node.host, node.port, vhost,
                                                             pika.PlainCredentials("guest", "guest")))


@test(own=True, leveret_only=WHY, management=True, settings={"max_connections": "2"})
def max_connections(node):
    api = Api(node)
    first = connect(node)
    assert api.get("health/checks/below-node-connection-limit").code == 200
    second = connect(node)
    refused(lambda: connect(node), 530, "connection refused: node connection limit (2) is reached")
    got = api.get("health/checks/below-node-connection-limit")
    assert got.code == 503 and got.json["reason"] == "node connection limit is reached", got.json
    second.close()
    connect(node).close()
    first.close()


@test(own=True, leveret_only=WHY, settings={"channel_max_per_node": "3"})
def channel_max_per_node(node):
    first, second = connect(node), connect(node)
    channels = [first.channel(), first.channel(), second.channel()]
    refused(second.channel, 530, "has reached the maximum allowed limit of (3)")
    channels[0].close()
    third = connect(node)  # the second has failed, and its channel has gone
    third.channel()
    third.channel()
    refused(third.channel, 530, "has reached the maximum allowed limit of (3)")
    first.close()


@test(own=True, leveret_only=WHY, settings={"max_channels_per_connection": "2"})
def max_channels_per_connection(node):
    connection = connect(node)
    connection.channel()
    connection.channel()
    assert connection._impl.params.channel_max == 2
    connection.close()


@test(own=True, leveret_only=WHY, settings={"consumer_max_per_channel": "2"})
def consumer_max_per_channel(node):
    connection = connect(node)
    channel = connection.channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    tags = [channel.basic_consume(queue, lambda *_: None) for _ in range(2)]
    channel.basic_cancel(tags[0])
    channel.basic_consume(queue, lambda *_: None)
    refused(lambda: channel.basic_consume(queue, lambda *_: None), 530,
            "reached maximum (2) of consumers per channel")


@test(own=True, leveret_only=WHY, management=True, settings={"vhost_max": "2"})
def vhost_max(node):
    api = Api(node)
    assert api.put("vhosts/second").code == 201
    got = api.put("vhosts/third")
    assert got.code == 400, got.code
    assert "cannot create vhost 'third': vhost limit of 2 is reached" in got.json["reason"], got.json
    assert api.put("vhosts/second").code == 204  # it is there
    assert api.delete("vhosts/second").code == 204
    assert eventually(lambda: api.put("vhosts/third").code == 201)


@test(own=True, leveret_only=WHY, management=True, settings={"cluster_queue_limit": "3"})
def cluster_queue_limit(node):
    api = Api(node)
    assert api.put("vhosts/other").code == 201
    here, there = connect(node), connect(node, "other")
    here.channel().queue_declare("a", durable=True)
    here.channel().queue_declare("b", durable=True)
    there.channel().queue_declare("c", durable=True)
    there.channel().queue_declare("c", durable=True)  # it is there
    refused(lambda: there.channel().queue_declare("d"), 406,
            "cannot declare queue 'd': queue limit in cluster (3) is reached")
    here.channel().queue_delete("a")
    there.channel().queue_declare("d")
    refused(lambda: here.channel().queue_declare("e"), 406, "queue limit in cluster (3)")
    here.close(), there.close()
    node.restart()
    here = connect(node)
    here.channel().queue_declare("f", durable=True)  # "d" was not durable
    refused(lambda: here.channel().queue_declare("g"), 406, "queue limit in cluster (3)")
    assert api.delete("vhosts/other").code == 204
    eventually(lambda: can(lambda: here.channel().queue_declare("g")))


def can(call):
    try:
        call()
        return True
    except pika.exceptions.AMQPChannelError:
        return False


@test(own=True, leveret_only=WHY, management=True)
def cluster_exchange_limit(node):
    api = Api(node)
    there = len(api.get("exchanges").json)
    node.settings["cluster_exchange_limit"] = str(there + 1)
    node.restart()
    connection = connect(node)
    connection.channel().exchange_declare("one")
    connection.channel().exchange_declare("one")
    refused(lambda: connection.channel().exchange_declare("two"), 406,
            f"cannot declare exchange 'two' in vhost '/': exchange limit of {there + 1} is reached")
    connection.channel().exchange_delete("one")
    connection.channel().exchange_declare("two")
    connection.close()


def send_a_frame(node, size):
    """Sends a first frame of so many bytes, which is no start-ok, and waits for the connection's end."""
    with socket.create_connection((node.host, node.port)) as client:
        client.settimeout(60)
        client.sendall(b"AMQP\x00\x00\x09\x01")
        assert client.recv(4096)
        payload = size - 8
        client.sendall(struct.pack(">BHI", 1, 0, payload) + b"\x00" * payload + b"\xce")
        try:
            while client.recv(4096):
                pass
        except ConnectionResetError:
            pass


@test(own=True, leveret_only=WHY, settings={"initial_frame_max": "4096"})
def initial_frame_max(node):
    send_a_frame(node, 4096)
    assert "frame_too_large" not in node.log(), node.log()
    send_a_frame(node, 5000)
    eventually(lambda: "{frame_too_large,4992,4088}" in node.log())


if __name__ == "__main__":
    main()
