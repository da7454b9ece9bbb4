"""AMQP 0-9-1 as bytes, for the differential test: methods, properties and field tables, with every type told apart.

The methods are read from spec/amqp0-9-1.spec. A table is a dict whose values are Value(kind, data), so that what is
printed says whether a number was an int32 or an int64, and a conversation may send any of them.
"""
import re
import struct
from collections import namedtuple
from pathlib import Path

SPEC = Path(__file__).resolve().parent.parent.parent / "spec" / "amqp0-9-1.spec"
FRAME_METHOD, FRAME_HEADER, FRAME_BODY, FRAME_HEARTBEAT = 1, 2, 3, 8
FRAME_END = b"\xce"

Value = namedtuple("Value", "kind data")
Field = namedtuple("Field", "name type reserved")

# The name of a kind of value in conversations and transcripts: its tag on the wire, and how the number is packed.
NUMBERS = {"int8": (b"b", ">b"), "uint8": (b"B", ">B"), "int16": (b"s", ">h"), "uint16": (b"u", ">H"),
           "int32": (b"I", ">i"), "uint32": (b"i", ">I"), "int64": (b"l", ">q"), "uint64": (b"L", ">Q"),
           "float": (b"f", ">f"), "double": (b"d", ">d"), "time": (b"T", ">Q")}
BY_TAG = {tag: (name, layout) for name, (tag, layout) in NUMBERS.items()}
# RabbitMQ reads L as signed too.
BY_TAG[b"L"] = ("int64", ">q")


class Method:
    def __init__(self, name, class_id, number, flags):
        self.name = name
        self.id = (class_id, number)
        self.content = "content" in flags
        self.replies = [name.split(".")[0] + "." + flags[i + 1] for i, word in enumerate(flags) if word == "reply"]
        self.fields = []

    def field_names(self):
        return [f.name for f in self.fields if not f.reserved]


def _load():
    domains, by_name, properties, cls = {}, {}, [], None
    for line in SPEC.read_text().splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "domain":
            domains[words[1]] = words[2]
        elif words[0] == "class":
            cls = words[1], int(words[2])
        elif words[0] == "property":
            properties.append(Field(words[1], domains[words[2]], False))
        elif words[0] == "method":
            method = Method(f"{cls[0]}.{words[1]}", cls[1], int(words[2]), words[5:])
            by_name[method.name] = method
        elif words[0] == "field":
            method.fields.append(Field(words[1], domains[words[2]], "reserved" in words))
    return by_name, properties


METHODS, PROPERTIES = _load()
BY_ID = {m.id: m for m in METHODS.values()}


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def _text(data):
    return data.decode("utf-8", "surrogateescape")


def encode_value(value):
    kind, data = value
    if kind in NUMBERS:
        tag, layout = NUMBERS[kind]
        return tag + struct.pack(layout, data)
    if kind == "str":
        return b"S" + struct.pack(">I", len(_bytes(data))) + _bytes(data)
    if kind == "bytes":
        return b"x" + struct.pack(">I", len(_bytes(data))) + _bytes(data)
    if kind == "bool":
        return b"t" + bytes([data])
    if kind == "decimal":
        return b"D" + struct.pack(">Bi", *data)
    if kind == "void":
        return b"V"
    if kind == "table":
        return b"F" + encode_table(data)
    if kind == "array":
        body = b"".join(encode_value(v) for v in data)
        return b"A" + struct.pack(">I", len(body)) + body
    raise ValueError(f"no kind of value {kind}")


def encode_table(table):
    body = b"".join(bytes([len(_bytes(k))]) + _bytes(k) + encode_value(v) for k, v in table.items())
    return struct.pack(">I", len(body)) + body


def decode_value(data, at):
    tag = data[at:at + 1]
    at += 1
    if tag in BY_TAG:
        name, layout = BY_TAG[tag]
        return Value(name, struct.unpack_from(layout, data, at)[0]), at + struct.calcsize(layout)
    if tag in (b"S", b"x"):
        end = at + 4 + struct.unpack_from(">I", data, at)[0]
        return Value("str" if tag == b"S" else "bytes", _text(data[at + 4:end])), end
    if tag == b"t":
        return Value("bool", data[at] != 0), at + 1
    if tag == b"D":
        return Value("decimal", struct.unpack_from(">Bi", data, at)), at + 5
    if tag == b"V":
        return Value("void", None), at
    if tag == b"F":
        table, at = decode_table(data, at)
        return Value("table", table), at
    if tag == b"A":
        end = at + 4 + struct.unpack_from(">I", data, at)[0]
        at += 4
        values = []
        while at < end:
            value, at = decode_value(data, at)
            values.append(value)
        return Value("array", values), at
    raise ValueError(f"no value with tag {tag!r}")


def decode_table(data, at):
    end = at + 4 + struct.unpack_from(">I", data, at)[0]
    at += 4
    table = {}
    while at < end:
        key_end = at + 1 + data[at]
        key = _text(data[at + 1:key_end])
        table[key], at = decode_value(data, key_end)
    return table, end


