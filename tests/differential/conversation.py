"""Reads a conversation: a text file of one statement a line. README.md says what may be written."""
from collections import namedtuple

from wire import Value, read_value

# words: what stands alone, in order; pairs: name=value. target: the connection or channel in front ("a.1:"), or None.
Statement = namedtuple("Statement", "line text target verb words pairs")


class Wrong(Exception):
    """The file has a mistake; the text says in which line."""


class _Reader:
    def __init__(self, text, where):
        self.text, self.at, self.where = text, 0, where

    def fail(self, what):
        raise Wrong(f"{self.where}: {what} at column {self.at + 1}: {self.text}")

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip(self):
        while self.peek() in (" ", "\t"):
            self.at += 1
        return self.peek()

    def quoted(self):
        self.at += 1
        out = ""
        while self.peek() != '"':
            if not self.peek():
                self.fail("no end of the quoted text")
            if self.peek() == "\\":
                self.at += 1
                if self.peek() == "x":
                    # A byte, as the codec's surrogateescape has it.
                    byte = bytes([int(self.text[self.at + 1:self.at + 3], 16)])
                    out += byte.decode("utf-8", "surrogateescape")
                    self.at += 3
                    continue
            out += self.peek()
            self.at += 1
        self.at += 1
        return out

    def bare(self, stop):
        start = self.at
        while self.peek() and self.peek() not in stop:
            self.at += 1
        return self.text[start:self.at]

    def value(self, stop=" \t"):
        first = self.peek()
        if first == '"':
            return Value("str", self.quoted())
        if first == "{":
            return Value("table", self.table())
        if first == "[":
            return Value("array", self.array())
        start = self.at
        bare = self.bare(stop)
        if bare.endswith(":") and self.peek() == '"':
            return read_value(bare + self.quoted())
        if bare[:4] in ("str:", "byte") and '"' in bare:
            self.at = start + bare.index(":") + 1
            return read_value(bare[:bare.index(":") + 1] + self.quoted())
        return read_value(bare)

    def table(self):
        self.at += 1
        out = {}
        while self.skip() != "}":
            key = self.quoted() if self.peek() == '"' else self.bare("= \t,}")
            if self.skip() != "=":
                self.fail("no = in a table")
            self.at += 1
            self.skip()
            out[key] = self.value(" \t,]}")
            if self.skip() == ",":
                self.at += 1
            elif self.peek() != "}":
                self.fail("no end of a table")
        self.at += 1
        return out

    def array(self):
        self.at += 1
        out = []
        while self.skip() != "]":
            out.append(self.value(" \t,]}"))
            if self.skip() == ",":
                self.at += 1
            elif self.peek() != "]":
                self.fail("no end of a list")
        self.at += 1
        return out


def _statement(number, text, where):
    reader = _Reader(text, where)
    target, words, pairs = None, [], {}
    while reader.skip():
        if reader.peek() == '"':
            words.append(reader.quoted())
            continue
        start = reader.at
        bare = reader.bare("= \t")
        if reader.peek() == "=" and bare:
            reader.at += 1
            pairs[bare] = reader.value()
        else:
            reader.at = start
            words.append(reader.bare(" \t"))
    if words and words[0].endswith(":"):
        target = words.pop(0)[:-1]
    if not words:
        reader.fail("no verb")
    return Statement(number, text, target, words[0], words[1:], pairs)


def read(path):
    """The statements of a file. Raises Wrong."""
    statements = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            statements.append(_statement(number, line, f"{path.name}:{number}"))
    return statements
