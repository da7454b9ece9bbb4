/* How the page behaves: it follows the broker, says when it cannot, asks no more than it must, and is
 * used by the keyboard alone. */
import { api, broker, check, closed, equal, judge, logIn, must, publish, test, until } from "./harness.mjs";

test("follows_and_pauses", async ({ page, open }) => {
  await must("PUT", "queues/%2F/watched", { durable: true });
  await open("#/queues/%2F/watched");
  await page.getByLabel("How often the broker is asked").selectOption("1");
  await publish("/", "watched", "x");
  await page.getByText("· 1 message ·").waitFor();
  await page.getByLabel("How often the broker is asked").selectOption("0");
  await page.getByText("paused", { exact: true }).first().waitFor();
  let asked = 0;
  page.on("request", () => asked++);
  await publish("/", "watched", "x");
  await page.waitForTimeout(3000);
  equal(asked, 0, "requests while paused:");
  await page.keyboard.press("r");
  await page.getByText("· 2 messages ·").waitFor();
  await page.reload();
  await page.waitForSelector("nav.pages");
  equal(await page.getByLabel("How often the broker is asked").inputValue(), "0", "it is kept:");
  await page.getByLabel("How often the broker is asked").selectOption("5");
  await must("DELETE", "queues/%2F/watched");
  await page.getByText("There is no such thing (any more).").waitFor();
});

test("one_request_at_a_time", async ({ page, open }) => {
  let now = 0, most = 0;
  page.on("request", () => { most = Math.max(most, ++now); });
  for (const event of ["requestfinished", "requestfailed"]) page.on(event, () => now--);
  await open("#/queues");
  most = now;
  await page.getByLabel("How often the broker is asked").selectOption("1");
  await page.waitForTimeout(3500);
  check(most <= 1, `${most} requests at once`);
});

