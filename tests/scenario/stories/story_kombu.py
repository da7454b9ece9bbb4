"""The everyday story through kombu; see story.js for the steps."""
import os
import socket
import sys
import time

import amqp
import kombu

PREFIX = os.environ["AMQP_PREFIX"]
DELIVERIES, PATIENCE, QUIET = 10, 60, 2
connection = kombu.Connection(hostname=os.environ["AMQP_HOST"], port=int(os.environ["AMQP_PORT"]), userid="guest",
                              password="guest", transport="pyamqp", transport_options={"confirm_publish": True})


def pump(done, seconds=PATIENCE):
    """Handles what comes until done(); False after that time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        try:
            connection.drain_events(timeout=0.1)
        except socket.timeout:
            pass
    return True


def queue_of(channel, name, **arguments):
    queue = kombu.Queue(name, durable=True, channel=channel,
                        queue_arguments={f"x-{k.replace('_', '-')}": v for k, v in arguments.items()})
    queue.declare()
    return queue


def publish(channel, name, body, headers=None):
    kombu.Producer(channel).publish(body, routing_key=name, headers=headers, delivery_mode=2)


def work():
    channel, got = connection.channel(), []
    queue = queue_of(channel, PREFIX + ".work", queue_type="quorum")
    for i in range(10):
        publish(channel, queue.name, str(i))

    def handle(body, message):
        got.append(body)
        message.ack()
    with kombu.Consumer(channel, [queue], callbacks=[handle], prefetch_count=3):
        assert pump(lambda: len(got) == 10), "the work did not come"
    return " ".join(got)


def error():
    bad, good = connection.channel(), connection.channel()
    try:
        bad.queue_declare(PREFIX + ".missing", passive=True)
    except amqp.NotFound as missing:
        queue_of(good, PREFIX + ".there")
        return str(missing.reply_code)
    return "nothing"


def reject():
    """The only way in which kombu gives back."""
    channel, name, deliveries, end = connection.channel(), PREFIX + ".reject", [], []
    dead = queue_of(channel, name + ".dead")
    queue = queue_of(channel, name, queue_type="quorum", delivery_limit=3, dead_letter_exchange="",
                     dead_letter_routing_key=dead.name)

    def dies(body, message):
        message.ack()
        end.append(f"dead after {len(deliveries)} by {message.headers['x-death'][0]['reason']}, "
                   f"{message.headers.get('x-last-death-reason')}")

    def handle(body, message):
        deliveries.append(1)
        if len(deliveries) < DELIVERIES:
            message.requeue()
        else:
            message.ack()
            end.append("alive")
    with kombu.Consumer(channel, [dead], callbacks=[dies]), kombu.Consumer(channel, [queue], callbacks=[handle]):
        publish(channel, name, "poison")
        assert pump(lambda: end), "no end"
    return end[0]


def retry():
    channel, name, counts = connection.channel(), PREFIX + ".retry", []
    queue = queue_of(channel, name)
    queue_of(channel, name + ".wait", message_ttl=20, dead_letter_exchange="", dead_letter_routing_key=name)

    def handle(body, message):
        counts.append(str(message.headers["x-death"][0]["count"]))
        if len(counts) < 3:
            publish(channel, name + ".wait", body, message.headers)
        message.ack()
    with kombu.Consumer(channel, [queue], callbacks=[handle]):
        publish(channel, name + ".wait", "again")
        assert pump(lambda: len(counts) == 3), "no three attempts"
    return " ".join(counts)


def global_():
    channel, held = connection.channel(), []
    queue = queue_of(channel, PREFIX + ".global")
    for i in range(4):
        publish(channel, queue.name, str(i))
    channel.basic_qos(0, 1, True)
    for tag in "ab":
        queue.consume(tag, callback=held.append)
    assert pump(lambda: held), "no delivery"
    pump(lambda: len(held) > 1, QUIET)
    return str(len(held))


STEPS = {"work": work, "error": error, "reject": reject, "retry": retry, "global": global_}
for step in sys.argv[1:]:
    print(f"{step}: {STEPS[step]()}", flush=True)
connection.release()
