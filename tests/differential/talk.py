"""Conversations with what was said in them: by RabbitMQ 3.10, by 4.3, and by Leveret where that is a known difference."""
import re
from pathlib import Path

import conversation

FOLDER = Path(__file__).resolve().parent / "conversations"
VERSIONS = ("310", "43")
SHOWN = {"310": "RabbitMQ 3.10", "43": "RabbitMQ 4.3", "own": "Leveret"}
OWN = ".leveret"


def paths():
    return sorted(FOLDER.glob("*/*.conv"))


def name_of(path):
    return str(path.relative_to(FOLDER).with_suffix(""))


def _blocks(lines):
    blocks = []
    for line in lines:
        if line.startswith("> "):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


class Talk:
    """A conversation. A transcript is a list of blocks of lines, one for each statement."""

    def __init__(self, path):
        self.path = path
        self.name = name_of(path)
        self.statements = conversation.read(path)
        # The versions that do not say the same each time.
        self.varies = re.findall(r"^# varies on (\w+):", path.read_text(), re.MULTILINE)
        self.restarts = any(s.verb == "restart" for s in self.statements)

    def _read(self, suffix):
        path = self.path.with_suffix(suffix)
        return _blocks(path.read_text().splitlines()) if path.exists() else None

    def _write(self, suffix, blocks):
        self.path.with_suffix(suffix).write_text("".join(line + "\n" for block in blocks for line in block))

    def said(self, who):
        """What "310", "43" or "own" (Leveret) says, or None. Where 4.3 has no recording of its own it says what 3.10 does."""
        if who == "own":
            return self._read(OWN)
        return (self._read(".rabbitmq43") if who == "43" else None) or self._read(".rabbitmq")

    @property
    def versions_differ(self):
        return self.said("310") != self.said("43")

    def record(self, who, blocks):
        """Writes a transcript. Of 4.3 only what differs from 3.10 is kept."""
        if who == "own":
            self._write(OWN, blocks)
            return
        before = self._read(".rabbitmq")
        if who == "310":
            self._write(".rabbitmq", blocks)
            # A recording that was of both versions is of 4.3 alone from now on.
            newest = self._read(".rabbitmq43") or before or blocks
        else:
            newest = blocks
        if newest != self._read(".rabbitmq"):
            self._write(".rabbitmq43", newest)
        else:
            self.path.with_suffix(".rabbitmq43").unlink(missing_ok=True)


def load(words):
    """All conversations, or those whose names contain one of the words."""
    return [Talk(p) for p in paths() if not words or any(w in name_of(p) for w in words)]
