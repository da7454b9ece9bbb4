#!/usr/bin/python3
"""Exchange types beyond the standard's, alternate and internal exchanges, deduplication: with pika, and over a restart."""
from collections import Counter

import pika
from harness import eventually, main, name, test
from http_api import Api, q


def connect(node, user="guest", password="guest"):
    return pika.BlockingConnection(pika.ConnectionParameters(
        node.host, node.port, "/", pika.PlainCredentials(user, password)))


def refused(node, call, code, text):
    """call(channel) fails with this code and text."""
    connection = connect(node)
    try:
        call(connection.channel())
    except pika.exceptions.AMQPError as error:
        assert error.args[0] == code and text in error.args[1], error.args
        return
    finally:
        if connection.is_open:
            connection.close()
    raise AssertionError(f"not refused with {code} {text}")


def counts(channel, queues):
    return [channel.queue_declare(queue, passive=True).method.message_count for queue in queues]


def persistent(**headers):
    return pika.BasicProperties(delivery_mode=2, headers={k.replace("_", "-"): v for k, v in headers.items()})


def bound(channel, exchange, keys, durable=True):
    queues = [name() for _ in keys]
    for queue, key in zip(queues, keys):
        channel.queue_declare(queue, durable=durable)
        channel.queue_bind(queue, exchange, key)
    return queues


def drain(channel, queues):
    """Which key is in which queue."""
    places = {}
    for number, queue in enumerate(queues):
        for method, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=0.3):
            if method is None:
                break
            places[method.routing_key] = number
        channel.cancel()
    return places


@test(own=True, seconds=60, leveret_only="its plugin is not on")
def consistent_hash(node):
    connection = connect(node)
    channel = connection.channel()
    exchange = name("x")
    channel.exchange_declare(exchange, "x-consistent-hash", durable=True)
    queues = bound(channel, exchange, ["1", "1", "2"])
    channel.confirm_delivery()
    for i in range(2000):
        channel.basic_publish(exchange, f"key{i}", b"", pika.BasicProperties(delivery_mode=2))
    got = counts(channel, queues)
    assert sum(got) == 2000, got
    for have, fair in zip(got, (500, 500, 1000)):
        assert abs(have - fair) < 0.2 * fair, got
    before = drain(channel, queues)
    connection.close()
    node.restart()
    connection = connect(node)
    channel = connection.channel()
    for i in range(500):
        channel.basic_publish(exchange, f"key{i}", b"")
    after = drain(channel, queues)
    assert all(before[key] == place for key, place in after.items()) and len(after) == 500
    connection.close()
    refused(node, lambda c: c.queue_bind(queues[0], exchange, "heavy"), 406, "The binding key must be an integer")
    refused(node, lambda c: c.queue_bind(queues[0], exchange, "0"), 406, "The binding key must be greater than 0")
    refused(node, lambda c: c.exchange_declare(name("x"), "x-consistent-hash", arguments={
        "hash-header": "h", "hash-property": "message_id"}), 406, "hash-header and hash-property are mutually exclusive")


@test(leveret_only="its plugin is not on")
def consistent_hash_of_header_and_property(node):
    connection = connect(node)
    channel = connection.channel()
    for arguments, properties in (
            ({"hash-header": "customer"}, lambda i: pika.BasicProperties(headers={"customer": i})),
            ({"hash-property": "correlation_id"}, lambda i: pika.BasicProperties(correlation_id=str(i)))):
        exchange = name("x")
        channel.exchange_declare(exchange, "x-consistent-hash", arguments=arguments)
        queues = bound(channel, exchange, ["10", "10"], durable=False)
        for i in range(200):
            channel.basic_publish(exchange, "always the same", b"", properties(i))
        eventually(lambda q=queues: sum(counts(channel, q)) == 200)
        assert min(counts(channel, queues)) > 60
    connection.close()


@test(leveret_only="their plugins are not on")
def random_and_modulus(node):
    connection = connect(node)
    channel = connection.channel()
    for kind in ("x-random", "x-modulus-hash"):
        exchange = name("x")
        channel.exchange_declare(exchange, kind)
        queues = bound(channel, exchange, ["a", "b", "c"], durable=False)
        for i in range(300):
            channel.basic_publish(exchange, f"k{i % 30}", b"")
        eventually(lambda q=queues: sum(counts(channel, q)) == 300)
        assert min(counts(channel, queues)) > 20, (kind, counts(channel, queues))
        if kind == "x-modulus-hash":
            places = Counter()
            for number, queue in enumerate(queues):
                for method, _, _ in channel.consume(queue, auto_ack=True, inactivity_timeout=0.3):
                    if method is None:
                        break
                    places[method.routing_key, number] += 1
                channel.cancel()
            assert len(places) == 30 and set(places.values()) == {10}
    connection.close()


