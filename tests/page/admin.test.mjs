/* What administrators do on the page: policies, virtual hosts, users, the node, definitions; and
 * what a user of each tag is offered. */
import { readFileSync } from "node:fs";
import { api, check, closed, equal, gone, judge, logIn, must, part, press, publish, test, until } from "./harness.mjs";

const dialog = (page) => page.locator("dialog[open]").last();

test("policies", async ({ page, open }) => {
  for (const name of ["p.one", "p.two"]) await must("PUT", `queues/%2F/${name}`, { durable: true });
  await open("#/policies");
  await page.getByRole("button", { name: "Add a policy…" }).click();
  await dialog(page).getByLabel("Virtual host").selectOption("/");
  await dialog(page).getByLabel("Name (needed)").fill("short");
  await dialog(page).getByLabel("Pattern of names").fill("^p\\.");
  await dialog(page).getByLabel("Applies to").selectOption("queues");
  await dialog(page).getByLabel("Priority").fill("3");
  await dialog(page).getByLabel("Definition").fill("max-length=10\noverflow=reject-publish");
  await dialog(page).getByRole("button", { name: "What would change?" }).click();
  await dialog(page).getByText("The pattern fits 2 objects; the policy would be in effect for 2, and 2 would change.").waitFor();
  await judge(page, "the form of a policy");
  check((await api("GET", "policies/%2F/short")).code === 404, "a preview made the policy");
  await press(page, "Save");
  await closed(page);
  const made = await must("GET", "policies/%2F/short");
  equal([made.pattern, made.priority, made["apply-to"], made.definition], ["^p\\.", 3, "queues", { "max-length": 10, overflow: "reject-publish" }]);
  await open("#/policies/%2F/short");
  await page.getByText("2 queues").waitFor();
  await page.getByRole("button", { name: "Edit…" }).click();
  await dialog(page).getByLabel("Definition").fill("max-length=-1");
  await press(page, "Save");
  await dialog(page).getByRole("alert").filter({ hasText: "max" }).waitFor();
  await dialog(page).getByLabel("Definition").fill("max-length=20");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "policies/%2F/short")).definition, { "max-length": 20 });
  await open("#/queues/%2F/p.one?tab=settings");
  await page.getByRole("cell", { name: "policy short" }).waitFor();
  await open("#/policies/%2F/short");
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByText("It is in effect for 2 objects").waitFor();
  await press(page, "Delete");
  await page.waitForURL(/#\/policies$/);
  await gone("policies/%2F/short");
  await open("#/policies?operator=1");
  await page.getByRole("button", { name: "Add an operator policy…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("cap");
  await dialog(page).getByLabel("Virtual host").selectOption("/");
  await dialog(page).getByLabel("Definition").fill("max-length=5");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "operator-policies/%2F/cap")).definition, { "max-length": 5 });
  await must("DELETE", "operator-policies/%2F/cap");
  for (const name of ["p.one", "p.two"]) await must("DELETE", `queues/%2F/${name}`);
});

test("a_virtual_host", async ({ page, open }) => {
  await must("PUT", "users/vera", { password: "vera", tags: "" });
  await open("#/vhosts");
  await page.getByRole("button", { name: "Add a virtual host…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("shop/eu");
  await dialog(page).getByLabel("Description").fill("The shop");
  await dialog(page).getByLabel("Tags").fill("live, eu");
  await dialog(page).getByLabel("Default queue type").selectOption("quorum");
  await press(page, "Add");
  await page.waitForURL(/#\/vhosts\/shop%2Feu$/);
  const made = await must("GET", "vhosts/shop%2Feu");
  equal([made.description, made.tags, made.default_queue_type], ["The shop", ["live", "eu"], "quorum"]);
  await page.getByRole("button", { name: "Change the limit of queues" }).click();
  await dialog(page).getByLabel("At most so many").fill("7");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "vhost-limits/shop%2Feu"))[0].value, { "max-queues": 7 });
  await page.getByRole("button", { name: "Give permissions…" }).click();
  await dialog(page).getByLabel("User").selectOption("vera");
  await dialog(page).getByLabel("Configure: declare and delete").fill("^vera");
  await dialog(page).getByLabel("Write: publish, bind queues").fill("");
  await dialog(page).getByLabel("Try a name").fill("vera.one");
  await dialog(page).getByText("configure: fits · write: fits nothing · read: fits").waitFor();
  await judge(page, "the form of permissions");
  await press(page, "Save");
  await closed(page);
  equal(await must("GET", "permissions/shop%2Feu/vera"), { user: "vera", vhost: "shop/eu", configure: "^vera", write: "", read: ".*" });
  await page.getByRole("button", { name: "Limit routing keys…" }).click();
  await dialog(page).getByLabel("User").selectOption("vera");
  await dialog(page).getByLabel("Write: keys to publish with").fill("^{username}\\.");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "topic-permissions/shop%2Feu/vera"))[0].write, "^{username}\\.");
  await page.getByRole("button", { name: "Take away the topic permissions of vera on amq.topic" }).click();
  await press(page, "Take away");
  await closed(page);
  await page.getByRole("button", { name: "Take away the permissions of vera on shop/eu" }).click();
  await press(page, "Take away");
  await closed(page);
  await gone("permissions/shop%2Feu/vera");
  await page.getByRole("button", { name: "Protect from deletion" }).click();
  await page.getByRole("button", { name: "Allow its deletion" }).click();
  await page.getByRole("button", { name: "Edit…" }).first().click();
  await dialog(page).getByLabel("Description").fill("Another");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "vhosts/shop%2Feu")).description, "Another");
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByLabel("Type shop/eu to go on").fill("shop/eu");
  await press(page, "Delete");
  await page.waitForURL(/#\/vhosts$/);
  await gone("vhosts/shop%2Feu");
  await must("DELETE", "users/vera");
});

