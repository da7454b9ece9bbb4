#!/usr/bin/python3
"""Moving messages between queues, and dead letters back to where they came from."""
import pika

from client import channel_on, publish
from harness import eventually, main, name, test
from http_api import Api, q


def fill(channel, count, queue=None, **options):
    """A durable queue with bodies "0", "1" …"""
    queue = queue or channel.queue_declare(name("from"), durable=True).method.queue
    for i in range(count):
        channel.basic_publish("", queue, str(i), pika.BasicProperties(delivery_mode=2, **options))
    channel.queue_declare(queue, passive=True)
    return queue


def declare(channel, stem, **arguments):
    arguments = {"x-" + key.replace("_", "-"): value for key, value in arguments.items()}
    return channel.queue_declare(name(stem), durable=True, arguments=arguments).method.queue


def move(api, queue, to, **more):
    answer = api.post(f"queues/%2F/{q(queue)}/move", {"to": to, **more})
    assert answer.code == 202 and answer.json["kind"] == "move", answer
    return answer.json["id"]


def ended(api, task):
    def look():
        shown = api.get(f"tasks/{task}").json
        return shown if "ended_at" in shown else None
    return eventually(look, 60, "the task to end")


def depth(channel, queue):
    return channel.queue_declare(queue, passive=True).method.message_count


def all_of(channel, queue):
    got = []
    while True:
        method, properties, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            return got
        got.append((body.decode(), properties, method))


def reject_all(channel, queue):
    while True:
        method, _, _ = channel.basic_get(queue)
        if method is None:
            return
        channel.basic_reject(method.delivery_tag, requeue=False)


@test
def all_messages_in_order(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 1500), declare(channel, "to")
        shown = ended(api, move(api, queue, {"queue": to}))
        assert (shown["state"], shown["moved"], shown["skipped"], shown["left"]) == ("done", 1500, 0, 0), shown
        assert shown["bytes"] == sum(len(str(i)) for i in range(1500)), shown
        assert depth(channel, queue) == 0
        got = all_of(channel, to)
        assert [body for body, _, _ in got] == [str(i) for i in range(1500)]
        assert got[0][1].headers == {"x-redriven": 1} and got[0][1].delivery_mode == 2
        assert got[0][2].routing_key == queue


@test
def a_number_of_messages_at_a_rate(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 50), declare(channel, "to")
        shown = ended(api, move(api, queue, {"queue": to}, count=20, rate=1000))
        assert (shown["moved"], shown["count"], shown["rate_limit"]) == (20, 20, 1000), shown
        assert (depth(channel, queue), depth(channel, to)) == (30, 20)


@test
def a_task_is_stopped(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 200), declare(channel, "to")
        task = move(api, queue, {"queue": to}, rate=1)
        again = api.post(f"queues/%2F/{q(queue)}/move", {"to": {"queue": to}})
        assert again.code == 409, again
        assert task in [t["id"] for t in api.get("moves").json]
        assert api.delete(f"moves/{task}").code == 204
        shown = ended(api, task)
        assert shown["state"] == "stopped" and shown["moved"] < 200, shown
        assert depth(channel, queue) + depth(channel, to) == 200
        assert api.delete(f"tasks/{task}").code == 204      # it has ended already
        assert api.get("tasks/123456789").code == 404 and api.get("tasks/x").code == 404


@test
def a_full_target_is_waited_for(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 3), declare(channel, "to", max_length=1, overflow="reject-publish")
        task = move(api, queue, {"queue": to})
        waiting = eventually(lambda: (lambda t: t if t["state"] == "waiting" else None)(api.get(f"tasks/{task}").json),
                             what="the task to wait")
        assert "full" in waiting["waits_for"] and (waiting["moved"], waiting["left"]) == (1, 2), waiting
        for _ in range(3):
            eventually(lambda: channel.basic_get(to, auto_ack=True)[0], 30, "a message in the target")
        assert ended(api, task)["state"] == "done"


@test
def dead_letters_go_back(node):
    api = Api(node)
    with channel_on(node) as channel:
        dead = declare(channel, "dead")
        work = declare(channel, "work", dead_letter_exchange="", dead_letter_routing_key=dead)
        fill(channel, 3, work)
        publish(channel, dead, "stranger", delivery_mode=2)
        reject_all(channel, work)
        eventually(lambda: depth(channel, dead) == 4, what="the dead letters")
        dry = ended(api, move(api, dead, "source", dry_run=True))
        assert (dry["moved"], dry["skipped_because"], dry["dry_run"]) == (3, {"not_a_dead_letter": 1}, True), dry
        assert depth(channel, dead) == 4
        shown = ended(api, move(api, dead, "source"))
        assert (shown["moved"], shown["skipped"], shown["to"]) == (3, 1, "source"), shown
        got = all_of(channel, work)
        assert [body for body, _, _ in got] == ["0", "1", "2"]
        assert got[0][1].headers["x-death"][0]["count"] == 1 and got[0][1].headers["x-redriven"] == 1
        assert all_of(channel, dead)[0][0] == "stranger"


