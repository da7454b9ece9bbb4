"""Plays a conversation against a broker and writes down what came back, a block of lines for each statement.

The transcript is normalised: names that the broker made, its vhost, times and ports are replaced by what is the same in each run.
Within a block the channels stand in the order of their names; of each channel first its answers in the order of arrival,
then cancellations and deliveries (by consumer), then confirms one by one. Between channels, and between queues, no order is promised.

How long to wait after a statement: when a recording is there, until what it says has come (and a moment longer, to see what
should not come); without one, until it is quiet.
"""
import json
import re
import select
import socket
import struct
import threading
import time

import wire
from wire import METHODS, Value

ANSWER_SECONDS = 10
TRACING = threading.Lock()
CONNECT_SECONDS = 20
PROTOCOL = b"AMQP\x00\x00\x09\x01"
OWN_PROPERTIES = {"leveret_version"}      # of what Leveret says of itself
CAPABILITIES = ("publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify",
                "connection.blocked", "authentication_failure_close")


class Pace:
    """quiet: seconds without anything new after which a step is over; patience: how long a recorded step is waited for;
    api_pause: how long settings need to be in effect everywhere."""

    def __init__(self, quiet, patience, api_pause):
        self.quiet, self.patience, self.api_pause = quiet, patience, api_pause


class Connection:
    """A socket, its frames, and what came on each of its channels since it was last asked."""

    def __init__(self, name, host, port):
        self.name = name
        self.socket = socket.create_connection((host, port), CONNECT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = bytearray()
        self.events = {}            # channel number → [(Method or text, values, properties, body)]
        self.content = {}           # channel number → what is not complete yet
        self.answered = {}          # channel number → the names of the methods that came since the last call
        self.confirming = {}        # channel number → [last published, open tags]
        self.ended = False
        self.said_goodbye = self.closed_by_us = False
        self.answers_closes = True
        self.frame_max = 131072

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass                    # its end is read and told

    def method(self, number, name, **values):
        self.send(wire.frame(wire.FRAME_METHOD, number, wire.encode_method(METHODS[name], values)))

    def event(self, number, what, values=None, properties=None, body=None):
        self.events.setdefault(number, []).append((what, values, properties, body))

    def receive(self):
        try:
            data = self.socket.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            if self.buffer:
                self.event(0, "bytes " + wire.show_text(self.buffer[:8].decode("latin-1")))
            if not self.said_goodbye:       # else it is what the goodbye means, sooner or later
                self.event(0, "closed")
            self.end()
            return
        self.buffer += data
        while len(self.buffer) >= 8 and self.buffer[:4] != b"AMQP":
            kind, number, length = struct.unpack_from(">BHI", self.buffer)
            if len(self.buffer) < length + 8:
                break
            payload = bytes(self.buffer[7:7 + length])
            bad = self.buffer[7 + length:8 + length] != wire.FRAME_END
            del self.buffer[:length + 8]
            if bad:
                self.event(number, "a frame without an end mark")
            self.frame(kind, number, payload)
        if self.closed_by_us:
            self.end()

    def frame(self, kind, number, payload):
        if kind == wire.FRAME_METHOD:
            method, values = wire.decode_method(payload)
            if method.content:
                self.content[number] = [method, values, None, None, b""]
            else:
                self.event(number, method, values)
                self.notice(number, method)
        elif kind == wire.FRAME_HEADER and number in self.content:
            self.content[number][2:4] = wire.decode_header(payload)
            self.complete(number)
        elif kind == wire.FRAME_BODY and number in self.content:
            self.content[number][4] += payload
            self.complete(number)
        elif kind != wire.FRAME_HEARTBEAT:
            self.event(number, f"a frame of type {kind} that nobody expected")

    def complete(self, number):
        method, values, size, properties, body = self.content[number]
        if len(body) >= size:
            del self.content[number]
            self.event(number, method, values, properties, body)

    def notice(self, number, method):
        if method.name == "channel.close":
            self.confirming.pop(number, None)
            if self.answers_closes:
                self.method(number, "channel.close-ok")
        elif method.name == "connection.close":
            self.said_goodbye = True
            if self.answers_closes:
                self.method(0, "connection.close-ok")
        elif method.name == "connection.close-ok":
            self.closed_by_us = True
        elif method.name == "channel.close-ok":
            self.confirming.pop(number, None)

    def end(self):
        if not self.ended:
            self.ended = True
            self.socket.close()


class Names:
    """What differs from run to run, and what is written in its place."""

    MADE = re.compile(r"amq\.(gen|ctag)-[A-Za-z0-9_-]{22}(?![A-Za-z0-9_-])|amq\.rabbitmq\.reply-to\.[^\s\",}\]|]+")

    def __init__(self, tag):
        self.tag = tag              # the vhost's name, and behind the dot of each user's
        self.given = {}
        self.counts = {}

    def _name(self, match):
        made = match.group(0)
        if made not in self.given:
            stem = "amq.rabbitmq.reply-to." if made.startswith("amq.rabbitmq") else f"amq.{match.group(1)}-"
            self.counts[stem] = self.counts.get(stem, 0) + 1
            self.given[made] = stem + str(self.counts[stem])
        return self.given[made]

    def hide(self, text):
        text = self.MADE.sub(self._name, text)
        text = text.replace("." + self.tag, "").replace(self.tag, "/")
        # The real name may have needed quotes.
        text = re.sub(r'"(amq\.rabbitmq\.reply-to\.\d+)"', r"\1", text)
        text = re.sub(r"<\d+\.\d+\.\d+>", "<pid>", text)
        text = re.sub(r"\bnode=[^\s,}]+", "node=NODE", text)
        text = re.sub(r"\\x0a {2,}", "", text)     # Erlang's line breaks depend on the length of the names
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)

    def real(self, text):
        """The broker's name for what a conversation calls amq.gen-1."""
        for made, shown in self.given.items():
            if text == shown:
                return made
        return text


