/* What the tests share: a browser, a logged-in page that must not complain, and the API for
 * preparing and judging. A test gets {page, open(path), api} and throws when something is wrong.
 *
 * After each test the page must have raised no error, no violation of its policy, and no request to
 * another host. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { PAGE, BROWSER, MODULES, PERF, AMQP, SHOTS } = process.env;
const { chromium } = await import(`${MODULES}/playwright-core/index.mjs`);
const axeSource = readFileSync(`${MODULES}/axe-core/axe.min.js`, "utf8");
const browser = await chromium.launch({ executablePath: BROWSER, args: ["--no-sandbox"] });

const tests = [];
/* options: {user, password, width, scheme, tolerate: a pattern of complaints that are expected} */
export const test = (name, body, options = {}) => tests.push({ name, body, options });

export function check(is, text) {
  if (!is) throw new Error(text);
}
/* JSON with sorted keys. */
const plain = (value) => JSON.stringify(value, (_, v) => (v && typeof v === "object" && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v));
export const equal = (have, want, text = "") => check(plain(have) === plain(want), `${text} ${plain(have)} is not ${plain(want)}`);

/* ---- The API, as guest. */

export async function api(method, path, body, user = "guest:guest") {
  const answer = await fetch(`${PAGE}api/${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body),
    headers: { Authorization: "Basic " + btoa(user), "Content-Type": "application/json" } });
  const text = await answer.text();
  return { code: answer.status, json: text && answer.headers.get("content-type")?.includes("json") ? JSON.parse(text) : null };
}
export const must = async (...call) => {
  const answer = await api(...call);
  check(answer.code < 300, `${call.slice(0, 2).join(" ")}: ${answer.code} ${JSON.stringify(answer.json)}`);
  return answer.json;
};
export const gone = async (path) => equal((await api("GET", path)).code, 404, path);
export const part = encodeURIComponent;
export const publish = (vhost, key, payload, properties = {}, exchange = "amq.default") =>
  must("POST", `exchanges/${part(vhost)}/${part(exchange)}/publish`, { properties, routing_key: key, payload, payload_encoding: "string" });

/* Waits until look() answers true. */
export async function until(look, what) {
  for (let n = 0; n < 600; n++) {
    if (await look().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

/* A client of the broker that runs until it is killed: arguments of leveret-perf. */
export function client(...args) {
  const child = spawn(PERF, ["-h", AMQP, "-z", "3600", ...args], { stdio: "ignore" });
  clients.add(child);
  return child;
}
const clients = new Set();

/* ---- The broker that goes away and comes back. */

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
export async function broker(what) {
  console.log(`BROKER ${what}`);
  await lines.next();
}

/* ---- Pages. */

export async function logIn(page, user = "guest", password = user) {
  await page.goto(PAGE);
  await page.getByLabel("User").fill(user);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForSelector("nav.pages");
}

/* Opens a view and waits until its data are there. */
export async function openView(page, path) {
  await page.goto(PAGE + path);
  await page.waitForFunction(() => document.querySelector("main")?.dataset.shown === location.hash);
}

/* Presses the button with that name in the dialog on top; waits until no dialog is open. */
export const press = (page, name) => page.locator("dialog[open]").last().getByRole("button", { name, exact: true }).click();
export const closed = (page) => page.waitForFunction(() => !document.querySelector("dialog[open]"));

/* What axe finds wrong in what is shown now. */
export async function judge(page, where) {
  await page.evaluate(axeSource);
  const found = await page.evaluate(async () => (await window.axe.run(document, { resultTypes: ["violations"] })).violations
    .map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160) + " " + (node.any[0]?.message ?? "")).join(" | ")}`));
  check(found.length === 0, `axe on ${where}: ${found.join("\n")}`);
}

export async function shot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

export const newPage = async (options) => (await context(options))[0].newPage();

async function context(options) {
  const one = await browser.newContext({ viewport: { width: options.width || 1280, height: 900 }, colorScheme: options.scheme || "light",
    reducedMotion: "reduce", acceptDownloads: true, bypassCSP: false });
  const complaints = [];
  await one.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP ${event.violatedDirective} ${event.blockedURI}`)));
  one.on("request", (request) => request.url().startsWith(PAGE) || request.url().startsWith("blob:") || request.url().startsWith("data:") || complaints.push(`request to ${request.url()}`));
  one.on("weberror", (error) => complaints.push(`error: ${error.error().stack}`));
  one.on("console", (message) => message.type() === "error" && complaints.push(`console: ${message.text()}`));
  return [one, complaints];
}

/* A browser says of each answer of 400 or more that it could not load it; the page says it, too. */
const EXPECTED = /Failed to load resource: the server responded with a status of (400|401|404|405|409)/;

async function run({ name, body, options }) {
  const [one, complaints] = await context(options);
  const page = await one.newPage();
  page.setDefaultTimeout(30000);
  try {
    if (options.user !== null) await logIn(page, options.user, options.password);
    await body({ page, open: (path) => openView(page, path), context: one });
    const bad = complaints.filter((text) => !EXPECTED.test(text) && !options.tolerate?.test(text));
    check(bad.length === 0, bad.join("\n"));
    console.log(`PASS page.${name}`);
    return true;
  } catch (error) {
    console.log(`FAIL page.${name}\n    ${String(error.stack || error).replaceAll("\n", "\n    ")}`);
    await shot(page, `failed-${name}`);
    return false;
  } finally {
    await one.close();
    clients.forEach((child) => child.kill());
    clients.clear();
  }
}

export async function runAll() {
  let failed = 0;
  for (const one of tests.filter(({ name }) => name.includes(process.env.ONLY || ""))) if (!(await run(one))) failed++;
  return failed;
}
export async function finish() {
  clients.forEach((child) => child.kill());
  await browser.close();
}
