"""The everyday story through pika's blocking connection; see story.js for the steps."""
import os
import sys
import time

import pika

PREFIX = os.environ["AMQP_PREFIX"]
DELIVERIES, PATIENCE, QUIET = 10, 60, 2
connection = pika.BlockingConnection(pika.ConnectionParameters(os.environ["AMQP_HOST"], int(os.environ["AMQP_PORT"])))


def pump(done, seconds=PATIENCE):
    """Handles what comes until done(); False after that time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        connection.process_data_events(0.1)
    return True


def declare(channel, queue, **arguments):
    channel.queue_declare(queue, durable=True, arguments={f"x-{k.replace('_', '-')}": v for k, v in arguments.items()})


def publish(channel, queue, body, headers=None):
    channel.basic_publish("", queue, body, pika.BasicProperties(delivery_mode=2, headers=headers))


def channel_with_confirms():
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


def work():
    channel, queue, got = channel_with_confirms(), PREFIX + ".work", []
    declare(channel, queue, queue_type="quorum")
    for i in range(10):
        publish(channel, queue, str(i))
    channel.basic_qos(prefetch_count=3)

    def handle(channel, method, properties, body):
        got.append(body.decode())
        channel.basic_ack(method.delivery_tag)
    channel.basic_consume(queue, handle)
    assert pump(lambda: len(got) == 10), "the work did not come"
    return " ".join(got)


def returned():
    channel = channel_with_confirms()
    try:
        channel.basic_publish("", PREFIX + ".nowhere", b"lost", mandatory=True)
    except pika.exceptions.UnroutableError as error:
        return str(error.messages[0].method.reply_code)
    return "nothing"


def error():
    bad, good = connection.channel(), connection.channel()
    try:
        bad.queue_declare(PREFIX + ".missing", passive=True)
    except pika.exceptions.ChannelClosedByBroker as closed:
        declare(good, PREFIX + ".there")
        return str(closed.reply_code)
    return "nothing"


def poison(how):
    channel, queue = channel_with_confirms(), f"{PREFIX}.{how}"
    deliveries, end = [], []
    declare(channel, queue + ".dead")
    declare(channel, queue, queue_type="quorum", delivery_limit=3, dead_letter_exchange="",
            dead_letter_routing_key=queue + ".dead")

    def dead(channel, method, properties, body):
        channel.basic_ack(method.delivery_tag)
        end.append(f"dead after {len(deliveries)} by {properties.headers['x-death'][0]['reason']}, "
                   f"{properties.headers.get('x-last-death-reason')}")

    def handle(channel, method, properties, body):
        deliveries.append(1)
        if len(deliveries) < DELIVERIES:
            getattr(channel, "basic_" + how)(method.delivery_tag, requeue=True)
        else:
            channel.basic_ack(method.delivery_tag)
            end.append("alive")
    channel.basic_consume(queue + ".dead", dead)
    channel.basic_consume(queue, handle)
    publish(channel, queue, "poison")
    assert pump(lambda: end), "no end"
    return end[0]


def retry():
    channel, queue, counts = connection.channel(), PREFIX + ".retry", []
    declare(channel, queue)
    declare(channel, queue + ".wait", message_ttl=20, dead_letter_exchange="", dead_letter_routing_key=queue)

    def handle(channel, method, properties, body):
        counts.append(str(properties.headers["x-death"][0]["count"]))
        if len(counts) < 3:
            publish(channel, queue + ".wait", body, properties.headers)
        channel.basic_ack(method.delivery_tag)
    channel.basic_consume(queue, handle)
    publish(channel, queue + ".wait", "again")
    assert pump(lambda: len(counts) == 3), "no three attempts"
    return " ".join(counts)


def global_():
    channel, queue, held = channel_with_confirms(), PREFIX + ".global", []
    declare(channel, queue)
    for i in range(4):
        publish(channel, queue, str(i))
    channel.basic_qos(prefetch_count=1, global_qos=True)
    for _ in range(2):
        channel.basic_consume(queue, lambda channel, method, properties, body: held.append(body))
    assert pump(lambda: held), "no delivery"
    pump(lambda: len(held) > 1, QUIET)
    return str(len(held))


STEPS = {"work": work, "returned": returned, "error": error, "nack": lambda: poison("nack"),
         "reject": lambda: poison("reject"), "retry": retry, "global": global_}
for name in sys.argv[1:]:
    print(f"{name}: {STEPS[name]()}", flush=True)
connection.close()
