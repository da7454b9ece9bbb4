"""Exchanges, queues and bindings: declaring, binding, routing, deleting, and the errors."""
import pika

from client import (channel_error, channel_on, connect, count, drain, get, publish, queue, Raw, wait, collector)
from harness import eventually, name, test
from pika import spec

INEQUIVALENT = "inequivalent arg"


def bound(channel, exchange, key="", arguments=None):
    """A new queue bound to the exchange."""
    target = queue(channel)
    channel.queue_bind(target, exchange, key, arguments)
    return target


def exchange(channel, kind, **options):
    made = name(kind)
    options.setdefault("auto_delete", True)
    channel.exchange_declare(made, kind, **options)
    return made


@test
def default_exchange(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, "one", "two")
        assert drain(ch, q) == [b"one", b"two"]


@test
def direct(node):
    with channel_on(node) as ch:
        x = exchange(ch, "direct")
        a, b = bound(ch, x, "a"), bound(ch, x, "b")
        ch.queue_bind(b, x, "a")
        for key in ("a", "b", "c"):
            publish(ch, key, key, exchange=x)
        assert drain(ch, a) == [b"a"]
        assert drain(ch, b) == [b"a", b"b"]


@test
def fanout(node):
    with channel_on(node) as ch:
        x = exchange(ch, "fanout")
        queues = [bound(ch, x, str(i)) for i in range(5)]
        publish(ch, "whatever", "m", exchange=x)
        assert [drain(ch, q) for q in queues] == [[b"m"]] * 5


TOPICS = {
    "a.b.c": {"a.b.c": 1, "a.*.c": 1, "a.#": 1, "#": 1, "*.*": 0, "a.b.c.#": 1, "#.c": 1, "a.*": 0, "*.b.*": 1},
    "a": {"a": 1, "*": 1, "#": 1, "a.#": 1, "#.a": 1, "a.*": 0, "*.#.*": 0, "": 0},
    "": {"": 1, "#": 1, "*": 0, "a": 0, "#.#": 1},        # the empty key has no word
    "a..b": {"a.*.b": 1, "a..b": 1, "a.#.b": 1, "a.b": 0, "*.*.*": 1},
    "a.b.a.b": {"#.a.b": 1, "a.b.#": 1, "a.#.b": 1, "#.a.#.b.#": 1, "*.*.*.*": 1, "a.#.#.b": 1, "a.b": 0},
}


@test
def topic(node):
    with channel_on(node) as ch:
        for key, patterns in TOPICS.items():
            x = exchange(ch, "topic")
            queues = {pattern: bound(ch, x, pattern) for pattern in patterns}
            publish(ch, key, "m", exchange=x)
            for pattern, expected in patterns.items():
                got = len(drain(ch, queues[pattern]))
                assert got == expected, f"key {key!r}, pattern {pattern!r}: {got}"


@test
def topic_unbind(node):
    with channel_on(node) as ch:
        x = exchange(ch, "topic", auto_delete=False)
        q = queue(ch)
        for pattern in ("a.*", "a.#", "*.b"):
            ch.queue_bind(q, x, pattern)
        for pattern in ("a.*", "a.#", "*.b"):
            publish(ch, "a.b", pattern, exchange=x)
            ch.queue_unbind(q, x, pattern)
        # Once however many patterns match, and not at all when none is left.
        assert drain(ch, q) == [b"a.*", b"a.#", b"*.b"]
        publish(ch, "a.b", "late", exchange=x)
        assert drain(ch, q) == []
        ch.exchange_delete(x)


@test
def headers_match(node):
    with channel_on(node) as ch:
        x = exchange(ch, "headers")
        both = bound(ch, x, "", {"x-match": "all", "a": 1, "b": "two"})
        either = bound(ch, x, "", {"x-match": "any", "a": 1, "b": "two"})
        default = bound(ch, x, "", {"a": 1})
        present = bound(ch, x, "", {"x-match": "all", "a": None})
        for body, headers in (("ab", {"a": 1, "b": "two"}), ("a", {"a": 1}), ("b", {"b": "two"}), ("none", {}),
                              ("other", {"a": 2}), ("more", {"a": 1, "b": "two", "c": 3})):
            publish(ch, "", body, exchange=x, headers=headers)
        publish(ch, "", "bare", exchange=x)
        assert drain(ch, both) == [b"ab", b"more"]
        assert drain(ch, either) == [b"ab", b"a", b"b", b"more"]
        assert drain(ch, default) == [b"ab", b"a", b"more"]
        assert drain(ch, present) == [b"ab", b"a", b"other", b"more"]


