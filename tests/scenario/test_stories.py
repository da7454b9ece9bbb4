#!/usr/bin/python3
"""An everyday story with the clients of today, on Leveret and on both RabbitMQs (--against): work, what is returned, errors, a
message that is always given back, a retry that publishes again, a prefetch that consumers share.

Each client's program in stories/ is given names of steps, and prints what came out of each. The outcome is the same on all
brokers but for what is listed in OTHERS. A client that cannot be built or fetched here is skipped.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import broker
from harness import Skip, main, name, test
from test_clients import FOLDER, built, need, run

STORIES = broker.HERE / "stories"
NPM = FOLDER / "stories-js"
NPM_PACKAGES = {"amqplib": "2.3.1", "@cloudamqp/amqp-client": "4.1.1", "rabbitmq-client": "5.0.8", "rascal": "21.0.1"}
NPM_SECONDS = 300
SECONDS = 120
PYTHON = "/usr/bin/python3"

OUTCOMES = {
    "work": "0 1 2 3 4 5 6 7 8 9",
    "returned": "312",
    "error": "404",
    "nack": "dead after 4 by delivery_limit, delivery_limit",
    "reject": "dead after 4 by delivery_limit, delivery_limit",
    "retry": "1 2 3",
    "republish": "3",
    "global": "1",
}
# What another broker makes of it; each is a row of docs/features.md.
OTHERS = {
    "rabbitmq": {"nack": "dead after 4 by delivery_limit, NONE", "reject": "dead after 4 by delivery_limit, NONE"},
    "rabbitmq43": {"nack": "alive", "retry": "1 1 1", "global": "2"},
}
NONE = ("undefined", "None", "none", "<nil>", "")      # a header that is not there, by language


def npm(library, script="story.js"):
    need("node", "npm")
    NPM.mkdir(parents=True, exist_ok=True)
    if not (NPM / "node_modules" / library).exists():
        result = run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(NPM),
                      *(f"{package}@{version}" for package, version in NPM_PACKAGES.items())], NPM_SECONDS)
        if result.returncode != 0:
            raise Skip(f"{library} cannot be fetched: {result.stdout.strip()[-300:]}")
    # node looks for modules beside the script.
    shutil.copy(STORIES / script, NPM)
    return ["node", str(NPM / script)]


def python(module, package, script):
    if run([PYTHON, "-c", f"import {module}"], 60).returncode != 0:
        raise Skip(f"no {module} here (Debian: {package})")
    return [PYTHON, str(STORIES / script)]


def ruby():
    need("ruby")
    if run(["ruby", "-e", "require 'bunny'"], 60).returncode != 0:
        raise Skip("no bunny here (Debian: ruby-bunny)")
    return ["ruby", str(STORIES / "story.rb")]


def php():
    need("php")
    if not Path("/usr/share/php/PhpAmqpLib/autoload.php").exists():
        raise Skip("no php-amqplib here (Debian: php-cli, php-amqplib)")
    return ["php", str(STORIES / "story.php")]


def go():
    need("go")
    gopath = Path("/usr/share/gocode")
    if not (gopath / "src/github.com/rabbitmq/amqp091-go").exists():
        raise Skip("no Go client for AMQP here (Debian: golang-github-rabbitmq-amqp091-go-dev)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    built(STORIES / "story.go", FOLDER / "story_go", ["go", "build", "-o", str(FOLDER / "story_go"), str(STORIES / "story.go")],
          env={**os.environ, "GO111MODULE": "off", "GOPATH": str(gopath), "GOCACHE": str(FOLDER / "go-cache")})
    return [str(FOLDER / "story_go")]


def told(command, node, steps, prefix):
    """Plays the steps, and answers step → what came out."""
    result = subprocess.run(command + steps, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                            stdin=subprocess.DEVNULL, timeout=SECONDS,
                            env={**os.environ, "AMQP_HOST": node.host, "AMQP_PORT": str(node.port), "AMQP_PREFIX": prefix})
    assert result.returncode == 0, f"ended with {result.returncode}: {result.stdout[-300:]}{result.stderr.strip()[-1200:]}"
    return dict(line.split(": ", 1) for line in result.stdout.splitlines())


def story(node, client, command, steps):
    got = told(command, node, steps.split(), name(client))
    others = OTHERS.get(broker.kind(), {})
    for step in steps.split():
        wanted = others.get(step, OUTCOMES[step])
        good = ([wanted.replace("NONE", none) for none in NONE] if "NONE" in wanted else [wanted])
        assert got.get(step) in good, f"{step}: {got.get(step)}, not {wanted}"


ALL = "work returned error nack reject retry global"


@test(seconds=NPM_SECONDS + SECONDS)
def amqplib(node):
    story(node, "amqplib", npm("amqplib") + ["amqplib"], ALL)


@test(seconds=NPM_SECONDS + SECONDS)
def cloudamqp(node):
    story(node, "cloudamqp", npm("@cloudamqp/amqp-client") + ["cloudamqp"], ALL)


@test(seconds=NPM_SECONDS + SECONDS)
def rabbitmq_client(node):
    """It has no basic.reject."""
    story(node, "rabbitmq-client", npm("rabbitmq-client") + ["rabbitmq-client"], "work returned error nack retry global")


@test(seconds=NPM_SECONDS + SECONDS)
def rascal(node):
    story(node, "rascal", npm("rascal", "story_rascal.js"), "work returned nack republish")


@test(seconds=SECONDS)
def pika(node):
    story(node, "pika", python("pika", "python3-pika", "story_pika.py"), ALL)


@test(seconds=SECONDS)
def aio_pika(node):
    story(node, "aio_pika", python("aio_pika", "python3-aio-pika", "story_aio_pika.py"), ALL)


@test(seconds=SECONDS)
def kombu(node):
    """It has no basic.nack, and no mandatory."""
    story(node, "kombu", python("kombu", "python3-kombu", "story_kombu.py"), "work error reject retry global")


@test(seconds=SECONDS)
def bunny(node):
    story(node, "bunny", ruby(), ALL)


@test(seconds=SECONDS)
def php_amqplib(node):
    story(node, "php", php(), ALL)


@test(seconds=SECONDS)
def amqp091_go(node):
    story(node, "go", go(), ALL)


if __name__ == "__main__":
    main()
