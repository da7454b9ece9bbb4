#!/usr/bin/python3
"""The list of known differences (known-differences), what it makes a conversation expect, and its table in the docs.

A difference is between Leveret and at least one of the two versions of RabbitMQ:

    [name] KEPT                 310: Leveret does as 3.10, 43: as 4.3, own: as neither
    what: …                     in a few words
    3.10: …                     what it does; also "4.3: …", and "leveret: …" of an own way
    why: …
    key: …                      a setting that selects another way (may be missing)
    talks: NAME NAME…           the conversations in which it shows (patterns like dead/*)
    tests: FILE.NAME…           the tests of tests/scenario in which it shows; one of both must be there

"[name] KEPT pending" is not done yet: its conversations may say anything.

As a program: differences.py [--check | --write] prints the table, checks the docs' parts, or writes them.
"""
import fnmatch
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIST = HERE / "known-differences"
TALKS = HERE / "conversations"
SCENARIOS = HERE.parent / "scenario"
KEPT = ("310", "43", "own")
# The keys that "compatibility" sets.
DIALECT_KEYS = ("quorum_queue.delivery_count", "x_death.from_clients", "consumer_timeout.action", "max_message_size")
FIELDS = ("what", "3.10", "4.3", "leveret", "why", "key", "talks", "tests")


class Wrong(Exception):
    """The list has a mistake."""


class Difference:
    def __init__(self, name, kept, pending):
        self.name, self.kept, self.pending = name, kept, pending
        self.fields = {}

    def __getitem__(self, field):
        return self.fields.get(field, "")

    def words(self, field):
        return self[field].split()

    def check(self):
        """The mistakes in it."""
        needed = ["what", "3.10", "4.3", "why"] + (["leveret"] if self.kept == "own" else [])
        wrong = [f"no {field}:" for field in needed if not self[field]]
        if self.kept != "own" and self["leveret"]:
            wrong.append(f"leveret: is of an own way; this one is {self.kept}")
        if not self["talks"] and not self["tests"]:
            wrong.append("held by nothing: neither talks: nor tests:")
        return wrong


def read(text):
    """The differences, in their order. Raises Wrong."""
    differences, field = [], None
    for number, line in enumerate(text.splitlines(), 1):
        head = re.fullmatch(r"\[([\w.-]+)\] (\w+)( pending)?", line)
        pair = re.fullmatch(r"([\w.]+):\s+(\S.*)", line)
        if not line.strip() or line.startswith("#"):
            continue
        if head and head.group(2) in KEPT:
            differences.append(Difference(head.group(1), head.group(2), bool(head.group(3))))
            field = None
        elif pair and differences and pair.group(1) in FIELDS and pair.group(1) not in differences[-1].fields:
            field = pair.group(1)
            differences[-1].fields[field] = pair.group(2)
        elif line.startswith("    ") and field:
            differences[-1].fields[field] += " " + line.strip()
        else:
            raise Wrong(f"known-differences:{number}: {line}")
    return differences


def scenario_tests():
    """FILE.NAME of all of tests/scenario: also where the test is written in a file of cases, or in a client's table."""
    found = set()
    everywhere = "".join(path.read_text() for path in SCENARIOS.glob("cases_*.py"))
    for client, scenarios in re.findall(r'\("(\w+)", \w+, ((?:"[^"]*"\s*)+)\),', (SCENARIOS / "test_clients.py").read_text()):
        found.update(f"clients.{client}_{name}" for name in re.findall(r"\w+", scenarios))
    for path in SCENARIOS.glob("test_*.py"):
        stem = path.stem.removeprefix("test_")
        found.update(f"{stem}.{name}" for name in re.findall(r"^def (\w+)\(", path.read_text() + everywhere, re.MULTILINE))
    return found


class Known:
    """The list beside the conversations."""

    def __init__(self, names, text=None):
        self.all = read(LIST.read_text() if text is None else text)
        self.of_talk = {}
        self.mistakes = []          # (name, what is wrong)
        tests = scenario_tests()
        seen = set()
        for difference in self.all:
            wrong = difference.check() + (["twice in the list"] if difference.name in seen else [])
            seen.add(difference.name)
            for pattern in difference.words("talks"):
                fitting = fnmatch.filter(names, pattern)
                wrong += [] if fitting else [f"there is no conversation {pattern}"]
                for name in fitting:
                    self.of_talk.setdefault(name, []).append(difference)
            for test in difference.words("tests"):
                wrong += [] if test in tests else [f"there is no test {test}"]
            self.mistakes += [(difference.name, text) for text in wrong]

    def pending(self, name):
        """The names of what is not done yet in a conversation."""
        return [d.name for d in self.of_talk.get(name, ()) if d.pending]

    def chosen(self, name):
        """Whether "compatibility = 4.3" makes all of a conversation 4.3's."""
        return self.expects(name, "43") == "43" and any(d["key"] in DIALECT_KEYS for d in self.of_talk[name])

    def expects(self, name, dialect=None):
        """Whose transcript a conversation must repeat: "310", "43", "own", or "both" when there is no difference. dialect "43":
        with the configuration "compatibility = 4.3"."""
        kept = {dialect if dialect and d["key"] in DIALECT_KEYS else d.kept for d in self.of_talk.get(name, ())}
        return kept.pop() if len(kept) == 1 else "own" if kept else "both"


