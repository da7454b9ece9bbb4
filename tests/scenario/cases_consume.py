"""Consuming: settling, requeueing, qos, priorities, cancel notify, basic.get, direct reply-to."""
import threading
import time

import pika
from pika import spec

from client import (Raw, channel_error, channel_on, collector, connect, connection_error, consume, count, drain, get, publish,
                    queue, settle, wait)
from harness import eventually, name, test


def raw_queue(raw, ch, **options):
    options.setdefault("exclusive", True)
    return raw.call(ch, spec.Queue.Declare(queue=options.pop("queue", ""), **options), spec.Queue.DeclareOk).queue


@test
def ack(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(5))
        got = consume(ch, q, 5)
        assert [b for _, _, b in got] == [b"%d" % i for i in range(5)]
        assert [m.delivery_tag for m, _, _ in got] == [1, 2, 3, 4, 5]
        assert not any(m.redelivered for m, _, _ in got)
        ch.basic_ack(2)
        ch.basic_ack(4, multiple=True)        # 1, 3, 4
        ch.close()
        assert drain(other, q) == [b"4"]


@test
def ack_all(node):
    """Tag 0 with multiple is all that is unsettled; with none unsettled it is no error."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(5))
        consume(ch, q, 5)
        ch.basic_ack(0, multiple=True)
        ch.basic_ack(0, multiple=True)
        ch.close()
        assert drain(other, q) == []


@test
def nack_to_the_old_place(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, *range(6))
        tags = [ch.basic_get(q)[0].delivery_tag for _ in range(4)]      # 0 to 3
        ch.basic_nack(tags[2], requeue=True)
        ch.basic_reject(tags[0], requeue=True)
        got = [ch.basic_get(q, auto_ack=True) for _ in range(4)]
        assert [b for _, _, b in got] == [b"0", b"2", b"4", b"5"], got
        assert [m.redelivered for m, _, _ in got] == [True, True, False, False]
        ch.basic_nack(0, multiple=True, requeue=True)
        assert drain(ch, q) == [b"1", b"3"]


@test
def reject_drops(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, *range(4))
        ch.basic_reject(ch.basic_get(q)[0].delivery_tag, requeue=False)
        ch.basic_get(q)
        tag = ch.basic_get(q)[0].delivery_tag
        ch.basic_nack(tag, multiple=True, requeue=False)
        assert drain(ch, q) == [b"3"]


@test
def unknown_delivery_tag(node):
    with connect(node) as connection:
        for settle_it in (lambda ch: ch.basic_ack(5), lambda ch: ch.basic_nack(5), lambda ch: ch.basic_reject(5),
                          lambda ch: ch.basic_ack(5, multiple=True)):
            ch = connection.channel()
            with channel_error(406, "unknown delivery tag 5"):
                settle_it(ch)
                ch.basic_qos(prefetch_count=1)
        ch = connection.channel()
        q = queue(ch)
        publish(ch, q, "m")
        tag = ch.basic_get(q)[0].delivery_tag
        ch.basic_ack(tag)
        with channel_error(406, f"unknown delivery tag {tag}"):
            ch.basic_ack(tag)
            ch.basic_qos(prefetch_count=1)


@test
def no_ack(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(100))
        got = consume(ch, q, 100, auto_ack=True)
        assert [int(b) for _, _, b in got] == list(range(100))
        ch.close()
        assert drain(other, q) == []


@test
def unsettled_requeued_on_channel_close(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(5))
        for _ in range(3):
            ch.basic_get(q)
        ch.close()
        got = [other.basic_get(q, auto_ack=True) for _ in range(5)]
        assert [(b, m.redelivered) for m, _, b in got] == \
            [(b"0", True), (b"1", True), (b"2", True), (b"3", False), (b"4", False)], got


@test
def unsettled_requeued_on_connection_loss(node):
    with channel_on(node) as ch:
        q = queue(ch, name(), exclusive=False)
        publish(ch, q, *range(3))
        raw = Raw(node)
        raw.channel()
        raw.call(1, spec.Basic.Consume(queue=q, consumer_tag="c"), spec.Basic.ConsumeOk)
        for _ in range(3):
            raw.expect(spec.Basic.Deliver)
        raw.close()
        eventually(lambda: count(ch, q) == 3)
        assert [ch.basic_get(q)[0].redelivered for _ in range(3)] == [True] * 3
        ch.queue_delete(q)


@test
def redelivered_only_when_delivered(node):
    """A message that waited behind a prefetch was never delivered."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        ch.basic_qos(prefetch_count=1)
        _, got = collector(ch, q)
        publish(other, q, "a", "b")
        wait(ch, lambda: got)
        ch.close()
        got = [other.basic_get(q, auto_ack=True) for _ in range(2)]
        assert [(b, m.redelivered) for m, _, b in got] == [(b"a", True), (b"b", False)]