@test
def headers_match_with_x(node):
    with channel_on(node) as ch:
        x = exchange(ch, "headers")
        plain = bound(ch, x, "", {"x-match": "all", "x-a": 1, "b": 1})
        with_x = bound(ch, x, "", {"x-match": "all-with-x", "x-a": 1, "b": 1})
        any_x = bound(ch, x, "", {"x-match": "any-with-x", "x-a": 1})
        publish(ch, "", "b", exchange=x, headers={"b": 1})
        publish(ch, "", "both", exchange=x, headers={"b": 1, "x-a": 1})
        assert drain(ch, plain) == [b"b", b"both"]
        assert drain(ch, with_x) == [b"both"]
        assert drain(ch, any_x) == [b"both"]


@test
def headers_bad_match(node):
    with connect(node) as connection:
        for value in ("some", 7):
            ch = connection.channel()
            q = queue(ch)
            with channel_error(406, "x-match"):
                ch.queue_bind(q, "amq.headers", "", {"x-match": value})


@test
def exchange_to_exchange(node):
    with channel_on(node) as ch:
        source, middle = exchange(ch, "topic", auto_delete=False), exchange(ch, "direct", auto_delete=False)
        ch.exchange_bind(middle, source, "a.*")
        q = bound(ch, middle, "a.b")
        ch.queue_bind(q, source, "a.b")
        publish(ch, "a.b", "m", exchange=source)
        publish(ch, "a.c", "n", exchange=source)
        assert drain(ch, q) == [b"m"]           # once, though two paths lead there
        ch.exchange_unbind(middle, source, "a.*")
        ch.queue_unbind(q, source, "a.b")
        publish(ch, "a.b", "m", exchange=source)
        assert drain(ch, q) == []
        ch.exchange_delete(source)
        ch.exchange_delete(middle)


@test
def exchange_cycle(node):
    with channel_on(node) as ch:
        a, b = exchange(ch, "fanout", auto_delete=False), exchange(ch, "fanout", auto_delete=False)
        ch.exchange_bind(a, b)
        ch.exchange_bind(b, a)
        ch.exchange_bind(a, a)
        q = bound(ch, b)
        publish(ch, "", "m", exchange=a)
        assert drain(ch, q) == [b"m"]
        ch.exchange_delete(a)
        ch.exchange_delete(b)


@test
def alternate_exchange(node):
    with channel_on(node) as ch:
        other = exchange(ch, "fanout")
        q = bound(ch, other)
        x = exchange(ch, "direct", auto_delete=False, arguments={"alternate-exchange": other})
        ch.confirm_delivery()
        ch.basic_publish(x, "nowhere", b"m", mandatory=True)      # counts as routed
        assert drain(ch, q) == [b"m"]
        ch.exchange_delete(x)


@test
def predeclared_exchanges(node):
    with channel_on(node) as ch:
        for x, kind in (("amq.direct", "direct"), ("amq.fanout", "fanout"), ("amq.topic", "topic"),
                        ("amq.headers", "headers"), ("amq.match", "headers")):
            ch.exchange_declare(x, passive=True)
            ch.exchange_declare(x, kind, durable=True)


@test
def passive_declares(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch)
        publish(ch, q, "a", "b")
        ch.basic_qos(prefetch_count=1)
        ch.basic_consume(q, lambda *unused: None)
        answer = ch.queue_declare(q, passive=True).method
        eventually(lambda: (ch.queue_declare(q, passive=True).method.message_count == 1))
        assert (answer.queue, answer.consumer_count) == (q, 1)
        missing = name()
        with channel_error(404, f"no queue '{missing}' in vhost '/'"):
            connection.channel().queue_declare(missing, passive=True)
        with channel_error(404, f"no exchange '{missing}' in vhost '/'"):
            connection.channel().exchange_declare(missing, passive=True)