def _recent(value):
    return value.kind == "time" and abs(value.data - time.time()) < 3600


def _hide_times(value):
    if _recent(value):
        return Value("time", "now")
    if value.kind == "table":
        return Value("table", {k: _hide_times(v) for k, v in value.data.items()})
    if value.kind == "array":
        return Value("array", [_hide_times(v) for v in value.data])
    return value


def _show(value):
    if isinstance(value, dict):
        return wire.show_value(_hide_times(Value("table", value)))
    return wire.show_text(value) if isinstance(value, str) else str(value)


def _show_start(values):
    """connection.start without what each broker says of itself."""
    own = values["server-properties"]
    capabilities = own.get("capabilities", Value("void", None))
    return (f"connection.start version={values['version-major']}.{values['version-minor']} "
            f"mechanisms={','.join(sorted(values['mechanisms'].split()))} locales={values['locales']} "
            f"properties={','.join(sorted(own.keys() - OWN_PROPERTIES))} capabilities={wire.show_value(capabilities)}")


def _show_event(what, values, properties, body):
    if isinstance(what, str):
        return what
    if what.name == "connection.start":
        return _show_start(values)
    parts = [what.name]
    for field in what.fields:
        value = values[field.name]
        if field.reserved or value is False:
            continue
        parts.append(field.name if value is True else f"{field.name}={_show(value)}")
    if body is not None:
        parts.append("|")
        for field in wire.PROPERTIES:
            if field.name in properties:
                parts.append(f"{field.name}={_show(properties[field.name])}")
        text = body.decode("utf-8", "backslashreplace")
        parts.append("| " + (text if len(body) <= 200 else f"{len(body)} bytes"))
    return " ".join(parts)


def _ranges(tags):
    out = []
    for tag in sorted(tags):
        if out and out[-1][1] == tag - 1:
            out[-1][1] = tag
        else:
            out.append([tag, tag])
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in out)