@test
def cancel_keeps_unsettled(node):
    """A cancel does not requeue: the deliveries can still be settled."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, "a", "b")
        got = consume(ch, q, 2)
        assert count(other, q) == 0
        ch.basic_ack(got[0][0].delivery_tag)
        ch.basic_nack(got[1][0].delivery_tag)
        ch.basic_qos(prefetch_count=1)
        assert drain(other, q) == [b"b"]


@test
def no_delivery_after_cancel_ok(node):
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch)
        raw.call(ch, spec.Basic.Consume(queue=q, consumer_tag="c", no_ack=True), spec.Basic.ConsumeOk)
        raw.call(ch, spec.Basic.Cancel(consumer_tag="c"), spec.Basic.CancelOk)
        raw.publish(ch, "", q, b"m")
        eventually(lambda: raw.call(ch, spec.Queue.Declare(queue=q, passive=True),
                                    spec.Queue.DeclareOk).message_count == 1)
        raw.quiet()


@test
def basic_get(node):
    with channel_on(node) as ch:
        q = queue(ch)
        assert ch.basic_get(q) == (None, None, None)
        ch.queue_bind(q, "amq.direct", name("key"))
        publish(ch, q, "a", "b", "c")
        ch.basic_qos(prefetch_count=1)         # is nothing to basic.get
        method, _, body = ch.basic_get(q)
        assert (method.message_count, method.exchange, method.routing_key, method.redelivered) == (2, "", q, False)
        assert ch.basic_get(q)[0].message_count == 1
        assert ch.basic_get(q)[2] == b"c"


@test
def get_from_nothing(node):
    with connect(node) as connection:
        missing = name()
        with channel_error(404, f"no queue '{missing}' in vhost '/'"):
            connection.channel().basic_get(missing)
        with channel_error(404, f"no queue '{missing}' in vhost '/'"):
            connection.channel().basic_consume(missing, lambda *unused: None)


@test
def qos_per_consumer(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(20))
        ch.basic_qos(prefetch_count=3)
        _, first = collector(ch, q)
        wait(ch, lambda: len(first) == 3)
        ch.basic_qos(prefetch_count=5)         # for consumers to come
        _, second = collector(ch, q)
        wait(ch, lambda: len(second) == 5)
        settle(ch)
        assert (len(first), len(second), count(other, q)) == (3, 5, 12)
        ch.basic_ack(first[0][0].delivery_tag)
        wait(ch, lambda: len(first) == 4)
        settle(ch)
        assert (len(first), len(second)) == (4, 5)


@test
def qos_of_the_channel(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(20))
        ch.basic_qos(prefetch_count=4, global_qos=True)
        _, first = collector(ch, q)
        _, second = collector(ch, q)
        wait(ch, lambda: len(first) + len(second) == 4)
        settle(ch)
        assert len(first) + len(second) == 4
        ch.basic_ack(0, multiple=True)
        wait(ch, lambda: len(first) + len(second) == 8)
        # Both limits hold: one for each consumer below that of the channel.
        ch.basic_qos(prefetch_count=0, global_qos=True)
        wait(ch, lambda: len(first) + len(second) == 20)


@test
def qos_both_limits(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, *range(20))
        ch.basic_qos(prefetch_count=3)
        ch.basic_qos(prefetch_count=5, global_qos=True)
        _, first = collector(ch, q)
        wait(ch, lambda: len(first) == 3)
        settle(ch)
        assert len(first) == 3
        _, second = collector(ch, q)
        wait(ch, lambda: len(second) >= 2, what=lambda: f"{len(first)} and {len(second)} deliveries")
        settle(ch)
        assert (len(first), len(second)) == (3, 2)


@test
def qos_size(node):
    with connect(node) as connection:
        with connection_error(540, "prefetch_size!=0"):
            connection.channel().basic_qos(prefetch_size=1000)


@test
def qos_zero_is_no_limit(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, *range(2000))
        ch.basic_qos(prefetch_count=0)
        assert len(consume(ch, q, 2000)) == 2000


@test
def round_robin(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        all_got = [collector(ch, q, auto_ack=True)[1] for _ in range(3)]
        publish(other, q, *range(30))
        wait(ch, lambda: sum(map(len, all_got)) == 30)
        assert [len(got) for got in all_got] == [10, 10, 10], [len(got) for got in all_got]


@test
def consumer_priorities(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        ch.basic_qos(prefetch_count=3)
        _, low = collector(ch, q, arguments={"x-priority": -1})
        _, plain = collector(ch, q)
        _, high = collector(ch, q, arguments={"x-priority": 10})
        publish(other, q, *range(7))
        wait(ch, lambda: len(low) + len(plain) + len(high) == 7)
        assert [[int(b) for _, _, b in got] for got in (high, plain, low)] == [[0, 1, 2], [3, 4, 5], [6]]


@test
def blocked_consumers_are_passed_over(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        ch.basic_qos(prefetch_count=1)
        _, slow = collector(ch, q)
        ch.basic_qos(prefetch_count=0)
        _, fast = collector(ch, q, auto_ack=True)
        publish(other, q, *range(20))
        wait(ch, lambda: len(slow) + len(fast) == 20)
        assert len(slow) == 1


@test
def exclusive_consumer(node):
    with connect(node) as connection, connect(node) as second:
        ch = connection.channel()
        q = queue(ch, name(), exclusive=False)
        tag = ch.basic_consume(q, lambda *unused: None, exclusive=True)
        text = f"ACCESS_REFUSED - queue '{q}' in vhost '/' in exclusive use"
        with channel_error(403, text):
            second.channel().basic_consume(q, lambda *unused: None)
        ch.basic_cancel(tag)
        ch.basic_consume(q, lambda *unused: None)
        with channel_error(403, text):
            second.channel().basic_consume(q, lambda *unused: None, exclusive=True)
        ch.queue_delete(q)


@test
def consumer_tags(node):
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch)
        made = raw.call(ch, spec.Basic.Consume(queue=q), spec.Basic.ConsumeOk).consumer_tag
        assert made.startswith("amq.ctag-"), made
        raw.call(ch, spec.Basic.Consume(queue=q, consumer_tag="mine"), spec.Basic.ConsumeOk)
        raw.call(ch, spec.Basic.Cancel(consumer_tag="mine"), spec.Basic.CancelOk)
        raw.call(ch, spec.Basic.Consume(queue=q, consumer_tag="mine"), spec.Basic.ConsumeOk)
        raw.channel(2)
        raw.call(2, spec.Basic.Consume(queue=q, consumer_tag="mine"), spec.Basic.ConsumeOk)
        raw.method(ch, spec.Basic.Consume(queue=q, consumer_tag="mine"))
        raw.expect_close(530, "NOT_ALLOWED - attempt to reuse consumer tag 'mine'")


@test
def cancel_notify(node):
    """Deleting a queue tells its consumers, when their client can take it."""
    able = {"capabilities": {"consumer_cancel_notify": True}}
    with channel_on(node) as ch, Raw(node, properties=able) as told, Raw(node) as untold:
        q = queue(ch, name(), exclusive=False)
        for raw in (told, untold):
            raw.channel()
            raw.call(1, spec.Basic.Consume(queue=q, consumer_tag="c"), spec.Basic.ConsumeOk)
        ch.queue_delete(q)
        assert told.expect(spec.Basic.Cancel).consumer_tag == "c"
        untold.quiet()
        # The tag is free again.
        q = queue(ch, name(), exclusive=False)
        told.call(1, spec.Basic.Consume(queue=q, consumer_tag="c"), spec.Basic.ConsumeOk)
        ch.queue_delete(q)


@test
def cancel_notify_to_the_deleter(node):
    with channel_on(node) as ch:
        q = queue(ch, name(), exclusive=False)
        cancelled = []
        ch.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        tag = ch.basic_consume(q, lambda *unused: None)
        ch.queue_delete(q)
        wait(ch, lambda: cancelled)
        assert cancelled == [tag]


@test
def recover(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, "a", "b")
        ch.basic_get(q)
        ch.basic_recover(requeue=True)
        method, _, body = ch.basic_get(q)
        assert (body, method.redelivered) == (b"a", True)
        with connection_error(540, "requeue=false"):
            ch.basic_recover(requeue=False)


@test
def recover_redelivers_to_the_consumer(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, "a", "b")
        _, got = collector(ch, q)
        wait(ch, lambda: len(got) == 2)
        ch.basic_recover(requeue=True)
        wait(ch, lambda: len(got) == 4)
        assert [(b, m.redelivered) for m, _, b in got[2:]] == [(b"a", True), (b"b", True)]


@test
def requeue_goes_to_another_consumer(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        ch.basic_qos(prefetch_count=1)
        _, first = collector(ch, q)
        publish(other, q, "a")
        wait(ch, lambda: first)
        second_channel = connection.channel()
        _, second = collector(second_channel, q)
        ch.basic_nack(first[0][0].delivery_tag, requeue=True)
        wait(ch, lambda: len(second) + len(first) == 2)
        assert (second or first)[-1][0].redelivered


@test
def direct_reply_to(node):
    with connect(node) as client, connect(node) as server:
        ask, answer = client.channel(), server.channel()
        q = queue(answer, name(), exclusive=False)
        replies = []
        ask.basic_consume("amq.rabbitmq.reply-to", lambda ch, m, p, b: replies.append((m.exchange, p.correlation_id, b)),
                          auto_ack=True)
        ask.basic_publish("", q, b"question",
                          pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id="7"))
        eventually(lambda: count(answer, q))
        _, properties, _ = answer.basic_get(q, auto_ack=True)
        assert properties.reply_to.startswith("amq.rabbitmq.reply-to."), properties
        answer.queue_declare(properties.reply_to, passive=True)
        publish(answer, properties.reply_to, "answer", correlation_id="7")
        wait(ask, lambda: replies)
        assert replies == [("", "7", b"answer")]
        answer.queue_delete(q)
        ask.close()
        publish(answer, properties.reply_to, "late")
        with channel_error(404):
            answer.queue_declare(properties.reply_to, passive=True)


@test
def direct_reply_to_errors(node):
    with connect(node) as connection:
        with channel_error(406, "reply consumer cannot acknowledge"):
            connection.channel().basic_consume("amq.rabbitmq.reply-to", lambda *unused: None)
        ch = connection.channel()
        ch.basic_consume("amq.rabbitmq.reply-to", lambda *unused: None, auto_ack=True)
        with channel_error(406, "reply consumer already set"):
            ch.basic_consume("amq.rabbitmq.reply-to", lambda *unused: None, auto_ack=True)
        ch = connection.channel()
        with channel_error(406, "fast reply consumer does not exist"):
            publish(ch, "k", "m", reply_to="amq.rabbitmq.reply-to", exchange="amq.direct")
            ch.basic_qos(prefetch_count=1)


@test
def queue_expires(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch, name(), exclusive=False, arguments={"x-expires": 500})
        for _ in range(4):                       # get, declare and consume count as use
            settle(ch, 0.25)
            ch.basic_get(q)
        tag = ch.basic_consume(q, lambda *unused: None)
        settle(ch, 0.8)
        ch.basic_cancel(tag)

        def gone():
            try:
                connection.channel().queue_declare(q, passive=True)
            except pika.exceptions.ChannelClosedByBroker as error:
                return error.reply_code == 404

        settle(ch, 0.3)
        # A passive declare is a use in RabbitMQ, so it is asked once only.
        settle(ch, 0.7)
        assert gone()


@test
def deep_queue_while_consuming(node):
    """Publisher and consumer at once, each at its own speed; nothing lost, nothing twice, in order."""
    total = 20000
    with channel_on(node) as ch:
        q = queue(ch, name(), exclusive=False)
        failed = []

        def publisher():
            try:
                with Raw(node) as raw:
                    raw.channel()
                    for i in range(total):
                        raw.publish(1, "", q, b"%d" % i)
                    raw.call(1, spec.Basic.Qos(prefetch_count=1), spec.Basic.QosOk)
            except Exception as error:
                failed.append(error)

        thread = threading.Thread(target=publisher)
        thread.start()
        got = []

        def take(channel, method, properties, body):
            got.append(int(body))
            if len(got) % 100 == 0:
                channel.basic_ack(method.delivery_tag, multiple=True)

        ch.basic_qos(prefetch_count=200)
        ch.basic_consume(q, take)
        wait(ch, lambda: len(got) == total or failed, 25, lambda: f"{len(got)} messages")
        thread.join()
        assert not failed, failed
        assert got == list(range(total))
        ch.queue_delete(q)


@test
def consumers_of_a_hundred_queues(node):
    with channel_on(node) as ch:
        queues = [queue(ch) for _ in range(100)]
        got = {}
        for q in queues:
            ch.basic_consume(q, lambda c, m, p, b: got.setdefault(m.consumer_tag, []).append(b), consumer_tag=q, auto_ack=True)
        for i in range(20):
            for q in queues:
                publish(ch, q, str(i))
        wait(ch, lambda: sum(map(len, got.values())) == 2000)
        assert all(got[q] == [b"%d" % i for i in range(20)] for q in queues)
