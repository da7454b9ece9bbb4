// Scenarios through amqplib: client_js.js NAME; AMQP_HOST, AMQP_PORT and AMQP_PREFIX say where and with which names.
"use strict";
const amqp = require("amqplib");
const assert = require("assert");

const prefix = process.env.AMQP_PREFIX;
const ca = process.env.AMQP_CA; // the file of an authority; then TLS is spoken
const open = (more) =>
  amqp.connect({ protocol: ca ? "amqps" : "amqp", hostname: process.env.AMQP_HOST, port: Number(process.env.AMQP_PORT), ...more },
               ca ? { ca: [require("fs").readFileSync(ca)] } : {});

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

async function until(condition, what) {
  for (const end = Date.now() + 10000; !condition(); await sleep(10))
    assert(Date.now() < end, `${what} did not come`);
}

async function queue(channel, options) {
  return (await channel.assertQueue("", { exclusive: true, durable: false, ...options })).queue;
}

const scenarios = {
  async basics(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    const got = [];
    for (let i = 0; i < 5; i++) channel.sendToQueue(q, Buffer.from(`message ${i}`), { persistent: true });
    await channel.consume(q, (m) => { got.push(m.content.toString()); channel.ack(m); });
    await until(() => got.length === 5, "five messages");
    assert.deepStrictEqual(got, [0, 1, 2, 3, 4].map((i) => `message ${i}`));
  },

  async exchanges(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    const x = {};
    for (const type of ["direct", "fanout", "topic", "headers"]) {
      x[type] = `${prefix}.${type}`;
      await channel.assertExchange(x[type], type, { durable: false, autoDelete: true });
    }
    await channel.bindQueue(q, x.direct, "key");
    await channel.bindQueue(q, x.fanout, "");
    await channel.bindQueue(q, x.topic, "a.#");
    await channel.bindQueue(q, x.headers, "", { "x-match": "any", a: 1, b: "2" });
    channel.publish(x.direct, "key", Buffer.from("direct"));
    channel.publish(x.fanout, "any", Buffer.from("fanout"));
    channel.publish(x.topic, "b", Buffer.from("wrong"));
    channel.publish(x.topic, "a.b.c", Buffer.from("topic"));
    channel.publish(x.headers, "", Buffer.from("headers"), { headers: { a: 1 } });
    const got = [];
    await channel.consume(q, (m) => got.push(m.content.toString()), { noAck: true });
    await until(() => got.length === 4, "four messages");
    assert.deepStrictEqual(got, ["direct", "fanout", "topic", "headers"]);
  },

  async confirms(connection) {
    const channel = await connection.createConfirmChannel();
    const q = await queue(channel);
    const returned = [];
    channel.on("return", (m) => returned.push(m));
    for (let i = 0; i < 500; i++) channel.sendToQueue(q, Buffer.from("x"), { persistent: true });
    await channel.waitForConfirms();
    channel.publish("", `${prefix}.nowhere`, Buffer.from("lost"), { mandatory: true });
    await channel.waitForConfirms();
    assert.strictEqual(returned.length, 1, "the return must come before the confirm");
    assert.strictEqual(returned[0].fields.replyCode, 312);
    assert.strictEqual((await channel.checkQueue(q)).messageCount, 500);
  },

  async qos(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    await channel.prefetch(2);
    for (let i = 0; i < 5; i++) channel.sendToQueue(q, Buffer.from(String(i)));
    const got = [];
    await channel.consume(q, (m) => got.push(m));
    await until(() => got.length === 2, "two messages");
    await sleep(200);
    assert.strictEqual(got.length, 2);
    channel.nack(got[1], false, true);
    await until(() => got.length === 3, "the third delivery");
    assert.strictEqual(got[2].content.toString(), "1");
    assert(got[2].fields.redelivered);
    channel.ackAll();
    await until(() => got.length === 5, "two more");
  },

  async get(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    assert.strictEqual(await channel.get(q), false);
    channel.sendToQueue(q, Buffer.from("a"));
    channel.sendToQueue(q, Buffer.from("b"));
    const m = await channel.get(q, { noAck: true });
    assert.strictEqual(m.content.toString(), "a");
    assert.strictEqual(m.fields.messageCount, 1);
    assert.strictEqual((await channel.purgeQueue(q)).messageCount, 1);
  },

  async cancel_notify(connection) {
    const channel = await connection.createChannel();
    const other = await connection.createChannel();
    const q = await queue(channel);
    let told = false;
    await channel.consume(q, (m) => { told = m === null; });
    await other.deleteQueue(q);
    await until(() => told, "the notice");
  },

  async headers(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    const headers = {
      yes: true, no: false, int: 5, negative: -70000, big: 2 ** 40, real: 1.5, text: "süß", nothing: null,
      table: { a: { b: 1 } }, array: [1, "two", [3]], bytes: Buffer.from([0, 255]),
      when: { "!": "timestamp", value: 1700000000 }, decimal: { "!": "decimal", value: { digits: 314, places: 2 } },
    };
    const properties = {
      headers, contentType: "a/b", contentEncoding: "utf-8", priority: 3, correlationId: "c", replyTo: "r", expiration: "60000",
      messageId: "m", timestamp: 1700000000, type: "t", userId: "guest", appId: "a", deliveryMode: 2,
    };
    channel.sendToQueue(q, Buffer.alloc(0), properties);
    let m = false;
    for (let i = 0; i < 100 && !m; i++) m = await channel.get(q, { noAck: true });
    assert.deepStrictEqual(m.properties.headers, headers);
    for (const key of Object.keys(properties))
      if (key !== "headers") assert.deepStrictEqual(m.properties[key], properties[key], key);
  },

  async sizes(connection) {
    const channel = await connection.createChannel();
    const q = await queue(channel);
    const got = [];
    await channel.consume(q, (m) => got.push(m.content), { noAck: true });
    // 4096 is what amqplib asked for as its frame size for years.
    for (const size of [0, 1, 4087, 4088, 4089, 131063, 131064, 131065, 10000000, 100000000]) {
      const body = Buffer.alloc(size, "0123456");
      channel.sendToQueue(q, body);
      await until(() => got.length === 1, `a body of ${size}`);
      assert(got.pop().equals(body), `a body of ${size} bytes changed`);
    }
  },

  async small_frames() {
    const connection = await open({ frameMax: 4096 });
    await scenarios.sizes(connection);
    await connection.close();
  },

  async channels(connection) {
    const q = await queue(await connection.createChannel());
    const all = await Promise.all(Array.from({ length: 300 }, () => connection.createChannel()));
    all.forEach((channel) => channel.sendToQueue(q, Buffer.from("x")));
    let count = 0;
    await all[0].consume(q, () => count++, { noAck: true });
    await until(() => count === 300, "300 messages");
    await Promise.all(all.map((channel) => channel.close()));
  },

  async errors(connection) {
    const good = await connection.createChannel();
    const bad = await connection.createChannel();
    let code = 0;
    bad.on("error", (e) => { code = e.code; });
    await assert.rejects(bad.checkQueue(`${prefix}.missing`));
    assert.strictEqual(code, 404);
    const worse = await connection.createChannel();
    worse.on("error", (e) => { code = e.code; });
    worse.publish(`${prefix}.no-exchange`, "", Buffer.from("x"));
    await until(() => code === 404, "the error");
    const q = await queue(good);
    good.sendToQueue(q, Buffer.from("still here"));
    assert((await good.get(q, { noAck: true })) !== false);
    await assert.rejects(open({ password: "wrong" }), /ACCESS_REFUSED|403/);
    await assert.rejects(open({ vhost: "none-such" }), /NOT_ALLOWED|ConnectionClose/);
  },
};

async function main() {
  const scenario = scenarios[process.argv[2]];
  if (!scenario) {
    console.log(Object.keys(scenarios).join("\n"));
    process.exit(2);
  }
  const connection = await open();
  await scenario(connection);
  await connection.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
