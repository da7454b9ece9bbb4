#!/usr/bin/python3
"""Dead letters, length limits and expiry with a real client. RabbitMQ passes these too (run --against rabbitmq)."""
import sys
import time

import broker
from harness import eventually, main, name, test

try:
    import pika
except ImportError:
    print("SKIP pika: python3-pika is not installed")
    sys.exit(0)

from client import channel_error, channel_on, connect


def declare(ch, stem="q", durable=True, **arguments):
    """A queue with these arguments: dead_letter_exchange for x-dead-letter-exchange, and so on."""
    arguments = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
    return ch.queue_declare(name(stem), durable=durable, auto_delete=False, arguments=arguments).method.queue


def put(ch, queue, body="m", exchange="", headers=None, **properties):
    properties.setdefault("delivery_mode", 2)
    ch.basic_publish(exchange, queue, body, pika.BasicProperties(headers=headers, **properties))


def take(ch, queue, seconds=60, ack=True):
    """The queue's head, waited for."""
    return eventually(lambda: (lambda got: got if got[0] else None)(ch.basic_get(queue, auto_ack=ack)), seconds,
                      f"a message in {queue}")


def empty(ch, queue):
    assert ch.basic_get(queue, auto_ack=True)[0] is None


def depth(ch, queue):
    return ch.queue_declare(queue, passive=True).method.message_count


def reject(ch, queue):
    method, _, _ = take(ch, queue, ack=False)
    ch.basic_reject(method.delivery_tag, requeue=False)


def deaths(properties):
    """x-death without the times, which are checked here; each as a list, in the order on the wire."""
    result = []
    for death in properties.headers["x-death"]:
        assert abs(death["time"].timestamp() - time.time()) < 100, death
        result.append([(key, value) for key, value in death.items() if key != "time"])
    return result


