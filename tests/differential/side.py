"""A broker that conversations are played on: a leveretd, or a RabbitMQ of one of the two versions."""
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import broker
from http_api import Api
from player import Pace, Player

PLUGINS = ("rabbitmq_management", "rabbitmq_consistent_hash_exchange", "rabbitmq_random_exchange", "rabbitmq_sharding",
           "rabbitmq_event_exchange", "rabbitmq_recent_history_exchange")
NODES = {"310": broker.Rabbit, "43": broker.Rabbit43}
SLOWER = float(os.environ.get("LEVERET_TEST_SLOWER", "1"))
LEVERET = Pace(quiet=0.03 * SLOWER, patience=15 * SLOWER, api_pause=0.05 * SLOWER)
RABBITMQ = Pace(quiet=0.06, patience=4, api_pause=0.4)
RECORDING = Pace(quiet=0.45, patience=4, api_pause=0.6)
# RabbitMQ dead-letters, routes and counts behind its answers, on a busy machine long after them: what differs from the
# recording is played again, at these paces.
RABBITMQ_AGAIN = [Pace(quiet=0.45, patience=8, api_pause=0.8), Pace(quiet=2, patience=20, api_pause=3),
                  Pace(quiet=6, patience=60, api_pause=8)]
RESTARTS_AT_A_TIME = 64


class Barrier:
    """Restarts a broker when all conversations that still run have asked for it."""

    def __init__(self, restart, count):
        self.restart, self.running, self.waiting, self.round = restart, count, 0, 0
        self.changed = threading.Condition()
        self.failure = None

    def _go(self):
        if self.waiting and self.waiting == self.running:
            try:
                self.restart()
            except Exception as failure:        # the waiting ones must hear of it
                self.failure = failure
            self.waiting = 0
            self.round += 1
            self.changed.notify_all()

    def wait(self):
        with self.changed:
            self.waiting += 1
            mine = self.round
            self._go()
            while self.round == mine:
                self.changed.wait()
        if self.failure:
            raise self.failure

    def leave(self):
        with self.changed:
            self.running -= 1
            self._go()


class Side:
    """One broker, and how the conversations are played on it. kind: "leveretd", "310" or "43"; settings: of a leveretd."""

    def __init__(self, kind, pace, jobs, running=None, settings=None):
        self.settings = {"log.level": "warning", **(settings or {})}
        self.kind, self.pace, self.jobs = kind, pace, jobs
        self.node, self.running = None, running
        self.serial = int(time.time()) % 100000 * 1000 if running else 0
        self.lock = threading.Lock()
        # A leveretd ends with the thread that started it, and conversations' threads end.
        self.keeper = ThreadPoolExecutor(1)

    def start(self):
        self.keeper.submit(self._start).result()

    def _start(self):
        if self.running:
            self.node = NODES[self.kind](self.running, PLUGINS).find()
        elif self.kind in NODES:
            self.node = NODES[self.kind](plugins=PLUGINS).start()
        else:
            # An answer that never comes must not hide behind a time-out of the broker.
            self.node = broker.Leveretd(management=True, settings=self.settings).start()
        self.node.api = self.api
        self.await_api()

    def api(self, method, path, body=None):
        for attempt in range(20):
            try:
                return Api(self.node).call(method, "/api/" + path, body)
            except ConnectionError:
                if not self.node.alive():
                    break
                time.sleep(0.1 * attempt)
        raise AssertionError("the HTTP API does not answer")

    def await_api(self):
        if self.api("GET", "whoami").code != 200:
            raise AssertionError("the HTTP API refuses guest")

    def restart(self):
        self.keeper.submit(self.node.restart).result()
        self.await_api()

    def remove(self):
        if self.node is not None and not self.running:
            self.node.remove()
        self.keeper.shutdown()

    def tag(self):
        with self.lock:
            self.serial += 1
            return f"dfv{self.serial}z"

    def play(self, talk, expected, barrier=None, pace=None):
        """The transcript's blocks, or an exception."""
        player = Player(self.node, self.tag(), pace or self.pace, expected, barrier and barrier.wait)
        try:
            return player.play(talk.statements)
        except Exception as failure:            # a conversation's trouble is its own
            return failure
        finally:
            if barrier:
                barrier.leave()
            else:                               # RabbitMQ is slow with many
                self.forget(player.tag)

    def forget(self, vhost):
        if self.node.alive():
            self.api("DELETE", f"vhosts/{vhost}")

    def play_all(self, talks, expected_of, each):
        """Calls each(talk, blocks or failure) for all, as they end."""
        # These first: RabbitMQ's restart takes the longer the more vhosts there are.
        restarting = [t for t in talks if t.restarts]
        for at in range(0, len(restarting), RESTARTS_AT_A_TIME):
            part = restarting[at:at + RESTARTS_AT_A_TIME]
            barrier = Barrier(self.restart, len(part))
            with ThreadPoolExecutor(len(part)) as pool:
                def other(talk):
                    each(talk, self.play(talk, expected_of(talk), barrier))
                list(pool.map(other, part))
        plain = [t for t in talks if not t.restarts]
        with ThreadPoolExecutor(self.jobs) as pool:
            def one(talk):
                each(talk, self.play(talk, expected_of(talk)))
            list(pool.map(one, plain))
