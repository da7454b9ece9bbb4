#!/usr/bin/env python3
"""Makes the codec of AMQP's methods and the table of reply codes from spec/amqp0-9-1.spec.

    generate.py SPEC BUILD_DIR

writes below BUILD_DIR
    include/leveret/wire/method.h           ids, structs, decode, encode
    include/leveret/wire/reply.h            reply codes
    include/leveret/wire/property_table.h   the properties of class basic, for properties.c
    include/leveret/wire/method_table.h     methods and their fields, for tests and tools
    src/wire/method.c, src/wire/reply.c
Python 3's standard library only. What is wrong in the specification is reported with file and
line, and nothing is written.
"""

import os
import sys

TYPES = {
    # type: (C type, reader, writer, what the field holds)
    "octet": ("uint8_t", "read_u8", "write_u8", None),
    "short": ("uint16_t", "read_u16", "write_u16", None),
    "long": ("uint32_t", "read_u32", "write_u32", None),
    "longlong": ("uint64_t", "read_u64", "write_u64", None),
    "timestamp": ("uint64_t", "read_u64", "write_u64", "seconds since 1970"),
    "shortstr": ("struct bytes", "read_short_string", "write_short_string", None),
    "longstr": ("struct bytes", "read_long_string", "write_long_string", None),
    "table": ("struct bytes", "read_long_string", "write_long_string", "a table's contents"),
    "bit": ("bool", None, None, None),
}
RECEIVERS = ("server", "client", "both")
SCOPES = ("success", "channel", "connection")


def c_name(name):
    return name.replace("-", "_")


class Field:
    def __init__(self, name, domain, type_, reserved):
        self.name, self.domain, self.type, self.reserved = name, domain, type_, reserved
        self.c = c_name(name)


class Method:
    def __init__(self, class_, name, id_, to):
        self.class_, self.name, self.id, self.to = class_, name, id_, to
        self.sync = self.content = self.deprecated = False
        self.replies = []
        self.fields = []
        self.c = c_name(f"{class_.name}_{name}")
        self.enum = f"METHOD_{self.c.upper()}"
        self.title = f"{class_.name}.{name}"

    def held(self):
        return [f for f in self.fields if not f.reserved]


class Class:
    def __init__(self, name, id_):
        self.name, self.id = name, id_
        self.properties = []
        self.methods = []


class Spec:
    def __init__(self):
        self.domains = {}
        self.replies = []  # (code, name, scope)
        self.classes = []

    def methods(self):
        return [m for c in self.classes for m in c.methods]


class SpecError(Exception):
    pass


def need(condition, text):
    if not condition:
        raise SpecError(text)


def number(word):
    need(word.isdigit() and int(word) <= 0xFFFF, f"'{word}' is not a number of 16 bits")
    return int(word)


def parse_method(class_, words):
    need(len(words) >= 4 and words[2] == "to", "expected: method NAME ID to WHOM ...")
    need(words[3] in RECEIVERS, f"unknown receiver '{words[3]}'")
    method = Method(class_, words[0], number(words[1]), words[3])
    need(all(m.name != method.name and m.id != method.id for m in class_.methods),
         f"{method.title} or its id is there twice")
    rest = words[4:]
    while rest:
        word = rest.pop(0)
        if word in ("sync", "content", "deprecated"):
            setattr(method, word, True)
        elif word == "reply" and rest:
            method.replies.append(rest.pop(0))
        else:
            raise SpecError(f"unknown word '{word}'")
    class_.methods.append(method)


def parse_field(spec, words, fields, may_reserve):
    reserved = words[2:] == ["reserved"]
    need(len(words) == 2 or (reserved and may_reserve), "expected: NAME DOMAIN [reserved]")
    need(words[1] in spec.domains, f"unknown domain '{words[1]}'")
    need(all(f.name != words[0] for f in fields), f"field '{words[0]}' is there twice")
    fields.append(Field(words[0], words[1], spec.domains[words[1]], reserved))


