#!/usr/bin/python3
"""Looking at messages without taking them, one message by its id, and queues that are paused."""
import pika

from client import channel_on, publish
from harness import eventually, main, name, test
from http_api import Api, q


def fill(channel, count, **options):
    """A durable queue with bodies "0", "1" …, all of them taken."""
    queue = channel.queue_declare(name("peek"), durable=True).method.queue
    channel.confirm_delivery()
    for i in range(count):
        channel.basic_publish("", queue, str(i), pika.BasicProperties(delivery_mode=2, headers={"n": i}, **options))
    return queue


def peek(api, queue, **body):
    answer = api.post(f"queues/%2F/{q(queue)}/peek", body)
    assert answer.code == 200, answer
    return answer.json


def bodies(messages):
    return [m["payload"] for m in messages]


@test
def peek_from_each_end(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 30)
        assert bodies(peek(api, queue)) == ["0"]
        assert bodies(peek(api, queue, count=3, offset=10)) == ["10", "11", "12"]
        assert bodies(peek(api, queue, count=2, **{"from": "tail"})) == ["29", "28"]
        there = peek(api, queue, offset=20)[0]
        assert there["position"] == 20 and there["state"] == "ready" and not there["redelivered"], there
        assert there["properties"] == {"delivery_mode": 2, "headers": {"n": 20}}, there
        assert bodies(peek(api, queue, count=2, **{"from": there["id"]})) == ["20", "21"]
        by_query = api.get(f"queues/%2F/{q(queue)}/peek?count=2&offset=5&truncate=1&encoding=base64").json
        assert [m["payload"] for m in by_query] == ["NQ==", "Ng=="], by_query
        assert peek(api, queue, headers_only=True)[0]["payload"] is None


@test
def peek_changes_nothing(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 5)
        for state in ("ready", "unacked", "dying", "waiting", "all"):
            peek(api, queue, count=10, state=state)
        shown = api.get(f"queues/%2F/{q(queue)}").json
        assert shown["messages_ready"] == 5 and shown["messages_unacknowledged"] == 0, shown
        assert shown["message_stats"]["deliver_get"] == 0, shown
        method, _, body = channel.basic_get(queue, auto_ack=True)
        assert body == b"0" and not method.redelivered


@test
def peek_tells_who_has_a_message(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 3)
        got, _, _ = channel.basic_get(queue)
        out, = peek(api, queue, count=10, state="unacked")
        assert out["payload"] == "0" and out["state"] == "unacked", out
        assert out["consumer"]["delivery_tag"] == got.delivery_tag and out["consumer"]["channel"] == channel.channel_number
        assert [m["state"] for m in peek(api, queue, count=10, state="all")] == ["unacked", "ready", "ready"]
        refused = api.delete(f"queues/%2F/{q(queue)}/messages/{out['id']}")
        assert refused.code == 409 and "delivered" in refused.json["reason"], refused
        channel.basic_nack(got.delivery_tag)
        eventually(lambda: peek(api, queue)[0]["redelivered"], what="the message to come back")


@test(own=True, management=True)
def a_deep_backlog_is_read_from_disk(node):
    with channel_on(node) as channel:
        queue = fill(channel, 1600)
    node.restart()
    api = Api(node)
    assert bodies(peek(api, queue, count=3, offset=1400)) == ["1400", "1401", "1402"]
    assert bodies(peek(api, queue, count=1000, offset=700)) == [str(i) for i in range(700, 1600)]
    shown = api.get(f"queues/%2F/{q(queue)}").json
    assert shown["messages_ready"] == 1600 and shown.get("disk_reads", 0) == 0, shown


@test
def one_message_is_shown_and_deleted(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 3)
        path = f"queues/%2F/{q(queue)}/messages/"
        middle = peek(api, queue, offset=1)[0]
        shown = api.get(path + middle["id"]).json
        assert shown["payload"] == "1" and shown["id"] == middle["id"], shown
        assert api.delete(path + middle["id"]).code == 204
        assert api.get(path + middle["id"]).code == 404 and api.delete(path + middle["id"]).code == 404
        assert api.get(path + "nonsense").code == 404
        assert bodies(peek(api, queue, count=10)) == ["0", "2"]


@test
def a_wrong_question_is_refused(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 1)
        for body in ({"count": 1001}, {"count": -1}, {"from": "middle"}, {"state": "gone"}, {"encoding": "x"},
                     {"filter": "a = 1"}, {"offset": "x"}, {"headers_only": 3}):
            answer = api.post(f"queues/%2F/{q(queue)}/peek", body)
            assert answer.code == 400 and answer.json["reason"].startswith(next(iter(body))), answer
        assert api.post("queues/%2F/nope/peek").code == 404
        assert api.post("queues/nope/nope/peek").code in (401, 404)


@test
def payloads_need_the_permission_to_read(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = fill(channel, 1)
    for user, tags in (("peeker", "management"), ("watcher", "monitoring")):
        assert api.put(f"users/{user}", {"password": "p", "tags": tags}).code in (201, 204)
    api.put("permissions/%2F/peeker", {"configure": "", "write": "", "read": ""})
    assert Api(node, "peeker", "p").post(f"queues/%2F/{q(queue)}/peek").code == 401
    seen = Api(node, "watcher", "p").post(f"queues/%2F/{q(queue)}/peek")
    assert seen.code == 200 and seen.json[0]["payload"] is None and seen.json[0]["properties"], seen
    api.put("permissions/%2F/peeker", {"configure": "", "write": "", "read": ".*"})
    assert Api(node, "peeker", "p").post(f"queues/%2F/{q(queue)}/peek").json[0]["payload"] == "0"


@test(own=True, management=True)
def a_queue_is_paused_and_resumed(node):
    api = Api(node)
    with channel_on(node) as channel:
        queue = channel.queue_declare("resting", durable=True).method.queue
        assert api.put("queues/%2F/resting/pause").code == 204
        publish(channel, queue, "one", delivery_mode=2)
        assert channel.basic_get(queue)[0] is None
        shown = api.get("queues/%2F/resting").json
        assert (shown["state"], shown["messages"]) == ("paused", 1), shown
    node.restart()
    api = Api(node)
    assert api.get("queues/%2F/resting").json["state"] == "paused"
    with channel_on(node) as channel:
        got = []
        channel.basic_consume("resting", lambda ch, method, properties, body: got.append(body), auto_ack=True)
        channel.queue_declare("resting", passive=True)
        assert got == []
        assert api.put("queues/%2F/resting/resume").code == 204
        eventually(lambda: channel.connection.process_data_events(0.1) or got == [b"one"], what="the delivery")
    assert api.put("queues/%2F/none/pause").code == 404


if __name__ == "__main__":
    main(management=True)
