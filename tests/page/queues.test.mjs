/* What the page does with queues, messages and exchanges. */
import { api, check, client, closed, equal, gone, judge, must, part, press, publish, test, until } from "./harness.mjs";

const dialog = (page) => page.locator("dialog[open]").last();
const queue = async (name) => (await api("GET", `queues/%2F/${part(name)}`)).json;

test("declare_a_queue", async ({ page, open }) => {
  await open("#/queues");
  await page.getByRole("button", { name: "Declare a queue…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("made here");
  await dialog(page).getByLabel("Set arguments").check();
  await dialog(page).getByLabel("Type", { exact: true }).selectOption("quorum");
  await dialog(page).getByLabel("Message TTL (ms)").fill("60000");
  await dialog(page).getByLabel("When it is full").selectOption("reject-publish");
  await dialog(page).getByLabel("Other arguments").fill("x-delivery-limit = 7\nx-note=a=b");
  await judge(page, "the form of a queue");
  await press(page, "Declare");
  await page.waitForURL(/#\/queues\/%2F\/made%20here$/);
  const made = await queue("made here");
  equal(made.arguments, { "x-delivery-limit": 7, "x-note": "a=b", "x-message-ttl": 60000, "x-overflow": "reject-publish", "x-queue-type": "quorum" });
  /* The broker's refusal is shown where the action was, and nothing is lost. */
  await open("#/queues");
  await page.getByRole("button", { name: "Declare a queue…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("made here");
  await press(page, "Declare");
  await dialog(page).getByRole("alert").filter({ hasText: "inequivalent arg" }).waitFor();
  equal(await dialog(page).getByLabel("Name (needed)").inputValue(), "made here");
  await page.keyboard.press("Escape");
  await closed(page);
  await must("DELETE", "queues/%2F/made%20here");
});

test("publish_look_get_purge_delete", async ({ page, open }) => {
  await must("PUT", "queues/%2F/q", { durable: true });
  await open("#/queues/%2F/q");
  await page.getByRole("button", { name: "Publish…" }).click();
  await dialog(page).getByLabel("Body", { exact: true }).fill('{"a": [1, 2]}');
  await dialog(page).getByLabel("Set properties and headers").check();
  await dialog(page).getByLabel("Message id").fill("m1");
  await dialog(page).getByRole("textbox", { name: "Headers" }).fill("n=1\ntext=one");
  await press(page, "Publish");
  await closed(page);
  const [got] = await must("POST", "queues/%2F/q/get", { count: 1, ackmode: "ack_requeue_true", encoding: "auto" });
  equal(got.properties, { message_id: "m1", delivery_mode: 2, headers: { n: 1, text: "one" } });
  for (let n = 0; n < 24; n++) await publish("/", "q", `body ${n}`);

  await open("#/queues/%2F/q?tab=messages");
  await page.getByRole("button", { name: "Look", exact: true }).click();
  await page.getByText('"a": [').first().waitFor();
  equal(await page.locator(".message").count(), 20);
  await page.getByRole("button", { name: "Further ›" }).click();
  await page.getByText("body 23").first().waitFor();
  equal(await page.locator(".message").count(), 5);
  await page.getByLabel("Search these messages").fill("body 22");
  await until(async () => (await page.locator(".message").count()) === 1, "the search");
  await judge(page, "messages");
  const before = await queue("q");
  equal([before.messages_ready, before.messages_unacknowledged], [25, 0]);

  await page.getByRole("button", { name: "Get…" }).click();
  await dialog(page).getByLabel("And then").selectOption("ack_requeue_false");
  await dialog(page).getByLabel("How many").fill("3");
  await press(page, "Get");
  await dialog(page).getByText("3 messages of q").waitFor();
  await press(page, "Close");
  await until(async () => (await queue("q")).messages === 22, "three were taken");

  await open("#/queues/%2F/q");
  await page.getByRole("button", { name: "Purge…" }).click();
  await dialog(page).getByText("This drops 22 messages that are ready.").waitFor();
  await press(page, "Purge");
  await closed(page);
  equal((await queue("q")).messages, 0);
  await publish("/", "q", "x");
  await until(async () => (await page.locator("main").innerText()).includes("1 message ·"), "the view follows");
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByText("This deletes 1 message, and 0 consumers are cancelled.").waitFor();
  check(await dialog(page).getByRole("button", { name: "Delete", exact: true }).isDisabled(), "deletes without the name typed");
  await dialog(page).getByLabel("Type q to go on").fill("q");
  await press(page, "Delete");
  await page.waitForURL(/#\/queues$/);
  await gone("queues/%2F/q");
});

test("published_into_nothing", async ({ page, open }) => {
  await open("#/exchanges/%2F/amq.direct");
  await page.getByRole("button", { name: "Publish…" }).click();
  await dialog(page).getByLabel("Routing key").fill("nobody");
  await press(page, "Publish");
  await dialog(page).getByRole("alert").filter({ hasText: "no queue took the message" }).waitFor();
});

test("move_messages", async ({ page, open }) => {
  for (const name of ["from", "to"]) await must("PUT", `queues/%2F/${name}`, { durable: true });
  for (let n = 0; n < 30; n++) await publish("/", "from", String(n));
  await open("#/queues/%2F/from");
  await page.getByRole("button", { name: "Move messages…" }).click();
  await dialog(page).getByLabel("Queue").fill("to");
  await dialog(page).getByLabel("At most so many", { exact: true }).fill("10");
  await press(page, "Move");
  await dialog(page).getByText("10 messages moved").waitFor();
  await judge(page, "the progress of a move");
  await press(page, "Close");
  equal([(await queue("from")).messages, (await queue("to")).messages], [20, 10]);
  /* A move that takes long is stopped. */
  await page.getByRole("button", { name: "Move messages…" }).click();
  await dialog(page).getByLabel("Queue").fill("to");
  await dialog(page).getByLabel("At most so many a second").fill("1");
  await press(page, "Move");
  await dialog(page).getByRole("button", { name: "Stop" }).click();
  await dialog(page).getByText("stopped").waitFor();
  check((await queue("from")).messages > 0, "it was not stopped");
  for (const name of ["from", "to"]) await must("DELETE", `queues/%2F/${name}`);
});

test("pause_and_resume", async ({ page, open }) => {
  await must("PUT", "queues/%2F/held", { durable: true });
  await open("#/queues/%2F/held");
  await page.getByRole("button", { name: "Pause…" }).click();
  await press(page, "Pause");
  await closed(page);
  await until(async () => (await queue("held")).state === "paused", "paused");
  await open("#/queues?is=paused");
  await page.getByRole("link", { name: "held" }).waitFor();
  await open("#/queues/%2F/held");
  await page.getByRole("button", { name: "Resume…" }).click();
  await press(page, "Resume");
  await closed(page);
  await until(async () => (await queue("held")).state !== "paused", "resumed");
  await must("DELETE", "queues/%2F/held");
});

test("several_queues_at_once", async ({ page, open }) => {
  for (let n = 0; n < 4; n++) {
    await must("PUT", `queues/%2F/bulk${n}`, { durable: true });
    await publish("/", `bulk${n}`, "x");
  }
  await open("#/queues?name=bulk");
  await page.getByLabel("Select all rows of this page").check();
  await page.getByLabel("Select bulk3").uncheck();
  await page.getByText("3 selected").waitFor();
  await page.getByRole("button", { name: "Purge…" }).click();
  await dialog(page).getByText("This drops 3 messages").waitFor();
  check(await dialog(page).getByRole("button", { name: "Purge", exact: true }).isDisabled(), "purges without the count typed");
  await dialog(page).getByLabel("Type 3 to go on").fill("3");
  await press(page, "Purge");
  await closed(page);
  equal(await Promise.all([0, 1, 2, 3].map(async (n) => (await queue(`bulk${n}`)).messages)), [0, 0, 0, 1]);
  await page.getByLabel("Select all rows of this page").check();
  await page.getByText("4 selected").waitFor();
  await page.getByRole("button", { name: "Delete…" }).click();
  await dialog(page).getByText("This deletes 1 message").waitFor();
  await dialog(page).getByLabel("Type 4 to go on").fill("4");
  await press(page, "Delete");
  await closed(page);
  for (let n = 0; n < 4; n++) await gone(`queues/%2F/bulk${n}`);
  await page.getByText(/Nothing fits this filter|There are none/).waitFor();
});

test("lists_by_the_broker", async ({ page, open }) => {
  for (let n = 0; n < 60; n++) await must("PUT", `queues/%2F/page.${String(n).padStart(2, "0")}`, { durable: true });
  await publish("/", "page.07", "x");
  await open("#/queues?name=page&size=25");
  equal(await page.locator("table.list tbody tr").count(), 25);
  await page.getByText("page 1 of 3").waitFor();
  await page.getByRole("button", { name: "Last page" }).click();
  await page.getByRole("link", { name: "page.59" }).waitFor();
  await page.getByRole("button", { name: "Ready" }).click();
  await page.waitForURL(/sort=messages_ready/);
  await until(async () => (await page.locator("table.list tbody tr").first().innerText()).includes("page.07"), "sorted by ready, most first");
  await page.getByLabel("In any state").selectOption("filled");
  await until(async () => (await page.locator("table.list tbody tr").count()) === 1, "only those that are not empty");
  await page.goBack();
  await until(async () => (await page.locator("table.list tbody tr").count()) === 25, "back to the list");
  await page.getByLabel("Filter by name").fill("^page\\.1");
  await page.getByLabel("regular expression").check();
  await until(async () => (await page.locator("table.list tbody tr").count()) === 10, "a regular expression");
  await page.getByRole("button", { name: "Columns…" }).click();
  await dialog(page).getByLabel("Memory").check();
  await press(page, "Show these");
  await page.getByRole("columnheader", { name: "Memory" }).waitFor();
  for (let n = 0; n < 60; n++) await must("DELETE", `queues/%2F/page.${String(n).padStart(2, "0")}`);
});

test("exchanges", async ({ page, open }) => {
  await must("PUT", "queues/%2F/eu", { durable: true });
  await open("#/exchanges");
  await page.getByRole("button", { name: "Declare an exchange…" }).click();
  await dialog(page).getByLabel("Name (needed)").fill("news");
  await dialog(page).getByLabel("Type", { exact: true }).selectOption("topic");
  await dialog(page).getByLabel("Alternate exchange").fill("amq.fanout");
  await press(page, "Declare");
  await page.waitForURL(/#\/exchanges\/%2F\/news$/);
  const made = await must("GET", "exchanges/%2F/news");
  equal([made.type, made.durable, made.arguments], ["topic", true, { "alternate-exchange": "amq.fanout" }]);
  await page.getByRole("button", { name: "Bind to…" }).click();
  await dialog(page).getByLabel("Its name").fill("eu");
  await dialog(page).getByLabel("Routing key").fill("eu.#");
  await press(page, "Bind");
  await closed(page);
  equal((await must("GET", "exchanges/%2F/news/bindings/source")).map((one) => [one.destination, one.routing_key]), [["eu", "eu.#"]]);
  await page.getByRole("textbox", { name: "Routing key" }).fill("eu.sport");
  await page.getByRole("button", { name: "Try" }).click();
  await page.getByText("1 queue would take it").waitFor();
  await page.getByRole("textbox", { name: "Routing key" }).fill("us.sport");
  await page.getByRole("button", { name: "Try" }).click();
  await page.getByText("No queue would take it").waitFor();
  equal((await queue("eu")).messages, 0, "trying published");
  await page.getByRole("button", { name: "Unbind news from eu" }).click();
  await press(page, "Unbind");
  await closed(page);
  await until(async () => (await must("GET", "exchanges/%2F/news/bindings/source")).length === 0, "unbound");
  await page.getByRole("button", { name: "Delete…" }).click();
  await press(page, "Delete");
  await page.waitForURL(/#\/exchanges$/);
  await gone("exchanges/%2F/news");
  await must("DELETE", "queues/%2F/eu");
});

test("the_tail_of_an_exchange", async ({ page, open }) => {
  await open("#/exchanges/%2F/amq.topic?tab=tail");
  await page.getByLabel("Binding key").fill("a.*");
  await page.getByRole("button", { name: "Follow" }).click();
  await page.getByText("Following…").waitFor();
  await until(async () => {
    await publish("/", "a.b", "seen live", {}, "amq.topic");
    await publish("/", "c.b", "not for this key", {}, "amq.topic");
    return (await page.locator(".message").count()) > 0;
  }, "a message in the tail");
  check((await page.locator("main").innerText()).includes("seen live"), "the body");
  check(!(await page.locator("main").innerText()).includes("not for this key"), "another key came");
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText("Stopped.").waitFor();
});

test("dead_letters_back", async ({ page, open }) => {
  await must("PUT", "queues/%2F/source", { durable: true, arguments: { "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "graves" } });
  await must("PUT", "queues/%2F/graves", { durable: true });
  for (let n = 0; n < 3; n++) await publish("/", "source", "x");
  await must("POST", "queues/%2F/source/get", { count: 3, ackmode: "reject_requeue_false", encoding: "auto" });
  await until(async () => (await queue("graves")).messages === 3, "dead letters");
  await open("#/dead-letters");
  const part_ = page.locator("section", { hasText: "graves" }).first();
  await part_.getByRole("button", { name: "Count by source and reason" }).click();
  await part_.getByRole("cell", { name: "rejected" }).waitFor();
  await part_.getByRole("link", { name: "Look at them" }).click();
  await page.getByRole("button", { name: "Look", exact: true }).click();
  await page.getByLabel("Select the message at position 0").check();
  await page.getByRole("button", { name: "Move…" }).click();
  await press(page, "Move");
  await closed(page);
  await until(async () => (await queue("source")).messages === 1, "one is back");
  await page.getByLabel("Select the message at position 0").check();
  await page.getByRole("button", { name: "Delete…" }).last().click();
  await press(page, "Delete");
  await closed(page);
  await until(async () => (await queue("graves")).messages === 1, "one is deleted");
  await open("#/dead-letters");
  await part_.getByRole("button", { name: "Send back…" }).click();
  await press(page, "Move");
  await dialog(page).getByText("1 message moved").waitFor();
  await until(async () => (await queue("source")).messages === 2, "back where they came from");
  await press(page, "Close");
  for (const name of ["source", "graves"]) await must("DELETE", `queues/%2F/${name}`);
});

test("clients", async ({ page, open }) => {
  client("-x", "1", "-y", "1", "-r", "10", "-u", "talk", "-q", "5");
  await until(async () => (await must("GET", "consumers")).some((one) => one.queue.name === "talk"), "a consumer");
  await open("#/consumers");
  await page.getByRole("link", { name: "talk" }).first().waitFor();
  await open("#/queues/%2F/talk?tab=consumers");
  await page.getByRole("cell", { name: "guest" }).first().waitFor();
  await open("#/connections");
  const before = (await must("GET", "connections")).length;
  await page.locator("table.list tbody tr").first().getByRole("checkbox").check();
  await page.getByRole("button", { name: "Close…" }).click();
  await dialog(page).getByText("goes back into its queue").waitFor();
  await press(page, "Close");
  await closed(page);
  await until(async () => (await must("GET", "connections")).length < before, "a connection is closed");
});