@test
def inequivalent_queue(node):
    q = name()
    cases = (
        ({"durable": True}, "inequivalent arg 'durable' for queue '%s' in vhost '/': received 'true' but current is 'false'"),
        ({"auto_delete": True}, "inequivalent arg 'auto_delete' for queue '%s' in vhost '/': received 'true' but current is 'false'"),
        ({"arguments": {"x-expires": 60000}}, "inequivalent arg 'x-expires' for queue '%s' in vhost '/': received the value '60000' of type 'signedint' but current is none"),
    )
    with connect(node) as connection:
        connection.channel().queue_declare(q)
        for options, text in cases:
            with channel_error(406, "PRECONDITION_FAILED - " + text % q):
                connection.channel().queue_declare(q, **options)
        connection.channel().queue_delete(q)


@test
def inequivalent_arguments(node):
    q = name()
    with connect(node) as connection:
        connection.channel().queue_declare(q, arguments={"x-expires": 60000, "unknown": 1})
        # An argument that nobody knows is not compared.
        connection.channel().queue_declare(q, arguments={"x-expires": 60000, "unknown": 2})
        with channel_error(406, "received none but current is the value '60000' of type 'signedint'"):
            connection.channel().queue_declare(q)
        with channel_error(406, "received '50000' but current is '60000'"):
            connection.channel().queue_declare(q, arguments={"x-expires": 50000})
        connection.channel().queue_delete(q)


@test
def inequivalent_exclusive(node):
    """The connection that owns the queue hears of the lock too when it declares it otherwise."""
    with connect(node) as connection:
        q = queue(connection.channel(), name())
        with channel_error(405, f"cannot obtain exclusive access to locked queue '{q}' in vhost '/'"):
            connection.channel().queue_declare(q)


@test
def inequivalent_exchange(node):
    with connect(node) as connection:
        x = exchange(connection.channel(), "direct", auto_delete=False)
        cases = (
            (("fanout", {}), "inequivalent arg 'type' for exchange '%s' in vhost '/': received 'fanout' but current is 'direct'"),
            (("direct", {"durable": True}), "inequivalent arg 'durable' for exchange '%s' in vhost '/': received 'true' but current is 'false'"),
            (("direct", {"auto_delete": True}), "inequivalent arg 'auto_delete' for exchange '%s' in vhost '/': received 'true' but current is 'false'"),
            (("direct", {"internal": True}), "inequivalent arg 'internal' for exchange '%s' in vhost '/': received 'true' but current is 'false'"),
        )
        for (kind, options), text in cases:
            with channel_error(406, text % x):
                connection.channel().exchange_declare(x, kind, **options)
        connection.channel().exchange_delete(x)


@test
def server_named(node):
    with channel_on(node) as ch:
        first, second = queue(ch), queue(ch)
        assert first != second
        assert first.startswith("amq.gen-") and len(first) == len("amq.gen-") + 22, first


@test
def last_declared_queue(node):
    """An empty name means the channel's last declared queue."""
    with Raw(node) as raw:
        ch = raw.channel()
        raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk)
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        # Queue and key empty: both are the last queue's name.
        raw.call(ch, spec.Queue.Bind(queue="", exchange="amq.direct", routing_key=""), spec.Queue.BindOk)
        raw.publish(ch, "amq.direct", q, b"m")
        got = raw.call(ch, spec.Basic.Get(queue="", no_ack=True), spec.Basic.GetOk)
        assert got.body == b"m"
        raw.call(ch, spec.Queue.Purge(queue=""), spec.Queue.PurgeOk)
        raw.call(ch, spec.Queue.Delete(queue=""), spec.Queue.DeleteOk)


@test
def no_last_declared_queue(node):
    with Raw(node) as raw:
        ch = raw.channel()
        raw.method(ch, spec.Queue.Purge(queue=""))
        raw.expect_channel_close(404, "no previously declared queue")