def expected(known, talk):
    """The transcript that Leveret must repeat, or None."""
    whose = known.expects(talk.name)
    return talk.said("43" if whose == "both" else whose)


def verdict(known, talk, got):
    """("PASS", "FAIL" or "SKIP", why, the transcript that was wanted or None) of what Leveret said."""
    whose = known.expects(talk.name)
    said = {who: talk.said(who) for who in ("310", "43", "own")}
    if said["310"] is None:
        return "FAIL", "no recording: run --record", None
    wanted = expected(known, talk)
    pending = known.pending(talk.name)
    same = [who for who in ("310", "43") if got == said[who]]
    if pending and got != wanted:
        return "SKIP", "pending: " + ", ".join(pending), wanted
    if whose == "both":
        if got != said["43"]:
            return ("FAIL", "says what 3.10 says, not 4.3, and no entry of known-differences keeps that" if same else "differs",
                    said["43"])
        if got != said["310"]:
            return "FAIL", "says what 4.3 says, not 3.10, and no entry of known-differences tells it", said["310"]
    elif whose == "own":
        if same:
            return ("FAIL", f"says what {' and '.join(same)} says, and known-differences speaks of " +
                    ", ".join(f"{d.name} ({d.kept})" for d in known.of_talk[talk.name]), None)
        if got != wanted:
            return "FAIL", "differs in another way than known (run --accept)", wanted or said["43"]
    else:
        if not talk.versions_differ:
            return "FAIL", f"known-differences keeps {whose}, but both versions say the same", wanted
        if got != wanted:
            return "FAIL", f"known-differences keeps {whose}; it says {'the other' if same else 'neither'}", wanted
    if whose != "own" and said["own"] is not None:
        return "FAIL", "there is a .leveret, but its entries keep a version", None
    return "PASS", "pending no more" if pending else f"keeps {whose}" if whose != "both" else "", None


# ---- The tables of the docs.

DOCS = HERE.parent.parent / "docs"
BEGIN, END = "<!-- {} of tests/differential/known-differences: begin -->", "<!-- end -->"


def _cell(text):
    return text.replace("|", "\\|")


def table(differences):
    """All of it in Markdown, one row for each difference."""
    rows = ["| what | RabbitMQ 3.10 | RabbitMQ 4.3 | Leveret | why |", "|---|---|---|---|---|"]
    for d in differences:
        own = {"310": "as 3.10", "43": "as 4.3", "own": d["leveret"]}[d.kept]
        if d["key"]:
            own += f" (key: {d['key']})"
        rows.append("| " + " | ".join(_cell(t) for t in (d["what"], d["3.10"], d["4.3"], own, d["why"])) + " |")
    return rows


def changes(differences, version):
    """What is not as in that version, a line each."""
    field = {"310": "3.10", "43": "4.3"}[version]
    other = {"310": "4.3", "43": "3.10"}[version]
    return [f"- {d['what']}: {d['leveret'] or d[other]} (was: {d[field]})" for d in differences if d.kept != version]


PARTS = {"table": table, "changes from 3.10": lambda all_of_them: changes(all_of_them, "310"),
         "changes from 4.3": lambda all_of_them: changes(all_of_them, "43")}


def with_parts(text, differences):
    """The text of a document, with its generated parts made anew."""
    for name, make in PARTS.items():
        begin = BEGIN.format(name)
        if begin in text:
            head, rest = text.split(begin, 1)
            text = head + begin + "\n" + "\n".join(make(differences)) + "\n" + rest[rest.index(END):]
    return text


def main(arguments):
    """--check: are the docs current? --write: makes them so. Without: prints the table."""
    if arguments not in (["--check"], ["--write"]):
        print("\n".join(table(read(LIST.read_text()))))
        return 2 if arguments else 0
    differences, stale, parts = read(LIST.read_text()), [], 0
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text()
        parts += sum(BEGIN.format(name) in text for name in PARTS)
        now = with_parts(text, differences)
        if now != text:
            stale.append(path.name)
            if arguments == ["--write"]:
                path.write_text(now)
    names = [str(path.relative_to(TALKS).with_suffix("")) for path in TALKS.glob("*/*.conv")]
    mistakes = [f"known-differences[{name}]: {text}" for name, text in Known(names).mistakes]
    if parts != len(PARTS):
        mistakes.append(f"docs hold {parts} of the {len(PARTS)} parts")
    if mistakes:
        print("\n".join(mistakes))
        return 1
    print("\n".join(f"docs/{name} is {'written' if arguments == ['--write'] else 'not current: run differences.py --write'}"
                    for name in stale) or "docs are current")
    return 1 if stale and arguments == ["--check"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
