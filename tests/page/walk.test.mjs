/* Every view, at the width of a desk and of a phone, light and dark: it shows its data, fits, and is
 * accessible. With hostile names too. */
import { check, client, judge, must, part, publish, shot, test, until, api } from "./harness.mjs";

export const HOSTILE = '<img src=x onerror="document.title=\'broken\'">\'"&amp;\u202e/\u{1F407}#?%2F';

async function prepare() {
  await must("PUT", "exchanges/%2F/dead.letters", { type: "fanout", durable: true });
  await must("PUT", "queues/%2F/dead", { durable: true });
  await must("POST", "bindings/%2F/e/dead.letters/q/dead", {});
  await must("PUT", "queues/%2F/orders", { durable: true, arguments: { "x-dead-letter-exchange": "dead.letters", "x-max-length": 1000 } });
  await must("POST", "bindings/%2F/e/amq.topic/q/orders", { routing_key: "orders.#" });
  await must("PUT", "policies/%2F/limit", { pattern: "^orders", definition: { "max-length": 500 }, priority: 1, "apply-to": "queues" });
  await must("PUT", "operator-policies/%2F/ceiling", { pattern: "^orders", definition: { "max-length": 400 }, "apply-to": "queues" });
  await must("PUT", "users/ann", { password: "ann", tags: "monitoring" });
  await must("PUT", "permissions/%2F/ann", { configure: "^ann", write: ".*", read: ".*" });
  await must("PUT", "topic-permissions/%2F/ann", { exchange: "amq.topic", write: "^orders", read: ".*" });
  for (let n = 0; n < 3; n++) await publish("/", "orders", `{"order": ${n}}`, { headers: { source: "web" } });
  client("-x", "1", "-y", "1", "-r", "20", "-u", "work", "-q", "10");
  await until(async () => (await api("GET", "consumers")).json.length > 0, "a consumer");
}

export const VIEWS = ["overview", "overview?range=24%20h", "queues", "queues?name=o&is=filled", "queues/%2F/orders", "queues/%2F/orders?tab=messages", "queues/%2F/orders?tab=consumers",
  "queues/%2F/orders?tab=bindings", "queues/%2F/orders?tab=settings", "queues/%2F/work?tab=consumers", "exchanges", "exchanges/%2F/amq.topic", "exchanges/%2F/amq.topic?tab=tail", "exchanges/%2F/-",
  "connections", "channels", "consumers", "dead-letters", "policies", "policies?operator=1", "policies/%2F/limit", "policies/%2F/ceiling?operator=1", "vhosts", "vhosts/%2F", "users", "users/ann",
  "node", "node?tab=settings", "node?tab=flags", "node?tab=logins", "log", "api"];

const BROKEN = /\bNaN\b|\bundefined\b|\[object|\bnull\b|Infinity/;

/* Looks at all the views, and tells what is wrong with any of them. */
async function lookAt(page, open, paths, width, name, more = async () => {}) {
  const wrong = [];
  for (const path of paths)
    await look(page, open, path, width, name).then(() => more(path)).catch((error) => wrong.push(error.message));
  check(wrong.length === 0, wrong.join("\n"));
}

async function look(page, open, path, width, name) {
  await open("#/" + path);
  const text = await page.locator("main").innerText();
  const problems = (await page.locator("main .problem").allInnerTexts()).filter(Boolean);
  check(problems.length === 0, `${path}: ${problems.join(", ")}`);
  check(!BROKEN.test(text), `${path} shows ${BROKEN.exec(text)?.[0]}: ${text.slice(Math.max(0, text.search(BROKEN) - 200), text.search(BROKEN) + 40)}`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(wide <= width, `${path} is ${wide} wide`);
  await judge(page, `${path} (${name})`);
  await shot(page, `${name}-${path.replace(/[^\w]+/g, "_")}`);
}

for (const [width, scheme] of [[1280, "light"], [1280, "dark"], [360, "light"], [360, "dark"]])
  test(`walk_${width}_${scheme}`, async ({ page, open }) => {
    await prepare();
    const titles = new Set();
    const one = async (list) => `${list}/${part((await must("GET", list))[0].name)}`;
    await lookAt(page, open, [...VIEWS, await one("connections"), await one("channels")], width, `${scheme}-${width}`, async () => titles.add(await page.title()));
    check(titles.size > 15, `titles: ${[...titles].join(", ")}`);
  }, { width, scheme });

test("walk_zoomed", async ({ page, open }) => {
  /* A window of 1280 at 200 % shows what one of 640 does. */
  await page.setViewportSize({ width: 640, height: 450 });
  await lookAt(page, open, ["overview", "queues", "queues/%2F/orders", "node"], 640, "zoomed");
});

test("log_in_form", async ({ page }) => {
  await page.goto(process.env.PAGE);
  await page.waitForSelector(".login");
  await judge(page, "log-in");
  await page.getByLabel("User").fill("guest");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("Login failed").waitFor();
  check((await page.getByLabel("Password").inputValue()) === "", "the password stays in its field");
  await judge(page, "a log-in that failed");
}, { user: null });

test("hostile_names", async ({ page, open }) => {
  const name = HOSTILE, at = part(name);
  await must("PUT", `vhosts/${at}`, { description: name, tags: name });
  await must("PUT", `permissions/${at}/guest`, { configure: ".*", write: ".*", read: ".*" });
  await must("PUT", `users/${at}`, { password: "x", tags: "management" });
  await must("PUT", `permissions/${at}/${at}`, { configure: "<b>.*", write: ".*", read: ".*" });
  await must("PUT", `queues/${at}/${at}`, { durable: true, arguments: { "x-dead-letter-exchange": name, "x-note": name } });
  await must("PUT", `exchanges/${at}/${at}`, { type: "topic", durable: true, arguments: { note: name } });
  await must("POST", `bindings/${at}/e/${at}/q/${at}`, { routing_key: name, arguments: { note: name } });
  await must("PUT", `policies/${at}/${at}`, { pattern: "<img", definition: { "dead-letter-routing-key": name }, priority: 0, "apply-to": "all" });
  await publish(name, name, `<script>document.title="broken"</script>${name}`, { headers: { [name]: name }, message_id: name, type: name });
  const views = ["queues", `queues/${at}/${at}`, `queues/${at}/${at}?tab=messages`, `queues/${at}/${at}?tab=bindings`, `queues/${at}/${at}?tab=settings`, "exchanges", `exchanges/${at}/${at}`,
    "policies", `policies/${at}/${at}`, "vhosts", `vhosts/${at}`, "users", `users/${at}`, "dead-letters"];
  await lookAt(page, open, views, 1280, "hostile", async (path) => {
    check((await page.locator("main img, main script, main b.note, main iframe").count()) === 0, `${path}: a name became an element`);
    check(!(await page.title()).startsWith("broken"), `${path}: a name ran`);
    if (!/tab=settings|users$/.test(path)) check((await page.locator("main").innerText()).includes("onerror="), `${path} does not show the name as it is`);
  });
  await open(`#/queues/${at}/${at}?tab=messages`);
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByText("<script>document.title").first().waitFor();
  check((await page.locator("main script").count()) === 0, "a body became an element");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByRole("combobox").fill("<img");
  await page.getByRole("option", { name: /onerror/ }).first().waitFor();
  check((await page.locator("dialog img").count()) === 0, "a name in the palette became an element");
  await must("DELETE", `vhosts/${at}`);
  await must("DELETE", `users/${at}`);
});
