"""The everyday story through aio-pika; see story.js for the steps."""
import asyncio
import os
import sys

import aio_pika

PREFIX = os.environ["AMQP_PREFIX"]
DELIVERIES, PATIENCE, QUIET = 10, 60, 2


async def until(condition, seconds=PATIENCE):
    """Waits for it; False after that time."""
    for _ in range(int(seconds * 50)):
        if condition():
            return True
        await asyncio.sleep(0.02)
    return False


async def declare(channel, queue, **arguments):
    return await channel.declare_queue(queue, durable=True,
                                       arguments={f"x-{k.replace('_', '-')}": v for k, v in arguments.items()})


async def publish(channel, queue, body, headers=None):
    message = aio_pika.Message(body.encode(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT, headers=headers)
    await channel.default_exchange.publish(message, queue)


async def work(connection):
    channel, got = await connection.channel(), []
    queue = await declare(channel, PREFIX + ".work", queue_type="quorum")
    for i in range(10):
        await publish(channel, queue.name, str(i))
    await channel.set_qos(3)

    async def handle(message):
        async with message.process():
            got.append(message.body.decode())
    await queue.consume(handle)
    assert await until(lambda: len(got) == 10), "the work did not come"
    return " ".join(got)


async def returned(connection):
    channel = await connection.channel(on_return_raises=True)
    try:
        await channel.default_exchange.publish(aio_pika.Message(b"lost"), PREFIX + ".nowhere", mandatory=True)
    except aio_pika.exceptions.DeliveryError as error:
        return str(error.message.delivery.reply_code)
    return "nothing"


async def error(connection):
    bad, good = await connection.channel(), await connection.channel()
    try:
        await bad.declare_queue(PREFIX + ".missing", passive=True)
    except aio_pika.exceptions.ChannelNotFoundEntity:
        await declare(good, PREFIX + ".there")
        return "404"
    return "nothing"


async def poison(connection, how):
    channel, name, deliveries, end = await connection.channel(), f"{PREFIX}.{how}", [], []
    dead = await declare(channel, name + ".dead")
    queue = await declare(channel, name, queue_type="quorum", delivery_limit=3, dead_letter_exchange="",
                          dead_letter_routing_key=dead.name)

    async def dies(message):
        await message.ack()
        end.append(f"dead after {len(deliveries)} by {message.headers['x-death'][0]['reason']}, "
                   f"{message.headers.get('x-last-death-reason')}")

    async def handle(message):
        deliveries.append(1)
        if len(deliveries) < DELIVERIES:
            await getattr(message, how)(requeue=True)
        else:
            await message.ack()
            end.append("alive")
    await dead.consume(dies)
    await queue.consume(handle)
    await publish(channel, name, "poison")
    assert await until(lambda: end), "no end"
    return end[0]


async def retry(connection):
    channel, name, counts = await connection.channel(), PREFIX + ".retry", []
    queue = await declare(channel, name)
    await declare(channel, name + ".wait", message_ttl=20, dead_letter_exchange="", dead_letter_routing_key=name)

    async def handle(message):
        counts.append(str(message.headers["x-death"][0]["count"]))
        if len(counts) < 3:
            await publish(channel, name + ".wait", message.body.decode(), message.headers)
        await message.ack()
    await queue.consume(handle)
    await publish(channel, name + ".wait", "again")
    assert await until(lambda: len(counts) == 3), "no three attempts"
    return " ".join(counts)


async def global_(connection):
    channel, held = await connection.channel(), []
    queue = await declare(channel, PREFIX + ".global")
    for i in range(4):
        await publish(channel, queue.name, str(i))
    await channel.set_qos(1, global_=True)

    async def handle(message):
        held.append(message)
    await queue.consume(handle)
    await queue.consume(handle)
    assert await until(lambda: held), "no delivery"
    await until(lambda: len(held) > 1, QUIET)
    return str(len(held))


STEPS = {"work": work, "returned": returned, "error": error, "nack": lambda c: poison(c, "nack"),
         "reject": lambda c: poison(c, "reject"), "retry": retry, "global": global_}


async def main():
    connection = await aio_pika.connect(host=os.environ["AMQP_HOST"], port=int(os.environ["AMQP_PORT"]))
    for name in sys.argv[1:]:
        print(f"{name}: {await STEPS[name](connection)}", flush=True)
    await connection.close()


asyncio.run(main())