@test
def rejected_headers(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        put(ch, q, "one", priority=3, user_id="guest", correlation_id="c", headers={"a": 1, "z": 2})
        reject(ch, q)
        method, properties, body = take(ch, dead)
        assert body == b"one" and method.routing_key == dead and method.exchange == "" and not method.redelivered
        assert (properties.priority, properties.user_id, properties.correlation_id) == (3, "guest", "c")
        assert properties.delivery_mode == 2
        last = {} if broker.kind() == "rabbitmq" else {"x-last-death-exchange": "", "x-last-death-queue": q, "x-last-death-reason": "rejected"}
        assert list(properties.headers) == ["a", "x-death", "x-first-death-exchange", "x-first-death-queue",
                                            "x-first-death-reason", *last, "z"], properties.headers
        assert last.items() <= properties.headers.items(), properties.headers
        assert deaths(properties) == [[("count", 1), ("reason", "rejected"), ("queue", q), ("exchange", ""),
                                       ("routing-keys", [q])]], deaths(properties)
        assert properties.headers["x-first-death-reason"] == "rejected"
        assert properties.headers["x-first-death-queue"] == q
        assert properties.headers["x-first-death-exchange"] == ""


@test
def nacked_many(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        for i in range(50):
            put(ch, q, str(i))
        tag = [take(ch, q, ack=False)[0].delivery_tag for _ in range(50)][-1]
        ch.basic_nack(tag, multiple=True, requeue=False)
        for i in range(50):
            assert take(ch, dead)[2] == str(i).encode()


@test
def expired_headers(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        put(ch, q, expiration="50")
        _, properties, _ = take(ch, dead)
        assert properties.expiration is None
        assert deaths(properties) == [[("count", 1), ("reason", "expired"), ("queue", q), ("exchange", ""),
                                       ("routing-keys", [q]), ("original-expiration", "50")]], deaths(properties)


@test
def expired_at_once(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead, message_ttl=0)
        put(ch, q)
        assert deaths(take(ch, dead)[1])[0][1] == ("reason", "expired")
        put(ch, q, expiration="0")
        assert deaths(take(ch, dead)[1])[0][-1] == ("original-expiration", "0")


@test
def deaths_are_counted(node):
    """Round and round through a queue that waits: one entry for each queue and reason, the newest first."""
    with channel_on(node) as ch:
        q, wait = name("q"), name("wait")
        ch.queue_declare(q, durable=True, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": wait})
        ch.queue_declare(wait, durable=True, arguments={"x-dead-letter-exchange": "", "x-dead-letter-routing-key": q,
                                                        "x-message-ttl": 20})
        put(ch, q, expiration="100000")
        for _ in range(3):
            reject(ch, q)
        _, properties, _ = take(ch, q)
        assert deaths(properties) == [
            [("count", 3), ("exchange", ""), ("queue", wait), ("reason", "expired"), ("routing-keys", [wait])],
            [("count", 3), ("exchange", ""), ("original-expiration", "100000"), ("queue", q), ("reason", "rejected"),
             ("routing-keys", [q])]], deaths(properties)
        assert properties.headers["x-first-death-queue"] == q


@test
def exchange_and_own_key(node):
    with channel_on(node) as ch:
        dlx, source = name("dlx"), name("source")
        ch.exchange_declare(dlx, "direct", durable=True)
        ch.exchange_declare(source, "fanout", durable=True)
        dead, copy = declare(ch, "dead"), declare(ch, "copy")
        ch.queue_bind(dead, dlx, "key")
        ch.queue_bind(copy, dlx, "carbon")
        q = declare(ch, dead_letter_exchange=dlx)
        ch.queue_bind(q, source, "")
        put(ch, "key", exchange=source, headers={"CC": ["carbon"]})
        reject(ch, q)
        for at in (dead, copy):
            method, properties, _ = take(ch, at)
            assert (method.exchange, method.routing_key) == (dlx, "key")
            assert properties.headers["CC"] == ["carbon"]
            assert deaths(properties)[0][3:] == [("exchange", source), ("routing-keys", ["key", "carbon"])]


@test
def other_key_removes_copies(node):
    with channel_on(node) as ch:
        dead, copy = declare(ch, "dead"), declare(ch, "copy")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        put(ch, q, headers={"CC": [copy]})
        take(ch, copy)
        reject(ch, q)
        _, properties, _ = take(ch, dead)
        assert "CC" not in properties.headers
        assert deaths(properties)[0][-1] == ("routing-keys", [q, copy])
        empty(ch, copy)


@test
def blind_copies_die_alike(node):
    with channel_on(node) as ch:
        dlx = name("dlx")
        ch.exchange_declare(dlx, "direct", durable=True)
        dead, blind = declare(ch, "dead"), declare(ch, "blind")
        q = declare(ch, dead_letter_exchange=dlx)
        ch.queue_bind(dead, dlx, q)
        ch.queue_bind(blind, dlx, "hidden")
        put(ch, q, headers={"BCC": ["hidden"]})
        method, properties, _ = take(ch, q, ack=False)
        assert "BCC" not in (properties.headers or {})
        ch.basic_reject(method.delivery_tag, requeue=False)
        for at in (dead, blind):
            _, properties, _ = take(ch, at)
            assert "BCC" not in properties.headers
            assert deaths(properties)[0][-1] == ("routing-keys", [q]), deaths(properties)


@test
def cycle_ends(node):
    with channel_on(node) as ch:
        q = declare(ch, dead_letter_exchange="", message_ttl=20)
        put(ch, q)
        eventually(lambda: depth(ch, q) == 0)


@test
def cycle_with_a_rejection_goes_on(node):
    with channel_on(node) as ch:
        q = declare(ch, dead_letter_exchange="")
        put(ch, q)
        for _ in range(3):
            reject(ch, q)
        assert deaths(take(ch, q)[1])[0][0] == ("count", 3)


@test
def odd_death_headers(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        for odd in ("text", 7, {"queue": "q"}):
            put(ch, q, headers={"x-death": odd})
            reject(ch, q)
            _, properties, _ = take(ch, dead)
            assert len(deaths(properties)) == 1 and deaths(properties)[0][0] == ("count", 1), properties.headers


@test(leveret_only="the queue's process ends in RabbitMQ")
def odd_deaths(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead)
        for odd in (["text"], [{"queue": q, "reason": "rejected", "count": "many"}], [{"queue": 5}, 7, []]):
            put(ch, q, headers={"x-death": odd})
            reject(ch, q)
            _, properties, _ = take(ch, dead)
            assert properties.headers["x-death"][0]["count"] == 1, properties.headers


@test
def no_exchange(node):
    with channel_on(node) as ch:
        q = declare(ch, dead_letter_exchange=name("nowhere"))
        put(ch, q)
        reject(ch, q)
        assert depth(ch, q) == 0
    with channel_on(node) as ch:
        with channel_error(406):
            declare(ch, dead_letter_routing_key="key")


@test
def drop_head(node):
    with channel_on(node) as ch:
        dead = declare(ch, "dead")
        q = declare(ch, max_length=2, dead_letter_exchange="", dead_letter_routing_key=dead)
        for body in ("one", "two", "three"):
            put(ch, q, body)
        _, properties, body = take(ch, dead)
        assert body == b"one" and deaths(properties)[0][1] == ("reason", "maxlen")
        assert [take(ch, q)[2] for _ in range(2)] == [b"two", b"three"]


@test
def drop_head_by_bytes(node):
    with channel_on(node) as ch:
        q = declare(ch, max_length_bytes=10, max_length=5)
        for body in ("aaaa", "bbbb", "cccc"):
            put(ch, q, body)
        eventually(lambda: depth(ch, q) == 2)
        put(ch, q, "much longer than that")
        eventually(lambda: depth(ch, q) == 0)
        for _ in range(7):
            put(ch, q, "d")
        eventually(lambda: depth(ch, q) == 5)


@test
def drop_highest_priority(node):
    with channel_on(node) as ch:
        q = declare(ch, max_length=2, max_priority=5)
        for i, priority in enumerate((1, 5, 0)):
            put(ch, q, str(i), priority=priority)
        eventually(lambda: depth(ch, q) == 2)
        assert [take(ch, q)[2] for _ in range(2)] == [b"0", b"2"]


@test
def unsettled_do_not_count(node):
    with channel_on(node) as ch:
        q = declare(ch, max_length=1)
        put(ch, q, "one")
        method, _, _ = take(ch, q, ack=False)
        put(ch, q, "two")
        eventually(lambda: depth(ch, q) == 1)
        ch.basic_nack(method.delivery_tag, requeue=True)      # too many now: the head goes, which is the first
        eventually(lambda: depth(ch, q) == 1)
        assert take(ch, q)[2] == b"two"


def confirmed(ch, queue, body, exchange=""):
    try:
        ch.basic_publish(exchange, queue, body, pika.BasicProperties(delivery_mode=2))
        return True
    except pika.exceptions.NackError:
        return False


@test
def reject_publish(node):
    with channel_on(node) as ch:
        ch.confirm_delivery()
        source = name("source")
        ch.exchange_declare(source, "fanout", durable=True)
        full, other = declare(ch, max_length=1, overflow="reject-publish"), declare(ch)
        ch.queue_bind(full, source, "")
        ch.queue_bind(other, source, "")
        assert confirmed(ch, "", "one", source)
        assert not confirmed(ch, "", "two", source)
        assert confirmed(ch, other, "three")
        assert depth(ch, full) == 1 and depth(ch, other) == 3
        assert take(ch, full)[2] == b"one"
        assert confirmed(ch, full, "four")


@test
def reject_publish_without_confirms(node):
    with channel_on(node) as ch:
        full = declare(ch, max_length=1, overflow="reject-publish")
        put(ch, full, "one")
        put(ch, full, "two")
        eventually(lambda: depth(ch, full) == 1)
        assert take(ch, full)[2] == b"one"
        empty(ch, full)


@test
def reject_publish_dlx(node):
    with channel_on(node) as ch:
        ch.confirm_delivery()
        dead = declare(ch, "dead")
        full = declare(ch, max_length=1, overflow="reject-publish-dlx", dead_letter_exchange="",
                       dead_letter_routing_key=dead)
        assert confirmed(ch, full, "one")
        assert not confirmed(ch, full, "two")
        _, properties, body = take(ch, dead)
        assert body == b"two" and deaths(properties)[0][1] == ("reason", "maxlen")
        assert depth(ch, full) == 1


@test
def nothing_at_all(node):
    """A limit of 0: what no consumer takes at once is dropped, or refused."""
    with channel_on(node) as ch:
        ch.confirm_delivery()
        q = declare(ch, max_length=0)
        assert confirmed(ch, q, "dropped")
        assert depth(ch, q) == 0
        got = []
        tag = ch.basic_consume(q, lambda c, m, p, body: got.append(body), auto_ack=True)
        assert confirmed(ch, q, "taken")
        ch.connection.process_data_events(0.3)
        assert got == [b"taken"]
        ch.basic_cancel(tag)
        assert not confirmed(ch, declare(ch, max_length=0, overflow="reject-publish"), "refused")


@test
def transaction_with_a_refusal(node):
    with connect(node) as connection:
        ch = connection.channel()
        full = declare(ch, max_length=1, overflow="reject-publish")
        ch.tx_select()
        put(ch, full, "one")
        ch.tx_commit()
        put(ch, full, "two")
        with channel_error(406, "partial tx completion"):
            ch.tx_commit()
        assert depth(connection.channel(), full) == 1


@test(leveret_only="quorum queues only in RabbitMQ")
def at_least_once(node):
    with channel_on(node) as ch:
        dlx, dead = name("dlx"), declare(ch, "dead", max_length=1, overflow="reject-publish")
        q = declare(ch, dead_letter_exchange=dlx, dead_letter_strategy="at-least-once", overflow="reject-publish",
                    message_ttl=20)
        for body in ("one", "two"):
            put(ch, q, body)
        eventually(lambda: depth(ch, q) == 0)
        ch.exchange_declare(dlx, "fanout", durable=True)
        ch.queue_bind(dead, dlx, "")
        first = take(ch, dead)[2]                   # the other one has to wait for this
        assert {first, take(ch, dead)[2]} == {b"one", b"two"}


@test(own=True, leveret_only="quorum queues only in RabbitMQ")
def a_commit_does_not_wait_for_a_held_letter(node):
    with channel_on(node) as ch:
        full = declare(ch, "full", max_length=1, overflow="reject-publish")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=full, dead_letter_strategy="at-least-once",
                    overflow="reject-publish")
        ch.tx_select()
        put(ch, full, "one")
        put(ch, q, "two")
        ch.tx_commit()
        reject(ch, q)
        ch.tx_commit()                              # the journal has nothing to write, and nobody else writes
        assert (depth(ch, q), depth(ch, full)) == (0, 1)
        ch.queue_purge(full)
        assert take(ch, full)[2] == b"two"


@test(own=True, seconds=60, leveret_only="RabbitMQ can lose dead letters when it is killed")
def kept_over_a_kill(node):
    with channel_on(node) as ch:
        ch.confirm_delivery()
        dead = declare(ch, "dead")
        q = declare(ch, dead_letter_exchange="", dead_letter_routing_key=dead, max_length=100)
        for i in range(300):
            assert confirmed(ch, q, str(i))
        eventually(lambda: depth(ch, dead) == 200)
        reject(ch, q)
        assert take(ch, dead)[2] == b"0"
        eventually(lambda: depth(ch, dead) == 200)
        confirmed(ch, q, "last")                    # what came before is on disk
    node.kill()
    node.start()
    with channel_on(node) as ch:
        assert depth(ch, q) == 100
        assert 200 <= depth(ch, dead) <= 201        # the get may have been lost
        while True:
            method, properties, body = ch.basic_get(dead, auto_ack=True)
            if not method:
                break
            assert deaths(properties)[0][2] == ("queue", q)
        assert body is None


@test(seconds=60)
def a_hundred_thousand_expire(node):
    """All at once; others are served meanwhile."""
    with channel_on(node) as ch:
        q, other = declare(ch, message_ttl=4000, durable=False), declare(ch, durable=False)
        for i in range(100000):
            put(ch, q, delivery_mode=1)
        slowest = 0
        while depth(ch, q):
            before = time.monotonic()
            put(ch, other, delivery_mode=1)
            take(ch, other)
            slowest = max(slowest, time.monotonic() - before)
        print(f"slowest round while 100,000 messages expired: {slowest * 1000:.1f} ms")
        assert depth(ch, q) == 0


if __name__ == "__main__":
    main()