@test
def reserved_names(node):
    with connect(node) as connection:
        with channel_error(403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"):
            connection.channel().queue_declare("amq.mine")
        with channel_error(403, "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'"):
            connection.channel().exchange_declare("amq.mine", "direct")
        with channel_error(403):
            connection.channel().exchange_delete("amq.direct")


@test
def default_exchange_is_untouchable(node):
    text = "operation not permitted on the default exchange"
    with connect(node) as connection:
        with channel_error(403, text):
            connection.channel().exchange_declare("", "direct")
        with channel_error(403, text):
            connection.channel().exchange_delete("")
        ch = connection.channel()
        q = queue(ch)
        with channel_error(403, text):
            ch.queue_bind(q, "", "key")
        with channel_error(403, text):
            connection.channel().queue_unbind(q, "", q)
        with channel_error(403, text):
            connection.channel().exchange_bind("amq.direct", "", "key")


@test
def internal_exchange(node):
    with connect(node) as connection:
        ch = connection.channel()
        inner = exchange(ch, "fanout", internal=True, auto_delete=False)
        outer = exchange(ch, "fanout", auto_delete=False)
        ch.exchange_bind(inner, outer)
        q = bound(ch, inner)
        publish(ch, "", "m", exchange=outer)
        assert drain(ch, q) == [b"m"]
        second = connection.channel()
        with channel_error(403, f"cannot publish to internal exchange '{inner}' in vhost '/'"):
            publish(second, "", "m", exchange=inner)
            second.basic_qos(prefetch_count=1)
        ch.exchange_delete(outer)
        ch.exchange_delete(inner)


@test
def unknown_exchange_type(node):
    """RabbitMQ up to 3 closes the connection with 503, later versions and Leveret the channel with 406."""
    with connect(node) as connection:
        try:
            connection.channel().exchange_declare(name(), "wobbly")
        except pika.exceptions.ChannelClosedByBroker as error:
            assert error.reply_code == 406 and "wobbly" in error.reply_text, error
        except pika.exceptions.ConnectionClosedByBroker as error:
            assert error.reply_code == 503 and "wobbly" in error.reply_text, error
        else:
            raise AssertionError("accepted")


@test
def bind_to_nothing(node):
    with connect(node) as connection:
        q = queue(connection.channel())
        missing = name("none")
        with channel_error(404, f"no exchange '{missing}' in vhost '/'"):
            connection.channel().queue_bind(q, missing, "k")
        with channel_error(404, f"no queue '{missing}' in vhost '/'"):
            connection.channel().queue_bind(missing, "amq.direct", "k")
        with channel_error(404):
            connection.channel().exchange_bind(missing, "amq.direct", "k")


@test
def deleting_nothing(node):
    """Deleting and unbinding what is not there, and cancelling an unknown tag, succeed."""
    with channel_on(node) as ch:
        ch.queue_delete(name())
        ch.exchange_delete(name())
        q = queue(ch)
        ch.queue_unbind(q, "amq.direct", "never")
    with Raw(node) as raw:
        ch = raw.channel()
        raw.call(ch, spec.Basic.Cancel(consumer_tag="nobody"), spec.Basic.CancelOk)


@test
def delete_if_unused(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch)
        tag = ch.basic_consume(q, lambda *unused: None)
        with channel_error(406, f"queue '{q}' in vhost '/' in use"):
            connection.channel().queue_delete(q, if_unused=True)
        ch.basic_cancel(tag)
        assert ch.queue_delete(q, if_unused=True).method.message_count == 0
        x = exchange(ch, "fanout", auto_delete=False)
        bound(ch, x)
        with channel_error(406, f"exchange '{x}' in vhost '/' in use"):
            connection.channel().exchange_delete(x, if_unused=True)
        ch.exchange_delete(x)


@test
def delete_if_empty(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch)
        publish(ch, q, "m")
        with channel_error(406, f"queue '{q}' in vhost '/' not empty"):
            ch.queue_delete(q, if_empty=True)
        ch = connection.channel()
        assert ch.queue_delete(q).method.message_count == 1


@test
def purge(node):
    with channel_on(node) as ch:
        q = queue(ch)
        publish(ch, q, *range(10))
        for _ in range(3):
            assert get(ch, q, auto_ack=False) is not None      # unsettled ones stay
        assert ch.queue_purge(q).method.message_count == 7
        assert count(ch, q) == 0
        ch.basic_nack(0, multiple=True, requeue=True)
        assert drain(ch, q) == [b"0", b"1", b"2"]


@test
def delete_unbinds(node):
    with channel_on(node) as ch:
        q = queue(ch, name(), exclusive=False)
        key = name("key")
        ch.queue_bind(q, "amq.direct", key)
        ch.queue_delete(q)
        ch.confirm_delivery()
        try:
            ch.basic_publish("amq.direct", key, b"m", mandatory=True)
        except pika.exceptions.UnroutableError:
            return
        raise AssertionError("the binding of a deleted queue is still there")


@test
def exclusive_is_locked(node):
    """Every operation of another connection on an exclusive queue is refused."""
    with connect(node) as owner, connect(node) as other:
        ch = owner.channel()
        q = queue(ch, name())
        ch.queue_bind(q, "amq.direct", "k")         # an unbind of nothing would succeed
        text = f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{q}' in vhost '/'"
        operations = (
            lambda ch: ch.queue_declare(q, exclusive=True),
            lambda ch: ch.queue_declare(q, passive=True),
            lambda ch: ch.queue_bind(q, "amq.direct", "k"),
            lambda ch: ch.queue_unbind(q, "amq.direct", "k"),
            lambda ch: ch.queue_purge(q),
            lambda ch: ch.queue_delete(q),
            lambda ch: ch.basic_get(q),
            lambda ch: ch.basic_consume(q, lambda *unused: None),
        )
        for operation in operations:
            with channel_error(405, text):
                operation(other.channel())
        # Publishing to it is not.
        ch = other.channel()
        ch.confirm_delivery()
        ch.basic_publish("", q, b"m", mandatory=True)


@test
def exclusive_goes_with_connection(node):
    """The queue is gone before connection.close-ok."""
    q = name()
    for _ in range(20):
        with connect(node) as connection:
            connection.channel().queue_declare(q, exclusive=True)
        with connect(node) as connection:
            with channel_error(404):
                connection.channel().queue_declare(q, passive=True)


@test
def exclusive_goes_with_lost_connection(node):
    q = name()
    raw = Raw(node)
    ch = raw.channel()
    raw.call(ch, spec.Queue.Declare(queue=q, exclusive=True), spec.Queue.DeclareOk)
    raw.close()

    def gone():
        with connect(node) as connection:
            try:
                connection.channel().queue_declare(q, passive=True)
            except pika.exceptions.ChannelClosedByBroker as error:
                return error.reply_code == 404

    eventually(gone, what="the exclusive queue's end")


@test
def auto_delete_queue(node):
    """It goes after the last consumer leaves, before cancel-ok, and never before a first one came."""
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch, name(), exclusive=False, auto_delete=True)
        assert get(ch, q) is None
        first, second = (ch.basic_consume(q, lambda *unused: None) for _ in range(2))
        ch.basic_cancel(first)
        ch.queue_declare(q, passive=True)
        ch.basic_cancel(second)
        with channel_error(404):
            ch.queue_declare(q, passive=True)