class _Block:
    """What came on one channel during a statement."""

    def __init__(self):
        self.answers, self.cancels, self.deliveries = [], [], []
        self.confirmed, self.refused, self.wrong = [], [], []

    def add(self, what, values, properties, body, confirming):
        name = what if isinstance(what, str) else what.name
        if name in ("basic.ack", "basic.nack") and confirming is not None:
            self.settle(values, confirming, self.confirmed if name == "basic.ack" else self.refused)
            return
        text = _show_event(what, values, properties, body)
        if name == "basic.deliver":
            self.deliveries.append((values["consumer-tag"], text))
        elif name == "basic.cancel":
            self.cancels.append(text)
        elif name == "basic.return" and self.confirmed:
            self.answers.append(text + " (behind a confirm)")
        else:
            self.answers.append(text)

    def settle(self, values, confirming, into):
        last, open_tags = confirming
        tag, multiple = values["delivery-tag"], values["multiple"]
        # 0 with multiple is all of them.
        tags = {t for t in open_tags if t <= (tag or last)} if multiple else {tag} & open_tags
        if not tags:
            self.wrong.append(f"a confirm of {tag}{' multiple' if multiple else ''}, of which nothing is open")
        open_tags -= tags
        into.extend(tags)

    def lines(self):
        lines = self.answers + sorted(self.cancels) + [text for _, text in sorted(self.deliveries, key=lambda d: d[0])]
        if self.confirmed:
            lines.append("confirmed " + _ranges(self.confirmed))
        if self.refused:
            lines.append("refused " + _ranges(self.refused))
        return lines + self.wrong


