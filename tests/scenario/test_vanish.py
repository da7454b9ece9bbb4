#!/usr/bin/python3
"""Many short connections that do what comes to their minds, wait for nothing and vanish at any moment, while an operator
deletes vhosts, closes connections and lists everything. Nothing is compared but that the broker lives, serves, and has
forgotten them all in the end; sanitizers see the rest."""
import os
import random
import select
import socket
import struct
import sys
import threading
import time

from harness import main, test

try:
    from pika import BasicProperties, frame, spec
except ImportError:
    print("SKIP vanish: python3-pika is not installed")
    sys.exit(0)

from client import Raw
from http_api import Api, q

SECONDS = 8
CLIENTS = 12
VHOSTS = ["/", "v0", "v1", "v2", "v3"]
QUEUES = ["q0", "q1", "q2", "auto", "durable", ""]
CHANNEL_CLOSE = struct.pack(">HH", 20, 40)


def encoded(number, method):
    return frame.Method(number, method).marshal()


def publish(r, number):
    body = b"a" * r.choice([0, 10, 1000, 5000, 70000, 300000])
    properties = BasicProperties(delivery_mode=r.choice([1, 2]), headers=r.choice([None, {"CC": ["q1", "durable"]}]),
                                 reply_to=r.choice([None, None, "amq.rabbitmq.reply-to"]))
    out = encoded(number, spec.Basic.Publish(exchange=r.choice(["", "amq.fanout", "amq.direct"]),
                                             routing_key=r.choice(["q0", "q1", "durable", "auto", "nowhere"]),
                                             mandatory=r.random() < .5))
    out += frame.Header(number, len(body), properties).marshal()
    for at in range(0, len(body), 131064):
        out += frame.Body(number, body[at:at + 131064]).marshal()
    return out


def anything(r, number):
    queue, tag, some = r.choice(QUEUES), f"t{r.randrange(5)}", r.random() < .3
    basic, kind = spec.Basic, r.randrange(13)
    if kind < 3:
        return publish(r, number)
    if kind == 12:
        return encoded(number, spec.Channel.Close(200, "", 0, 0)) + encoded(number, spec.Channel.Open())
    return encoded(number, r.choice({
        3: [spec.Queue.Declare(queue=queue, exclusive=some or not queue, auto_delete=queue == "auto",
                               durable=queue == "durable", nowait=r.random() < .3)],
        4: [spec.Queue.Bind(queue=queue, exchange="amq.fanout", routing_key=""),
            spec.Queue.Bind(queue=queue, exchange="amq.direct", routing_key="q0", nowait=some)],
        5: [basic.Consume(queue=queue, consumer_tag=r.choice(["", tag]), no_ack=r.random() < .5, nowait=some)],
        6: [basic.Consume(queue="amq.rabbitmq.reply-to", no_ack=True), basic.Cancel(tag, nowait=some)],
        7: [basic.Get(queue=queue, no_ack=some)],
        8: [basic.Ack(0, multiple=True), basic.Nack(0, multiple=True, requeue=True),
            basic.Reject(r.randrange(1, 4), requeue=some), basic.Recover(requeue=True)],
        9: [basic.Qos(prefetch_count=r.randrange(5), global_qos=some), spec.Channel.Flow(r.random() < .7)],
        10: [spec.Confirm.Select(nowait=some), spec.Confirm.Select(), spec.Tx.Select(), spec.Tx.Commit()],
        11: [spec.Queue.Purge(queue=queue, nowait=some), spec.Queue.Delete(queue=queue, nowait=some)],
    }[kind]))


