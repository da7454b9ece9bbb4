#!/usr/bin/python3
"""Consumers and redelivery: priorities of messages, single active consumers, delivery limits, quorum queues, time-outs, cancel
notify. RabbitMQ passes them too, those apart that say why not."""
import random
import threading
import time

import pika

from client import (PERSISTENT, channel_error, channel_on, collector, connect, count, drain, get, publish, queue, settle, wait)
from harness import eventually, main, name, test
from http_api import Api

QUORUM = {"x-queue-type": "quorum"}
SINGLE = {"x-single-active-consumer": True}


def bodies(got):
    return [body.decode() for _, _, body in got]


def got_one(channel, queue_name, **options):
    """basic.get until there is something."""
    return eventually(lambda: (lambda g: g if g[0] else None)(channel.basic_get(queue_name, **options)), what="a message")


def confirming(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


# ---- Priorities of messages.

@test
def priorities(node):
    with channel_on(node) as ch:
        q = queue(ch, arguments={"x-max-priority": 5})
        for body, priority in (("a", 1), ("b", 5), ("c", 0), ("d", 9), ("e", 1), ("f", None), ("g", 5)):
            publish(ch, q, body, priority=priority)
        eventually(lambda: count(ch, q) == 7)
        assert drain(ch, q) == [b"b", b"d", b"g", b"a", b"e", b"c", b"f"]


@test
def priorities_requeued(node):
    with channel_on(node) as ch:
        q = queue(ch, arguments={"x-max-priority": 10})
        for body, priority in (("a", 1), ("b", 5), ("c", 5)):
            publish(ch, q, body, priority=priority)
        eventually(lambda: count(ch, q) == 3)
        tags = [ch.basic_get(q)[0].delivery_tag for _ in range(3)]      # b, c, a
        publish(ch, q, "d", priority=5)
        publish(ch, q, "e", priority=3)
        eventually(lambda: count(ch, q) == 2)
        for tag in (tags[1], tags[2], tags[0]):
            ch.basic_nack(tag)
        eventually(lambda: count(ch, q) == 5)
        assert drain(ch, q) == [b"b", b"c", b"d", b"e", b"a"]


@test
def priorities_for_consumers(node):
    """A consumer gets what is highest when it has room."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other, arguments={"x-max-priority": 255})
        ch.basic_qos(prefetch_count=1)
        _, got = collector(ch, q)
        publish(other, q, "first", priority=3)
        wait(ch, lambda: got)
        for priority in (1, 200, 7, 255, 0, 7):
            publish(other, q, str(priority), priority=priority)
        eventually(lambda: count(other, q) == 6)
        for i in range(6):
            ch.basic_ack(got[i][0].delivery_tag)
            wait(ch, lambda: len(got) == i + 2)
        assert bodies(got) == ["first", "255", "200", "7", "7", "1", "0"]


@test
def priorities_expire_at_the_head(node):
    with channel_on(node) as ch:
        q = queue(ch, arguments={"x-max-priority": 3})
        publish(ch, q, "low", priority=1, expiration="50")
        publish(ch, q, "high", priority=2)
        time.sleep(0.3)
        assert count(ch, q) == 2
        assert drain(ch, q) == [b"high"]


@test
def priorities_are_the_queues_for_good(node):
    with connect(node) as connection:
        q = queue(connection.channel(), name(), arguments={"x-max-priority": 3})
        with channel_error(406, f"inequivalent arg 'x-max-priority' for queue '{q}' in vhost '/': received '4' but current is '3'"):
            queue(connection.channel(), q, arguments={"x-max-priority": 4})
        with channel_error(406, "{max_value_exceeded,256}"):
            queue(connection.channel(), arguments={"x-max-priority": 256})
        with channel_error(406, "{value_negative,-1}"):
            queue(connection.channel(), arguments={"x-max-priority": -1})


@test(own=True, seconds=90)
def priorities_survive(node):
    """Thousands of all levels, through a kill; each level keeps its order, the highest first."""
    q, sent = name(), []
    with connect(node) as connection:
        ch = confirming(connection)
        ch.queue_declare(q, durable=True, arguments={"x-max-priority": 255})
        ch = connection.channel()       # confirms one by one take too long
        ch.tx_select()
        for i in range(2000):
            priority = random.randrange(256)
            sent.append((-priority, i))
            ch.basic_publish("", q, str(i).encode(), pika.BasicProperties(delivery_mode=2, priority=priority))
            if i % 500 == 499:
                ch.tx_commit()
        ch.basic_publish("", q, b"transient", pika.BasicProperties(priority=255))
        ch.tx_commit()
    node.kill()
    node.start()
    with channel_on(node) as ch:
        assert count(ch, q) == 2000
        _, got = collector(ch, q, auto_ack=True)
        wait(ch, lambda: len(got) == 2000, 60)
        assert [int(b) for b in bodies(got)] == [i for _, i in sorted(sent)]


# ---- Single active consumer.

def fail(channel):
    """The broker closes the channel. pika's close() cancels the consumers first, which is another matter: a cancelled consumer
    keeps what it holds."""
    channel._impl.basic_ack(999999)     # not waiting for what comes of it: it may be called by a delivery


@test
def single_active(node):
    with connect(node) as connection:
        other = connection.channel()
        q = queue(other, arguments=SINGLE)
        channels = [connection.channel() for _ in range(4)]
        got, tags = [], []
        for i, (ch, priority) in enumerate(zip(channels, (0, 0, 5, 5))):
            ch.basic_qos(prefetch_count=2)
            tags.append(ch.basic_consume(q, lambda c, m, p, b, i=i: got.append((i, b.decode(), m.redelivered)),
                                         arguments={"x-priority": priority}))
        assert other.queue_declare(q, passive=True).method.consumer_count == 4
        publish(other, q, *range(6))
        wait(other, lambda: len(got) == 2)
        settle(other)
        assert got == [(0, "0", False), (0, "1", False)], got           # nobody else, better or not
        channels[0].basic_cancel(tags[0])                               # what it holds stays with it
        channels[0].basic_nack(1)
        channels[0].basic_ack(2)
        del got[:]
        wait(other, lambda: len(got) == 2)
        assert all(i == 2 for i, _, _ in got), got
        assert {body for _, body, _ in got} <= {"0", "2", "3"}, got
        del got[:]
        fail(channels[2])
        wait(other, lambda: len(got) == 2)
        assert got == [(3, "0", True), (3, "2", True)], got


@test
def single_active_order(node):
    """Everything is handled once, in order, by whoever is active, though each of them leaves after some."""
    with connect(node) as connection:
        other = connection.channel()
        q = queue(other, arguments=SINGLE)
        publish(other, q, *range(100))
        eventually(lambda: count(other, q) == 100)
        handled = []

        def start():
            ch = connection.channel()
            ch.basic_qos(prefetch_count=10)
            mine = []

            def handle(c, method, properties, body):
                if len(mine) == 7:
                    fail(c)         # what it holds goes back
                    return
                mine.append(int(body))
                handled.append(int(body))
                c.basic_ack(method.delivery_tag)

            ch.basic_consume(q, handle)

        for _ in range(20):
            start()
        wait(other, lambda: len(handled) >= 100)
        assert handled == list(range(100)), handled


@test
def single_active_refuses(node):
    with connect(node) as connection:
        other = connection.channel()
        q = queue(other, name(), arguments=SINGLE)
        with channel_error(403, f"queue '{q}' in vhost '/' in exclusive use"):
            connection.channel().basic_consume(q, lambda *a: None, exclusive=True)
        with channel_error(406, "inequivalent arg 'x-single-active-consumer'"):
            queue(connection.channel(), q)
        publish(other, q, "a")
        assert got_one(other, q)[2] == b"a"         # a get is no consumer
        held = name()
        other.queue_declare(held, durable=True, arguments={**SINGLE, **QUORUM})
        with channel_error(405, f"cannot obtain access to locked queue '{held}' in vhost '/'. basic.get operations are not "
                                "supported by quorum queues with single active consumer"):
            connection.channel().basic_get(held)
        other.queue_delete(held)


@test(own=True, management=True, leveret_only="by its API")
def single_active_is_shown(node):
    api = Api(node)
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q, plain = queue(ch, arguments=SINGLE), queue(ch)
        first, second = (c.basic_consume(q, lambda *a: None) for c in (ch, other))
        alone = ch.basic_consume(plain, lambda *a: None, exclusive=True, arguments={"x-priority": 3, "mine": "yes"})
        listed = {c["consumer_tag"]: c for c in api.get("consumers/%2F").json}
        assert [(listed[t]["active"], listed[t]["activity_status"]) for t in (first, second, alone)] == [
            (True, "single_active"), (False, "waiting"), (True, "up")], listed
        assert listed[alone]["exclusive"] and listed[alone]["arguments"] == {"x-priority": 3, "mine": "yes"}
        shown = api.get(f"queues/%2F/{q}").json
        assert shown["single_active_consumer_tag"] == first and shown["exclusive_consumer_tag"] is None
        assert shown["consumers"] == 2
        shown = api.get(f"queues/%2F/{plain}").json
        assert shown["single_active_consumer_tag"] is None and shown["exclusive_consumer_tag"] == alone
        ch.basic_cancel(first)
        assert api.get(f"queues/%2F/{q}").json["single_active_consumer_tag"] == second
        held = name()
        ch.queue_declare(held, durable=True, arguments=QUORUM)
        assert api.get(f"queues/%2F/{held}").json["type"] == "quorum"
        assert shown["type"] == "classic"


# ---- Delivery limits and quorum queues.

def limited(channel, limit, **arguments):
    dead = queue(channel)
    q = name()
    channel.queue_declare(q, durable=True, arguments={**QUORUM, "x-delivery-limit": limit, "x-dead-letter-exchange": "",
                                                      "x-dead-letter-routing-key": dead, **arguments})
    return q, dead


@test
def delivery_limit(node):
    with connect(node) as connection:
        ch = confirming(connection)
        q, dead = limited(ch, 3)
        publish(ch, q, "m", headers={"mine": 1})
        counts = []
        for way in ("nack", "reject", "close", "nack"):
            other = connection.channel()
            method, properties, _ = got_one(other, q)
            counts.append(properties.headers.get("x-delivery-count", 0))
            assert properties.headers["mine"] == 1 and method.redelivered == (counts[-1] > 0)
            if way == "nack":
                other.basic_nack(method.delivery_tag)
            elif way == "reject":
                other.basic_reject(method.delivery_tag)
            other.close()
        assert counts == [0, 1, 2, 3]
        _, properties, body = got_one(ch, dead, auto_ack=True)
        assert body == b"m" and properties.headers["x-death"][0]["reason"] == "delivery_limit"
        assert properties.headers["x-first-death-queue"] == q and "x-delivery-count" not in properties.headers
        assert count(ch, q) == 0
        ch.queue_delete(q)


@test
def delivery_limit_for_consumers(node):
    """A consumer is told from the second time on; a cancel is no return; recover is one."""
    with connect(node) as connection:
        ch, other = confirming(connection), connection.channel()
        q, dead = limited(ch, 1)
        publish(ch, q, "m")
        tag, got = collector(other, q)
        wait(other, lambda: got)
        other.basic_recover(requeue=True)
        wait(other, lambda: len(got) == 2)
        seen = [(m.redelivered, (p.headers or {}).get("x-delivery-count")) for m, p, _ in got]
        assert seen == [(False, None), (True, 1)], seen
        other.basic_cancel(tag)
        settle(other)
        assert get(ch, dead) is None
        other.close()
        assert got_one(ch, dead)[2] == b"m"
        ch.queue_delete(q)


@test(own=True, leveret_only="RabbitMQ's node is not killed here")
def delivery_limit_over_kills(node):
    """What is out when the broker is killed counts as returned, so that a poison message ends. Restarts alone count nothing."""
    with connect(node) as connection:
        ch = confirming(connection)
        dead = ch.queue_declare(name("dead"), durable=True).method.queue
        q = name()
        ch.queue_declare(q, durable=True, arguments={**QUORUM, "x-delivery-limit": 1, "x-dead-letter-exchange": "",
                                                     "x-dead-letter-routing-key": dead})
        publish(ch, q, "poison", "never out", delivery_mode=2)
    for expected in (None, 1):
        with connect(node) as connection:
            ch = confirming(connection)
            method, properties, body = got_one(ch, q)
            assert body == b"poison" and method.redelivered == (expected is not None), (body, method)
            assert ((properties.headers or {}).get("x-delivery-count") or None) == expected, properties.headers
            ch.queue_declare(name("after"), durable=True)    # that it was delivered is on disk with this
            node.kill()
        node.start()
    node.kill()
    node.start()
    with connect(node) as connection:
        ch = connection.channel()
        assert got_one(ch, dead, auto_ack=True)[2] == b"poison"
        method, properties, body = got_one(ch, q)
        assert body == b"never out" and not method.redelivered, (body, method)


@test
def quorum_refuses(node):
    with connect(node) as connection:
        def refused(text, arguments=None, wanted="r", **options):
            options = {"durable": True, **options}
            with channel_error(406, text):
                connection.channel().queue_declare(wanted, arguments={**QUORUM, **(arguments or {})}, **options)

        refused("invalid property 'non-durable' for queue 'r' in vhost '/'", durable=False)
        refused("invalid property 'exclusive-owner' for queue 'r' in vhost '/'", exclusive=True)
        refused("invalid property 'auto-delete' for queue 'r' in vhost '/'", auto_delete=True)
        refused("Cannot declare a server-named queue for type rabbit_quorum_queue", wanted="")
        for argument, value in (("x-max-priority", 3), ("x-queue-mode", "lazy"), ("x-queue-version", 2), ("x-max-age", "1D")):
            refused(f"invalid arg '{argument}' for queue 'r' in vhost '/' of queue type rabbit_quorum_queue", {argument: value})
        ch = connection.channel()
        q = name()
        ch.queue_declare(q, durable=True, arguments=QUORUM)
        with channel_error(406, "inequivalent arg 'x-queue-type'"):
            connection.channel().queue_declare(q, durable=True)
        ch.queue_delete(q)
        ch.queue_declare(q, durable=True, arguments={**QUORUM, "x-quorum-initial-group-size": 3, "x-max-in-memory-length": 5})
        ch.queue_delete(q)


@test
def quorum_ttl_and_length(node):
    with connect(node) as connection:
        ch = confirming(connection)
        q = name()
        ch.queue_declare(q, durable=True, arguments={**QUORUM, "x-max-length": 2})
        publish(ch, q, *range(4))
        eventually(lambda: count(ch, q) == 2)
        assert [got_one(ch, q, auto_ack=True)[2] for _ in range(2)] == [b"2", b"3"]
        ch.queue_delete(q)
        ch.queue_declare(q, durable=True, arguments={**QUORUM, "x-message-ttl": 200})
        publish(ch, q, "late")
        eventually(lambda: count(ch, q) == 0)
        assert get(ch, q) is None
        ch.queue_delete(q)


@test(leveret_only="RabbitMQ refuses the limit for classic queues, global qos for quorum queues and deleting those if-empty")
def beyond_rabbitmq(node):
    with connect(node) as connection:
        ch, other = confirming(connection), connection.channel()
        q = queue(ch, arguments={"x-delivery-limit": 1})
        publish(ch, q, "m")
        for expected in (0, 1):
            method, properties, _ = ch.basic_get(q)
            assert (properties.headers or {}).get("x-delivery-count", 0) == expected
            ch.basic_nack(method.delivery_tag)
        assert get(ch, q) is None
        q = name()
        ch.queue_declare(q, durable=True, arguments=QUORUM)
        publish(ch, q, *range(5))
        other.basic_qos(prefetch_count=2, global_qos=True)
        _, got = collector(other, q)
        wait(other, lambda: len(got) == 2)
        settle(other)
        assert len(got) == 2
        other.close()
        with channel_error(406, "not empty"):
            connection.channel().queue_delete(q, if_empty=True)
        ch.queue_purge(q)
        ch.queue_delete(q, if_empty=True, if_unused=True)


@test(own=True, leveret_only="its quorum queues' default limit is that of RabbitMQ 4")
def delivery_counts_survive(node):
    q, dead = name("q"), name("dead")
    with connect(node) as connection:
        ch = confirming(connection)
        ch.queue_declare(dead, durable=True)
        ch.queue_declare(q, durable=True, arguments={**QUORUM, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead})
        publish(ch, q, "transient, and kept")
        for _ in range(12):
            ch.basic_reject(got_one(ch, q)[0].delivery_tag)
        for _ in range(30):                                 # only failures count for the limit that nobody said
            ch.basic_nack(got_one(ch, q)[0].delivery_tag)
        publish(ch, dead, "a mark", delivery_mode=2)        # confirmed: the counts are on disk, too
    node.kill()
    node.start()
    with connect(node) as connection:
        ch = confirming(connection)
        counts = []
        while True:
            method, properties, _ = ch.basic_get(q)
            if not method:
                break
            counts.append((properties.headers["x-delivery-count"], properties.headers["x-acquired-count"]))
            ch.basic_reject(method.delivery_tag)
        assert counts == [(n, n + 30) for n in range(12, 21)], counts
        assert drain(ch, dead) == [b"a mark", b"transient, and kept"]


# ---- Time-outs.

def closed(channel):
    """Waits for the broker to close the channel, and raises what that raises."""
    wait(channel, lambda: not channel.is_open)
    raise channel._impl._closing_reason


@test(own=True, seconds=60, leveret_only="RabbitMQ has it for quorum queues only, since 4.3")
def a_time_out_costs_the_subscription(node):
    """The consumer is told, its messages go to the next one; the channel and what comes late go on."""
    with connect(node) as connection:
        ch, other = confirming(connection), connection.channel()
        for kind in ("classic", "quorum"):
            q = name()
            ch.queue_declare(q, durable=True, arguments={"x-queue-type": kind, "x-consumer-timeout": 1000})
            publish(ch, q, "a", "b")
            hasty, told = connection.channel(), []
            hasty.add_on_cancel_callback(lambda frame: told.append(frame.method.consumer_tag))
            tag, got = collector(hasty, q)
            wait(hasty, lambda: len(got) == 2)
            _, rest = collector(other, q, arguments={"x-consumer-timeout": 0})
            wait(hasty, lambda: told)
            assert told == [tag]
            wait(other, lambda: len(rest) == 2)
            assert [body for _, _, body in rest] == [b"a", b"b"] and all(m.redelivered for m, _, _ in rest)
            hasty.basic_ack(got[0][0].delivery_tag)             # too late, and no error
            hasty.basic_ack(got[1][0].delivery_tag)
            assert hasty.queue_declare(q, passive=True).method.message_count == 0
            with channel_error(406, f"unknown delivery tag {got[1][0].delivery_tag}"):
                hasty.basic_ack(got[1][0].delivery_tag)
                hasty.queue_declare(q, passive=True)
            other.basic_ack(0, multiple=True)
            ch.queue_delete(q)


@test(own=True, seconds=60, leveret_only="RabbitMQ has it since 3.12, and looks once a minute",
      settings={"consumer_timeout.action": "close"})
def a_time_out_of_a_queue_or_a_consumer(node):
    with connect(node) as connection:
        ch = confirming(connection)
        slow, quick = queue(ch), queue(ch, arguments={"x-consumer-timeout": 1000})
        publish(ch, slow, "a")
        publish(ch, quick, "b")
        patient, hasty, late = (connection.channel() for _ in range(3))
        _, got = collector(hasty, slow, arguments={"x-consumer-timeout": 1500})
        wait(hasty, lambda: got)
        _, others = collector(late, quick)
        wait(late, lambda: others)
        _, left = collector(patient, slow)
        with channel_error(406, "delivery acknowledgement on channel 4 timed out. Timeout value used: 1000 ms."):
            closed(late)
        assert got_one(ch, quick)[2] == b"b"
        with channel_error(406, "delivery acknowledgement on channel 3 timed out. Timeout value used: 1500 ms."):
            closed(hasty)
        wait(patient, lambda: left)
        assert left[0][0].redelivered
        settle(patient, 2.5)
        assert patient.is_open
        with channel_error(406, "invalid arg 'x-consumer-timeout'"):
            hasty = connection.channel()
            hasty.basic_consume(slow, lambda *a: None, arguments={"x-consumer-timeout": "soon"})


# ---- Who is told, and when.

@test
def exclusive_consumers(node):
    with connect(node) as connection, connect(node) as elsewhere:
        ch = connection.channel()
        q = name()
        ch.queue_declare(q)
        tag = ch.basic_consume(q, lambda *a: None, exclusive=True)
        for other in (connection, elsewhere):
            with channel_error(403, f"queue '{q}' in vhost '/' in exclusive use"):
                other.channel().basic_consume(q, lambda *a: None)
        ch.basic_cancel(tag)
        shared = elsewhere.channel()
        shared.basic_consume(q, lambda *a: None)
        with channel_error(403, f"queue '{q}' in vhost '/' in exclusive use"):
            connection.channel().basic_consume(q, lambda *a: None, exclusive=True)
        shared.close()
        ch.basic_consume(q, lambda *a: None, exclusive=True)
        ch.queue_delete(q)


@test
def all_are_told_when_their_queue_goes(node):
    """Active or not, near or far; an exclusive queue takes its consumers with it."""
    with connect(node) as connection, connect(node) as elsewhere:
        ch, told = connection.channel(), []
        q = name()
        ch.queue_declare(q, arguments=SINGLE)
        others = []
        for place in (connection, elsewhere):
            other = place.channel()
            other.add_on_cancel_callback(lambda frame: told.append(frame.method.consumer_tag))
            others.append((other, other.basic_consume(q, lambda *a: None)))
        ch.queue_delete(q)
        for other, _ in others:
            wait(other, lambda: len(told) == 2 or other is others[0][0] and others[0][1] in told)
        assert sorted(told) == sorted(tag for _, tag in others)
        other = others[1][0]
        other.queue_declare(q)
        _, got = collector(other, q)         # the channel goes on
        publish(other, q, "again")
        wait(other, lambda: bodies(got) == ["again"])
        other.queue_delete(q)


@test(own=True, management=True, leveret_only="by its API")
def a_deleted_vhost_closes_its_connections(node):
    api = Api(node)
    assert api.put("vhosts/other").code == 201
    assert api.put("permissions/other/guest", {"configure": ".*", "write": ".*", "read": ".*"}).code in (201, 204)
    with connect(node, virtual_host="other") as connection:
        ch = connection.channel()
        q = queue(ch)
        ch.basic_consume(q, lambda *a: None)
        assert api.delete("vhosts/other").code == 204
        try:
            wait(ch, lambda: False)
        except pika.exceptions.ConnectionClosedByBroker as error:
            assert error.reply_code == 320, error
        else:
            raise AssertionError("the connection lives on")


@test
def better_consumers_first(node):
    """Those of a higher priority get all while they can take."""
    with connect(node) as connection:
        other = connection.channel()
        q = queue(other)
        high, low = connection.channel(), connection.channel()
        high.basic_qos(prefetch_count=2)
        _, mine = collector(low, q)
        _, theirs = collector(high, q, arguments={"x-priority": 7})
        publish(other, q, *range(5))
        wait(other, lambda: len(mine) + len(theirs) == 5)
        assert bodies(theirs) == ["0", "1"] and bodies(mine) == ["2", "3", "4"]
        high.basic_ack(2, multiple=True)
        settle(other, 0.1)
        publish(other, q, *range(5, 8))
        wait(other, lambda: len(mine) + len(theirs) == 8)
        assert bodies(theirs)[2:] == ["5", "6"] and bodies(mine)[3:] == ["7"]


@test(seconds=60)
def many_consumers_come_and_go(node):
    """Single active consumers on several connections that end at any time: nothing is lost, nothing handled by two at once."""
    with connect(node) as connection:
        ch = confirming(connection)
        q = name()
        ch.queue_declare(q, durable=True, arguments=SINGLE)
        publish(ch, q, *range(300), delivery_mode=2)
        acked, lock, failures = [], threading.Lock(), []

        def work(seed):
            chance = random.Random(seed)
            try:
                while len(acked) < 300:
                    with connect(node) as own:
                        mine = own.channel()
                        mine.basic_qos(prefetch_count=chance.randrange(1, 20))
                        left = chance.randrange(1, 30)
                        idle = time.monotonic()
                        for method, _, body in mine.consume(q, inactivity_timeout=0.05):
                            if method:
                                with lock:
                                    acked.append(int(body))
                                mine.basic_ack(method.delivery_tag)
                                left -= 1
                            if left == 0 or len(acked) >= 300 or time.monotonic() - idle > 1:
                                break
            except Exception as error:      # told by the test, not by a thread
                failures.append(error)

        threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
        assert not failures, failures
        assert sorted(set(acked)) == list(range(300)), len(set(acked))
        ch.queue_delete(q)


if __name__ == "__main__":
    main()
