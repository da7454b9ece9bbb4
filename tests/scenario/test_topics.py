#!/usr/bin/python3
"""Topic permissions: over AMQP and over HTTP, stored, changed while a channel is open, and gone with their user."""
import contextlib

import pika

from harness import eventually, main, name, test
from http_api import Api, q

ALL = {"configure": ".*", "write": ".*", "read": ".*"}


class World:
    """A vhost with a queue, and a user who may do everything there but for what topic permissions take away."""

    def __init__(self, node):
        self.node, self.api = node, Api(node)
        self.vhost, self.user = name("v"), name("u")
        assert self.api.put(f"vhosts/{self.vhost}").code == 201
        assert self.api.put(f"users/{self.user}", {"password": "p", "tags": "management"}).code == 201
        for user in (self.user, "guest"):
            assert self.api.put(f"permissions/{self.vhost}/{user}", ALL).code in (201, 204)
        assert self.api.put(f"queues/{self.vhost}/q", {"durable": True}).code == 201
        self.path = f"topic-permissions/{self.vhost}/{self.user}"

    def confine(self, write="^a", read="^a", exchange="amq.topic"):
        assert self.api.put(self.path, {"exchange": exchange, "write": write, "read": read}).code in (201, 204)

    @contextlib.contextmanager
    def channel(self, **properties):
        parameters = pika.ConnectionParameters(self.node.host, self.node.port, self.vhost,
                                               pika.PlainCredentials(self.user, "p"), client_properties=properties)
        connection = pika.BlockingConnection(parameters)
        try:
            yield connection.channel()
        finally:
            if connection.is_open:
                connection.close()

    def refused(self, action, key, right="write", exchange="amq.topic", **properties):
        """Whether action(channel) ends its channel with the refusal of that key; the connection goes on."""
        with self.channel(**properties) as channel:
            channel.confirm_delivery()
            try:
                action(channel)
            except pika.exceptions.ChannelClosedByBroker as error:
                text = (f"ACCESS_REFUSED - {right} access to topic '{key}' in exchange '{exchange}' in vhost '{self.vhost}' "
                        f"refused for user '{self.user}'")
                assert (error.reply_code, error.reply_text) == (403, text), error
                channel.connection.channel().queue_declare("q", passive=True)
                return True
            return False

    def publish(self, key, exchange="amq.topic", **properties):
        wanted = pika.BasicProperties(headers=properties.pop("headers", None))
        return self.refused(lambda channel: channel.basic_publish(exchange, key, b"x", wanted), key, exchange=exchange,
                            **properties)


@test
def publishing(node):
    world = World(node)
    assert not world.publish("b")
    world.confine()
    assert not world.publish("a.x")
    assert world.publish("b.x")
    assert world.refused(lambda channel: channel.basic_publish("amq.topic", "b.x", b""), "b.x"), "without a body, too"
    assert not world.publish("b.x", "amq.direct"), "an entry is for its exchange"
    assert world.refused(lambda c: c.basic_publish("amq.topic", "a", b"", pika.BasicProperties(headers={"CC": ["b"]})), "b")
    assert world.refused(lambda c: c.basic_publish("amq.topic", "a", b"", pika.BasicProperties(headers={"BCC": ["b"]})), "b")
    world.confine(exchange="amq.direct")
    assert not world.publish("b.x", "amq.direct"), "it is no topic exchange"
    world.confine(write="")
    assert world.publish("a")
    assert not world.publish("")


@test
def publishing_in_a_transaction(node):
    world = World(node)
    world.confine()
    with world.channel() as channel:
        channel.tx_select()
        channel.basic_publish("amq.topic", "a", b"")
        channel.basic_publish("amq.topic", "b", b"")
        try:
            channel.tx_commit()
            raise AssertionError("the key is not refused")
        except pika.exceptions.ChannelClosedByBroker as error:
            assert error.reply_code == 403, error


@test
def binding(node):
    world = World(node)
    world.confine(write=".*", read=r"^a\.")
    assert world.api.put(f"exchanges/{world.vhost}/e", {"type": "fanout"}).code == 201
    for key, refused in (("a.#", False), ("b.#", True)):
        assert world.refused(lambda c: c.queue_bind("q", "amq.topic", key), key, "read") == refused
        assert world.refused(lambda c: c.queue_unbind("q", "amq.topic", key), key, "read") == refused
        assert world.refused(lambda c: c.exchange_bind("e", "amq.topic", key), key, "read") == refused
        assert world.refused(lambda c: c.exchange_unbind("e", "amq.topic", key), key, "read") == refused
        assert not world.refused(lambda c: c.exchange_bind("amq.topic", "e", key), key, "read"), "only the source counts"
        assert not world.refused(lambda c: c.queue_bind("q", "amq.direct", key), key, "read")
    assert not world.publish("b.x"), "read and write are two rules"


