"""Connections and channels: handshake, login, limits, heartbeats, and which errors close what."""
import socket
import time

import pika
from pika import frame as frames
from pika import spec

import broker
from client import (Closed, Raw, channel_error, channel_on, connect, connection_error, count, drain, get, publish, queue)
from harness import Skip, eventually, name, test


@test
def server_properties(node):
    with Raw(node) as raw:
        properties = raw.server.server_properties
        for key in ("product", "version", "platform", "copyright", "information", "cluster_name"):
            assert properties[key], key
        assert properties["product"] == "RabbitMQ", properties
        for capability in ("publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
                           "connection.blocked", "consumer_priorities", "authentication_failure_close",
                           "per_consumer_qos", "direct_reply_to"):
            assert properties["capabilities"][capability] is True, capability
        assert {b"PLAIN", b"AMQPLAIN"} <= set(raw.server.mechanisms.split()), raw.server.mechanisms
        assert raw.server.locales == b"en_US", raw.server.locales
        assert (raw.tune.channel_max, raw.tune.frame_max, raw.tune.heartbeat) == (2047, 131072, 60)


@test
def the_client_closes_the_socket(node):
    """No end of the stream comes behind close-ok: clients take that for a broken connection."""
    with Raw(node) as raw:
        raw.call(0, spec.Connection.Close(200, "bye", 0, 0), spec.Connection.CloseOk)
        raw.socket.settimeout(1)
        try:
            end = raw.socket.recv(1)
        except TimeoutError:
            end = None
        assert end is None, f"{end!r} came behind close-ok"
        raw.socket.shutdown(socket.SHUT_WR)
        raw.socket.settimeout(60)
        assert raw.socket.recv(1) == b""


@test
def both_protocol_headers(node):
    for header in (b"AMQP\x00\x00\x09\x01", b"AMQP\x01\x01\x00\x09"):
        with Raw(node, open=False) as raw:
            raw.send(header)
            raw.expect(spec.Connection.Start)


@test
def wrong_protocol_header(node):
    for header in (b"AMQP\x00\x01\x00\x00", b"AMQP\x03\x01\x00\x00", b"HTTP/1.1", b"GET / HTTP/1.1\r\n\r\n"):
        with Raw(node, open=False) as raw:
            raw.send(header)
            try:
                raw.read_frame()
            except Closed as closed:
                assert closed.args[0] == b"AMQP\x00\x00\x09\x01", closed
            else:
                raise AssertionError("went on")


@test
def wrong_password(node):
    with_close = {"capabilities": {"authentication_failure_close": True}}
    with Raw(node, open=False) as raw:
        raw.send(b"AMQP\x00\x00\x09\x01")
        raw.expect(spec.Connection.Start)
        raw.method(0, spec.Connection.StartOk(client_properties=with_close, mechanism="PLAIN",
                                              response="\x00guest\x00wrong", locale="en_US"))
        raw.expect_close(403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN")


@test
def wrong_password_without_capability(node):
    """A client that does not say it understands a close gets the socket closed, after a while."""
    with Raw(node, open=False) as raw:
        raw.send(b"AMQP\x00\x00\x09\x01")
        raw.expect(spec.Connection.Start)
        started = time.monotonic()
        raw.method(0, spec.Connection.StartOk(client_properties={}, mechanism="PLAIN",
                                              response="\x00guest\x00wrong", locale="en_US"))
        raw.expect_end()
        assert time.monotonic() - started > 0.3


@test
def wrong_user(node):
    try:
        with connect(node, user="nobody", password="x"):
            pass
    except pika.exceptions.ProbableAuthenticationError:
        return
    raise AssertionError("logged in")


@test
def amqplain(node):
    table = b"\x05LOGINS\x00\x00\x00\x05guest\x08PASSWORDS\x00\x00\x00\x05guest"
    with Raw(node, open=False) as raw:
        raw.send(b"AMQP\x00\x00\x09\x01")
        raw.expect(spec.Connection.Start)
        raw.method(0, spec.Connection.StartOk(client_properties={}, mechanism="AMQPLAIN",
                                              response=table.decode("latin-1"), locale="en_US"))
        raw.expect(spec.Connection.Tune)


@test(leveret_only="RabbitMQ closes the socket without a word")
def unknown_mechanism(node):
    with Raw(node, open=False) as raw:
        raw.send(b"AMQP\x00\x00\x09\x01")
        raw.expect(spec.Connection.Start)
        raw.method(0, spec.Connection.StartOk(client_properties={}, mechanism="MAGIC", response="", locale="en_US"))
        raw.expect_close(503)


@test
def unknown_vhost(node):
    try:
        with connect(node, virtual_host="nowhere"):
            pass
    except pika.exceptions.ConnectionClosedByBroker as error:
        closed = error
    except pika.exceptions.AMQPConnectionError as error:
        # pika calls a close during the opening a refused vhost, and keeps the reason.
        closed = error.args[0] if error.args else error
    assert "530" in repr(closed) and "vhost nowhere not found" in repr(closed), repr(closed)


@test
def tune_down(node):
    """The client's smaller limits hold: a frame over its frame_max is an error, and so is a channel over channel_max."""
    with Raw(node, frame_max=4096, channel_max=3) as raw:
        ch = raw.channel(3)
        raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk)
        with_body = b"x" * 20000
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        raw.publish(ch, "", q, with_body, frame_max=4096)
        got = raw.call(ch, spec.Basic.Get(queue=q, no_ack=True), spec.Basic.GetOk)
        assert got.body == with_body