def encode_field(kind, value):
    if kind == "table":
        return encode_table(value or {})
    if kind == "shortstr":
        return bytes([len(_bytes(value or ""))]) + _bytes(value or "")
    if kind == "longstr":
        return struct.pack(">I", len(_bytes(value or ""))) + _bytes(value or "")
    return struct.pack({"octet": ">B", "short": ">H", "long": ">I", "longlong": ">Q", "timestamp": ">Q"}[kind],
                       int(value or 0))


def decode_field(kind, data, at):
    if kind == "table":
        return decode_table(data, at)
    if kind == "shortstr":
        end = at + 1 + data[at]
        return _text(data[at + 1:end]), end
    if kind == "longstr":
        end = at + 4 + struct.unpack_from(">I", data, at)[0]
        return _text(data[at + 4:end]), end
    layout = {"octet": ">B", "short": ">H", "long": ">I", "longlong": ">Q", "timestamp": ">Q"}[kind]
    return struct.unpack_from(layout, data, at)[0], at + struct.calcsize(layout)


def frame(kind, channel, payload):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + FRAME_END


def encode_method(method, values):
    out, bits, count = bytearray(struct.pack(">HH", *method.id)), 0, 0
    for field in method.fields:
        if field.type == "bit":
            bits |= bool(values.get(field.name)) << count
            count += 1
            continue
        if count:
            out.append(bits)
            bits = count = 0
        out += encode_field(field.type, values.get(field.name))
    if count:
        out.append(bits)
    return bytes(out)


def decode_method(payload):
    """(Method, values)."""
    method = BY_ID[struct.unpack_from(">HH", payload)]
    values, at, bit = {}, 4, 0
    for field in method.fields:
        if field.type == "bit":
            values[field.name] = bool(payload[at] >> bit & 1)
            bit += 1
            continue
        if bit:
            at, bit = at + 1, 0
        values[field.name], at = decode_field(field.type, payload, at)
    return method, values


def encode_header(size, properties, class_id=60):
    flags, body = 0, b""
    for i, field in enumerate(PROPERTIES):
        if field.name in properties:
            flags |= 1 << (15 - i)
            body += encode_field(field.type, properties[field.name])
    return struct.pack(">HHQH", class_id, 0, size, flags) + body


def decode_header(payload):
    """(size, properties)."""
    size, flags = struct.unpack_from(">QH", payload, 4)
    properties, at = {}, 14
    for i, field in enumerate(PROPERTIES):
        if flags & 1 << (15 - i):
            properties[field.name], at = decode_field(field.type, payload, at)
    return size, properties


# ---- Values as text.

_PLAIN = re.compile(r"[A-Za-z_/#*.$@+:-][^\s,=\[\]{}\"|]*$")
_INTEGER = re.compile(r"-?\d+$")


def show_text(text):
    """As it is written in a conversation: quoted where it would not be read as itself."""
    prefix = text.split(":")[0]
    if _PLAIN.match(text) and text not in ("true", "false", "void") and not (":" in text and prefix in KINDS):
        return text
    return '"' + "".join(_shown(c) for c in text) + '"'


def _shown(char):
    if char in '\\"':
        return "\\" + char
    if char < " " or "\x7f" <= char <= "\x9f":
        return f"\\x{ord(char):02x}"
    if "\udc80" <= char <= "\udcff":       # a byte that is not UTF-8
        return f"\\x{ord(char) - 0xdc00:02x}"
    return char


def show_value(value):
    kind, data = value
    if kind == "str":
        return show_text(data)
    if kind == "int32":
        return str(data)
    if kind == "bool":
        return "true" if data else "false"
    if kind == "void":
        return "void"
    if kind == "table":
        return show_table(data)
    if kind == "array":
        return "[" + ",".join(show_value(v) for v in data) + "]"
    if kind == "decimal":
        return "decimal:%d:%d" % data
    return f"{kind}:{data}"


def show_table(table):
    """Sorted: RabbitMQ's order depends on how it came to a header."""
    return "{" + ",".join(f"{show_text(k)}={show_value(v)}" for k, v in sorted(table.items())) + "}"


KINDS = {*NUMBERS, "str", "bytes", "decimal"}


def read_value(text):
    """A bare word of a conversation as a Value."""
    if text in ("true", "false"):
        return Value("bool", text == "true")
    if text == "void":
        return Value("void", None)
    if _INTEGER.match(text):
        number = int(text)
        return Value("int32" if -1 << 31 <= number < 1 << 31 else "int64", number)
    kind, colon, rest = text.partition(":")
    if colon and kind in KINDS:
        if kind == "decimal":
            scale, number = rest.split(":")
            return Value(kind, (int(scale), int(number)))
        if kind in ("float", "double"):
            return Value(kind, float(rest))
        return Value(kind, rest if kind in ("str", "bytes") else int(rest))
    return Value("str", text)