@test
def dead_letters_go_back_to_their_exchange(node):
    api = Api(node)
    with channel_on(node) as channel:
        exchange = name("x")
        channel.exchange_declare(exchange, "topic", durable=True)
        dead = declare(channel, "dead")
        work = declare(channel, "work", dead_letter_exchange="", dead_letter_routing_key=dead)
        channel.queue_bind(work, exchange, "job.#")
        channel.basic_publish(exchange, "job.one", b"m", pika.BasicProperties(expiration="600000", headers={"CC": ["job.two"]}))
        reject_all(channel, work)
        eventually(lambda: depth(channel, dead) == 1, what="the dead letter")
        other = declare(channel, "other")
        channel.queue_bind(other, exchange, "job.two")
        shown = ended(api, move(api, dead, "exchange", restore_expiration=True))
        assert shown["moved"] == 1, shown
        (_, properties, method), = all_of(channel, work)
        assert (method.exchange, method.routing_key, properties.expiration) == (exchange, "job.one", "600000")
        assert properties.headers["CC"] == ["job.two"], properties.headers
        assert len(all_of(channel, other)) == 1
        channel.exchange_delete(exchange)


@test
def one_message_alone(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 3), declare(channel, "to")
        middle = api.post(f"queues/%2F/{q(queue)}/peek", {"offset": 1}).json[0]["id"]
        answer = api.post(f"queues/%2F/{q(queue)}/messages/{middle}/move", {"to": {"exchange": "", "routing_key": to}})
        assert answer.code == 202, answer
        assert ended(api, answer.json["id"])["moved"] == 1
        assert [body for body, _, _ in all_of(channel, to)] == ["1"]


@test
def wrong_orders_are_refused(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 1)
        for body in ({}, {"to": "nowhere"}, {"to": {"queue": queue}}, {"to": {"queue": "gone"}}, {"to": {}},
                     {"to": {"queue": "a", "exchange": "b"}}, {"to": {"exchange": "gone"}}, {"to": {"queue": 3}},
                     {"to": "source", "count": 0}, {"to": "source", "count": "x"}, {"to": "source", "rate": -1},
                     {"to": "source", "filter": "a = 1"}, {"to": "source", "dry_run": "yes"}):
            answer = api.post(f"queues/%2F/{q(queue)}/move", body)
            assert answer.code == 400, (body, answer)
        assert api.post("queues/%2F/gone/move", {"to": "source"}).code == 404
        assert depth(channel, queue) == 1


@test
def permissions_are_asked_for_each_message(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 2), declare(channel, "to")
    api.put("users/mover", {"password": "p", "tags": "management"})
    mover = Api(node, "mover", "p")
    api.put("permissions/%2F/mover", {"configure": "", "write": ".*", "read": ""})
    assert mover.post(f"queues/%2F/{q(queue)}/move", {"to": {"queue": to}}).code == 401
    api.put("permissions/%2F/mover", {"configure": "", "write": "x", "read": ".*"})
    shown = ended(mover, move(mover, queue, {"queue": to}))
    assert (shown["moved"], shown["skipped_because"]) == (0, {"not_allowed": 2}), shown
    api.put("permissions/%2F/mover", {"configure": "", "write": "amq.default", "read": ".*"})
    assert ended(mover, move(mover, queue, {"queue": to}))["moved"] == 2
    api.delete("users/mover")


@test(own=True, management=True)
def a_vhost_that_goes_ends_the_task(node):
    api = Api(node)
    api.put("vhosts/v")
    api.put("permissions/v/guest", {"configure": ".*", "write": ".*", "read": ".*"})
    api.put("queues/v/a", {"durable": True})
    api.put("queues/v/b", {"durable": True})
    for i in range(30):
        api.publish("amq.default", "a", str(i), vhost="v")
    task = api.post("queues/v/a/move", {"to": {"queue": "b"}, "rate": 1}).json["id"]
    assert api.delete("vhosts/v").code == 204
    shown = ended(api, task)
    assert shown["state"] == "failed" and "virtual host" in shown["reason"], shown


@test(own=True, management=True)
def what_was_moved_survives_a_kill(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue, to = fill(channel, 3000, channel.queue_declare("a", durable=True).method.queue), "b"
        channel.queue_declare(to, durable=True)
        task = move(api, queue, {"queue": to})
        eventually(lambda: api.get(f"tasks/{task}").json["moved"], what="the first messages")
    node.kill()
    node.start()
    with channel_on(node) as channel:
        bodies = [int(body) for body, _, _ in all_of(channel, to) + all_of(channel, queue)]
        assert bodies == list(range(3000)), len(bodies)


if __name__ == "__main__":
    main(management=True)