@test
def deliveries_fit_the_frame_max(node):
    with Raw(node, frame_max=4096) as raw:
        ch = raw.channel()
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        raw.publish(ch, "", q, b"x" * 10000, frame_max=4096)
        raw.method(ch, spec.Basic.Get(queue=q, no_ack=True))
        sizes = [len(raw.read_frame()[2]) for _ in range(5)]
        assert sizes[2:] == [4088, 4088, 10000 - 2 * 4088], sizes


@test
def frame_too_large(node):
    with Raw(node, frame_max=4096) as raw:
        ch = raw.channel()
        raw.method(ch, spec.Basic.Publish(exchange="", routing_key="q"))
        raw.send(frames.Header(ch, 5000, pika.BasicProperties()).marshal())
        raw.send(frames.Body(ch, b"x" * 5000).marshal())
        raw.expect_close(501)


@test
def too_many_channels(node):
    with Raw(node, channel_max=3) as raw:
        for number in (1, 2, 3):
            raw.channel(number)
        raw.method(4, spec.Channel.Open())
        raw.expect_close(530, "number of channels opened (3) has reached the negotiated channel_max (3)")


@test
def many_channels(node):
    with Raw(node) as raw:
        for number in range(1, 2048):
            raw.method(number, spec.Channel.Open())
        for _ in range(1, 2048):
            raw.expect(spec.Channel.OpenOk)
        q = raw.call(1, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        for number in range(1, 2048):
            raw.publish(number, "", q, str(number).encode())
        # RabbitMQ keeps the order of each channel, Leveret that of the connection.
        eventually(lambda: raw.call(1, spec.Queue.Declare(queue=q, passive=True),
                                    spec.Queue.DeclareOk).message_count == 2047)
        got = [int(raw.call(1, spec.Basic.Get(queue=q, no_ack=True), spec.Basic.GetOk).body) for _ in range(2047)]
        assert (sorted(got) if broker.judge() else got) == list(range(1, 2048))
        for number in range(1, 2048):
            raw.call(number, spec.Channel.Close(reply_code=200, reply_text="", class_id=0, method_id=0),
                     spec.Channel.CloseOk)


@test
def channel_error_spares_others(node):
    with connect(node) as connection:
        first, second = connection.channel(), connection.channel()
        q = queue(second)
        with channel_error(404):
            first.queue_declare(name("missing"), passive=True)
        publish(second, q, "m")
        assert drain(second, q) == [b"m"]
        # The number can be used again at once.
        third = connection.channel(first.channel_number)
        publish(third, q, "n")
        assert drain(third, q) == [b"n"]


@test
def after_channel_close_is_dropped(node):
    """Between channel.close and close-ok everything but close and close-ok is ignored."""
    with Raw(node) as raw:
        ch, other = raw.channel(1), raw.channel(2)
        q = raw.call(other, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        raw.method(ch, spec.Queue.Declare(queue=name("missing"), passive=True))
        raw.publish(ch, "", q, b"lost")
        raw.method(ch, spec.Basic.Ack(delivery_tag=99))
        close = raw.expect(spec.Channel.Close)
        assert close.reply_code == 404 and (close.class_id, close.method_id) == (50, 10), close
        raw.method(ch, spec.Channel.CloseOk())
        assert raw.call(other, spec.Queue.Declare(queue=q, passive=True), spec.Queue.DeclareOk).message_count == 0
        raw.channel(1)


@test
def second_channel_open(node):
    with Raw(node) as raw:
        raw.channel(1)
        raw.method(1, spec.Channel.Open())
        raw.expect_close(504, "second 'channel.open' seen")


@test
def channel_not_open(node):
    with Raw(node) as raw:
        raw.method(1, spec.Queue.Declare(queue="q"))
        raw.expect_close(504, "expected 'channel.open'")


@test
def content_out_of_order(node):
    publish_method = frames.Method(1, spec.Basic.Publish(exchange="", routing_key="q")).marshal()
    header = frames.Header(1, 10, pika.BasicProperties()).marshal()
    body = frames.Body(1, b"x" * 5).marshal()
    other = frames.Method(1, spec.Queue.Declare(queue="q")).marshal()
    cases = (header, body, publish_method + body, publish_method + other, publish_method + header + other,
             publish_method + header + header)
    for case in cases:
        with Raw(node) as raw:
            raw.channel(1)
            raw.send(case)
            raw.expect_close(505)


@test(leveret_only="RabbitMQ waits for more")
def body_longer_than_said(node):
    with Raw(node) as raw:
        raw.channel(1)
        raw.method(1, spec.Basic.Publish(exchange="", routing_key="q"))
        raw.send(frames.Header(1, 3, pika.BasicProperties()).marshal() + frames.Body(1, b"xxxx").marshal())
        close = raw.expect(spec.Connection.Close)
        assert close.reply_code in (501, 505, 541), close


@test
def bad_frame_end(node):
    with Raw(node) as raw:
        raw.channel(1)
        good = frames.Method(1, spec.Queue.Declare(queue="q")).marshal()
        raw.send(good[:-1] + b"\x00")
        raw.expect_close(501)


@test(leveret_only="RabbitMQ closes the socket without a word")
def unknown_methods(node):
    for payload in (b"\x00\x32\x03\xe7", b"\x03\xe7\x00\x0a"):
        with Raw(node) as raw:
            raw.channel(1)
            raw.send(b"\x01\x00\x01\x00\x00\x00\x04" + payload + b"\xce")
            close = raw.expect(spec.Connection.Close)
            assert close.reply_code in (503, 540), close


@test
def heartbeat_on_a_channel(node):
    with Raw(node) as raw:
        raw.channel(1)
        raw.send(b"\x08\x00\x01\x00\x00\x00\x00\xce")
        raw.expect_close(505)


@test
def half_sent_method(node):
    """A method that ends before its arguments do."""
    with Raw(node) as raw:
        raw.channel(1)
        raw.send(b"\x01\x00\x01\x00\x00\x00\x07" + b"\x00\x32\x00\x0a\x00\x00\x20" + b"\xce")
        close = raw.expect(spec.Connection.Close)
        assert close.reply_code in (501, 502), close


@test
def byte_by_byte(node):
    """Input may come in any pieces."""
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        data = frames.Method(ch, spec.Basic.Publish(exchange="", routing_key=q)).marshal() + \
            frames.Header(ch, 6, pika.BasicProperties(headers={"a": 1})).marshal() + \
            frames.Body(ch, b"abc").marshal() + frames.Body(ch, b"def").marshal()
        for i in range(len(data)):
            raw.send(data[i:i + 1])
        assert raw.call(ch, spec.Basic.Get(queue=q, no_ack=True), spec.Basic.GetOk).body == b"abcdef"


@test
def body_in_odd_frames(node):
    """A body may be split anywhere, and an empty body frame is one."""
    with Raw(node) as raw:
        ch = raw.channel()
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        body = bytes(range(256)) * 40
        for step in (1, 7, 4000, 9999):
            raw.method(ch, spec.Basic.Publish(exchange="", routing_key=q))
            raw.send(frames.Header(ch, len(body), pika.BasicProperties()).marshal())
            raw.send(b"".join(frames.Body(ch, body[at:at + step]).marshal() for at in range(0, len(body), step)))
            assert raw.call(ch, spec.Basic.Get(queue=q, no_ack=True), spec.Basic.GetOk).body == body


@test
def channels_interleave_content(node):
    """Content of two channels may be interleaved frame by frame."""
    with Raw(node) as raw:
        a, b = raw.channel(1), raw.channel(2)
        q = raw.call(a, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        for ch in (a, b):
            raw.method(ch, spec.Basic.Publish(exchange="", routing_key=q))
        for ch in (b, a):
            raw.send(frames.Header(ch, 4, pika.BasicProperties()).marshal())
        for part in (b"12", b"34"):
            for ch in (a, b):
                raw.send(frames.Body(ch, part).marshal())
        for _ in range(2):
            assert raw.call(a, spec.Basic.Get(queue=q, no_ack=True), spec.Basic.GetOk).body == b"1234"


@test
def heartbeats_are_sent(node):
    with Raw(node, heartbeat=1) as raw:
        kind, number, payload = raw.read_frame()
        assert (kind, number, payload) == (spec.FRAME_HEARTBEAT, 0, b"")


@test
def heartbeat_loss_closes(node):
    """Two missed heartbeats: the connection is closed, and its exclusive queue and unsettled messages with it."""
    q = name()
    with Raw(node, heartbeat=1) as raw, channel_on(node) as ch:
        queue(ch, q, exclusive=False)
        publish(ch, q, "m")
        eventually(lambda: count(ch, q) == 1, what="the message")  # another connection gets it
        raw.channel()
        started = time.monotonic()
        raw.call(1, spec.Basic.Get(queue=q), spec.Basic.GetOk)
        raw.expect_end()
        assert time.monotonic() - started > 1
        assert eventually(lambda: count(ch, q) == 1)
        ch.queue_delete(q)


@test
def heartbeats_keep_alive(node):
    with Raw(node, heartbeat=2) as raw:     # so that this process may stand still for a while
        end = time.monotonic() + 6
        while time.monotonic() < end:
            raw.send(b"\x08\x00\x00\x00\x00\x00\x00\xce")
            time.sleep(0.5)
        raw.channel()


@test
def any_traffic_keeps_alive(node):
    """Any octet counts for a heartbeat."""
    with Raw(node, heartbeat=2) as raw:
        ch = raw.channel()
        q = raw.call(ch, spec.Queue.Declare(queue="", exclusive=True), spec.Queue.DeclareOk).queue
        end = time.monotonic() + 6
        while time.monotonic() < end:
            raw.publish(ch, "", q, b"m")
            time.sleep(0.5)
        raw.call(ch, spec.Basic.Qos(prefetch_count=1), spec.Basic.QosOk)


@test
def update_secret(node):
    with Raw(node) as raw:
        # pika does not know the method: a long string, the new secret, and a short one, the reason.
        raw.send(b"\x01\x00\x00\x00\x00\x00\x15" + b"\x00\x0a\x00\x46" + b"\x00\x00\x00\x05guest\x07renewed" + b"\xce")
        assert raw.read_frame() == (spec.FRAME_METHOD, 0, b"\x00\x0a\x00\x47")
        raw.channel()


@test
def close_ok_comes_last(node):
    with Raw(node) as raw:
        raw.channel()
        raw.call(0, spec.Connection.Close(reply_code=200, reply_text="bye", class_id=0, method_id=0),
                 spec.Connection.CloseOk)
        raw.socket.shutdown(socket.SHUT_WR)     # the client's to close
        raw.expect_end()


@test
def flow(node):
    """A client cannot stop deliveries with channel.flow, and must not believe that it did."""
    with Raw(node) as raw:
        ch = raw.channel()
        raw.call(ch, spec.Channel.Flow(active=True), spec.Channel.FlowOk)
        close = raw.call(ch, spec.Channel.Flow(active=False), spec.Connection.Close)
        assert (close.reply_code, close.reply_text) == (540, "NOT_IMPLEMENTED - active=false"), close


@test
def many_connections(node):
    with channel_on(node) as ch:
        q = queue(ch, name(), exclusive=False)
        connections = [Raw(node) for _ in range(100)]
        for i, raw in enumerate(connections):
            raw.channel()
            raw.publish(1, "", q, str(i).encode())
        eventually(lambda: count(ch, q) == 100)
        for raw in connections:
            raw.close()
        assert sorted(int(b) for b in drain(ch, q)) == list(range(100))
        ch.queue_delete(q)


@test
def connection_churn(node):
    for _ in range(100):
        with channel_on(node) as ch:
            q = queue(ch)
            publish(ch, q, "m")
            assert get(ch, q) == b"m"


@test
def ipv6(node):
    """Only where the broker listens there too."""
    try:
        socket.create_connection(("::1", node.port), 2).close()
    except OSError:
        raise Skip("the broker does not listen on ::1") from None


@test
def wrong_state_methods(node):
    """A method that only brokers send, and a connection method on a channel."""
    with Raw(node) as raw:
        raw.channel(1)
        raw.method(1, spec.Queue.DeclareOk(queue="q", message_count=0, consumer_count=0))
        close = raw.expect(spec.Connection.Close, spec.Channel.Close)
        assert close.reply_code in (503, 540, 504), close
    with Raw(node) as raw:
        raw.channel(1)
        raw.method(1, spec.Connection.Open(virtual_host="/"))
        close = raw.expect(spec.Connection.Close)
        assert close.reply_code in (503, 504, 505), close