def parse_line(spec, words):
    kind, words = words[0], words[1:]
    if kind == "domain":
        need(len(words) == 2 and words[1] in TYPES, "expected: domain NAME TYPE")
        need(words[0] not in spec.domains, f"domain '{words[0]}' is there twice")
        spec.domains[words[0]] = words[1]
    elif kind == "reply":
        need(len(words) == 3 and words[2] in SCOPES, "expected: reply CODE NAME SCOPE")
        spec.replies.append((number(words[0]), words[1], words[2]))
    elif kind == "class":
        need(len(words) == 2, "expected: class NAME ID")
        spec.classes.append(Class(words[0], number(words[1])))
    elif kind == "property":
        need(spec.classes, "a property outside a class")
        parse_field(spec, words, spec.classes[-1].properties, False)
        need(len(spec.classes[-1].properties) <= 15, "more properties than flag bits")
    elif kind == "method":
        need(spec.classes, "a method outside a class")
        parse_method(spec.classes[-1], words)
    elif kind == "field":
        need(spec.classes and spec.classes[-1].methods, "a field outside a method")
        parse_field(spec, words, spec.classes[-1].methods[-1].fields, True)
    else:
        raise SpecError(f"unknown statement '{kind}'")


def parse(path):
    spec = Spec()
    with open(path, encoding="utf-8") as lines:
        for at, line in enumerate(lines, 1):
            words = line.split("#", 1)[0].split()
            try:
                if words:
                    parse_line(spec, words)
            except SpecError as error:
                raise SpecError(f"{path}:{at}: {error}") from None
    for class_ in spec.classes:
        names = {m.name for m in class_.methods}
        for method in class_.methods:
            for reply in method.replies:
                need(reply in names, f"{path}: {method.title} has an unknown reply '{reply}'")
    return spec


NOTICE = "/* Made by spec/generate.py from spec/amqp0-9-1.spec: change those, not this. */\n"


def bit_runs(fields):
    """The fields in wire order, consecutive bits (at most 8) gathered into one list."""
    runs = []
    for field in fields:
        if field.type == "bit":
            if runs and isinstance(runs[-1], list) and len(runs[-1]) < 8:
                runs[-1].append(field)
            else:
                runs.append([field])
        else:
            runs.append(field)
    return runs


def method_header(spec):
    out = [NOTICE, """\
/* AMQP's methods as structs, and their codec. Thread: any; holds no state.
 *
 * Strings and tables in a decoded method are views into the decoded payload. Reserved fields are
 * not in the structs: they are skipped when read and zero when written. A method without fields
 * has no struct. */
#ifndef LEVERET_WIRE_METHOD_H
#define LEVERET_WIRE_METHOD_H

#include "leveret/base/bytes.h"
#include "leveret/base/status.h"

/* Class id above, method id below: the first four bytes of a method frame's payload. */
#define METHOD_CLASS(id)  ((uint16_t)((uint32_t)(id) >> 16))
#define METHOD_NUMBER(id) ((uint16_t)((uint32_t)(id) & 0xffffu))

"""]
    out.append("enum class_id {\n")
    for class_ in spec.classes:
        out.append(f"    CLASS_{c_name(class_.name).upper()} = {class_.id},\n")
    out.append("};\n\nenum method_id {\n")
    for m in spec.methods():
        out.append(f"    {m.enum} = ({m.class_.id} << 16) | {m.id},\n")
    out.append("};\n\n")
    for m in spec.methods():
        if not m.held():
            continue
        out.append(f"struct {m.c} {{\n")
        for f in m.held():
            c_type, _, _, note = TYPES[f.type]
            note = f" /* {note} */" if note else ""
            out.append(f"    {c_type} {f.c};{note}\n")
        out.append("};\n\n")
    out.append("struct method {\n    enum method_id id;\n    union {\n")
    for m in spec.methods():
        if m.held():
            out.append(f"        struct {m.c} {m.c};\n")
    out.append("""\
    } u; /* the member named after id; none for a method without fields */
};

/* Reads a method frame's payload. On an error *out is not defined, but for id: that of the method
 * when it is a known one, otherwise what the payload claims (0 when it is too short to claim any).
 * Errors: NOT_FOUND: no such class or method. MALFORMED: arguments cut short, left over, or a table
 * that is none. LIMIT: a table nested too deeply. */
MUST_USE enum status method_decode(struct bytes payload, struct method *out);

/* Writes the payload of a method frame to at. Returns its length, or 0 when it does not fit into
 * room bytes, a short string is longer than NAME_BYTES_MAX, or id is no method. Tables are written as
 * they are. */
size_t method_encode(const struct method *method, uint8_t *at, size_t room);

/* "basic.publish"; "unknown" for an id that is no method. A static string. */
const char *method_name(enum method_id id);
/* Whether a content header and body frames follow. */
bool method_has_content(enum method_id id);
/* Whether the one who sends it waits for an answer (unless it has a no-wait field that is set). */
bool method_expects_reply(enum method_id id);
/* Whether a client may send it, and whether a server may. False for an id that is no method. */
bool method_from_client(enum method_id id);
bool method_from_server(enum method_id id);

/* All methods in the order of their ids' classes, for tests and tools. */
#define METHOD_COUNT @COUNT@
extern const enum method_id method_ids[METHOD_COUNT];

#endif
""".replace("@COUNT@", str(len(spec.methods()))))
    return "".join(out)