@test
def local_random(node):
    connection = connect(node)
    channel = connection.channel()
    exchange, queues = name("x"), [name("q") for _ in range(3)]
    channel.exchange_declare(exchange, "x-local-random", durable=True)
    for queue in queues:
        channel.queue_declare(queue, exclusive=True)
        channel.queue_bind(queue, exchange, "")
    refused(node, lambda c: c.exchange_bind("amq.fanout", exchange, "k"), 406, "Non empty binding 'k' key not permitted")
    for i in range(300):
        channel.basic_publish(exchange, f"k{i}", b"")
    eventually(lambda: sum(counts(channel, queues)) == 300)
    assert min(counts(channel, queues)) > 20, counts(channel, queues)
    channel.exchange_delete(exchange)
    connection.close()


def take(channel, queue):
    """The bodies in a queue, and where they came from."""
    got = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return got
        got.append((body.decode(), method.exchange, method.routing_key))


@test(leveret_only="its plugin is not on", own=True, management=True)
def recent_history(node):
    """Who is bound gets the last messages; they are counted, and a restart forgets them."""
    api = Api(node)
    held = lambda: api.get(f"nodes/{q(api.get('overview').json['node'])}/memory").json["counted"]["recent_history"]
    with connect(node) as connection:
        channel = connection.channel()
        channel.exchange_declare("x", "x-recent-history", durable=True, arguments={"x-recent-history-length": 2})
        channel.exchange_declare("x", "x-recent-history", durable=True)
        for i in range(4):
            channel.basic_publish("x", f"k{i}", f"m{i}".encode())
        kept = [("m2", "x", "k2"), ("m3", "x", "k3")]
        for queue in ("first", "second"):
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})
            channel.queue_bind(queue, "x", "any")
            assert take(channel, queue) == kept
        channel.queue_bind("first", "x", "any")
        assert take(channel, "first") == []
        channel.basic_publish("x", "k", b"unkept", pika.BasicProperties(headers={"x-recent-history-no-store": True}))
        assert take(channel, "first") == take(channel, "second") == [("unkept", "x", "k")]
        # By the API, and in the definitions of a queue that an import makes.
        assert api.post("bindings/%2F/e/x/q/first", {"routing_key": "other"}).code == 201
        assert take(channel, "first") == kept
        assert api.post("definitions", {
            "queues": [{"name": "third", "vhost": "/", "durable": True}],
            "bindings": [{"source": "x", "vhost": "/", "destination": "third", "destination_type": "queue",
                          "routing_key": ""}]}).code == 204
        assert take(channel, "third") == kept
        assert api.get("exchanges/%2F/x").json["type"] == "x-recent-history"
        assert {"x-local-random", "x-recent-history"} <= {one["name"] for one in api.get("overview").json["exchange_types"]}
        assert held() > 0
    for wrong, said in ((0, "Invalid argument 0, 'x-recent-history-length' must be a positive integer"),
                        ("abc", "Invalid argument <<\"abc\">>, 'x-recent-history-length' must be a positive integer"),
                        (1000000, "may be at most 100000")):
        refused(node, lambda c, w=wrong: c.exchange_declare("y", "x-recent-history", arguments={"x-recent-history-length": w}), 406, said)
    node.restart()
    with connect(node) as connection:
        channel = connection.channel()
        channel.queue_declare("late", durable=True)
        channel.queue_bind("late", "x", "")
        assert take(channel, "late") == []
        channel.basic_publish("x", "k", b"new")
        assert take(channel, "late") == [("new", "x", "k")]
    assert api.delete("exchanges/%2F/x").code == 204 and held() == 0


@test
def alternate_exchange(node):
    connection = connect(node)
    channel = connection.channel()
    channel.confirm_delivery()
    first, second, last = name("x"), name("x"), name("x")
    lost = name()
    channel.exchange_declare(first, "direct", arguments={"alternate-exchange": second})
    try:
        channel.basic_publish(first, "k", b"", mandatory=True)  # the alternate exchange is not there
        raise AssertionError("not returned")
    except pika.exceptions.UnroutableError:
        pass
    channel.exchange_declare(second, "topic", arguments={"alternate-exchange": last})
    channel.exchange_declare(last, "fanout", internal=True, arguments={"alternate-exchange": first})
    try:
        channel.basic_publish(first, "k", b"", mandatory=True)  # round in a circle
        raise AssertionError("not returned")
    except pika.exceptions.UnroutableError:
        pass
    channel.queue_declare(lost)
    channel.queue_bind(lost, last)
    channel.basic_publish(first, "k", b"", mandatory=True)
    assert counts(channel, [lost]) == [1]
    # Of an exchange that is reached by a binding, the alternate is its own.
    front, back = name("x"), name("x")
    channel.exchange_declare(front, "fanout")
    channel.exchange_declare(back, "direct", arguments={"alternate-exchange": last})
    channel.exchange_bind(back, front)
    channel.basic_publish(front, "nowhere", b"", mandatory=True)
    assert counts(channel, [lost]) == [2]
    connection.close()
    refused(node, lambda c: c.exchange_declare(name("x"), "direct", arguments={"alternate-exchange": 5}), 406,
            "invalid type 'signedint' for arg 'alternate-exchange'")


