// An everyday story through a JavaScript client: story.js LIBRARY; AMQP_HOST, AMQP_PORT and AMQP_PREFIX say where and with which
// names. Prints "STEP: what came out" a line; test_stories.py knows what should.
"use strict";

const host = process.env.AMQP_HOST, port = Number(process.env.AMQP_PORT), prefix = process.env.AMQP_PREFIX;
const url = `amqp://guest:guest@${host}:${port}/%2f`;
const DELIVERIES = 10;
const PATIENCE = 60000;
const QUIET = 2000;

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(condition, what, ms = PATIENCE) {
  for (const end = Date.now() + ms; !condition(); await sleep(10))
    if (Date.now() > end) throw new Error(`${what} did not come`);
}

// Each library as an object: open() answers { channel(), close() }, a channel
// { declare, publish (confirmed), qos, consume, passive }, and consume's handler gets { body, headers, ack, nack, reject }.
const libraries = {
  async amqplib() {
    const connection = await require("amqplib").connect(url);
    return {
      close: () => connection.close(),
      async channel() {
        const channel = await connection.createConfirmChannel();
        channel.on("error", () => {});
        const returned = [];
        channel.on("return", (m) => returned.push(m.fields.replyCode));
        return {
          returned,
          declare: (queue, args) => channel.assertQueue(queue, { durable: true, arguments: args }),
          passive: (queue) => channel.checkQueue(queue).catch((e) => e.code),
          async publish(key, body, headers, mandatory) {
            channel.publish("", key, Buffer.from(body), { headers, persistent: true, mandatory });
            await channel.waitForConfirms();
          },
          qos: (count, global) => channel.prefetch(count, global),
          consume: (queue, handler) => channel.consume(queue, (m) => m && handler({
            body: m.content.toString(), headers: m.properties.headers || {}, ack: () => channel.ack(m),
            nack: () => channel.nack(m, false, true), reject: () => channel.reject(m, true) })),
        };
      },
    };
  },

  async cloudamqp() {
    const { AMQPClient } = require("@cloudamqp/amqp-client");
    const connection = await new AMQPClient(url).connect();
    return {
      close: () => connection.close(),
      async channel() {
        const channel = await connection.channel();
        await channel.confirmSelect();
        const returned = [];
        channel.onReturn = (m) => returned.push(m.replyCode);
        return {
          returned,
          declare: (queue, args) => channel.queueDeclare(queue, { durable: true }, args),
          passive: (queue) => channel.queueDeclare(queue, { passive: true }).catch((e) => /\b404\b/.test(e.message) ? 404 : e),
          publish: (key, body, headers, mandatory) => channel.basicPublish("", key, body, { headers, deliveryMode: 2 }, mandatory),
          qos: (count, global) => channel.basicQos(count, 0, global),
          consume: (queue, handler) => channel.basicConsume(queue, { noAck: false }, (m) => handler({
            body: m.bodyString(), headers: m.properties.headers || {}, ack: () => m.ack(), nack: () => m.nack(true),
            reject: () => m.reject(true) })),
        };
      },
    };
  },

  async "rabbitmq-client"() {
    const { Connection } = require("rabbitmq-client");
    const connection = new Connection(url);
    connection.on("error", () => {});
    await connection.onConnect(PATIENCE);
    return {
      // Its close() waits for channels that hold deliveries.
      close: () => connection.unsafeDestroy(),
      async channel() {
        const channel = await connection.acquire();
        await channel.confirmSelect();
        channel.on("error", () => {});
        const returned = [];
        channel.on("basic.return", (m) => returned.push(m.replyCode));
        return {
          returned,
          declare: (queue, args) => channel.queueDeclare({ queue, durable: true, arguments: args }),
          passive: (queue) => channel.queueDeclare({ queue, passive: true }).catch((e) => e.code === "NOT_FOUND" ? 404 : e.code),
          publish: (key, body, headers, mandatory) =>
            channel.basicPublish({ routingKey: key, headers, durable: true, mandatory }, body),
          qos: (count, global) => channel.basicQos({ prefetchCount: count, global }),
          consume: (queue, handler) => channel.basicConsume({ queue }, (m) => handler({
            body: m.body.toString(), headers: m.headers || {}, ack: () => channel.basicAck({ deliveryTag: m.deliveryTag }),
            nack: () => channel.basicNack({ deliveryTag: m.deliveryTag, requeue: true }) })),
        };
      },
    };
  },
};

