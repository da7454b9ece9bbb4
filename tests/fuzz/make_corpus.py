#!/usr/bin/env python3
"""Makes the fuzzers' first inputs from their readable form.

    make_corpus.py TEXT... DIRECTORY

A text NAME.txt becomes the folder DIRECTORY/NAME with a file for each of its lines. A line is a
name, a colon, and what the input consists of, one after the other: bytes in hexadecimal (0a ff),
text in quotes ("AMQP"), either of them followed by *N for N times, and frames: M1[ ... ], H1[ ... ]
and B1[ ... ] are a method, header and body frame on channel 1 around what is between the brackets.
'#' begins a comment.
"""

import os
import re
import struct
import sys

TOKEN = re.compile(r'\s*(?:"([^"]*)"|([MHB])(\d+)\[|([0-9a-fA-F]{2})|(\]))(?:\*(\d+))?')
FRAME_TYPES = {"M": 1, "H": 2, "B": 3}


def parse(text, where):
    frames, out, at = [], b"", 0  # frames: what is before each open bracket, and its frame's head
    text = text.rstrip()
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match or (match.group(5) and not frames):
            sys.exit(f"{where}: not understood: {text[at:].strip()}")
        literal, type_, channel, byte, close, times = match.groups()
        at = match.end()
        if type_:
            frames.append((out, struct.pack(">BH", FRAME_TYPES[type_], int(channel))))
            out = b""
        elif close:
            before, head = frames.pop()
            out = before + head + struct.pack(">I", len(out)) + out + b"\xce"
        else:
            out += (bytes([int(byte, 16)]) if byte else literal.encode("latin-1")) * int(times or 1)
    if frames:
        sys.exit(f"{where}: a frame without its end")
    return out


def make(path, directory):
    name = os.path.splitext(os.path.basename(path))[0]
    folder = os.path.join(directory, name)
    os.makedirs(folder, exist_ok=True)
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            line = line.split("#", 1)[0].strip()
            if not line:
                continue
            title, _, text = line.partition(":")
            with open(os.path.join(folder, title.strip()), "wb") as out:
                out.write(parse(text.strip(), f"{path}:{number}"))


def main(argv):
    if len(argv) < 3:
        sys.exit("usage: make_corpus.py TEXT... DIRECTORY")
    for path in argv[1:-1]:
        make(path, argv[-1])


if __name__ == "__main__":
    main(sys.argv)