def method_decode_case(method):
    out = [f"    case {method.enum}:\n"]
    tables = []
    for run in bit_runs(method.fields):
        if isinstance(run, list):
            held = [(at, f) for at, f in enumerate(run) if not f.reserved]
            out.append(f"        {'bits = ' if held else '(void)'}read_u8(&r);\n")
            for at, f in held:
                out.append(f"        out->u.{method.c}.{f.c} = (bits & {1 << at}u) != 0;\n")
            continue
        target = "(void)" if run.reserved else f"out->u.{method.c}.{run.c} = "
        out.append(f"        {target}{TYPES[run.type][1]}(&r);\n")
        if run.type == "table" and not run.reserved:
            tables.append(run)
    assert len(tables) <= 1, "one table a method"
    if tables:
        out.append(f"        return end_with_table(&r, out->u.{method.c}.{tables[0].c});\n")
    else:
        out.append("        return end(&r);\n")
    return "".join(out)


def encode_field(method, field):
    _, _, writer, _ = TYPES[field.type]
    if not field.reserved:
        value = f"method->u.{method.c}.{field.c}"
    elif TYPES[field.type][0] == "struct bytes":
        value = "nothing"
    else:
        value = "0"
    return f"        {writer}(&w, {value});\n"


def method_encode_case(method):
    out = [f"    case {method.enum}:\n"]
    for run in bit_runs(method.fields):
        if not isinstance(run, list):
            out.append(encode_field(method, run))
            continue
        held = [f"(unsigned)method->u.{method.c}.{f.c} << {at}" for at, f in enumerate(run)
                if not f.reserved]
        value = " |\n                              ".join(held) if held else "0"
        out.append(f"        write_u8(&w, (uint8_t)({value}));\n")
    out.append("        break;\n")
    return "".join(out)


def predicate(name, spec, wanted):
    cases = "".join(f"    case {m.enum}:\n" for m in spec.methods() if wanted(m))
    return f"""\
bool {name}(enum method_id id)
{{
    switch (id) {{
{cases}        return true;
    default:
        return false;
    }}
}}

"""


def method_source(spec):
    out = [NOTICE, """\
#include "leveret/wire/method.h"
#include "leveret/wire/cursor.h"
#include "leveret/wire/table.h"

static inline enum status end(const struct reader *r)
{
    return !r->failed && r->at == r->end ? STATUS_OK : STATUS_MALFORMED;
}

static inline enum status end_with_table(const struct reader *r, struct bytes table)
{
    enum status status = end(r);
    if (status != STATUS_OK || table.len == 0)
        return status;
    return table_check(table);
}

enum status method_decode(struct bytes payload, struct method *out)
{
    struct reader r = reader_of(payload);
    uint8_t bits;

    out->id = (enum method_id)read_u32(&r);
    if (r.failed)
        return STATUS_MALFORMED;
    switch (out->id) {
"""]
    out += [method_decode_case(m) for m in spec.methods()]
    out.append("""\
    }
    return STATUS_NOT_FOUND;
}

size_t method_encode(const struct method *method, uint8_t *at, size_t room)
{
    static const struct bytes nothing = {NULL, 0};
    struct writer w = writer_of(at, room);

    write_u32(&w, (uint32_t)method->id);
    switch (method->id) {
""")
    out += [method_encode_case(m) for m in spec.methods()]
    out.append("""\
    default:
        return 0;
    }
    return w.failed ? 0 : (size_t)(w.at - at);
}

const char *method_name(enum method_id id)
{
    switch (id) {
""")
    for m in spec.methods():
        out.append(f'    case {m.enum}:\n        return "{m.title}";\n')
    out.append('    }\n    return "unknown";\n}\n\n')
    out.append(predicate("method_has_content", spec, lambda m: m.content))
    out.append(predicate("method_expects_reply", spec, lambda m: m.replies))
    out.append(predicate("method_from_client", spec, lambda m: m.to != "client"))
    out.append(predicate("method_from_server", spec, lambda m: m.to != "server"))
    out.append("const enum method_id method_ids[METHOD_COUNT] = {\n")
    out += [f"    {m.enum},\n" for m in spec.methods()]
    out.append("};\n")
    return "".join(out)


