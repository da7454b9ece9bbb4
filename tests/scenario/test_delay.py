#!/usr/bin/python3
"""Exchanges of type x-delayed-message: messages come at their time, over restarts and kills, and mandatory has a meaning.

How late a message comes is not judged here: machines are busy. LEVERET_TEST_VERBOSE shows it.
"""
import struct
import sys
import time

try:
    import pika
except ImportError:
    print("SKIP delay: python3-pika is not installed")
    sys.exit(0)

from client import channel_error, channel_on, count
from harness import eventually, main, name, test
from http_api import Api, q

PLUGIN = "the plugin is not in Debian's package"


def delayed(delay_ms, persistent=True, **headers):
    return pika.BasicProperties(headers={"x-delay": delay_ms, **headers}, delivery_mode=2 if persistent else 1)


def declare(channel, inner="direct", durable=True):
    exchange, queue = name("x"), name("q")
    channel.exchange_declare(exchange, "x-delayed-message", durable=durable, arguments={"x-delayed-type": inner})
    channel.queue_declare(queue, durable=True)
    channel.queue_bind(queue, exchange, "k")
    return exchange, queue


def read(channel, queue, count, seconds=60):
    """(time, properties, body) of the next messages."""
    found = []
    end = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method:
            found.append((time.time(), properties, body))
        else:
            time.sleep(0.005)
    assert len(found) == count, f"{len(found)} of {count} messages came"
    return found


@test(leveret_only=PLUGIN)
def in_order_of_their_time(node):
    with channel_on(node) as channel:
        exchange, queue = declare(channel)
        for delay_ms in (6000, 2000, 0, 4000, -7):
            channel.basic_publish(exchange, "k", f"{delay_ms} {time.time()}", delayed(delay_ms, other="x"))
        found = read(channel, queue, 5)
        assert [body.split()[0] for _, _, body in found] == [b"0", b"-7", b"2000", b"4000", b"6000"], found
        for came, properties, body in found:
            delay_ms, sent = int(body.split()[0]), float(body.split()[1])
            assert -0.01 <= came - sent - max(delay_ms, 0) / 1000, (delay_ms, came - sent)
            assert properties.headers == {"x-delay": -delay_ms if delay_ms > 0 else delay_ms, "other": "x"}, properties


@test(leveret_only=PLUGIN)
def long_delays(node):
    """A year is waited for; what is no delay is refused, and never delivered at once."""
    with channel_on(node) as channel:
        exchange, queue = declare(channel)
        channel.confirm_delivery()
        for delay_ms in (2 ** 32, 365 * 86400 * 1000, str(20 * 365 * 86400 * 1000)):
            channel.basic_publish(exchange, "k", b"later", delayed(delay_ms))
        assert count(channel, queue) == 0
    for delay_ms, why in ((2 ** 63 - 1, "it is larger than 3155760000000 ms"), ("9" * 30, "it is larger than"),
                          ("soon", "it is no number but of type longstr"), (True, "of type bool"), (None, "of type void")):
        with channel_on(node) as channel:
            exchange, queue = declare(channel)
            channel.confirm_delivery()
            with channel_error(406, f"invalid x-delay: {why}" if "it is" in why else why):
                channel.basic_publish(exchange, "k", b"never", delayed(delay_ms))


@test(leveret_only=PLUGIN)
def inner_types(node):
    with channel_on(node) as channel:
        exchange, queue = name("x"), name("q")
        channel.exchange_declare(exchange, "x-delayed-message", arguments={"x-delayed-type": "topic"})
        channel.queue_declare(queue, exclusive=True)
        channel.queue_bind(queue, exchange, "a.*.#")
        channel.basic_publish(exchange, "a.b.c", b"1", delayed(50), mandatory=True)
        channel.basic_publish(exchange, "b.b.c", b"2", delayed(50))
        read(channel, queue, 1)
        channel.exchange_declare(exchange, "x-delayed-message", arguments={"x-delayed-type": "topic"})
    for arguments, text in (({}, "'x-delayed-type' must be an existing exchange type"),
                            ({"x-delayed-type": 7}, "'x-delayed-type' must be an existing exchange type"),
                            ({"x-delayed-type": "nonsense"}, "unknown exchange type 'nonsense'"),
                            ({"x-delayed-type": "x-delayed-message"}, "can't be used")):
        with channel_on(node) as channel, channel_error(406, text):
            channel.exchange_declare(name("x"), "x-delayed-message", arguments=arguments)


