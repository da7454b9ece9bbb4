#!/usr/bin/python3
"""The broker through clients in other languages: rabbitmq-c and its tools, Go, Ruby, JavaScript, Celery.

Each client is a small program in clients/ that prints the names of its scenarios when it is given none, and runs the one
it is given, against AMQP_HOST and AMQP_PORT, with names that begin with AMQP_PREFIX. Exit code 0 is a pass; why not
is on stderr. A client that cannot be built or fetched here is skipped.
"""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import broker
from harness import Skip, main, name, test

CLIENTS = broker.HERE / "clients"
# What is built goes beside the broker's build, never into the tree.
FOLDER = broker.build_folder() / "scenario-clients"
BUILD_SECONDS = 300
SCENARIO_SECONDS = 90


def need(*commands):
    for command in commands:
        if not shutil.which(command):
            raise Skip(f"no {command} here")


def run(command, seconds, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          stdin=subprocess.DEVNULL, timeout=seconds, **options)


def built(source, target, command, **options):
    """Builds target when it is missing or older than its source."""
    if target.exists() and target.stat().st_mtime > source.stat().st_mtime:
        return
    result = run(command, BUILD_SECONDS, **options)
    if result.returncode != 0:
        raise AssertionError(f"{source.name} does not build: {result.stdout[-1500:]}")


def client_c():
    need("cc", "pkg-config")
    flags = run(["pkg-config", "--cflags", "--libs", "librabbitmq"], 10)
    if flags.returncode != 0:
        raise Skip("librabbitmq is not installed")
    source, target = CLIENTS / "client_c.c", FOLDER / "client_c"
    built(source, target, ["cc", "-std=gnu11", "-Wall", "-Wextra", "-g", "-o", str(target), str(source),
                           *flags.stdout.split()])
    return [str(target)]


# Client, how its command is made, and its scenarios.
TABLE = [
    ("c", client_c, "basics exchanges headers_exchange confirms returns qos requeue get tx cancel_notify sizes channels "
                    "headers errors"),
]


def register(client, make, scenario):
    def one(node):
        result = run(COMMANDS[client] + [scenario], SCENARIO_SECONDS,
                     env={**os.environ, "AMQP_HOST": node.host, "AMQP_PORT": str(node.port), "AMQP_PREFIX": name(client)})
        if result.returncode == 77:
            raise Skip(result.stdout.strip())
        assert result.returncode == 0, f"ended with {result.returncode}: {result.stdout.strip()[-1500:]}"

    def skipped(node):
        raise COMMANDS[client]

    function = one if isinstance(COMMANDS[client], list) else skipped
    function.__name__ = f"{client}_{scenario}"
    test(function, seconds=SCENARIO_SECONDS + 10)


COMMANDS = {}
if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for client, make, scenarios in TABLE:
        if sys.argv[1:] and not any(client in a or a in f"{client}_{s}" for a in sys.argv[1:] for s in scenarios.split()):
            continue
        try:
            COMMANDS[client] = make()
        except (Skip, AssertionError, subprocess.TimeoutExpired) as failure:
            COMMANDS[client] = failure
        for scenario in scenarios.split():
            register(client, make, scenario)
    main()