@test
def auto_delete_queue_channel_close(node):
    with connect(node) as connection:
        ch = connection.channel()
        q = queue(ch, name(), exclusive=False, auto_delete=True)
        ch.basic_consume(q, lambda *unused: None)
        ch.close()
        with channel_error(404):
            connection.channel().queue_declare(q, passive=True)


@test
def auto_delete_exchange(node):
    """The exchange goes when its last binding to another exchange or queue goes."""
    with connect(node) as connection:
        ch = connection.channel()
        x = exchange(ch, "fanout")
        target = exchange(ch, "fanout", auto_delete=False)
        ch.exchange_declare(x, passive=True)          # not before a first binding
        q = bound(ch, x)
        ch.exchange_bind(target, x)
        ch.queue_delete(q)
        ch.exchange_declare(x, passive=True)
        ch.exchange_unbind(target, x)
        with channel_error(404):
            ch.exchange_declare(x, passive=True)
        connection.channel().exchange_delete(target)


@test
def auto_delete_exchange_chain(node):
    """A queue that goes takes the exchanges with it whose last binding it was."""
    with connect(node) as connection:
        ch = connection.channel()
        outer, inner = exchange(ch, "fanout"), exchange(ch, "fanout")
        ch.exchange_bind(inner, outer)
        q = bound(ch, inner)
        ch.queue_delete(q)
        with channel_error(404):
            ch.exchange_declare(inner, passive=True)
        with channel_error(404):
            connection.channel().exchange_declare(outer, passive=True)


