#!/usr/bin/python3
"""The broker through clients in other languages: rabbitmq-c and its tools, Go, Ruby, JavaScript, PHP, Celery.

Each client is a small program in clients/ that prints the names of its scenarios when it is given none, and runs the one
it is given, against AMQP_HOST and AMQP_PORT, with names that begin with AMQP_PREFIX. Exit code 0 is a pass; why not
is on stderr. A client that cannot be built or fetched here is skipped.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import broker
from harness import Skip, main, name, test

CLIENTS = broker.HERE / "clients"
# What is built goes beside the broker's build, never into the tree.
FOLDER = broker.build_folder() / "scenario-clients"
BUILD_SECONDS = 300
SCENARIO_SECONDS = 90
AMQPLIB = "amqplib@0.10.4"


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


def tools():
    need("amqp-publish", "amqp-consume", "amqp-get", "amqp-declare-queue", "amqp-delete-queue")
    return ["sh", str(CLIENTS / "tools.sh")]


def client_go():
    need("go")
    gopath = Path("/usr/share/gocode")
    if not (gopath / "src/github.com/rabbitmq/amqp091-go").exists():
        raise Skip("no Go client for AMQP here (Debian: golang-github-rabbitmq-amqp091-go-dev)")
    source, target = CLIENTS / "client_go.go", FOLDER / "client_go"
    built(source, target, ["go", "build", "-o", str(target), str(source)],
          env={**os.environ, "GO111MODULE": "off", "GOPATH": str(gopath), "GOCACHE": str(FOLDER / "go-cache")})
    return [str(target)]


def client_aioamqp():
    if run(["/usr/bin/python3", "-c", "import aioamqp"], 60).returncode != 0:
        raise Skip("no aioamqp here (Debian: python3-aioamqp)")
    return ["/usr/bin/python3", str(CLIENTS / "client_aioamqp.py")]


def client_ruby():
    need("ruby")
    if run(["ruby", "-e", "require 'bunny'"], 60).returncode != 0:
        raise Skip("no bunny here (Debian: ruby-bunny)")
    return ["ruby", str(CLIENTS / "client_ruby.rb")]


def client_js():
    need("node", "npm")
    folder = FOLDER / "js"
    folder.mkdir(exist_ok=True)
    if not (folder / "node_modules" / "amqplib").exists():
        result = run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), AMQPLIB], BUILD_SECONDS)
        if result.returncode != 0:
            raise Skip(f"amqplib cannot be fetched: {result.stdout.strip()[-300:]}")
    # node looks for modules beside the script.
    shutil.copy(CLIENTS / "client_js.js", folder)
    return ["node", str(folder / "client_js.js")]


def client_php():
    need("php")
    if not Path("/usr/share/php/PhpAmqpLib/autoload.php").exists():
        raise Skip("no php-amqplib here (Debian: php-cli, php-amqplib)")
    return ["php", str(CLIENTS / "client_php.php")]


def celery():
    if run(["/usr/bin/python3", "-c", "import celery"], 60).returncode != 0:
        raise Skip("no Celery here (Debian: python3-celery)")
    return ["/usr/bin/python3", str(CLIENTS / "celery_jobs.py")]


# Where RabbitMQ 4.3 does otherwise, and Leveret as 3.13.
NOT_ON_43 = {"celery_eta": "basic.qos with global is ignored", "c_sizes": "16 MiB is the largest message",
             "go_sizes": "16 MiB is the largest message", "js": "this amqplib asks for frames of 4096 bytes"}

# Client, how its command is made, and its scenarios.
TABLE = [
    ("c", client_c, "basics exchanges headers_exchange confirms returns qos requeue get tx cancel_notify sizes channels "
                    "headers errors"),
    ("tools", tools, "publish_get consume bound_consume large"),
    ("go", client_go, "basics exchanges confirms qos requeue get tx cancel_notify sizes headers errors channels clean_closes"),
    ("aioamqp", client_aioamqp, "sizes confirms qos"),
    ("ruby", client_ruby, "basics exchanges confirms requeue tx cancel_notify headers sizes errors"),
    ("js", client_js, "basics exchanges confirms qos get cancel_notify headers sizes small_frames channels errors"),
    ("php", client_php, "all"),
    ("celery", celery, "results retries canvas delayed eta control killed_worker"),
]


def register(client, make, scenario):
    def one(node):
        reason = NOT_ON_43.get(f"{client}_{scenario}") or NOT_ON_43.get(client)
        if broker.judge43() and reason:
            raise Skip(reason)
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
