"""What the tests share above pika: connecting, expecting an error, and a raw connection that sends any frame."""
import contextlib
import socket
import struct
import time

import pika
from pika import frame as frames
from pika import spec

FRAME_END = b"\xce"
PERSISTENT = pika.BasicProperties(delivery_mode=2)
READ_SECONDS = 60       # ends what hangs


def parameters(node, user="guest", password="guest", **options):
    options.setdefault("heartbeat", 0)
    options.setdefault("socket_timeout", READ_SECONDS)
    options.setdefault("blocked_connection_timeout", READ_SECONDS)
    return pika.ConnectionParameters(node.host, node.port, credentials=pika.PlainCredentials(user, password),
                                     **options)


@contextlib.contextmanager
def connect(node, **options):
    connection = pika.BlockingConnection(parameters(node, **options))
    try:
        yield connection
    finally:
        try:
            if connection.is_open:
                connection.close()
        except pika.exceptions.AMQPError:
            pass            # the broker was stopped in between


@contextlib.contextmanager
def channel_on(node, **options):
    """A connection with one channel."""
    with connect(node, **options) as connection:
        yield connection.channel()


def queue(channel, wanted="", **options):
    """Declares a queue that goes with the connection, and answers its name."""
    options.setdefault("exclusive", True)
    return channel.queue_declare(wanted, **options).method.queue


@contextlib.contextmanager
def channel_error(code, text=None):
    """Expects that the broker closes the channel with this code (and this text within its own)."""
    try:
        yield
    except pika.exceptions.ChannelClosedByBroker as error:
        check_error(error, code, text)
    else:
        raise AssertionError(f"no channel error where {code} was expected")


@contextlib.contextmanager
def connection_error(code, text=None):
    try:
        yield
    except pika.exceptions.ConnectionClosedByBroker as error:
        check_error(error, code, text)
    else:
        raise AssertionError(f"no connection error where {code} was expected")


def refused(call, code, text):
    """That call() fails with an error of AMQP that has this code and this text."""
    try:
        call()
    except pika.exceptions.AMQPError as error:
        got = repr(error).replace("\\'", "'")
        assert str(code) in got and text in got, got
        return
    raise AssertionError(f"not refused with {code} {text}")


def check_error(error, code, text):
    assert error.reply_code == code, f"{error.reply_code} {error.reply_text}, expected {code} {text or ''}"
    assert text is None or text in error.reply_text, f"text is {error.reply_text!r}, expected {text!r}"


def publish(channel, queue_name, *bodies, exchange="", **properties):
    for body in bodies:
        channel.basic_publish(exchange, queue_name, body if isinstance(body, bytes) else str(body).encode(),
                              pika.BasicProperties(**properties))


def get(channel, queue_name, auto_ack=True):
    """The next message's body, or None; waits a moment since a publish without confirm may be under way."""
    method, _, body = channel.basic_get(queue_name, auto_ack=auto_ack)
    return body if method else None


def drain(channel, queue_name, auto_ack=True):
    """All bodies that basic.get gives."""
    bodies = []
    while True:
        body = get(channel, queue_name, auto_ack)
        if body is None:
            return bodies
        bodies.append(body)


def count(channel, queue_name):
    return channel.queue_declare(queue_name, passive=True).method.message_count


def consume(channel, queue_name, wanted, seconds=READ_SECONDS, **options):
    """Consumes and answers (method, properties, body) of the first messages, unsettled unless auto_ack."""
    got = []
    tag = channel.basic_consume(queue_name, lambda ch, m, p, b: got.append((m, p, b)), **options)
    wait(channel, lambda: len(got) >= wanted, seconds, lambda: f"{len(got)} of {wanted} messages")
    channel.basic_cancel(tag)
    return got


def collector(channel, queue_name, **options):
    """Starts a consumer; answers its tag and the list that its deliveries go to."""
    got = []
    tag = channel.basic_consume(queue_name, lambda ch, m, p, b: got.append((m, p, b)), **options)
    return tag, got


def wait(channel, condition, seconds=READ_SECONDS, what=None):
    """Lets the connection work until condition() holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what or 'condition'}")
        channel.connection.process_data_events(0.02)


def settle(channel, seconds=0.25):
    """Lets the connection work for a while, to see that nothing comes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        channel.connection.process_data_events(0.02)


class Closed(Exception):
    """The broker closed the socket."""


