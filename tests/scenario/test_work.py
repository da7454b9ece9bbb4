#!/usr/bin/python3
"""Commands that cost much: all of what they do is done, in order, and others are served beside them; and what a client may
make the broker hold is refused with a reason when it is too much. Nothing here depends on how long anything takes."""
import sys

from harness import eventually, main, name, test

try:
    import pika
except ImportError:
    print("SKIP pika: python3-pika is not installed")
    sys.exit(0)

from client import Raw, channel_error, channel_on, count
from http_api import Api
from pika import frame as frames
from pika import spec


def fill(channel, queue, messages):
    for i in range(messages):
        channel.basic_publish("", queue, b"%d" % i)


def ready(raw, queue):
    return raw.call(1, spec.Queue.Declare(queue=queue, passive=True), spec.Queue.DeclareOk).message_count


@test
def a_message_to_many_queues_keeps_the_order(node):
    exchange, stem, queues = name("x"), name("many"), 6000
    with channel_on(node) as ch:
        ch.exchange_declare(exchange, "fanout", auto_delete=True)
        raw = Raw(node)
        raw.channel()
        for i in range(queues):
            raw.method(1, spec.Queue.Declare(queue=f"{stem}-{i}", exclusive=True, nowait=True))
            raw.method(1, spec.Queue.Bind(queue=f"{stem}-{i}", exchange=exchange, nowait=True))
        raw.call(1, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for body in (b"1", b"2", b"3"):
            raw.publish(1, exchange, "", body)
        confirmed = 0
        while confirmed < 3:
            confirmed = raw.expect(spec.Basic.Ack).delivery_tag
        for i in (0, 1, queues // 2, queues - 1):
            bodies = []
            for _ in range(3):
                raw.method(1, spec.Basic.Get(queue=f"{stem}-{i}", no_ack=True))
                bodies.append(raw.expect(spec.Basic.GetOk).body)
            assert bodies == [b"1", b"2", b"3"], bodies
        raw.close()


@test
def others_are_served_beside_it(node):
    """A client with expensive commands, one behind the other, and another one that has its messages meanwhile."""
    exchange, stem, queue = name("x"), name("many"), name()
    raw = Raw(node)
    raw.channel()
    raw.call(1, spec.Exchange.Declare(exchange=exchange, type="fanout", auto_delete=True), spec.Exchange.DeclareOk)
    for i in range(3000):
        raw.method(1, spec.Queue.Declare(queue=f"{stem}-{i}", exclusive=True, nowait=True))
        raw.method(1, spec.Queue.Bind(queue=f"{stem}-{i}", exchange=exchange, nowait=True))
    raw.call(1, spec.Confirm.Select(), spec.Confirm.SelectOk)
    for _ in range(100):
        raw.publish(1, exchange, "", b"x")
    with channel_on(node) as ch:
        ch.queue_declare(queue, exclusive=True)
        for i in range(100):
            ch.basic_publish("", queue, b"%d" % i)
            method, _, body = ch.basic_get(queue, auto_ack=True)
            assert method and body == b"%d" % i
    confirmed = 0
    while confirmed < 100:
        confirmed = raw.expect(spec.Basic.Ack).delivery_tag
    assert ready(raw, f"{stem}-2999") == 100
    raw.close()


@test
def many_deliveries_end_at_once(node):
    queue, messages = name(), 40000
    with channel_on(node) as ch:
        ch.queue_declare(queue)
        fill(ch, queue, messages)
        raw = Raw(node)
        raw.channel()

        def take():
            """All of them, unacknowledged; the tag of the last."""
            raw.call(1, spec.Basic.Consume(queue=queue, consumer_tag="c"), spec.Basic.ConsumeOk)
            bodies = []
            while len(bodies) < messages:
                delivery = raw.expect(spec.Basic.Deliver)
                bodies.append(delivery.body)
            return bodies, delivery.delivery_tag

        bodies, _ = take()
        assert bodies == [b"%d" % i for i in range(messages)]
        raw.method(1, spec.Basic.Recover(requeue=True))
        again = []
        while len(again) < messages:
            method = raw.read()
            if isinstance(method, spec.Basic.Deliver):
                again.append(method.body)
        assert sorted(again) == sorted(bodies)
        raw.close()  # all of them come back
        eventually(lambda: count(ch, queue) == messages or None)
        raw = Raw(node)
        raw.channel()
        bodies, tag = take()
        assert bodies == [b"%d" % i for i in range(messages)], "they keep their order"
        raw.method(1, spec.Basic.Ack(delivery_tag=tag, multiple=True))
        assert ready(raw, queue) == 0
        raw.close()
        ch.queue_delete(queue)


@test
def a_purge_beside_an_unacknowledged_one(node):
    queue, messages = name(), 30000
    with channel_on(node) as ch:
        ch.queue_declare(queue, auto_delete=True)
        fill(ch, queue, messages)
        method, _, _ = ch.basic_get(queue)
        assert ch.queue_purge(queue).method.message_count == messages - 1
        ch.basic_nack(method.delivery_tag, requeue=True)
        assert count(ch, queue) == 1


@test
def many_bindings_go(node):
    queue, exchange = name(), name("x")
    with channel_on(node) as ch:
        ch.exchange_declare(exchange, "direct")
        ch.queue_declare(queue)
        raw = Raw(node)
        raw.channel()
        for i in range(5000):
            raw.method(1, spec.Queue.Bind(queue=queue, exchange=exchange, routing_key=f"k{i}", nowait=True))
        ready(raw, queue)
        raw.close()
        ch.exchange_delete(exchange)
        ch.exchange_declare(exchange, "direct")
        ch.basic_publish(exchange, "k1", b"nowhere")
        assert count(ch, queue) == 0
        ch.queue_delete(queue)
        ch.exchange_delete(exchange)


@test(leveret_only="the limit is ours")
def a_transaction_that_is_too_large(node):
    queue = name()
    with channel_on(node) as ch:
        ch.queue_declare(queue, exclusive=True)
        ch.tx_select()
        fill(ch, queue, 20000)
        ch.tx_commit()
        assert count(ch, queue) == 20000
        with channel_error(406, "a transaction has at most"):
            fill(ch, queue, 100001)
            ch.tx_commit()


@test(leveret_only="the limit is a setting there")
def consumers_of_a_channel(node):
    queue, most = name(), 65535
    raw = Raw(node)
    raw.channel()
    raw.call(1, spec.Queue.Declare(queue=queue, auto_delete=False, exclusive=True), spec.Queue.DeclareOk)
    for at in range(0, most, 1000):
        raw.send(b"".join(frames.Method(1, spec.Basic.Consume(queue=queue, consumer_tag=f"c{i}", nowait=True)).marshal()
                          for i in range(at, min(at + 1000, most))))
    declared = raw.call(1, spec.Queue.Declare(queue=queue, passive=True), spec.Queue.DeclareOk)
    assert declared.consumer_count == most, declared.consumer_count
    raw.call(1, spec.Basic.Cancel(consumer_tag="c0"), spec.Basic.CancelOk)
    raw.call(1, spec.Basic.Consume(queue=queue, consumer_tag="again"), spec.Basic.ConsumeOk)
    raw.method(1, spec.Basic.Consume(queue=queue, consumer_tag="one more"))
    closed = raw.expect(spec.Connection.Close)
    assert closed.reply_code == 530 and "reached maximum (65535) of consumers per channel" in closed.reply_text, closed
    raw.close()


@test(own=True, management=True, leveret_only="RabbitMQ makes all of them")
def queues_that_dead_letter_into_each_other(node):
    api = Api(node)
    with channel_on(node) as ch:
        ch.exchange_declare("mesh", "fanout")
        for i in range(9):
            ch.queue_declare(f"mesh{i}", arguments={"x-dead-letter-exchange": "mesh", "x-message-ttl": 20})
            ch.queue_bind(f"mesh{i}", "mesh")
        ch.basic_publish("", "mesh0", b"m")
        eventually(lambda: sum(count(ch, f"mesh{i}") for i in range(9)) == 0
                   and sum(x.get("dead_letters_dropped", 0) for x in api.get("queues/%2F").json) > 0 or None, 60)
        eventually(lambda: "leveret_dead_letters_dropped_total 0" not in api.call("GET", "/metrics").text or None)
        made = sum(x.get("message_stats", {}).get("publish", 0) for x in api.get("queues/%2F").json)
        assert made < 10000, made  # there are 109,600 ways through nine queues
    lines = [line for line in node.log().splitlines() if "dead letters of queue 'mesh" in line]
    assert 1 <= len(lines) <= 9, lines


@test(own=True, management=True, leveret_only="limits of memory by kind", settings={"vm_memory_high_watermark.absolute": "64MiB"})
def what_does_not_fit_is_refused(node):
    api = Api(node)
    with channel_on(node) as ch:
        ch.exchange_declare("ring", "x-consistent-hash", durable=True)
        made = 0
        with channel_error(406, "hash_rings may take"):
            for made in range(1000):
                ch.queue_declare(f"ring{made}", durable=True)
                ch.queue_bind(f"ring{made}", "ring", "4096")
        assert made > 0
    answer = api.post("bindings/%2F/e/ring/q/ring0", {"routing_key": "4095", "arguments": {}})
    assert answer.code == 400 and "hash_rings may take" in answer.text, (answer.code, answer.text)
    node.restart()
    bindings = [b for b in api.get("bindings/%2F").json if b["source"] == "ring"]
    assert len(bindings) == made, "all that was there comes back"
    with channel_on(node) as ch:
        ch.queue_delete("ring0")
        ch.queue_bind("ring1", "ring", "4095")


if __name__ == "__main__":
    main()