class Player:
    """One conversation on one broker. tag: a word that no other conversation uses, its vhost's name."""

    def __init__(self, node, tag, pace, expected=None, restart=None):
        self.node, self.pace, self.expected = node, pace, expected
        self.tag = tag
        self.names = Names(tag)
        self.restart_broker = restart
        self.connections = {}
        self.current = "a.1"
        self.users = {"guest"}
        self.blocks = []            # of lines; the first is the statement
        self.step = {}              # (connection, channel) → _Block
        self.notes = []
        self.failed_once = False

    # ---- The course of a conversation.

    def play(self, statements):
        """Answers the transcript, a list of blocks."""
        self.api("PUT", f"vhosts/{self.tag}")
        self.api("PUT", f"permissions/{self.tag}/guest", {"configure": ".*", "write": ".*", "read": ".*"})
        try:
            for statement in statements:
                self.statement(statement)
        finally:
            for connection in self.connections.values():
                connection.end()
        return self.blocks

    def statement(self, statement):
        self.step, self.notes = {}, []
        if statement.target:
            self.current = statement.target
        name = statement.verb.replace("-", "_")
        verb = getattr(self, "do_" + name, None)
        if verb is None:
            raise ValueError(f"line {statement.line}: no verb {statement.verb}")
        try:
            waits_for = verb(list(statement.words), dict(statement.pairs))
        except (IndexError, KeyError, TypeError, struct.error) as error:
            raise ValueError(f"line {statement.line}: {statement.text}: {error!r}") from error
        self.settle(statement, waits_for)
        self.blocks.append(self.block(statement))

    def block(self, statement):
        lines = ["> " + statement.text] + ["  " + note for note in self.notes]
        for (connection, number), block in sorted(self.step.items()):
            where = f"{connection}.{number}" if number else connection
            lines += [f"  {where} {self.names.hide(line)}" for line in block.lines()]
        return lines

    def settle(self, statement, waits_for):
        """Reads until the statement's answers are there."""
        if waits_for:
            self.read(ANSWER_SECONDS, lambda: self.answered(*waits_for))
            if not self.answered(*waits_for):
                self.notes.append("no answer")
        index = len(self.blocks)
        if self.expected is not None and index < len(self.expected):
            wanted = self.expected[index]
            patience = self.pace.patience / (4 if self.failed_once else 1)
            self.read(patience, lambda: self.block(statement) == wanted)
            self.read_quiet(self.pace.quiet)
            self.failed_once = self.failed_once or self.block(statement) != wanted
        else:
            self.read_quiet(self.pace.quiet)

    def answered(self, connection, number, replies):
        if connection.ended:
            return True
        seen = connection.answered.get(number, ())
        return any(name in replies or name in ("channel.close", "connection.close") for name in seen)

    # ---- Reading.

    def read(self, seconds, done):
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0 or not self.pump(min(left, 0.5)) and not self.alive():
                return

    def read_quiet(self, seconds):
        """Until nothing came for so long."""
        end = time.monotonic() + 5
        while time.monotonic() < end and self.pump(seconds):
            pass

    def alive(self):
        return [c for c in self.connections.values() if not c.ended]

    def pump(self, seconds):
        """Waits for input, takes what is there, and answers whether anything came."""
        alive = self.alive()
        if not alive:
            time.sleep(min(seconds, 0.01))
            return False
        ready, _, _ = select.select([c.socket for c in alive], [], [], seconds)
        for connection in alive:
            if connection.socket in ready:
                connection.receive()
            self.take(connection)
        return bool(ready)

    def take(self, connection):
        for number, events in connection.events.items():
            for what, values, properties, body in events:
                if not isinstance(what, str):
                    connection.answered.setdefault(number, []).append(what.name)
                    if what.name == "connection.close":
                        for all_of in connection.answered.values():
                            all_of.append(what.name)
                self.step.setdefault((connection.name, number), _Block()).add(
                    what, values, properties, body, connection.confirming.get(number))
        connection.events.clear()

    # ---- Connections and channels.

    def where(self, text=None):
        """(connection, channel number) of "a.1" or "a"."""
        name, _, number = (text or self.current).partition(".")
        return name, int(number or 0)

    def open_connection(self, name, pairs=None):
        pairs = pairs or {}
        text = lambda key, default: pairs[key].data if key in pairs else default
        user = text("user", "guest")
        connection = Connection(name, self.node.host, self.node.port)
        self.connections[name] = connection
        connection.send(PROTOCOL)
        if not self.expect(connection, 0, "connection.start"):
            return
        capabilities = {c: Value("bool", True) for c in CAPABILITIES}
        if "capabilities" in pairs:
            wanted = pairs["capabilities"]
            capabilities = wanted.data if wanted.kind == "table" else {}
        # The capabilities that Leveret has must be what the broker grants, so the rest of client-properties says nothing.
        connection.method(0, "connection.start-ok", **{
            "client-properties": {"capabilities": Value("table", capabilities)},
            "mechanism": text("mechanism", "PLAIN"), "locale": text("locale", "en_US"),
            "response": text("response", f"\0{self.user(user)}\0{text('password', user)}")})
        if not self.expect(connection, 0, "connection.tune"):
            return
        connection.frame_max = text("frame-max", 131072)
        connection.method(0, "connection.tune-ok", **{
            "channel-max": text("channel-max", 2047), "frame-max": connection.frame_max,
            "heartbeat": text("heartbeat", 0)})
        connection.method(0, "connection.open", **{"virtual-host": text("vhost", self.tag)})
        self.expect(connection, 0, "connection.open-ok")

    def expect(self, connection, number, name):
        """Waits for this method, and takes it out of what is told. False when something else ended the waiting."""
        connection.answered[number] = []
        waits_for = connection, number, [name]
        self.read(ANSWER_SECONDS, lambda: self.answered(*waits_for))
        block = self.step.get((connection.name, number))
        good = name in connection.answered[number]
        if good and block:
            block.answers = [line for line in block.answers if line.split()[0] != name]
        return good

    def user(self, name):
        return name if name == "guest" or name not in self.users else f"{name}.{self.tag}"

    def ready(self):
        """The current connection and channel number, opened when they never were."""
        name, number = self.where()
        if name not in self.connections:
            self.open_connection(name)
        connection = self.connections[name]
        if number and number not in connection.answered:
            self.open_channel(connection, number)
        return connection, number

    def open_channel(self, connection, number):
        connection.method(number, "channel.open")
        self.expect(connection, number, "channel.open-ok")

    def call(self, name, values, nowait=False):
        """Sends a method on the current channel; answers what to wait for."""
        connection, number = self.ready()
        method = METHODS[name]
        unknown = set(values) - {f.name for f in method.fields}
        if unknown:
            raise KeyError(f"{name} has no field {', '.join(sorted(unknown))}")
        connection.answered[number] = []
        connection.method(number, name, **values)
        if nowait or not method.replies:
            return None
        return connection, number, method.replies

    # ---- Verbs: connections.

    def do_open(self, words, pairs):
        name = words[0] if words else self.where()[0]
        self.open_connection(name, pairs)
        connection = self.connections[name]
        connection.answers_closes = "manual" not in words
        self.current = f"{name}.1"
        if not connection.ended:
            self.notes.append(f"{name} open" if "connection.open-ok" in connection.answered[0] else f"{name} not open")

    def do_connect(self, words, pairs):
        """A socket, nothing said."""
        connection = Connection(words[0], self.node.host, self.node.port)
        self.connections[words[0]] = connection
        self.current = words[0]

    def do_channel(self, words, pairs):
        self.current = words[0]
        connection, number = self.where()
        if connection not in self.connections:
            self.open_connection(connection)
        connection = self.connections[connection]
        connection.answered[number] = []
        connection.method(number, "channel.open")
        return connection, number, ["channel.open-ok"]

    def do_close(self, words, pairs):
        name, number = self.where(words[0])
        connection = self.connections[name]
        connection.answered[number] = []
        connection.method(number, "channel.close" if number else "connection.close", **{"reply-code": 200})
        return connection, number, ["channel.close-ok" if number else "connection.close-ok"]

    def do_drop(self, words, pairs):
        """Closes the socket without a word."""
        self.connections[words[0]].end()

    def do_reopen(self, words, pairs):
        """A connection that ended, once more, with its first channel."""
        name, number = self.where(words[0])
        self.open_connection(name, pairs)
        self.open_channel(self.connections[name], number or 1)
        self.current = f"{name}.{number or 1}"

    def do_bytes(self, words, pairs):
        connection = self.connections[self.where()[0]]
        for word in words:
            connection.send(word.encode("utf-8", "surrogateescape"))

    def do_frame(self, words, pairs):
        """frame TYPE HEX…"""
        connection, number = self.ready()
        connection.send(wire.frame(int(words[0]), number, bytes.fromhex("".join(words[1:]))))

    def do_header(self, words, pairs):
        connection, number = self.ready()
        size = pairs.pop("size", Value("int32", 0)).data
        class_id = pairs.pop("class", Value("int32", 60)).data
        connection.send(wire.frame(wire.FRAME_HEADER, number,
                                   wire.encode_header(size, self.properties(pairs), class_id)))

    def do_body(self, words, pairs):
        connection, number = self.ready()
        connection.send(wire.frame(wire.FRAME_BODY, number, self.body(words[0])))

    def do_send(self, words, pairs):
        """Any method, as it is: send queue.declare queue=q durable"""
        method = METHODS[words[0]]
        values = {name: self.plain(value) for name, value in pairs.items()}
        if values.get("virtual-host") == "/":
            values["virtual-host"] = self.tag
        values.update({word: True for word in words[1:] if word not in ("async", "unopened")})
        if "unopened" in words or method.name == "channel.open":
            connection, number = self.connections[self.where()[0]], self.where()[1]
        else:
            connection, number = self.ready()
        connection.answered[number] = []
        connection.method(number, method.name, **values)
        if not method.replies or "no-wait" in words or "nowait" in words or "async" in words:
            return None
        return connection, number, method.replies

    def plain(self, value):
        return value.data if not isinstance(value.data, str) else self.names.real(value.data)

    # ---- Verbs: topology.

    @staticmethod
    def flags(words, **allowed):
        """Takes the flags out of the words and answers the fields that they set."""
        values = {}
        for word in list(words):
            if word in allowed:
                words.remove(word)
                values[allowed[word]] = True
        return values

    def do_declare(self, words, pairs):
        what, name, *rest = words
        values = {"arguments": pairs, **{("no-wait" if w == "nowait" else w): True for w in rest}}
        if what == "exchange":
            if not rest or rest[0] in ("passive", "durable", "internal", "auto-delete", "nowait"):
                values["type"] = "direct"
            else:
                values.pop(rest[0])
                values["type"] = rest[0]
        return self.call(f"{what}.declare", {what: self.names.real(name), **values}, "nowait" in rest)

    def do_bind(self, words, pairs, verb="bind"):
        what, name, source, *rest = words
        nowait = "nowait" in rest
        rest = [w for w in rest if w != "nowait"]
        values = {"routing-key": rest[0] if rest else "", "arguments": pairs}
        if nowait:
            values["no-wait"] = True
        if what == "exchange":
            return self.call(f"exchange.{verb}", {"destination": name, "source": source, **values}, nowait)
        return self.call(f"queue.{verb}", {"queue": self.names.real(name), "exchange": source, **values}, nowait)

    def do_unbind(self, words, pairs):
        return self.do_bind(words, pairs, "unbind")

    def do_delete(self, words, pairs):
        what, name, *rest = words
        values = {what: self.names.real(name), **{("no-wait" if w == "nowait" else w): True for w in rest}}
        return self.call(f"{what}.delete", values, "nowait" in rest)

    def do_purge(self, words, pairs):
        return self.call("queue.purge", {"queue": words[0], "no-wait": "nowait" in words}, "nowait" in words)

    def do_count(self, words, pairs):
        return self.call("queue.declare", {"queue": self.names.real(words[0]), "passive": True})

    # ---- Verbs: messages.

    def properties(self, pairs):
        headers = {k.split(".", 1)[1]: v for k, v in pairs.items() if k.startswith("h.")}
        out = {k: v.data for k, v in pairs.items() if not k.startswith("h.")}
        unknown = set(out) - {p.name for p in wire.PROPERTIES}
        if unknown:
            raise KeyError(f"no property {', '.join(sorted(unknown))}")
        for name in ("expiration", "message-id", "correlation-id"):
            if name in out:
                out[name] = str(out[name])
        if "user-id" in out:
            out["user-id"] = self.user(out["user-id"])
        if "reply-to" in out:
            out["reply-to"] = self.names.real(out["reply-to"])
        if headers:
            out["headers"] = {**out.get("headers", {}), **headers}
        return out

    @staticmethod
    def body(word):
        """zeros:N is a body of N bytes."""
        if word.startswith("zeros:"):
            return b"0" * int(word[6:])
        return word.encode("utf-8", "surrogateescape")

    def do_publish(self, words, pairs):
        """publish EXCHANGE KEY BODY… [mandatory] [immediate] [property=value…]"""
        exchange, key, *bodies = words
        values = self.flags(bodies, mandatory="mandatory", immediate="immediate")
        connection, number = self.ready()
        properties = self.properties(pairs)
        for word in bodies:
            body = self.body(word)
            if number in connection.confirming:
                confirming = connection.confirming[number]
                confirming[0] += 1
                confirming[1].add(confirming[0])
            connection.method(number, "basic.publish", exchange=exchange,
                              **{"routing-key": self.names.real(key), **values})
            out = wire.frame(wire.FRAME_HEADER, number, wire.encode_header(len(body), properties))
            step = connection.frame_max - 8
            for at in range(0, len(body), step):
                out += wire.frame(wire.FRAME_BODY, number, body[at:at + step])
            connection.send(out)

    def do_confirm(self, words, pairs):
        connection, number = self.ready()
        connection.confirming.setdefault(number, [0, set()])
        return self.call("confirm.select", {"nowait": "nowait" in words}, "nowait" in words)

    def do_tx(self, words, pairs):
        return self.call(f"tx.{words[0]}", {})

    def do_qos(self, words, pairs):
        size = pairs["size"].data if "size" in pairs else 0
        return self.call("basic.qos", {"prefetch-count": words[0], "prefetch-size": size, "global": "global" in words})

    def do_consume(self, words, pairs):
        queue, *rest = words
        tag = pairs.pop("tag").data if "tag" in pairs else "c"
        values = self.flags(rest, **{"no-ack": "no-ack", "exclusive": "exclusive", "no-local": "no-local",
                                     "nowait": "no-wait"})
        return self.call("basic.consume", {"queue": self.names.real(queue), "consumer-tag": tag, "arguments": pairs,
                                           **values}, "no-wait" in values)

    def do_cancel(self, words, pairs):
        values = {"consumer-tag": self.names.real(words[0]), "no-wait": "nowait" in words}
        return self.call("basic.cancel", values, "nowait" in words)

    def do_get(self, words, pairs):
        return self.call("basic.get", {"queue": self.names.real(words[0]), "no-ack": "no-ack" in words})

    def do_drain(self, words, pairs):
        """basic.get until there is nothing."""
        for _ in range(1000):
            waits_for = self.call("basic.get", {"queue": self.names.real(words[0]), "no-ack": True})
            connection, number, replies = waits_for
            self.read(ANSWER_SECONDS, lambda: self.answered(connection, number, replies))
            if "basic.get-ok" not in connection.answered[number]:
                return

    def do_ack(self, words, pairs):
        for tag in words[:1] if "multiple" in words else words:
            self.call("basic.ack", {"delivery-tag": int(tag), "multiple": "multiple" in words})

    def do_nack(self, words, pairs):
        self.call("basic.nack", {"delivery-tag": int(words[0]), "multiple": "multiple" in words,
                                 "requeue": "no-requeue" not in words})

    def do_reject(self, words, pairs):
        self.call("basic.reject", {"delivery-tag": int(words[0]), "requeue": "no-requeue" not in words})

    def do_recover(self, words, pairs):
        return self.call("basic.recover", {"requeue": "no-requeue" not in words})

    def do_flow(self, words, pairs):
        return self.call("channel.flow", {"active": words[0] == "on"})

    # ---- Verbs: time, and what an administrator does.

    def do_sleep(self, words, pairs):
        end = time.monotonic() + float(words[0])
        while time.monotonic() < end:
            self.pump(max(0, end - time.monotonic()))

    def do_restart(self, words, pairs):
        """Stops the broker in good order and starts it again. All connections go."""
        for connection in self.connections.values():
            connection.end()
        self.connections.clear()
        self.restart_broker()

    def api(self, method, path, body=None):
        answer = self.node.api(method, path, body)
        if answer.code >= 300 and self.step is not None:
            self.notes.append(f"api {answer.code}")
        return answer

    def do_api(self, words, pairs):
        """api METHOD PATH [JSON]: tells the code. VHOST in the path stands for the vhost, and user:NAME for a user."""
        path = re.sub(r"user:(\w+)", lambda match: self.user(match.group(1)), words[1].replace("VHOST", self.tag))
        body = words[2] if len(words) > 2 else "{}" if words[0] in ("PUT", "POST") else None
        answer = self.node.api(words[0], path, json.loads(body) if body else None)
        self.notes.append(f"api {answer.code}")
        time.sleep(self.pace.api_pause)

    def do_tracing(self, words, pairs):
        """tracing on"""
        # RabbitMQ loses one of two that are set at the same time.
        with TRACING:
            self.api("PUT", f"vhosts/{self.tag}", {"tracing": words[0] == "on"})
            time.sleep(self.pace.api_pause)

    def do_policy(self, words, pairs, kind="policies"):
        """policy NAME PATTERN [apply-to=queues] [priority=N] key=value…"""
        body = {"pattern": words[1], "apply-to": "all", "priority": 0}
        for key in ("apply-to", "priority"):
            if key in pairs:
                body[key] = pairs.pop(key).data
        body["definition"] = {k: v.data for k, v in pairs.items()}
        self.api("PUT", f"{kind}/{self.tag}/{words[0]}", body)
        time.sleep(self.pace.api_pause)

    def do_unpolicy(self, words, pairs):
        self.api("DELETE", f"policies/{self.tag}/{words[0]}")
        time.sleep(self.pace.api_pause)

    def do_operator_policy(self, words, pairs):
        self.do_policy(words, pairs, "operator-policies")

    def do_unoperator_policy(self, words, pairs):
        self.api("DELETE", f"operator-policies/{self.tag}/{words[0]}")
        time.sleep(self.pace.api_pause)

    def do_user(self, words, pairs):
        """user NAME [configure=RE] [write=RE] [read=RE]: its password is its name; without permissions when none is given."""
        self.users.add(words[0])
        self.api("PUT", f"users/{self.user(words[0])}", {"password": words[0], "tags": "management"})
        if pairs:
            permissions = {k: pairs[k].data if k in pairs else "^$" for k in ("configure", "write", "read")}
            self.api("PUT", f"permissions/{self.tag}/{self.user(words[0])}", permissions)

    def do_topic_permission(self, words, pairs):
        """topic-permission USER EXCHANGE write=RE read=RE"""
        self.api("PUT", f"topic-permissions/{self.tag}/{self.user(words[0])}",
                 {"exchange": words[1], "write": pairs["write"].data, "read": pairs["read"].data})

    def do_limit(self, words, pairs):
        """limit max-queues=2"""
        for name, value in pairs.items():
            self.api("PUT", f"vhost-limits/{self.tag}/{name}", {"value": value.data})
        time.sleep(self.pace.api_pause)
