"""Compares spec/ with the specifications in Debian's package amqp-specs.

Everything in spec/ is in RabbitMQ's extended 0-9-1 file or in the list of differences below, and
the reverse; and nothing of the plain 0-9-1 file is missing or changed but where RabbitMQ's
extension changes it. Ends with 77 (skipped) when the package is not installed. Before that, looks
whether the generator refuses what is wrong, with the line.
"""

import os
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
ROOT = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "spec"))
import generate  # noqa: E402

SPECS = "/usr/share/amqp/specs"
RABBIT = f"{SPECS}/0-9-1-rabbit/amqp0-9-1.stripped.extended.xml"
PLAIN = f"{SPECS}/0-9-1/amqp0-9-1.stripped.xml"

# What the files lack though it is spoken: RabbitMQ added these later (they are in its own
# documentation, https://www.rabbitmq.com/amqp-0-9-1-reference).
LATER = {
    "connection.blocked": 60,
    "connection.unblocked": 61,
    "connection.update-secret": 70,
    "connection.update-secret-ok": 71,
    # Of 0-8, which RabbitMQ still answers.
    "access.request": 10,
    "access.request-ok": 11,
}
# Code 312 is in the specification's text on basic.return, but not among its constants.
LATER_REPLIES = {312: ("no-route", "channel")}
NOT_REPLIES = {"frame-method", "frame-header", "frame-body", "frame-heartbeat", "frame-min-size",
               "frame-end"}
# The files have recover-ok without saying that it answers recover.
REPLIES_UNSAID = {"basic.recover": ["recover-ok"]}
PROPERTIES_RENAMED = {"cluster-id": "reserved"}
# What RabbitMQ's extension changes in methods of the plain file: fields that were reserved there,
# and who may send.
FIELDS_CHANGED = {"exchange.declare"}
RECEIVERS_CHANGED = {"basic.cancel", "basic.cancel-ok", "basic.ack", "confirm.select-ok"}

# Specifications that are refused: the text (in which the last line is wrong) and a word on why.
REFUSED = [
    ("domain a nothing", "TYPE"),
    ("domain a bit\ndomain a bit", "twice"),
    ("reply 99999 x channel", "16 bits"),
    ("reply 1 x nowhere", "SCOPE"),
    ("method a 1 to server", "outside"),
    ("field a bit", "outside"),
    ("class a 1\nmethod b 1 to nobody", "receiver"),
    ("class a 1\nmethod b 1 to server quickly", "quickly"),
    ("class a 1\nmethod b 1 to server\nmethod c 1 to server", "twice"),
    ("class a 1\nmethod b 1 to server\nfield c other", "domain"),
    ("domain bit bit\nclass a 1\nmethod b 1 to server\nfield c bit\nfield c bit", "twice"),
    ("sentence", "unknown statement"),
]

failures = []


def same(what, ours, theirs):
    if ours != theirs:
        failures.append(f"{what}: spec/ has {ours!r}, amqp-specs has {theirs!r}")


def receivers(method):
    ends = {c.get("name") for c in method.findall("chassis")}
    return "both" if len(ends) == 2 else ends.pop()


def xml_fields(method, domains):
    return [(f.get("name"), domains.get(f.get("domain"), f.get("type")), f.get("reserved") == "1")
            for f in method.findall("field")]


def our_fields(method):
    return [(f.name, f.type, f.reserved) for f in method.fields]


def xml_methods(root):
    return {f"{c.get('name')}.{m.get('name')}": (c, m)
            for c in root.findall("class") for m in c.findall("method")}


def compare_method(title, ours, class_, theirs, domains, plain):
    same(f"{title} id", (ours.class_.id, ours.id),
         (int(class_.get("index")), int(theirs.get("index"))))
    if not (plain and title in FIELDS_CHANGED):
        same(f"{title} fields", our_fields(ours), xml_fields(theirs, domains))
    same(f"{title} content", ours.content, theirs.get("content") == "1")
    same(f"{title} deprecated", ours.deprecated, theirs.get("deprecated") == "1")
    if not (plain and title in RECEIVERS_CHANGED):
        same(f"{title} receiver", ours.to, receivers(theirs))
    if title in REPLIES_UNSAID:
        same(f"{title} replies", ours.replies, REPLIES_UNSAID[title])
    else:
        same(f"{title} sync", ours.sync, theirs.get("synchronous") == "1")
        same(f"{title} replies", ours.replies, [r.get("name") for r in theirs.findall("response")])


def compare_replies(spec, root):
    scopes = {"soft-error": "channel", "hard-error": "connection", None: "success"}
    theirs = {int(c.get("value")): (c.get("name").removeprefix("reply-"), scopes[c.get("class")])
              for c in root.findall("constant") if c.get("name") not in NOT_REPLIES}
    theirs.update(LATER_REPLIES)
    same("reply codes", {c: (n, s) for c, n, s in spec.replies}, theirs)


def compare(spec, path, plain):
    root = ElementTree.parse(path).getroot()
    domains = {d.get("name"): d.get("type") for d in root.findall("domain")}
    same("domains", spec.domains, domains)
    ours = {m.title: m for m in spec.methods()}
    theirs = xml_methods(root)
    for title, (class_, method) in theirs.items():
        if title in ours:
            compare_method(title, ours[title], class_, method, domains, plain)
        else:
            failures.append(f"{title} is missing in spec/")
    if not plain:
        same("methods of our own", {t: ours[t].id for t in ours if t not in theirs}, LATER)
    for class_ in spec.classes:
        properties = [(PROPERTIES_RENAMED.get(f.name, f.name), f.type) for f in class_.properties]
        element = root.find(f"class[@name='{class_.name}']")
        if element is not None:
            same(f"{class_.name} properties", properties,
                 [(n, t) for n, t, _ in xml_fields(element, domains)])
    compare_replies(spec, root)


def check_refusals():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "bad.spec")
        for text, why in REFUSED:
            with open(path, "w", encoding="utf-8") as out:
                out.write(text + "\n")
            try:
                generate.parse(path)
                failures.append(f"not refused: {text!r}")
            except generate.SpecError as error:
                where = f"{path}:{len(text.splitlines())}: "
                if not str(error).startswith(where) or why not in str(error):
                    failures.append(f"{text!r}: {error}")


def main():
    check_refusals()
    spec = generate.parse(os.path.join(ROOT, "spec", "amqp0-9-1.spec"))
    if not (os.path.exists(RABBIT) and os.path.exists(PLAIN)):
        for failure in failures:
            print(failure)
        print("skipped: the package amqp-specs is not installed")
        return 1 if failures else 77
    compare(spec, RABBIT, False)
    compare(spec, PLAIN, True)
    for failure in failures:
        print(failure)
    print(f"{len(spec.methods())} methods compared, {len(failures)} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
