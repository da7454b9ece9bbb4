// The everyday story through rascal, by its own ways: vhosts in its configuration, publications, subscriptions and recovery.
"use strict";
const { BrokerAsPromised } = require("rascal");

const host = process.env.AMQP_HOST, port = Number(process.env.AMQP_PORT), prefix = process.env.AMQP_PREFIX;
const DELIVERIES = 10;
const LIMITED = { "x-queue-type": "quorum", "x-delivery-limit": 3, "x-dead-letter-exchange": "",
                  "x-dead-letter-routing-key": `${prefix}.dead` };

const config = {
  vhosts: {
    "/": {
      connection: { hostname: host, port, user: "guest", password: "guest" },
      queues: {
        [`${prefix}.work`]: { options: { arguments: { "x-queue-type": "quorum" } } },
        [`${prefix}.nack`]: { options: { arguments: LIMITED } },
        [`${prefix}.dead`]: {},
        [`${prefix}.again`]: {},
      },
      publications: {
        work: { queue: `${prefix}.work`, confirm: true },
        nack: { queue: `${prefix}.nack`, confirm: true },
        again: { queue: `${prefix}.again`, confirm: true },
        nowhere: { exchange: "", routingKey: `${prefix}.nowhere`, options: { mandatory: true }, confirm: true },
      },
      subscriptions: {
        work: { queue: `${prefix}.work`, prefetch: 3 },
        nack: { queue: `${prefix}.nack` },
        dead: { queue: `${prefix}.dead` },
        again: { queue: `${prefix}.again` },
      },
    },
  },
};

async function publish(broker, name, body) {
  const publication = await broker.publish(name, body);
  return new Promise((done, failed) => {
    publication.on("success", () => done("taken")).on("error", failed).on("return", (m) => done(String(m.fields.replyCode)));
  });
}

// Calls handler(message, content, ackOrNack) until it answers something.
async function consume(broker, name, handler) {
  const subscription = await broker.subscribe(name);
  return new Promise((done, failed) => {
    subscription.on("error", failed).on("message", (message, content, ackOrNack) => {
      const end = handler(message, content, ackOrNack);
      if (end !== undefined) done(end);
    });
  });
}

const steps = {
  async work(broker) {
    const got = [];
    for (let i = 0; i < 10; i++) await publish(broker, "work", String(i));
    return consume(broker, "work", (m, content, ackOrNack) => {
      got.push(content);
      ackOrNack();
      return got.length === 10 ? got.join(" ") : undefined;
    });
  },

  returned: (broker) => publish(broker, "nowhere", "lost"),

  async nack(broker) {
    let deliveries = 0;
    await publish(broker, "nack", "poison");
    return Promise.race([
      consume(broker, "dead", (m, content, ackOrNack) => {
        ackOrNack();
        const headers = m.properties.headers;
        return `dead after ${deliveries} by ${headers["x-death"][0].reason}, ${headers["x-last-death-reason"]}`;
      }),
      consume(broker, "nack", (m, content, ackOrNack) => {
        if (++deliveries < DELIVERIES) return void ackOrNack(new Error("not yet"), { strategy: "nack", requeue: true });
        ackOrNack();
        return "alive";
      }),
    ]);
  },

  // rascal's own way to try again: it publishes the message to the queue anew, and counts in a header of its own.
  async republish(broker) {
    let deliveries = 0;
    await publish(broker, "again", "again");
    return consume(broker, "again", (m, content, ackOrNack) => {
      if (++deliveries < 3) return void ackOrNack(new Error("not yet"), { strategy: "republish", attempts: 5 });
      ackOrNack();
      return String(deliveries);
    });
  },
};

async function main() {
  const broker = await BrokerAsPromised.create(config);
  broker.on("error", console.error);
  for (const name of process.argv.slice(2)) console.log(`${name}: ${await steps[name](broker)}`);
  await broker.shutdown();
}

main().then(() => process.exit(0), (failure) => { console.error(failure); process.exit(1); });