@test(leveret_only="RabbitMQ has no such exchange without its plug-in")
def a_delayed_exchange_that_routes_by_topic(node):
    world = World(node)
    assert world.api.put(f"exchanges/{world.vhost}/later",
                         {"type": "x-delayed-message", "arguments": {"x-delayed-type": "topic"}}).code == 201
    world.confine(exchange="later")
    assert world.publish("b", "later") and not world.publish("a", "later")


@test
def variables(node):
    world = World(node)
    world.confine(write="^{username}/{vhost}$", read="^{client_id}$")
    assert not world.publish(f"{world.user}/{world.vhost}")
    assert world.publish(f"{world.user}/other")
    world.confine(write="^{client_id}$")
    assert not world.publish("{client_id}"), "without the property the words stay as they are"
    assert world.publish("one")


@test(leveret_only="RabbitMQ has client_id for MQTT alone")
def variable_of_the_client(node):
    world = World(node)
    world.confine(write="^{client_id}$")
    assert not world.publish("a.c", client_id="a.c")
    assert world.publish("abc", client_id="a.c"), "a dot is a literal"
    assert world.publish("x", client_id=".*")


@test
def a_change_counts_at_once(node):
    world = World(node)
    with world.channel() as channel:
        channel.confirm_delivery()
        channel.basic_publish("amq.topic", "b", b"")
        world.confine()
        try:
            channel.basic_publish("amq.topic", "b", b"")
            raise AssertionError("the key is not refused")
        except pika.exceptions.ChannelClosedByBroker as error:
            assert error.reply_code == 403, error
        channel = channel.connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("amq.topic", "a", b"")
        assert world.api.delete(world.path).code == 204
        channel.basic_publish("amq.topic", "b", b"")


@test
def over_http(node):
    world = World(node)
    world.confine()
    api = Api(node, world.user, "p")
    message = {"properties": {}, "routing_key": "b", "payload": "x", "payload_encoding": "string"}
    answer = api.post(f"exchanges/{world.vhost}/amq.topic/publish", message)
    assert answer.code == 400 and "403 ACCESS_REFUSED - write access to topic 'b'" in answer.json["reason"], answer
    assert api.post(f"exchanges/{world.vhost}/amq.topic/publish", {**message, "routing_key": "a"}).code == 200
    path = f"bindings/{world.vhost}/e/amq.topic/q/q"
    assert api.post(path, {"routing_key": "b"}).code == 401
    assert api.post(path, {"routing_key": "a"}).code == 201
    assert world.api.post(path, {"routing_key": "b"}).code == 201
    assert api.delete(f"{path}/b").code == 401
    assert api.delete(f"{path}/a").code == 204


@test
def stored_and_listed(node):
    world = World(node)
    entry = {"user": world.user, "vhost": world.vhost, "exchange": "amq.topic", "write": "^a", "read": "^b"}
    body = {"exchange": "amq.topic", "write": "^a", "read": "^b"}
    assert world.api.get(world.path).code == 404
    assert world.api.put(world.path, body).code == 201
    assert world.api.put(world.path, body).code == 204
    assert world.api.put(world.path, {"exchange": "", "write": "", "read": ""}).code == 201
    assert entry in world.api.get("topic-permissions").json
    for path in (world.path, f"users/{world.user}/topic-permissions", f"vhosts/{world.vhost}/topic-permissions"):
        assert [e["exchange"] for e in world.api.get(path).json] == ["", "amq.topic"], path
    for wrong in ({"exchange": "amq.topic", "write": "^a"}, {**body, "write": "("}, {**body, "exchange": "nosuch"}, "no"):
        assert world.api.put(world.path, wrong).code == 400, wrong
    for path in (f"topic-permissions/{world.vhost}/nobody", f"topic-permissions/nowhere/{world.user}"):
        assert world.api.put(path, body).json["reason"] == "vhost_or_user_not_found", path
        assert world.api.get(path).code == 404, path
    assert world.api.delete(f"{world.path}/zz").code == 204
    assert world.api.delete(f"{world.path}/amq.topic").code == 204
    assert world.api.delete(world.path).code == 204
    assert world.api.delete(world.path).code == 404
    assert world.api.put(world.path, body).code == 201
    assert world.api.delete(f"users/{world.user}").code == 204
    assert entry not in world.api.get("topic-permissions").json


@test(own=True, management=True, leveret_only="kills the broker")
def over_a_crash_and_in_definitions(node):
    world = World(node)
    world.confine()
    node.kill()
    node.start()
    assert world.publish("b") and not world.publish("a")
    exported = world.api.get("definitions").json
    assert exported["topic_permissions"] == [{"user": world.user, "vhost": world.vhost, "exchange": "amq.topic",
                                              "write": "^a", "read": "^a"}]
    assert world.api.delete(world.path).code == 204
    assert not world.publish("b")
    assert world.api.post("definitions", exported).code in (200, 204)
    assert world.publish("b")
    assert world.api.delete(f"vhosts/{q(world.vhost)}").code == 204
    eventually(lambda: world.api.get("topic-permissions").json == [], what="the end of the permissions")


if __name__ == "__main__":
    main(management=True)
