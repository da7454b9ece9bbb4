"""Publishing: confirms, returns, properties, bodies of all sizes, transactions."""
import datetime
import decimal
import hashlib
import os
import struct

import pika
from pika import spec

from client import (PERSISTENT, Raw, channel_error, channel_on, connect, connection_error, consume, count, drain, get,
                    publish, queue, settle)
from harness import eventually, name, test

FRAME_MAX = 131072


def read_confirms(raw, wanted):
    """Reads acks until the tags 1 to `wanted` are confirmed; each may be only once."""
    below, apart = 0, set()
    while below + len(apart) < wanted:
        method = raw.expect(spec.Basic.Ack)
        tag = method.delivery_tag
        assert tag <= wanted and tag > below and (method.multiple or tag not in apart), f"tag {tag} again"
        if method.multiple:
            below = tag
            apart = {t for t in apart if t > below}
        else:
            apart.add(tag)
    while below + 1 in apart:
        below += 1
        apart.remove(below)
    assert not apart and below == wanted, (below, apart)


def raw_queue(raw, ch, **options):
    options.setdefault("exclusive", True)
    return raw.call(ch, spec.Queue.Declare(queue=options.pop("queue", ""), **options), spec.Queue.DeclareOk).queue


@test
def confirms(node):
    """From 1, each tag once, unroutable ones too."""
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)      # twice is no error and starts nothing anew
        for i in range(100):
            raw.publish(ch, "", q if i % 3 else "nowhere", b"m")
        read_confirms(raw, 100)
        raw.quiet()
        raw.publish(ch, "", q, b"m")
        assert raw.expect(spec.Basic.Ack).delivery_tag == 101


@test(seconds=60)
def confirms_durable_window(node):
    """5,000 durable messages under way at a time; each is confirmed once, and all are there."""
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch, queue=name(), durable=True, exclusive=False)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for i in range(5000):
            raw.publish(ch, "", q, b"%d" % i, PERSISTENT)
        read_confirms(raw, 5000)
        assert raw.call(ch, spec.Queue.Delete(queue=q), spec.Queue.DeleteOk).message_count == 5000


@test
def confirm_each(node):
    with channel_on(node) as ch:
        q = queue(ch, name(), durable=True, exclusive=False)
        ch.confirm_delivery()
        for i in range(50):
            ch.basic_publish("", q, b"%d" % i, PERSISTENT)
        assert drain(ch, q) == [b"%d" % i for i in range(50)]
        ch.queue_delete(q)


@test
def confirms_of_channels_are_apart(node):
    with Raw(node) as raw:
        a, b = raw.channel(1), raw.channel(2)
        q = raw_queue(raw, a)
        for ch in (a, b):
            raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for i in range(10):
            raw.publish(a, "", q, b"m")
            if i < 3:
                raw.publish(b, "", q, b"m")
        tags = {a: 0, b: 0}
        while tags != {a: 10, b: 3}:
            method = raw.expect(spec.Basic.Ack)
            tags[method.channel_number] = max(tags[method.channel_number], method.delivery_tag)


@test
def return_comes_before_confirm(node):
    with Raw(node) as raw:
        ch = raw.channel()
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for key in (name(), name()):
            raw.publish(ch, "", key, b"body", pika.BasicProperties(headers={"h": 1}, message_id="id"), mandatory=True)
        returned = confirmed = 0
        while confirmed < 2:
            method = raw.expect(spec.Basic.Return, spec.Basic.Ack)
            if isinstance(method, spec.Basic.Return):
                returned += 1
                assert (method.reply_code, method.reply_text, method.exchange) == (312, "NO_ROUTE", ""), method
                assert method.body == b"body" and method.properties.headers == {"h": 1}
            else:
                confirmed = method.delivery_tag
                assert returned >= confirmed, f"{confirmed} confirmed and {returned} returned"


