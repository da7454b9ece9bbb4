#!/usr/bin/env python3
"""The table of endpoints (web/endpoints.txt) and the routes of src/admin: neither has what the other lacks; and
docs/http-api.md is made from it."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(os.environ.get("srcdir", Path(__file__).resolve().parent.parent.parent))
ROUTE = re.compile(r'\{METHOD_(\w+),\s*"([^"]+)",\s*\w+,\s*ACCESS_(\w+),')
WHO = {"ANYBODY": "anybody", "USER": "user", "VHOST": "vhost", "KNOWN": "vhost", "POLICYMAKER": "policymaker",
       "MONITORING": "monitoring", "ADMINISTRATOR": "administrator"}


def main():
    routes = {}
    for path in sorted((TOP / "src" / "admin").rglob("*.c")):
        for method, pattern, access in ROUTE.findall(path.read_text()):
            if pattern.startswith(("/api", "/metrics")):
                routes[method, pattern] = WHO[access]
    wrong = [] if len(routes) > 100 else ["the routes are not found"]
    told = {}
    for line in (TOP / "web" / "endpoints.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        method, pattern, who, rest = line.split("|", 3)
        told[method, pattern] = who
        text, brace, example = rest.partition("|{")
        if not text:
            wrong.append(f"{method} {pattern}: says nothing")
        if (method in ("PUT", "POST")) != bool(brace):
            wrong.append(f"{method} {pattern}: an example is {'missing' if not brace else 'too much'}")
        if brace:
            json.loads("{" + example)
    for one in sorted(routes.keys() | told.keys()):
        if routes.get(one) != told.get(one):
            wrong.append(f"{' '.join(one)}: {routes.get(one, 'no route')}, and the table says {told.get(one, 'nothing')}")
    doc = subprocess.run([sys.executable, TOP / "scripts" / "http-api-doc", "--check"], stdout=subprocess.PIPE, text=True)
    if doc.returncode:
        wrong.append(doc.stdout.strip())
    print("\n".join(wrong) or f"{len(told)} endpoints")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
