"""A small AMQP client for tests that move many messages: no library, no checks, bytes in and events out.

    link = Fast(node, seconds=20)
    link.declare("q", durable=True)
    link.confirm()
    link.send(link.publish("", "q", b"body"))
    for event in link.events():      # ("ack", tag, multiple), ("deliver", tag, redelivered, key, body), …

One connection, one channel. Raises Gone when the broker closes or vanishes.
"""
import socket
import struct


class Gone(Exception):
    """The connection has ended; code and text when the broker said why."""

    def __init__(self, text="", code=0):
        super().__init__(text)
        self.code = code


def short(text):
    data = text.encode()
    return bytes([len(data)]) + data


def long(data):
    return struct.pack(">L", len(data)) + data


def frame(kind, channel, payload):
    return struct.pack(">BHL", kind, channel, len(payload)) + payload + b"\xce"


def method(channel, cls, number, payload=b""):
    return frame(1, channel, struct.pack(">HH", cls, number) + payload)


def _short_at(payload, at):
    end = at + 1 + payload[at]
    return payload[at + 1:end].decode(), end


class Fast:
    def __init__(self, node, seconds=60, vhost="/", capabilities=(), frame_max=131072, heartbeat=0,
                 user="guest", password="guest"):
        self.node = node
        self.socket = socket.create_connection((node.host, node.port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.at = 0
        self.frame_max = frame_max
        self.blocked = False
        self._deliver = None
        self.properties = b""   # of the last content that came
        table = b"".join(short(c) + b"t\x01" for c in capabilities)
        properties = long(short("capabilities") + b"F" + long(table))
        try:
            self.socket.sendall(b"AMQP\x00\x00\x09\x01")
            self._wait(10, 10)
            self.socket.sendall(method(0, 10, 11, properties + short("PLAIN")
                                       + long(f"\0{user}\0{password}".encode()) + short("en_US")))
            self._wait(10, 30)
            self.socket.sendall(method(0, 10, 31, struct.pack(">HLH", 2047, frame_max, heartbeat))
                                + method(0, 10, 40, short(vhost) + b"\x00\x00"))
            self._wait(10, 41)
            self.socket.sendall(method(1, 20, 10, b"\x00"))
            self._wait(20, 11)
        except OSError as error:
            raise Gone(str(error)) from None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        """Without a goodbye."""
        self.socket.close()

    # ---- Out.

    def send(self, data):
        try:
            self.socket.sendall(data)
        except socket.timeout:
            raise
        except OSError as error:
            self._last_words()
            raise Gone(str(error)) from None

    def _last_words(self):
        # The broker may have said why before it closed.
        try:
            self.socket.settimeout(1)
            while True:
                self._frame()
        except OSError:
            pass

    def publish(self, exchange, key, body, persistent=True, mandatory=False, expiration=None, headers=None, priority=None):
        """The frames of a message."""
        flags, properties = 0, b""
        if headers is not None:
            flags, properties = flags | 0x2000, properties + long(headers)
        flags, properties = flags | 0x1000, properties + (b"\x02" if persistent else b"\x01")
        if priority is not None:
            flags, properties = flags | 0x0800, properties + bytes([priority])
        if expiration is not None:
            flags, properties = flags | 0x0100, properties + short(expiration)
        out = [method(1, 60, 40, b"\x00\x00" + short(exchange) + short(key) + (b"\x01" if mandatory else b"\x00")),
               frame(2, 1, struct.pack(">HHQH", 60, 0, len(body), flags) + properties)]
        step = self.frame_max - 8
        for at in range(0, len(body), step):
            out.append(frame(3, 1, body[at:at + step]))
        return b"".join(out)

    def ack(self, tag, multiple=False):
        return method(1, 60, 80, struct.pack(">QB", tag, multiple))

    def nack(self, tag, multiple=False, requeue=True):
        return method(1, 60, 120, struct.pack(">QB", tag, multiple | requeue << 1))

    # ---- Calls.

    def call(self, cls, number, payload, answer):
        self.send(method(1, cls, number, payload))
        return self._wait(cls, answer)

    def declare(self, queue, durable=False, passive=False, exclusive=False, arguments=b""):
        """Answers the numbers of messages and consumers."""
        flags = passive | durable << 1 | exclusive << 2
        payload = self.call(50, 10, b"\x00\x00" + short(queue) + bytes([flags]) + long(arguments), 11)
        return struct.unpack_from(">LL", payload, len(payload) - 8)

    def exchange(self, name, kind, durable=False):
        self.call(40, 10, b"\x00\x00" + short(name) + short(kind) + bytes([durable << 1]) + long(b""), 11)

    def bind(self, queue, exchange, key=""):
        self.call(50, 20, b"\x00\x00" + short(queue) + short(exchange) + short(key) + b"\x00" + long(b""), 21)

    def delete(self, queue):
        self.call(50, 40, b"\x00\x00" + short(queue) + b"\x00", 41)

    def purge(self, queue):
        return struct.unpack_from(">L", self.call(50, 30, b"\x00\x00" + short(queue) + b"\x00", 31))[0]

    def confirm(self):
        self.call(85, 10, b"\x00", 11)

    def qos(self, prefetch):
        self.call(60, 10, struct.pack(">LHB", 0, prefetch, 0), 11)

    def consume(self, queue, tag="c", no_ack=False):
        self.call(60, 20, b"\x00\x00" + short(queue) + short(tag) + bytes([no_ack << 1]) + long(b""), 21)

    def get(self, queue, no_ack=True):
        """The next body, or None."""
        self.send(method(1, 60, 70, b"\x00\x00" + short(queue) + bytes([no_ack])))
        while True:
            event = self.next()
            if event[0] == "deliver":
                return event[4]
            if event[:3] == ("method", 60, 72):
                return None

    # ---- In.

    def _frame(self):
        while True:
            buffer, at = self.buffer, self.at
            if len(buffer) - at >= 8:
                kind, channel, length = struct.unpack_from(">BHL", buffer, at)
                if len(buffer) - at >= length + 8:
                    self.at = at + length + 8
                    payload = buffer[at + 7:at + 7 + length]
                    if kind == 1:
                        self._notice(payload)
                    return kind, payload
            data = self.socket.recv(1 << 18)
            if not data:
                raise Gone("the broker closed the socket")
            self.buffer = buffer[at:] + data
            self.at = 0

    def _notice(self, payload):
        cls, number = struct.unpack_from(">HH", payload)
        if (cls, number) in ((10, 50), (20, 40)):
            code = struct.unpack_from(">H", payload, 4)[0]
            raise Gone(f"{code} {_short_at(payload, 6)[0]}", code)
        if (cls, number) == (10, 60):
            self.blocked = True
        elif (cls, number) == (10, 61):
            self.blocked = False

    def next(self):
        """The next event. Raises socket.timeout when nothing comes in time."""
        try:
            while True:
                kind, payload = self._frame()
                if kind == 1:
                    cls, number = struct.unpack_from(">HH", payload)
                    if cls == 60 and number in (80, 120):
                        tag, bits = struct.unpack_from(">QB", payload, 4)
                        return "ack" if number == 80 else "nack", tag, bool(bits & 1)
                    if cls == 60 and number in (60, 71, 50):
                        return self._content(number, payload)
                    if (cls, number) not in ((10, 60), (10, 61)):
                        return "method", cls, number, payload
                    return ("blocked" if self.blocked else "unblocked",)
        except socket.timeout:
            raise
        except OSError as error:
            raise Gone(str(error)) from None

    def _content(self, number, payload):
        tag, redelivered, at = 0, False, 4
        if number == 60:
            _, at = _short_at(payload, at)
        if number != 50:
            tag, redelivered = struct.unpack_from(">QB", payload, at)
            at += 9
        else:
            at += 2
            _, at = _short_at(payload, at)
        _, at = _short_at(payload, at)
        key, at = _short_at(payload, at)
        _, header = self._frame()
        size = struct.unpack_from(">Q", header, 4)[0]
        self.properties = header[12:]
        parts, have = [], 0
        while have < size:
            _, part = self._frame()
            parts.append(part)
            have += len(part)
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        return "return" if number == 50 else "deliver", tag, bool(redelivered), key, body

    def events(self):
        while True:
            yield self.next()

    def _wait(self, cls, number):
        """Reads until this method; what else comes meanwhile is dropped."""
        try:
            while True:
                kind, payload = self._frame()
                if kind == 1 and struct.unpack_from(">HH", payload) == (cls, number):
                    return payload[4:]
        except socket.timeout:
            raise
        except OSError as error:
            raise Gone(str(error)) from None


class Window:
    """Counts confirms: which tags of a publisher are still open."""

    def __init__(self):
        self.sent = 0
        self.below = 0          # all up to here are confirmed
        self.apart = set()      # and these above

    def open(self):
        return self.sent - self.below - len(self.apart)

    def take(self, tag, multiple):
        """Answers the tags that this confirm settles."""
        if multiple:
            new = [t for t in range(self.below + 1, tag + 1) if t not in self.apart]
            self.below = max(self.below, tag)
            self.apart = {t for t in self.apart if t > tag}
        else:
            new = [tag]
            self.apart.add(tag)
        while self.below + 1 in self.apart:
            self.below += 1
            self.apart.remove(self.below)
        return new
