/* Queues that dead letters go to, where these come from, and sending them back. */
import { h } from "../dom.js";
import { get, part, post, query } from "../api.js";
import { can } from "../features.js";
import { count, some } from "../format.js";
import { href } from "../route.js";
import { enters, may } from "../rights.js";
import { button, grid, section } from "../ui.js";
import { deadLetterOf } from "./dead_letter_graph.js";
import { moveMessages } from "./queue_moves.js";

export const title = () => "Dead letters";

/* Queues that are looked at for where their dead letters go; with more, the view says so. */
const QUEUES_MAX = 500;
const SAMPLE = 100;

const keyOf = (vhost, name) => `${vhost}\n${name}`;

/* The queues that an exchange takes messages to, by itself and through exchanges bound to it. */
function reached(bindings, vhost, exchange, seen = new Set()) {
  const key = keyOf(vhost, exchange);
  if (seen.has(key)) return [];
  seen.add(key);
  return (bindings.get(key) || []).flatMap((one) =>
    one.destination_type === "queue" ? [one.destination] : reached(bindings, vhost, one.destination, seen),
  );
}

export async function load() {
  const page = (where) =>
    get(
      "queues" +
        query({
          page: 1,
          page_size: QUEUES_MAX,
          pagination: "true",
          where,
          columns: "name,vhost,messages,messages_ready,arguments,effective_policy_definition",
        }),
    );
  const pages = [
    await page("arguments.x-dead-letter-exchange:has:"),
    await page("effective_policy_definition.dead-letter-exchange:has:"),
  ];
  const sources = [...new Map(pages.flatMap((one) => one.items).map((one) => [keyOf(one.vhost, one.name), one])).values()].filter(
    deadLetterOf,
  );
  const bindings = new Map();
  for (const vhost of new Set(sources.map((one) => one.vhost)))
    for (const one of await get(`bindings/${part(vhost)}?columns=source,vhost,destination,destination_type`)) {
      const key = keyOf(vhost, one.source);
      bindings.set(key, [...(bindings.get(key) || []), one]);
    }
  const targets = new Map();
  for (const queue of sources) {
    const { exchange, key } = deadLetterOf(queue);
    const names = exchange === "" ? [key ?? queue.name] : reached(bindings, queue.vhost, exchange);
    for (const name of new Set(names)) {
      const id = keyOf(queue.vhost, name);
      if (!targets.has(id)) targets.set(id, { vhost: queue.vhost, name, from: [] });
      targets.get(id).from.push(queue.name);
    }
  }
  const list = [...targets.values()];
  for (const one of list.slice(0, 50))
    one.queue = await get(
      `queues/${part(one.vhost)}/${part(one.name)}?columns=name,vhost,messages,messages_ready,consumers`,
    ).catch(() => null);
  return { list, cut: Math.max(...pages.map((one) => one.filtered_count)) > QUEUES_MAX };
}

/* How many of the first messages came from where, and why: x-first-death-… of their headers. */
async function count100(ctx, one) {
  const { state } = ctx;
  state.reasons ||= {};
  try {
    const messages = await post(`queues/${part(one.vhost)}/${part(one.name)}/peek`, {
      count: SAMPLE,
      offset: 0,
      state: "ready",
      truncate: 0,
    });
    const groups = new Map();
    for (const { properties: { headers = {} } = {} } of messages) {
      const key = keyOf(headers["x-first-death-queue"] ?? "no dead letter", headers["x-first-death-reason"] ?? "–");
      groups.set(key, (groups.get(key) || 0) + 1);
    }
    state.reasons[keyOf(one.vhost, one.name)] = { groups, looked: messages.length };
  } catch (error) {
    state.reasons[keyOf(one.vhost, one.name)] = { problem: error.message };
  }
  ctx.redraw();
}

function reasons(ctx, one) {
  const found = ctx.state.reasons?.[keyOf(one.vhost, one.name)];
  if (!found) return null;
  if (found.problem) return h("p", { class: "problem", role: "alert" }, found.problem);
  return [
    h("h3", {}, `The first ${some(found.looked, "message")}`),
    grid(
      ["From the queue", "Why", "#Messages"],
      [...found.groups].map(([key, n]) => [...key.split("\n"), count(n)]),
      { empty: "There are none." },
    ),
  ];
}

export function view(ctx, { list, cut }) {
  if (!list.length)
    return h(
      "p",
      { class: "empty" },
      "No queue sends dead letters anywhere: none has a dead letter exchange, by argument or policy, with queues behind it.",
    );
  return [
    h("p", { class: "help" }, "Queues that get what other queues have rejected, expired or dropped."),
    cut &&
      h(
        "p",
        { class: "dim" },
        `More than ${count(QUEUES_MAX)} queues have a dead letter exchange; the first ones are looked at.`,
      ),
    list.map((one) =>
      section(
        [h("a", { href: href(["queues", one.vhost, one.name]) }, one.name), h("span", { class: "dim" }, ` in ${one.vhost}`)],
        h(
          "p",
          {},
          one.queue
            ? `${some(one.queue.messages, "message")}, ${some(one.queue.consumers, "consumer")}. `
            : "There is no such queue. ",
          "Gets dead letters of ",
          one.from.slice(0, 10).map((name, i) => [i ? ", " : "", h("a", { href: href(["queues", one.vhost, name]) }, name)]),
          one.from.length > 10 ? ` and ${count(one.from.length - 10)} more` : "",
          ".",
        ),
        one.queue &&
          h(
            "div",
            { class: "actions" },
            can.peek && may("read", one.vhost, one.name) && button("Count by source and reason", () => count100(ctx, one)),
            h("a", { href: href(["queues", one.vhost, one.name], { tab: "messages" }) }, "Look at them"),
            can.move && enters(one.vhost) && button("Send back…", () => moveMessages(ctx, one.queue, "source")),
          ),
        reasons(ctx, one),
      ),
    ),
  ];
}