async function work(open) {
  const channel = await open.channel(), q = `${prefix}.work`, got = [];
  await channel.declare(q, { "x-queue-type": "quorum" });
  for (let i = 0; i < 10; i++) await channel.publish(q, String(i));
  await channel.qos(3, false);
  await channel.consume(q, (m) => { got.push(m.body); m.ack(); });
  await until(() => got.length === 10, "the work");
  return got.join(" ");
}

async function returned(open) {
  const channel = await open.channel();
  await channel.publish(`${prefix}.nowhere`, "lost", {}, true);
  await until(() => channel.returned.length, "the return");
  return channel.returned.join(" ");
}

async function error(open) {
  const bad = await open.channel(), good = await open.channel();
  const code = await bad.passive(`${prefix}.missing`);
  await good.declare(`${prefix}.there`, {});
  return `${code}`;
}

// A message that a consumer always gives back: by which delivery is it dead?
async function poison(open, how) {
  const channel = await open.channel(), q = `${prefix}.${how}`;
  let deliveries = 0, end = "";
  await channel.declare(`${q}.dead`, {});
  await channel.declare(q, { "x-queue-type": "quorum", "x-delivery-limit": 3, "x-dead-letter-exchange": "",
                             "x-dead-letter-routing-key": `${q}.dead` });
  await channel.consume(`${q}.dead`, (m) => {
    m.ack();
    end = `dead after ${deliveries} by ${m.headers["x-death"][0].reason}, ${m.headers["x-last-death-reason"]}`;
  });
  await channel.consume(q, (m) => {
    if (++deliveries < DELIVERIES) return m[how]();
    m.ack();
    end = "alive";
  });
  await channel.publish(q, "poison");
  await until(() => end, "an end");
  return end;
}

// A retry that publishes what it got, headers and all, to a queue that gives it back by its time to live.
async function retry(open) {
  const channel = await open.channel(), q = `${prefix}.retry`, counts = [];
  await channel.declare(q, {});
  await channel.declare(`${q}.wait`, { "x-message-ttl": 20, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": q });
  await channel.consume(q, (m) => {
    counts.push(Number(m.headers["x-death"][0].count));
    if (counts.length < 3) channel.publish(`${q}.wait`, m.body, m.headers);
    m.ack();
  });
  await channel.publish(`${q}.wait`, "again");
  await until(() => counts.length === 3, "three attempts");
  return counts.join(" ");
}

// Two consumers on a channel that may have one delivery together.
async function global(open) {
  const channel = await open.channel(), q = `${prefix}.global`;
  let held = 0;
  await channel.declare(q, {});
  for (let i = 0; i < 4; i++) await channel.publish(q, String(i));
  await channel.qos(1, true);
  await channel.consume(q, () => held++);
  await channel.consume(q, () => held++);
  await until(() => held, "a delivery");
  for (const end = Date.now() + QUIET; held < 2 && Date.now() < end;) await sleep(20);
  return String(held);
}

async function main() {
  const open = await libraries[process.argv[2]]();
  const steps = { work, returned, error, nack: (o) => poison(o, "nack"), reject: (o) => poison(o, "reject"), retry, global };
  for (const name of process.argv.slice(3)) console.log(`${name}: ${await steps[name](open)}`);
  await open.close();
}

main().then(() => process.exit(0), (failure) => { console.error(failure); process.exit(1); });