test("a_hundred_thousand_queues", async ({ page, open }) => {
  await must("PUT", "vhosts/many", {});
  await must("PUT", "permissions/many/guest", { configure: ".*", write: ".*", read: ".*" });
  for (let k = 0; k < 4; k++)
    await must("POST", "definitions/many", { queues: Array.from({ length: 25000 }, (_, n) => ({ name: `many.${k}.${String(n).padStart(5, "0")}`, durable: false, auto_delete: false, arguments: {} })) });
  await open("#/queues?vhost=many");
  await page.getByText("1–50 of 100,000").waitFor();
  equal(await page.locator("table.list tbody tr").count(), 50, "rows of a page:");
  await page.getByLabel("Filter by name").fill("many.2.0001");
  await page.getByText("1–10 of 10 (100,000 without the filter)").waitFor();
  await page.getByLabel("Filter by name").fill("");
  await page.getByText("1–50 of 100,000").waitFor();
  await page.getByRole("button", { name: "Last page" }).click();
  await page.getByRole("link", { name: "many.3.24999" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("many.1.12345");
  await page.getByRole("option", { name: "queue many.1.12345" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Queue many.1.12345" }).waitFor();
  await must("DELETE", "vhosts/many");
});

test("a_hidden_tab_asks_nothing", async ({ page, open }) => {
  await open("#/overview");
  await page.getByLabel("How often the broker is asked").selectOption("1");
  await page.evaluate(() => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.waitForTimeout(1500);
  let asked = 0;
  page.on("request", () => asked++);
  await page.waitForTimeout(2500);
  equal(asked, 0, "requests of a hidden tab:");
  await page.evaluate(() => {
    delete document.hidden;
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await until(async () => asked > 0, "it asks when it is seen again");
});

test("broker_away_and_back", async ({ page, open }) => {
  await must("PUT", "queues/%2F/lasting", { durable: true });
  await open("#/queues/%2F/lasting");
  await page.getByLabel("How often the broker is asked").selectOption("1");
  await broker("stop");
  try {
    await page.getByText(/does not answer; these numbers are .* old/).waitFor();
    check(await page.locator("#app.stale").count(), "old numbers look new");
    await judge(page, "old numbers");
  } finally {
    await broker("start");
  }
  /* Log-ins are in memory: after a restart the user logs in again, and is where he was. */
  await page.waitForSelector(".login");
  await page.getByLabel("User").fill("guest");
  await page.getByLabel("Password").fill("guest");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("heading", { name: "Queue lasting" }).waitFor();
  check(!(await page.locator("#app.stale").count()), "new numbers look old");
  await must("DELETE", "queues/%2F/lasting");
}, { tolerate: /ERR_CONNECTION|Failed to fetch|ERR_EMPTY|net::/ });

test("a_request_that_is_forged", async ({ page }) => {
  const answer = await page.evaluate(async () => (await fetch("api/queues/%2F/forged", { method: "PUT", body: "{}" })).status);
  equal(answer, 401, "a change without the page's field:");
  equal((await api("GET", "queues/%2F/forged")).code, 404);
  check(!(await page.evaluate(() => document.cookie)), "a script can read the cookie");
  check(!(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).includes("guest"), "the password is kept");
});

test("themes", async ({ page, open }) => {
  const back = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await open("#/overview");
  const light = await back();
  await page.getByLabel("Colours").selectOption("dark");
  check((await back()) !== light, "dark is light");
  await page.reload();
  await page.waitForSelector("nav.pages");
  check((await back()) !== light, "the choice is lost");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByLabel("Colours").selectOption("light");
  equal(await back(), light, "light against the system:");
  await page.getByLabel("Colours").selectOption("");
  check((await back()) !== light, "the system's choice");
});

test("keyboard_alone", async ({ page }) => {
  for (const name of ["key.a", "key.b", "key.c"]) await must("PUT", `queues/%2F/${name}`, { durable: true });
  const at = () => page.evaluate(() => document.activeElement.textContent);
  await page.keyboard.press("g");
  await page.keyboard.press("q");
  await page.waitForURL(/#\/queues$/);
  await page.getByRole("link", { name: "key.a" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("key.");
  await page.waitForURL(/name=key/);
  await until(async () => (await page.locator("table.list tbody tr").count()) === 3, "the filter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("j");
  await until(async () => (await at()) === "key.a", "the first row");
  await page.keyboard.press("j");
  await until(async () => (await at()) === "key.b", "the second row");
  await page.keyboard.press("k");
  await until(async () => (await at()) === "key.a", "the first row again");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/queues\/%2F\/key\.a$/);
  await page.goBack();
  await page.waitForURL(/name=key/);
  /* A dialog keeps the focus, and gives it back. */
  await page.getByRole("button", { name: "Declare a queue…" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForSelector("dialog[open]");
  for (let n = 0; n < 30; n++) {
    await page.keyboard.press("Tab");
    check(await page.evaluate(() => document.activeElement === document.body || Boolean(document.activeElement.closest("dialog"))), "the focus left the dialog");
  }
  await page.keyboard.press("Escape");
  await closed(page);
  equal(await at(), "Declare a queue…", "the focus is");
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await judge(page, "the help");
  await page.keyboard.press("Escape");
  await closed(page);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("key.c");
  await page.getByRole("option", { name: "queue key.c" }).waitFor();
  await judge(page, "the palette");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#\/queues\/%2F\/key\.c$/);
  for (const [letter, view] of Object.entries({ o: "overview", e: "exchanges", c: "connections", h: "channels", s: "consumers", d: "dead-letters", p: "policies", v: "vhosts", u: "users", n: "node", l: "log", a: "api" })) {
    await page.keyboard.press("g");
    await page.keyboard.press(letter);
    await page.waitForURL(new RegExp(`#/${view}$`));
    await page.waitForFunction(() => document.querySelector("main")?.dataset.shown === location.hash);
  }
  for (const name of ["key.a", "key.b", "key.c"]) await must("DELETE", `queues/%2F/${name}`);
});

test("focus_is_seen", async ({ page, open }) => {
  await open("#/queues");
  for (let n = 0; n < 12; n++) {
    await page.keyboard.press("Tab");
    const seen = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    check(seen !== "none", `no outline on ${await page.evaluate(() => document.activeElement.outerHTML.slice(0, 120))}`);
  }
});

test("typing_is_not_disturbed", async ({ page, open }) => {
  await must("PUT", "queues/%2F/typed", { durable: true });
  await open("#/exchanges/%2F/amq.topic");
  await page.getByLabel("How often the broker is asked").selectOption("1");
  const field = page.getByRole("textbox", { name: "Routing key" });
  await field.click();
  for (const letter of "orders.eu.new") {
    await page.keyboard.type(letter);
    await page.waitForTimeout(200);
  }
  equal(await field.inputValue(), "orders.eu.new");
  await must("DELETE", "queues/%2F/typed");
});

test("logging_out", async ({ page, open, context }) => {
  await open("#/queues");
  const cookies = await context.cookies();
  check(cookies.length === 1 && cookies[0].httpOnly && cookies[0].sameSite === "Strict", JSON.stringify(cookies));
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForSelector(".login");
  equal((await context.cookies()).length, 0, "cookies left:");
  await logIn(page);
});