class Raw:
    """A connection below pika: sends any bytes, reads frame by frame."""

    def __init__(self, node, open=True, vhost="/", properties=None, seconds=READ_SECONDS, frame_max=131072,
                 channel_max=2047, heartbeat=0):
        self.socket = socket.create_connection((node.host, node.port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.content = None
        if open:
            self.handshake(vhost, properties, frame_max, channel_max, heartbeat)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        self.socket.close()

    def handshake(self, vhost="/", properties=None, frame_max=131072, channel_max=2047, heartbeat=0):
        self.send(b"AMQP\x00\x00\x09\x01")
        self.server = self.expect(spec.Connection.Start)
        self.method(0, spec.Connection.StartOk(client_properties=properties or {}, mechanism="PLAIN",
                                               response=b"\x00guest\x00guest".decode(), locale="en_US"))
        self.tune = self.expect(spec.Connection.Tune)
        self.method(0, spec.Connection.TuneOk(channel_max=channel_max, frame_max=frame_max, heartbeat=heartbeat))
        self.method(0, spec.Connection.Open(virtual_host=vhost))
        self.expect(spec.Connection.OpenOk)

    def channel(self, number=1):
        self.method(number, spec.Channel.Open())
        self.expect(spec.Channel.OpenOk)
        return number

    def call(self, number, method, answer):
        """Sends a method and answers the broker's answer, which must be of this class."""
        self.method(number, method)
        return self.expect(answer)

    def publish(self, number, exchange, key, body, properties=None, mandatory=False, frame_max=131072):
        self.method(number, spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory))
        self.send(frames.Header(number, len(body), properties or pika.BasicProperties()).marshal())
        step = frame_max - 8
        for at in range(0, len(body), step):
            self.send(frames.Body(number, body[at:at + step]).marshal())

    def send(self, data):
        self.socket.sendall(data)

    def method(self, number, method):
        self.send(frames.Method(number, method).marshal())

    def read_frame(self):
        """(type, channel, payload). Raises Closed at the end, socket.timeout when nothing comes."""
        while True:
            if len(self.buffer) >= 7:
                kind, number, length = struct.unpack_from(">BHL", self.buffer)
                if self.buffer[:4] == b"AMQP":
                    raise Closed(bytes(self.buffer))
                if len(self.buffer) >= length + 8:
                    payload = bytes(self.buffer[7:7 + length])
                    assert self.buffer[7 + length:8 + length] == FRAME_END, "the broker's frame has no end mark"
                    del self.buffer[:length + 8]
                    return kind, number, payload
            try:
                data = self.socket.recv(1 << 16)
            except ConnectionResetError:
                raise Closed(bytes(self.buffer)) from None
            if not data:
                raise Closed(bytes(self.buffer))
            self.buffer += data

    def read(self):
        """The next method (with .channel_number, and .body and .properties for one that carries content)."""
        while True:
            kind, number, payload = self.read_frame()
            if kind == spec.FRAME_HEARTBEAT:
                continue
            assert kind == spec.FRAME_METHOD, f"a frame of type {kind} where a method was expected"
            method = spec.methods[struct.unpack_from(">L", payload)[0]]()
            method.decode(payload[4:])
            method.channel_number = number
            if spec.has_content(method.INDEX):
                self.read_content(method)
            return method

    def read_content(self, method):
        _, _, payload = self.read_frame()
        size = struct.unpack_from(">Q", payload, 4)[0]
        method.properties = spec.BasicProperties()
        method.properties.decode(payload[12:])
        method.body = b""
        while len(method.body) < size:
            method.body += self.read_frame()[2]

    def expect(self, *classes):
        method = self.read()
        assert isinstance(method, classes), f"{method} where {' or '.join(c.NAME for c in classes)} was expected"
        return method

    def expect_close(self, code, text=None):
        """Reads until connection.close, checks it, answers it with close-ok."""
        while True:
            method = self.read()
            if isinstance(method, spec.Connection.Close):
                check_error(method, code, text)
                self.method(0, spec.Connection.CloseOk())
                return method

    def expect_channel_close(self, code, text=None):
        while True:
            method = self.read()
            if isinstance(method, spec.Channel.Close):
                check_error(method, code, text)
                self.method(method.channel_number, spec.Channel.CloseOk())
                return method

    def expect_end(self):
        """Reads until the broker closes the socket."""
        try:
            while True:
                self.read_frame()
        except Closed:
            pass

    def quiet(self, seconds=0.2):
        """Sees that nothing comes."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            frame = self.read_frame()
        except socket.timeout:
            return
        finally:
            self.socket.settimeout(before)
        raise AssertionError(f"something came: {frame!r}")