def exchange_bytes(r, link, out, seconds):
    """Writes, and reads if it feels like it; answers channel.close now and then. False: the broker closed."""
    reads, end = r.random() < .8, time.monotonic() + seconds
    link.setblocking(False)
    while time.monotonic() < end:
        readable, writable, _ = select.select([link] if reads else [], [link] if out else [], [], .02)
        if readable:
            data = link.recv(65536)
            if not data:
                return False
            at = data.find(CHANNEL_CLOSE)
            if at >= 7 and r.random() < .7:
                number = struct.unpack_from(">H", data, at - 6)[0]
                out += encoded(number, spec.Channel.CloseOk()) + encoded(number, spec.Channel.Open())
        if writable:
            out = out[link.send(out[:65536]):]
    return True


def leave(r, link):
    link.settimeout(60)
    way = r.randrange(5)
    if way == 0:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif way < 3:
        link.sendall(encoded(0, spec.Connection.Close(200, "", 0, 0)))
        while way == 1 and link.recv(65536):
            pass
    elif way == 3:
        link.shutdown(socket.SHUT_WR)


def live(r, node):
    with socket.create_connection((node.host, node.port), 10) as link:
        numbers = range(1, 1 + r.choice([1, 1, 2, 4]))
        out = b"AMQP\x00\x00\x09\x01"
        out += encoded(0, spec.Connection.StartOk({}, "PLAIN", "\0guest\0guest", "en_US"))
        out += encoded(0, spec.Connection.TuneOk(2047, 131072, r.choice([0, 1, 10])))
        out += encoded(0, spec.Connection.Open(r.choice(VHOSTS)))
        out += b"".join(encoded(n, spec.Channel.Open()) for n in numbers)
        for _ in range(r.randrange(1, 4)):
            out += b"".join(anything(r, r.choice(numbers)) for _ in range(r.randrange(1, 25)))
            if r.random() < .1:
                out = out[:r.randrange(len(out))]
            if not exchange_bytes(r, link, out, r.choice([.02, .1, .3])):
                return
            out = b""
        leave(r, link)


def client(seed, node, end):
    r = random.Random(seed)
    while time.monotonic() < end:
        try:
            live(r, node)
        except OSError:
            pass  # the broker was faster


def operator(seed, node, end, failures):
    r, api = random.Random(seed), Api(node)
    while time.monotonic() < end:
        if r.random() < .3:
            vhost = r.choice(VHOSTS[1:])
            answers = [api.delete(f"vhosts/{vhost}"), api.put(f"vhosts/{vhost}", {})]
        elif r.random() < .5:
            names = [c["name"] for c in api.get("connections").json]
            answers = [api.delete(f"connections/{q(n)}") for n in r.sample(names, min(3, len(names)))]
            answers = [a for a in answers if a.code != 404]  # gone by itself
        else:
            answers = [api.get(kind) for kind in ("queues", "channels", "consumers", "bindings", "overview")]
        failures += [a for a in answers if a.code >= 300]
        time.sleep(.05)


@test(own=True, seconds=120, management=True, leveret_only="it is no judge of lifetimes")
def clients_that_vanish(node):
    seed = int(os.environ.get("LEVERET_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}: LEVERET_SEED={seed} for the same again", file=sys.stderr)
    api, failures, end = Api(node), [], time.monotonic() + SECONDS
    for vhost in VHOSTS[1:]:
        assert api.put(f"vhosts/{vhost}", {}).code == 201
    threads = [threading.Thread(target=client, args=(seed + n, node, end)) for n in range(CLIENTS)]
    threads.append(threading.Thread(target=operator, args=(seed - 1, node, end, failures)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    for vhost in VHOSTS:
        with Raw(node, vhost=vhost) as link:
            link.channel()
            link.call(1, spec.Queue.Declare(queue="alive", exclusive=True), spec.Queue.DeclareOk)
            link.publish(1, "", "alive", b"hello")
            link.call(1, spec.Basic.Get(queue="alive", no_ack=True), spec.Basic.GetOk)
    end = time.monotonic() + 20
    while any(api.get(kind).json for kind in ("connections", "channels", "consumers")):
        assert time.monotonic() < end, "connections are left: " + api.get("connections").text[:500]
        time.sleep(.1)
    assert node.stop() == 0


if __name__ == "__main__":
    main()
