/* Makes the picture of the page for README: a broker with some work, as its overview shows it. */
import { client, finish, must, openView, logIn, part, publish, newPage } from "./harness.mjs";

const { PICTURE } = process.env;
const QUEUES = [["orders", 120], ["invoices", 40], ["mail", 15], ["thumbnails", 60]];

await must("PUT", "exchanges/%2F/dead.letters", { type: "fanout", durable: true });
await must("PUT", "queues/%2F/dead", { durable: true });
await must("POST", "bindings/%2F/e/dead.letters/q/dead", {});
await must("PUT", "global-parameters/cluster_name", { value: "meadow" });
for (const [name, rate] of QUEUES) {
  await must("PUT", `queues/%2F/${part(name)}`, { durable: true, arguments: { "x-dead-letter-exchange": "dead.letters" } });
  client("-p", "-u", name, "-k", name, "-r", String(rate), "-x", "1", "-y", "1", "-q", "20", "-s", "400", "-f", "persistent");
}
await must("PUT", "queues/%2F/reports", { durable: true });
client("-p", "-u", "reports", "-k", "reports", "-r", "7", "-x", "1", "-y", "0", "-s", "900", "-f", "persistent");
for (let n = 0; n < 30; n++) await publish("/", "dead", "x");
/* The chart shows a minute; samples are taken each five seconds. */
await new Promise((resolve) => setTimeout(resolve, 80000));
const page = await newPage({ width: 1280 });
await logIn(page);
await openView(page, "#/overview?range=1%20min");
await page.waitForTimeout(6000);
await page.screenshot({ path: PICTURE, clip: { x: 0, y: 0, width: 1280, height: 800 } });
await finish();
process.exit(0);