@test(leveret_only="it may be late with its acks")
def confirms_come_before_a_later_return(node):
    with Raw(node) as raw:
        ch, q = raw.channel(), name()
        raw.call(ch, spec.Queue.Declare(queue=q, exclusive=True), spec.Queue.DeclareOk)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for key in (q, q, name(), q, name()):
            raw.publish(ch, "", key, b"body", mandatory=True)
        expected, confirmed = iter((3, 5)), 0
        while confirmed < 5:
            method = raw.expect(spec.Basic.Return, spec.Basic.Ack)
            if isinstance(method, spec.Basic.Return):
                # What went before it is confirmed, and it is not.
                assert confirmed == next(expected) - 1, confirmed
            else:
                confirmed = method.delivery_tag


@test
def mandatory_routed(node):
    with channel_on(node) as ch:
        q = queue(ch)
        ch.confirm_delivery()
        ch.basic_publish("", q, b"m", mandatory=True)
        try:
            ch.basic_publish("amq.topic", name(), b"lost", mandatory=True)
        except pika.exceptions.UnroutableError as error:
            assert error.messages[0].body == b"lost"
        else:
            raise AssertionError("not returned")
        ch.basic_publish("amq.topic", name(), b"gone")        # not mandatory: confirmed and dropped
        assert drain(ch, q) == [b"m"]


def nested_headers(depth, arrays):
    """A header "k": tables or arrays one within the other. Built as bytes: the clients' own codecs recurse."""
    if arrays:
        return b"\x01k" + b"".join(b"A" + struct.pack(">I", 5 * (depth - i)) for i in range(1, depth + 1))
    return b"".join(b"\x01kF" + struct.pack(">I", 7 * (depth - i)) for i in range(1, depth + 1))