test("a_user", async ({ page, open }) => {
  await open("#/users");
  await page.getByRole("button", { name: "Add a user…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("ada");
  await dialog(page).getByRole("button", { name: "Generate a password" }).click();
  const password = await dialog(page).getByLabel("Password").inputValue();
  check(/^[A-Za-z2-9]{20}$/.test(password), `the password ${password}`);
  await dialog(page).getByLabel("monitoring").check();
  await dialog(page).getByLabel("Other tags").fill("night");
  await press(page, "Add");
  await page.waitForURL(/#\/users\/ada$/);
  equal((await api("GET", "whoami", undefined, `ada:${password}`)).json.tags, ["monitoring", "night"]);
  await page.getByRole("button", { name: "Edit…" }).first().click();
  await dialog(page).getByLabel("policymaker").check();
  await press(page, "Save");
  await closed(page);
  equal((await api("GET", "whoami", undefined, `ada:${password}`)).json.tags, ["monitoring", "policymaker", "night"]);
  await page.getByRole("button", { name: "Change the limit of channels" }).click();
  await dialog(page).getByLabel("At most so many").fill("3");
  await press(page, "Save");
  await closed(page);
  equal((await must("GET", "user-limits/ada"))[0].value, { "max-channels": 3 });
  await page.getByRole("button", { name: "Give permissions…" }).click();
  await dialog(page).getByLabel("Virtual host").selectOption("/");
  await dialog(page).getByLabel("Configure: declare and delete").fill("^ada$");
  await press(page, "Save");
  await closed(page);
  await page.getByLabel("For a queue or exchange called").fill("ada.x");
  await page.getByRole("row", { name: "/ no yes yes all" }).waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByLabel("Type ada to go on").fill("ada");
  await press(page, "Delete");
  await page.waitForURL(/#\/users$/);
  await gone("users/ada");
});

test("the_node", async ({ page, open }) => {
  const name = part((await must("GET", "overview")).node);
  await open("#/node");
  await page.getByRole("button", { name: "Log level and watermarks…" }).click();
  await dialog(page).getByLabel("Level of the log").selectOption("debug");
  await dialog(page).getByLabel("Free disk below which publishers are held").fill("60MB");
  await press(page, "Change");
  await closed(page);
  const now = await must("GET", `nodes/${name}/settings`);
  equal([now.log_level, now.disk_free_limit.absolute], ["debug", 60000000]);
  await must("PUT", `nodes/${name}/settings`, { log_level: "info" });
  await open("#/node?tab=settings");
  await page.getByRole("cell", { name: "management.tcp.port" }).waitFor();
  check(!(await page.locator("main").innerText()).includes("guest\tguest"), "a secret");
  /* An alarm, and what to do about it. */
  await must("PUT", `nodes/${name}/settings`, { disk_free_limit: { absolute: "900TB" } });
  await open("#/overview");
  await page.getByText("The disk alarm is on: publishers are held.").waitFor();
  await judge(page, "an alarm");
  await must("PUT", `nodes/${name}/settings`, { disk_free_limit: { absolute: "50MB" } });
});

test("the_log", async ({ page, open }) => {
  await open("#/log");
  await page.getByText("logged in to the page").first().waitFor();
  await page.getByLabel("Only lines with").fill("user 'seen'");
  await must("PUT", "users/seen", { password: "x", tags: "" });
  await page.getByText("user 'seen' created").waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  await must("DELETE", "users/seen");
  await page.getByText("lines wait").waitFor();
  check(!(await page.locator("main").innerText()).includes("'seen' deleted"), "a line came while paused");
  await page.getByRole("button", { name: "Go on" }).click();
  await page.getByText("user 'seen' deleted").waitFor();
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download" }).click()]);
  check(readFileSync(await saved.path(), "utf8").includes("user 'seen' deleted"), "the download");
  await page.getByLabel("At least").selectOption("error");
  await page.waitForURL(/level=error/);
});

test("definitions", async ({ page, open }) => {
  await must("PUT", "queues/%2F/kept", { durable: true });
  await open("#/overview");
  await page.getByRole("button", { name: "Export" }).click();
  const [saved] = await Promise.all([page.waitForEvent("download"), press(page, "Export")]);
  const file = await saved.path();
  check(JSON.parse(readFileSync(file)).queues.some((one) => one.name === "kept"), "the export lacks a queue");
  await closed(page);
  await must("DELETE", "queues/%2F/kept");
  await page.getByRole("button", { name: "Import…" }).click();
  await dialog(page).getByLabel("File").setInputFiles(file);
  await press(page, "Compare");
  const second = page.getByRole("dialog", { name: "Import these?" });
  await second.getByRole("row", { name: /queues 1/ }).waitFor();
  equal((await api("GET", "queues/%2F/kept")).code, 404, "comparing imported");
  await judge(page, "what an import would change");
  await second.getByRole("button", { name: "Import", exact: true }).click();
  await until(async () => (await api("GET", "queues/%2F/kept")).code === 200, "the queue is back");
  await must("DELETE", "queues/%2F/kept");
});

/* ---- Users of each tag. */

const offered = async (page) => page.locator("nav.pages a").allInnerTexts();

async function as(tag, more = {}) {
  await must("PUT", `users/${tag}`, { password: tag, tags: tag });
  await must("PUT", `permissions/%2F/${tag}`, { configure: "", write: "", read: ".*", ...more });
}

for (const [tag, views, buttons] of [
  ["management", { Users: false, Node: false, Log: false, Queues: true }, {}],
  ["policymaker", { Users: false, Node: false, Policies: true }, { "policies": ["Add a policy…"] }],
  ["monitoring", { Users: false, Node: true, Log: true }, {}],
  ["administrator", { Users: true, Node: true, Log: true }, { "policies": ["Add a policy…"], "users": ["Add a user…"], "vhosts": ["Add a virtual host…"] }]])
  test(`user_${tag}`, async ({ page, open, context }) => {
    await as(tag);
    await must("PUT", "queues/%2F/seen.by", { durable: true });
    await publish("/", "seen.by", "a body");
    await page.getByRole("button", { name: "Log out" }).click();
    await page.waitForSelector(".login");
    await logIn(page, tag, tag);
    const names = await offered(page);
    for (const [name, is] of Object.entries(views)) equal(names.includes(name), is, `${tag} sees ${name}:`);
    for (const path of ["overview", "queues", "queues/%2F/seen.by", "exchanges", "exchanges/%2F/amq.topic", "connections", "channels", "consumers", "policies", "vhosts", "vhosts/%2F", "dead-letters", "api"]) {
      await open("#/" + path);
      const wrong = (await page.locator("main .problem").allInnerTexts()).filter(Boolean);
      check(wrong.length === 0, `${tag} at ${path}: ${wrong}`);
      for (const text of buttons[path] || []) check(await page.getByRole("button", { name: text }).isVisible(), `${tag} lacks ${text}`);
    }
    /* No permission to configure or write: what it would need is not offered. */
    await open("#/queues/%2F/seen.by");
    for (const text of ["Delete…", "Publish…", "Pause…"]) check((await page.getByRole("button", { name: text }).count()) === 0, `${tag} is offered ${text}`);
    if (tag !== "administrator" && tag !== "policymaker") {
      await open("#/policies");
      check((await page.getByRole("button", { name: "Add a policy…" }).count()) === 0, `${tag} is offered policies`);
    }
    await judge(page, `what ${tag} sees`);
    await context.clearCookies();
    await page.getByRole("button", { name: "Ask the broker now" }).click();
    await page.waitForSelector(".login");
    await must("DELETE", `users/${tag}`);
  });
