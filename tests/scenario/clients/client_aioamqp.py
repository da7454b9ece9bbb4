"""aioamqp, which splits bodies into payloads of frame_max bytes and forgets the overhead of a frame, as amqpstorm and others do."""
import asyncio
import os
import sys

import aioamqp

NAME = os.environ["AMQP_PREFIX"]
FRAME_MAX = 131072
SIZES = (0, 1, FRAME_MAX - 9, FRAME_MAX - 8, FRAME_MAX - 7, FRAME_MAX - 1, FRAME_MAX, FRAME_MAX + 1, 2 * FRAME_MAX, 1 << 20)


async def open_channel():
    transport, protocol = await aioamqp.connect(host=os.environ["AMQP_HOST"], port=int(os.environ["AMQP_PORT"]))
    return transport, protocol, await protocol.channel()


async def close(transport, protocol):
    await protocol.close()
    transport.close()


async def received(channel, queue, count, **options):
    """The bodies of the next messages, acknowledged."""
    came = asyncio.Queue()

    async def take(channel, body, envelope, properties):
        await came.put(body)
        await channel.basic_client_ack(envelope.delivery_tag)

    await channel.basic_consume(take, queue_name=queue, **options)
    return [await asyncio.wait_for(came.get(), 60) for _ in range(count)]


def body_of(size):
    return bytes(i * 31 % 251 for i in range(min(size, 997))) * (size // 997 + 1)


async def sizes():
    transport, protocol, channel = await open_channel()
    await channel.queue_declare(NAME, exclusive=True)
    for size in SIZES:
        await channel.basic_publish(body_of(size)[:size], exchange_name="", routing_key=NAME)
    bodies = await received(channel, NAME, len(SIZES))
    assert [len(body) for body in bodies] == list(SIZES), [len(body) for body in bodies]
    assert all(body == body_of(size)[:size] for body, size in zip(bodies, SIZES))
    await close(transport, protocol)


async def confirms():
    transport, protocol, channel = await open_channel()
    await channel.confirm_select()
    await channel.queue_declare(NAME, exclusive=True)
    for size in SIZES:
        await asyncio.wait_for(channel.publish(body_of(size)[:size], exchange_name="", routing_key=NAME), 60)
    declared = await channel.queue_declare(NAME, passive=True)
    assert declared["message_count"] == len(SIZES), declared
    await close(transport, protocol)


async def qos():
    transport, protocol, channel = await open_channel()
    await channel.queue_declare(NAME, exclusive=True)
    await channel.basic_qos(prefetch_count=1, prefetch_size=0, connection_global=False)
    for i in range(10):
        await channel.basic_publish(str(i).encode(), exchange_name="", routing_key=NAME)
    assert await received(channel, NAME, 10) == [str(i).encode() for i in range(10)]
    await close(transport, protocol)


SCENARIOS = {f.__name__: f for f in (sizes, confirms, qos)}
if len(sys.argv) != 2 or sys.argv[1] not in SCENARIOS:
    print("\n".join(SCENARIOS))
    sys.exit(2)
asyncio.get_event_loop_policy().new_event_loop().run_until_complete(SCENARIOS[sys.argv[1]]())