@test
def exchange_deleted_target(node):
    """Deleting an exchange removes bindings to it."""
    with connect(node) as connection:
        ch = connection.channel()
        source, target = exchange(ch, "fanout"), exchange(ch, "fanout", auto_delete=False)
        ch.exchange_bind(target, source)
        ch.exchange_delete(target)
        with channel_error(404):
            ch.exchange_declare(source, passive=True)


@test
def bad_queue_arguments(node):
    cases = (
        ({"x-expires": 0}, "invalid arg 'x-expires' for queue"),
        ({"x-expires": "soon"}, "invalid arg 'x-expires' for queue"),
        ({"x-message-ttl": -1}, "invalid arg 'x-message-ttl' for queue"),
        ({"x-message-ttl": "long"}, "invalid arg 'x-message-ttl' for queue"),
    )
    with connect(node) as connection:
        for arguments, text in cases:
            with channel_error(406, text):
                connection.channel().queue_declare(name(), arguments=arguments)


@test
def many_bindings(node):
    with channel_on(node, socket_timeout=30) as ch:
        x = exchange(ch, "topic")
        q = queue(ch)
        for i in range(1000):
            ch.queue_bind(q, x, f"key.{i}.*")
        publish(ch, "key.999.a", "yes", exchange=x)
        publish(ch, "key.1000.a", "no", exchange=x)
        assert drain(ch, q) == [b"yes"]


@test
def no_wait_variants(node):
    """declare, bind, unbind, purge, delete, consume, cancel, select with no-wait: no answer, and they are done."""
    q, x = name(), name("x")
    with Raw(node) as raw:
        ch = raw.channel()
        raw.method(ch, spec.Exchange.Declare(exchange=x, type="direct", nowait=True))
        raw.method(ch, spec.Queue.Declare(queue=q, nowait=True))
        raw.method(ch, spec.Queue.Bind(queue=q, exchange=x, routing_key="k", nowait=True))
        raw.method(ch, spec.Exchange.Bind(destination=x, source="amq.direct", routing_key=q, nowait=True))
        raw.method(ch, spec.Confirm.Select(nowait=True))
        raw.publish(ch, x, "k", b"one")
        raw.expect(spec.Basic.Ack)
        raw.method(ch, spec.Queue.Purge(queue=q, nowait=True))
        assert raw.call(ch, spec.Queue.Declare(queue=q, passive=True), spec.Queue.DeclareOk).message_count == 0
        raw.method(ch, spec.Basic.Consume(queue=q, consumer_tag="t", no_ack=True, nowait=True))
        raw.publish(ch, x, "k", b"two")
        got = [raw.expect(spec.Basic.Deliver, spec.Basic.Ack) for _ in range(2)]
        assert [m.body for m in got if isinstance(m, spec.Basic.Deliver)] == [b"two"]
        raw.method(ch, spec.Basic.Cancel(consumer_tag="t", nowait=True))
        raw.method(ch, spec.Exchange.Unbind(destination=x, source="amq.direct", routing_key=q, nowait=True))
        raw.method(ch, spec.Queue.Delete(queue=q, nowait=True))
        raw.method(ch, spec.Exchange.Delete(exchange=x, nowait=True))
        raw.method(ch, spec.Queue.Declare(queue=q, passive=True))
        raw.expect_channel_close(404)


@test
def long_names(node):
    """255 bytes are the most that a name can have; what is not ASCII passes through."""
    with channel_on(node) as ch:
        for wanted in ("q" * 255, "ü€" * 30, " with 'quotes' and \t tabs"):
            q = queue(ch, wanted)
            assert q == wanted
            publish(ch, q, "m")
            assert drain(ch, q) == [b"m"]