@test(seconds=60)
def headers_nest_deep(node):
    """As deep as a frame has room for: through queues, a headers exchange and dead letters."""
    with Raw(node) as raw:
        ch, q, dead = raw.channel(), name(), name()
        for queue_name, arguments in ((dead, {}), (q, {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": dead})):
            raw.call(ch, spec.Queue.Declare(queue=queue_name, exclusive=True, arguments=arguments), spec.Queue.DeclareOk)
        raw.call(ch, spec.Queue.Bind(queue=q, exchange="amq.headers", routing_key="",
                                     arguments={"x-match": "any", "k": {"k": {}}, "x": "y"}), spec.Queue.BindOk)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for depth, arrays, exchange in ((200, False, ""), (10000, False, ""), (18000, False, ""), (26000, True, ""),
                                        (18000, False, "amq.headers")):
            table = nested_headers(depth, arrays)
            properties = struct.pack(">HHQH", 60, 0, 0, 0x2000) + struct.pack(">I", len(table)) + table
            raw.method(ch, spec.Basic.Publish(exchange=exchange, routing_key=q))
            raw.send(struct.pack(">BHI", 2, ch, len(properties)) + properties + b"\xce")
            raw.expect(spec.Basic.Ack)
            if exchange:
                continue            # it does not equal what was bound, and that was found out
            for where in (q, dead):
                raw.method(ch, spec.Basic.Get(queue=where, no_ack=where == dead))
                got, header = raw.read_frame()[2], raw.read_frame()[2]
                assert struct.unpack_from(">HH", got) == (60, 71) and table in header, (depth, where, got[:100])
                if where == q:
                    raw.method(ch, spec.Basic.Reject(delivery_tag=struct.unpack_from(">Q", got, 4)[0], requeue=False))
                    raw.call(ch, spec.Basic.Qos(), spec.Basic.QosOk)
        assert raw.call(ch, spec.Queue.Declare(queue=dead, passive=True), spec.Queue.DeclareOk).message_count == 0


@test
def return_without_confirms(node):
    with channel_on(node) as ch:
        back = []
        ch.add_on_return_callback(lambda c, method, properties, body: back.append((method.reply_code, body)))
        ch.basic_publish("amq.direct", name(), b"m", mandatory=True)
        eventually(lambda: ch.connection.process_data_events(0.02) or back)
        assert back == [(312, b"m")]


@test
def immediate(node):
    with Raw(node) as raw:
        ch = raw.channel()
        raw.method(ch, spec.Basic.Publish(exchange="", routing_key="q", immediate=True))
        raw.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00" + b"\x00" * 8 + b"\x00\x00\xce")
        raw.expect_close(540, "NOT_IMPLEMENTED - immediate=true")


@test
def publish_to_unknown_exchange(node):
    with connect(node) as connection:
        ch = connection.channel()
        missing = name()
        with channel_error(404, f"no exchange '{missing}' in vhost '/'"):
            publish(ch, "k", "m", exchange=missing)
            ch.basic_qos(prefetch_count=1)
        # With confirms on, there is no confirm for it either.
        ch = connection.channel()
        ch.confirm_delivery()
        with channel_error(404):
            ch.basic_publish(missing, "k", b"m")


@test
def user_id(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch)
        publish(ch, q, "m", user_id="guest")
        assert drain(ch, q) == [b"m"]
        with channel_error(406, "user_id property set to 'other' but authenticated user was 'guest'"):
            publish(ch, q, "m", user_id="other")
            ch.basic_qos(prefetch_count=1)


@test
def bad_expiration(node):
    with connect(node) as connection:
        for value in ("soon", "-1", "1.5", ""):
            ch = connection.channel()
            q = queue(ch)
            with channel_error(406, "invalid expiration"):
                publish(ch, q, "m", expiration=value)
                ch.basic_qos(prefetch_count=1)


@test
def body_sizes(node):
    """Nothing, one byte, and around what one frame and several frames hold."""
    one = FRAME_MAX - 8
    sizes = [0, 1, 2, 255, 4096, one - 1, one, one + 1, 2 * one - 1, 2 * one, 2 * one + 1, 300_000]
    with channel_on(node) as ch:
        q = queue(ch)
        for size in sizes:
            body = os.urandom(size)
            publish(ch, q, body)
            got = get(ch, q)
            assert got == body, f"{size} bytes: got {None if got is None else len(got)}"
        bodies = [os.urandom(size) for size in sizes]
        publish(ch, q, *bodies)
        got = [body for _, _, body in consume(ch, q, len(sizes), auto_ack=True)]
        assert got == bodies


@test(seconds=60)
def body_10_mb(node):
    big_body(node, 10 << 20, durable=False)
    big_body(node, 10 << 20, durable=True)


@test(seconds=120)
def body_100_mb(node):
    big_body(node, 100 << 20, durable=True)


def big_body(node, size, durable):
    body = os.urandom(1 << 20) * (size >> 20)
    with channel_on(node, socket_timeout=60, blocked_connection_timeout=60) as ch:
        q = queue(ch, name(), durable=durable, exclusive=False)
        ch.confirm_delivery()
        ch.basic_publish("", q, body, PERSISTENT if durable else None)
        _, _, got = ch.basic_get(q, auto_ack=True)
        assert hashlib.sha1(got).digest() == hashlib.sha1(body).digest(), f"{len(got)} of {len(body)} bytes"
        ch.queue_delete(q)


@test(leveret_only="RabbitMQ reads the whole body first")
def body_too_large(node):
    """More than max_message_size (128 MiB): refused when the header says so, before the body comes."""
    with Raw(node) as raw:
        ch = raw.channel()
        raw.method(ch, spec.Basic.Publish(exchange="", routing_key="q"))
        size = (1 << 30).to_bytes(8, "big")
        raw.send(b"\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00" + size + b"\x00\x00\xce")
        raw.expect_channel_close(406, "larger than")


ALL_PROPERTIES = dict(content_type="text/plain", content_encoding="gzip", delivery_mode=2, priority=7,
                      correlation_id="corr", reply_to="back", expiration="60000", message_id="m-1",
                      timestamp=1700000000, type="kind", user_id="guest", app_id="app", cluster_id="c")


@test
def properties_round_trip(node):
    with channel_on(node) as ch:
        q = queue(ch)
        ch.basic_publish("", q, b"m", pika.BasicProperties(**ALL_PROPERTIES))
        _, properties, _ = ch.basic_get(q, auto_ack=True)
        for key, value in ALL_PROPERTIES.items():
            assert getattr(properties, key) == value, f"{key}: {getattr(properties, key)!r}"
        for key, value in ALL_PROPERTIES.items():
            ch.basic_publish("", q, b"m", pika.BasicProperties(**{key: value}))
            _, properties, _ = ch.basic_get(q, auto_ack=True)
            for other in ALL_PROPERTIES:
                assert getattr(properties, other) == (value if other == key else None), (key, other)


@test
def headers_round_trip(node):
    headers = {
        "bool": True, "false": False, "int": 7, "negative": -7, "big": 2**40,
        "decimal": decimal.Decimal("3.14"), "text": "t", "empty": "", "utf8": "häse €", "bytes": b"\x00\xff",
        "none": None, "time": datetime.datetime(2026, 1, 2, 3, 4, 5), "array": [1, "two", [3], {"four": 4}, None],
        "table": {"a": {"b": {"c": [True]}}}, "empty table": {}, "empty array": [],
    }
    with channel_on(node) as ch:
        q = queue(ch)
        ch.basic_publish("", q, b"m", pika.BasicProperties(headers=headers))
        _, properties, _ = ch.basic_get(q, auto_ack=True)
        assert properties.headers == headers, properties.headers


@test
def raw_headers_round_trip(node):
    """Every type that RabbitMQ's clients send, byte for byte: t b B s u I i l L f d D S A F T V x."""
    fields = b"".join((
        b"\x01tt\x01", b"\x01bb\xff", b"\x02bBB\xfe", b"\x01ss\xff\xfe", b"\x02usu\xff\xfe", b"\x01II\xff\xff\xff\xfe",
        b"\x02uii\xff\xff\xff\xfe", b"\x01ll\xff\xff\xff\xff\xff\xff\xff\xfe", b"\x01ff\x3f\xc0\x00\x00",
        b"\x01dd\x3f\xf8\x00\x00\x00\x00\x00\x00", b"\x01DD\x02\x00\x00\x01\x3a", b"\x01SS\x00\x00\x00\x02hi",
        b"\x01AA\x00\x00\x00\x04t\x01b\x07", b"\x01FF\x00\x00\x00\x04\x01at\x01",
        b"\x01TT\x00\x00\x00\x00\x65\x00\x00\x00",
        b"\x01VV", b"\x01xx\x00\x00\x00\x03\x00\x01\x02",
    ))
    table = len(fields).to_bytes(4, "big") + fields
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch)
        raw.method(ch, spec.Basic.Publish(exchange="", routing_key=q))
        payload = b"\x00\x3c\x00\x00" + (1).to_bytes(8, "big") + b"\x20\x00" + table
        raw.send(b"\x02\x00\x01" + len(payload).to_bytes(4, "big") + payload + b"\xce")
        raw.send(b"\x03\x00\x01\x00\x00\x00\x01m\xce")
        raw.method(ch, spec.Basic.Get(queue=q, no_ack=True))
        raw.read_frame()
        _, _, header = raw.read_frame()
        assert header == payload, header


@test
def cc_and_bcc(node):
    with connect(node) as connection:
        ch = connection.channel()
        queues = [queue(ch) for _ in range(4)]
        publish(ch, queues[0], "m", headers={"CC": [queues[1]], "BCC": [queues[2], queues[0]], "other": 1})
        for q in queues[:3]:
            method, properties, body = ch.basic_get(q, auto_ack=True)
            assert body == b"m" and properties.headers == {"CC": [queues[1]], "other": 1}, properties
        assert drain(ch, queues[0]) == [] and drain(ch, queues[3]) == []
        for key in ("CC", "BCC"):
            bad = connection.channel()
            with channel_error(406, key):
                publish(bad, queues[0], "m", headers={key: "text"})
                bad.basic_qos(prefetch_count=1)


@test
def tx_commit(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q, second = queue(ch, name(), durable=True), queue(ch)
        ch.tx_select()
        publish(ch, q, "a", delivery_mode=2)
        publish(ch, second, "b")
        settle(other, 0.1)
        assert count(other, q) == 0 and count(other, second) == 0
        ch.tx_commit()
        assert drain(other, q) == [b"a"] and drain(other, second) == [b"b"]


@test
def tx_rollback(node):
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(ch)
        publish(ch, q, "kept")
        ch.tx_select()
        publish(ch, q, "a")
        method, _, body = ch.basic_get(q)
        ch.basic_ack(method.delivery_tag)
        ch.tx_rollback()
        assert count(other, q) == 0           # still unsettled: neither acked nor requeued
        ch.basic_ack(method.delivery_tag)
        ch.tx_commit()
        ch.close()
        assert drain(other, q) == []


@test
def tx_acks(node):
    """Acks of a transaction count from its commit on; without one they are as if they had not been."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        publish(other, q, "a", "b")
        ch.tx_select()
        for commit in (False, True):
            method, _, _ = ch.basic_get(q)
            ch.basic_ack(method.delivery_tag)
            if commit:
                ch.tx_commit()
            ch.close()
            assert drain(other, q, auto_ack=False) == ([b"b"] if commit else [b"a", b"b"])
            if not commit:
                other.basic_nack(0, multiple=True)
                ch = connection.channel()
                ch.tx_select()


@test
def tx_and_confirm_exclude(node):
    with connect(node) as connection:
        ch = connection.channel()
        ch.tx_select()
        with channel_error(406, "cannot switch from tx to confirm mode"):
            ch.confirm_delivery()
        ch = connection.channel()
        ch.confirm_delivery()
        with channel_error(406, "cannot switch from confirm to tx mode"):
            ch.tx_select()
        ch = connection.channel()
        with channel_error(406, "channel is not transactional"):
            ch.tx_commit()
        with channel_error(406, "channel is not transactional"):
            connection.channel().tx_rollback()


@test
def tx_unknown_exchange(node):
    """An error inside a transaction undoes it."""
    with connect(node) as connection:
        ch, other = connection.channel(), connection.channel()
        q = queue(other)
        ch.tx_select()
        publish(ch, q, "a")
        with channel_error(404):
            publish(ch, q, "b", exchange=name())
            ch.tx_commit()
        assert drain(other, q) == []


@test
def message_ttl(node):
    with channel_on(node) as ch:
        q = queue(ch, arguments={"x-message-ttl": 200})
        publish(ch, q, "a", "b")
        assert count(ch, q) == 2
        eventually(lambda: count(ch, q) == 0)
        assert get(ch, q) is None


@test
def expiration(node):
    """The lower of the queue's and the message's; 0 expires unless a consumer takes it at once."""
    with channel_on(node) as ch:
        q = queue(ch, arguments={"x-message-ttl": 60000})
        publish(ch, q, "short", expiration="150")
        publish(ch, q, "stays")
        settle(ch, 0.4)
        assert drain(ch, q) == [b"stays"]
        publish(ch, q, "never", expiration="0")
        settle(ch, 0.1)
        assert get(ch, q) is None
        zero = queue(ch, arguments={"x-message-ttl": 0})
        publish(ch, zero, "never")
        settle(ch, 0.1)
        assert get(ch, zero) is None
        got = []
        ch.basic_consume(zero, lambda c, m, p, b: got.append(b), auto_ack=True)
        publish(ch, zero, "at once")
        eventually(lambda: ch.connection.process_data_events(0.02) or got)
        assert got == [b"at once"]


@test
def long_backlog_keeps_order(node):
    total = 20000
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw_queue(raw, ch)
        raw.call(ch, spec.Confirm.Select(), spec.Confirm.SelectOk)
        for start in range(0, total, 500):
            raw.socket.sendall(b"".join(
                pika.frame.Method(ch, spec.Basic.Publish(exchange="", routing_key=q)).marshal()
                + pika.frame.Header(ch, 5, pika.BasicProperties()).marshal()
                + pika.frame.Body(ch, b"%05d" % i).marshal() for i in range(start, start + 500)))
        read_confirms(raw, total)
        raw.call(ch, spec.Basic.Consume(queue=q, consumer_tag="c", no_ack=True), spec.Basic.ConsumeOk)
        for i in range(total):
            method = raw.expect(spec.Basic.Deliver)
            assert method.body == b"%05d" % i, (i, method.body)