@test(leveret_only=PLUGIN)
def mandatory(node):
    with channel_on(node) as channel:
        exchange, queue = declare(channel)
        channel.confirm_delivery()
        try:
            channel.basic_publish(exchange, "nowhere", b"lost", delayed(100), mandatory=True)
            raise AssertionError("not returned")
        except pika.exceptions.UnroutableError as error:
            assert error.messages[0].body == b"lost"
        channel.basic_publish(exchange, "k", b"kept", delayed(100), mandatory=True)
        assert read(channel, queue, 1)[0][2] == b"kept"


@test(own=True, seconds=90, leveret_only=PLUGIN, management=True)
def a_kill_loses_nothing(node):
    """Confirmed, so there after kill -9, on time; what was due meanwhile comes at once; nothing twice."""
    with channel_on(node) as channel:
        exchange, queue = declare(channel)
        channel.confirm_delivery()
        published = time.time()
        for i in range(200):
            channel.basic_publish(exchange, "k", struct.pack(">L", i), delayed(8000 + i * 20))
        channel.basic_publish(exchange, "k", struct.pack(">L", 9999), delayed(3600000))
        channel.basic_publish(exchange, "k", b"transient", delayed(8000, persistent=False))
    # a vhost's listing is answered by its owner
    api = Api(node)
    assert api.get(f"exchanges/%2F/{q(exchange)}").json["messages_delayed"] == 202
    node.kill()
    time.sleep(max(0.0, published + 9 - time.time()))
    node.start()
    with channel_on(node) as channel:
        found = read(channel, queue, 100)
        node.kill()             # in the middle of it
    node.start()
    with channel_on(node) as channel:
        # a get without ack that was not on disk when the broker was killed is seen again
        while len({body for _, _, body in found}) < 200:
            found += read(channel, queue, 1)
        numbers = [struct.unpack(">L", body)[0] for _, _, body in found]
        assert sorted(set(numbers)) == list(range(200)), numbers
        for came, _, body in found:
            assert came - published > 7.9 + struct.unpack(">L", body)[0] * 0.02, (came - published, body)
        eventually(lambda: Api(node).get(f"exchanges/%2F/{q(exchange)}").json["messages_delayed"] == 1)
        channel.exchange_delete(exchange)
        time.sleep(0.2)
    node.restart()
    with channel_on(node) as channel:
        channel.exchange_declare(exchange, "x-delayed-message", durable=True, arguments={"x-delayed-type": "direct"})
        assert Api(node).get(f"exchanges/%2F/{q(exchange)}").json["messages_delayed"] == 0


def lateness(channel, queue, count, seconds):
    """How late each came, in ms, by the clock that the publisher and this process share."""
    late = []
    for method, properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=seconds):
        assert method is not None, f"{len(late)} of {count} messages came"
        late.append(time.time() * 1000 - struct.unpack(">d", body)[0])
        if len(late) == count:
            channel.cancel()
            return sorted(late)


@test(own=True, seconds=120, leveret_only=PLUGIN)
def a_thousand_a_second(node):
    """5,000 durable messages due over five seconds, each at its own millisecond."""
    count = 5000
    with channel_on(node) as channel, channel_on(node) as reader:
        exchange, queue = declare(channel)
        begin = time.time() * 1000 + 3000
        for i in range(count):
            due = begin + (i * 7919) % count
            delay_ms = max(1, round(due - time.time() * 1000))
            channel.basic_publish(exchange, "k", struct.pack(">d", time.time() * 1000 + delay_ms), delayed(delay_ms))
        late = lateness(reader, queue, count, 30)
    print(f"late by ms: median {late[count // 2]:.1f}, 99 % {late[count * 99 // 100]:.1f}, most {late[-1]:.1f}, "
          f"least {late[0]:.1f}")
    assert late[0] > -5


if __name__ == "__main__":
    main()