def reply_header(spec):
    codes = "".join(f"    REPLY_{c_name(n).upper()} = {c},\n" for c, n, _ in spec.replies)
    return NOTICE + f"""\
/* Reply codes (AMQP 0-9-1, 1.2). Thread: any. */
#ifndef LEVERET_WIRE_REPLY_H
#define LEVERET_WIRE_REPLY_H

#include <stdbool.h>

enum reply_code {{
{codes}}};

/* "NOT_FOUND" for 404, "UNKNOWN" for what is no code. A static string. */
const char *reply_name(int code);
/* Whether an error with this code closes the channel only. */
bool reply_closes_channel(int code);
/* Whether an error with this code closes the connection; true for what is no code. */
bool reply_closes_connection(int code);

#endif
"""


def reply_source(spec):
    names = "".join(
        f'    case REPLY_{c_name(n).upper()}:\n        return "{c_name(n).upper()}";\n'
        for _, n, _ in spec.replies)

    def scope(wanted):
        return "".join(f"    case REPLY_{c_name(n).upper()}:\n" for _, n, s in spec.replies
                       if s in wanted)

    return NOTICE + f"""\
#include "leveret/wire/reply.h"

const char *reply_name(int code)
{{
    switch (code) {{
{names}    default:
        return "UNKNOWN";
    }}
}}

bool reply_closes_channel(int code)
{{
    switch (code) {{
{scope(("channel",))}        return true;
    default:
        return false;
    }}
}}

bool reply_closes_connection(int code)
{{
    switch (code) {{
{scope(("channel", "success"))}        return false;
    default:
        return true;
    }}
}}
"""


KINDS = {"octet": "u8", "short": "u16", "long": "u32", "longlong": "u64", "timestamp": "u64",
         "shortstr": "short_string", "longstr": "long_string", "table": "table", "bit": "bit"}


def macro(head, rows):
    return f"#define {head} \\\n    " + " \\\n    ".join(rows) + "\n"


def method_table(spec):
    with_fields = [m for m in spec.methods() if m.held()]
    out = [NOTICE, """\
/* The methods and their fields as macros, for what handles them all alike: tests and tools.
 * METHOD_TABLE(M) calls M(NAME, name) for each method that has fields, and
 * METHOD_FIELDS_<name>(F) calls F(kind, field) for each of its fields in wire order. */
#ifndef LEVERET_WIRE_METHOD_TABLE_H
#define LEVERET_WIRE_METHOD_TABLE_H

"""]
    out.append(macro("METHOD_TABLE(M)", [f"M({m.c.upper()}, {m.c})" for m in with_fields]))
    for m in with_fields:
        rows = [f"F({KINDS[f.type]}, {f.c})" for f in m.held()]
        out.append("\n" + macro(f"METHOD_FIELDS_{m.c}(F)", rows))
    out.append("\n#endif\n")
    return "".join(out)


def property_table(spec):
    basic = next(c for c in spec.classes if c.name == "basic")
    rows = []
    for at, f in enumerate(basic.properties):
        rows.append(f"X({f.c.upper()}, {f.c}, {KINDS[f.type]}, {15 - at})")
    return NOTICE + f"""\
/* The properties of class basic in wire order: X(NAME, member, kind, bit of the flags). */
#ifndef LEVERET_WIRE_PROPERTY_TABLE_H
#define LEVERET_WIRE_PROPERTY_TABLE_H

{macro("PROPERTY_TABLE(X)", rows)}
#endif
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main(argv):
    if len(argv) != 3:
        sys.exit("usage: generate.py SPEC BUILD_DIR")
    try:
        spec = parse(argv[1])
    except (SpecError, OSError) as error:
        sys.exit(str(error))
    headers = os.path.join(argv[2], "include", "leveret", "wire")
    sources = os.path.join(argv[2], "src", "wire")
    write(os.path.join(headers, "method.h"), method_header(spec))
    write(os.path.join(headers, "reply.h"), reply_header(spec))
    write(os.path.join(headers, "property_table.h"), property_table(spec))
    write(os.path.join(headers, "method_table.h"), method_table(spec))
    write(os.path.join(sources, "method.c"), method_source(spec))
    write(os.path.join(sources, "reply.c"), reply_source(spec))


if __name__ == "__main__":
    main(sys.argv)