@test
def internal_exchange(node):
    connection = connect(node)
    channel = connection.channel()
    inside, outside, queue = name("x"), name("x"), name()
    channel.exchange_declare(inside, "fanout", internal=True)
    channel.exchange_declare(outside, "fanout")
    channel.queue_declare(queue)
    channel.queue_bind(queue, inside)
    channel.exchange_bind(inside, outside)
    channel.confirm_delivery()
    channel.basic_publish(outside, "k", b"", mandatory=True)
    assert counts(channel, [queue]) == [1]
    connection.close()

    def publish(c):
        c.basic_publish(inside, "k", b"")
        c.queue_declare(queue, passive=True)
    refused(node, publish, 403, "cannot publish to internal exchange")


@test(own=True, leveret_only="permissions by its API", management=True)
def permissions_of_alternates(node):
    api = Api(node)
    assert api.put("users/u", {"password": "p", "tags": ""}).code == 201
    assert api.put("permissions/%2F/u", {"configure": "^mine", "write": "^mine", "read": "^mine"}).code == 201

    def declare(exchange, alternate):
        connection = connect(node, "u", "p")
        try:
            connection.channel().exchange_declare(exchange, "direct", arguments={"alternate-exchange": alternate})
        except pika.exceptions.ChannelClosedByBroker as error:
            return error.reply_code
        finally:
            if connection.is_open:
                connection.close()
        return 200
    assert declare("mine.x", "mine.alternate") == 200
    assert declare("mine.y", "theirs") == 403
    assert api.put("permissions/%2F/u", {"configure": "^mine", "write": "^mine", "read": ""}).code == 204
    assert declare("mine.z", "mine.alternate") == 403


@test(own=True, seconds=60, leveret_only="its plugin is not there")
def deduplicating_exchange(node):
    connection = connect(node)
    channel = connection.channel()
    channel.confirm_delivery()
    exchange, queue = name("x"), name()
    channel.exchange_declare(exchange, "x-message-deduplication", durable=True, arguments={
        "x-cache-size": 100, "x-cache-ttl": 60000})
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, exchange, "any")
    for identifier in ("a", "a", "b", 5, 5, "a"):
        channel.basic_publish(exchange, "k", b"m", persistent(x_deduplication_header=identifier), mandatory=True)
    channel.basic_publish(exchange, "k", b"m", persistent())
    assert counts(channel, [queue]) == [4]
    connection.close()
    node.kill()
    node.start()
    connection = connect(node)
    channel = connection.channel()
    channel.confirm_delivery()
    assert counts(channel, [queue]) == [4]
    for identifier in ("a", "b", 5):
        channel.basic_publish(exchange, "k", b"m", persistent(x_deduplication_header=identifier))
    assert counts(channel, [queue]) == [4]
    connection.close()
    refused(node, lambda c: c.exchange_declare(name("x"), "x-message-deduplication"), 406, "'x-cache-size' must be an integer")


@test(own=True, seconds=60, leveret_only="its plugin is not there")
def deduplicating_queue(node):
    connection = connect(node)
    channel = connection.channel()
    channel.confirm_delivery()
    queue = name()
    channel.queue_declare(queue, durable=True, arguments={"x-message-deduplication": True})

    def publish(c, identifier):
        c.basic_publish("", queue, b"m", persistent(x_deduplication_header=identifier), mandatory=True)
    for identifier in ("a", "b", "a", "b"):
        publish(channel, identifier)
    assert counts(channel, [queue]) == [2]
    connection.close()
    node.kill()
    node.start()
    connection = connect(node)
    channel = connection.channel()
    channel.confirm_delivery()
    publish(channel, "a")
    assert counts(channel, [queue]) == [2]
    method, _, _ = channel.basic_get(queue)
    publish(channel, "a")
    assert counts(channel, [queue]) == [1]
    channel.basic_ack(method.delivery_tag)
    publish(channel, "a")
    assert counts(channel, [queue]) == [2]
    connection.close()


if __name__ == "__main__":
    main()
