/* The messages of a queue: looked at without a change (peek), taken, published, moved. */
import { h } from "../dom.js";
import { call, del, get, part, post } from "../api.js";
import { count, duration, rate, some } from "../format.js";
import { can } from "../features.js";
import { enters, may } from "../rights.js";
import { ask, button, danger, note, section, show } from "../ui.js";
import { messageForm, messageView } from "./message.js";

const pathOf = (queue) => `queues/${part(queue.vhost)}/${part(queue.name)}`;
const PAGE = 20;
const STATES = [["ready", "Ready"], ["unacked", "Unacknowledged"], ["all", "All"]];

async function look(ctx, queue, offset) {
  const { state } = ctx;
  state.problem = null;
  try {
    state.messages = await post(pathOf(queue) + "/peek", { offset, count: PAGE, state: state.which || "ready", encoding: "auto", truncate: 50000 });
    state.offset = offset;
    state.picked = new Map();
  } catch (error) {
    state.problem = error.message;
  }
  ctx.redraw();
}

function peekBar(ctx, queue) {
  const { state } = ctx;
  const shown = state.messages?.length ?? 0;
  return h("div", { class: "toolbar" },
    h("select", { "aria-label": "Which messages", value: state.which || "ready", onchange: (event) => { state.which = event.target.value; look(ctx, queue, 0); } },
      STATES.map(([value, text]) => h("option", { value }, text))),
    button("Look", () => look(ctx, queue, 0), { class: "primary" }),
    state.messages && [
      button("‹ Nearer the head", () => look(ctx, queue, Math.max(0, state.offset - PAGE)), { disabled: state.offset === 0 }),
      button("Further ›", () => look(ctx, queue, state.offset + PAGE), { disabled: shown < PAGE }),
      h("label", { class: "inline" }, "from position ", h("input", { type: "number", min: 0, value: String(state.offset), "aria-label": "Position",
        onchange: (event) => look(ctx, queue, Math.max(0, Number(event.target.value) || 0)) })),
      h("input", { type: "search", placeholder: "Search these messages", "aria-label": "Search these messages", value: state.search || "",
        oninput: (event) => { state.search = event.target.value; ctx.redraw(); } }),
    ]);
}

const fits = (message, text) => !text || JSON.stringify(message).toLowerCase().includes(text.toLowerCase());

function unackedFacts(message) {
  const who = message.consumer;
  if (!who) return null;
  return h("p", { class: "dim" }, `Held by the consumer ${who.consumer_tag ?? ""} on channel ${who.channel} of ${who.connection}`,
    who.since ? ` for ${duration(Date.now() - who.since)}` : "");
}

/* ---- What is done with the messages that are picked. */

async function eachPicked(ctx, queue, act) {
  let n = 0;
  for (const id of ctx.state.picked.keys()) {
    try {
      await act(`${pathOf(queue)}/messages/${part(id)}`);
    } catch (error) {
      throw new Error(`${error.message} (${some(n, "message")} done before)`);
    }
    n++;
  }
  await look(ctx, queue, ctx.state.offset);
  ctx.refresh();
  return `${some(n, "message")} done.`;
}

const GOES_ON = ["running", "waiting", "stopping"];

/* Moves one message, which is a task of its own, and waits for its end. */
async function moveOne(path, to) {
  let task = await post(path + "/move", { to });
  while (task && GOES_ON.includes(task.state)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    task = await get("tasks/" + part(task.id));
  }
  if (task?.state === "failed") throw new Error(task.reason);
  if (task && !task.moved) throw new Error("A message stayed: " + Object.entries(task.skipped_because || {}).filter((one) => one[1]).map((one) => one[0].replaceAll("_", " ")).join(", "));
}

const TARGETS = [["source", "Back to the queues that they came from, as dead letters"], ["queue", "To a queue"]];
const movePicked = (ctx, queue) => ask({ title: `Move ${some(ctx.state.picked.size, "message")}`, button: "Move", danger: true,
  fields: [{ name: "kind", label: "Where", type: "select", value: "source", options: TARGETS }, { name: "queue", label: "Queue", show: (v) => v.kind === "queue" }],
  run: (v) => eachPicked(ctx, queue, (path) => moveOne(path, v.kind === "source" ? "source" : { queue: v.queue })) });
const deletePicked = (ctx, queue) => ask({ title: `Delete ${some(ctx.state.picked.size, "message")}`, button: "Delete", danger: true,
  text: "They are gone: they do not become dead letters.", run: () => eachPicked(ctx, queue, (path) => del(path)) });

function pickBar(ctx, queue) {
  const { picked } = ctx.state;
  return picked?.size > 0 && h("div", { class: "bulk", role: "group", "aria-label": "Selected messages" }, h("b", {}, `${some(picked.size, "message")} selected`),
    button("Move…", () => movePicked(ctx, queue)), danger("Delete…", () => deletePicked(ctx, queue)));
}

const pick = (ctx, message) => h("label", { class: "inline" }, h("input", { type: "checkbox", checked: ctx.state.picked.has(message.id), "aria-label": `Select the message at position ${message.position}`,
  onchange: (event) => {
    if (event.target.checked) ctx.state.picked.set(message.id, message);
    else ctx.state.picked.delete(message.id);
    ctx.redraw();
  } }));

function peekTab(ctx, queue) {
  const { state } = ctx;
  const found = (state.messages || []).filter((one) => fits(one, state.search));
  return section("Look at messages", h("p", { class: "help" }, "Looking changes nothing: no message is taken, marked or moved."),
    peekBar(ctx, queue), pickBar(ctx, queue), state.problem && h("p", { class: "problem", role: "alert" }, state.problem),
    state.messages && (found.length ? h("div", {}, found.map((message, i) => h("div", { class: "message", key: message.id ?? i },
      can.move && enters(queue.vhost) && message.state === "ready" && pick(ctx, message), messageView(message, { position: message.position ?? state.offset + i }), unackedFacts(message))))
      : h("p", { class: "empty" }, state.messages.length ? "None of these fits the search." : "There are no messages here.")));
}

/* ---- Taking: it is another thing than looking, and says so. */

const MODES = [["ack_requeue_true", "Put back (they are marked as redelivered)"], ["ack_requeue_false", "Remove from the queue"],
  ["reject_requeue_true", "Reject and put back"], ["reject_requeue_false", "Reject (they become dead letters)"]];

function take(ctx, queue) {
  return ask({ title: "Get messages", button: "Get", text: "Unlike looking, this delivers the messages.",
    fields: [{ name: "ackmode", label: "And then", type: "select", value: "ack_requeue_true", options: MODES },
      { name: "count", label: "How many", type: "number", value: "1", min: 1 }],
    run: async ({ ackmode, count: n }) => {
      const got = await post(pathOf(queue) + "/get", { ackmode, count: n || 1, encoding: "auto", truncate: 50000 });
      ctx.refresh();
      show(`${some(got.length, "message")} of ${queue.name}`, got.length ? got.map((one) => h("div", { class: "message" }, messageView(one, {}))) : h("p", {}, "The queue is empty."));
    } });
}

export function messagesTab(ctx, queue) {
  if (!may("read", queue.vhost, queue.name)) return h("p", { class: "empty" }, "Reading this queue needs the permission to read it.");
  return [
    can.peek && peekTab(ctx, queue),
    section("Get messages", h("p", { class: "help" }, "Takes messages as a consumer does."),
      h("div", { class: "actions" }, button("Get…", () => take(ctx, queue)))),
  ];
}

/* ---- Publishing and moving. */

export const publishTo = (ctx, queue) => messageForm({ title: `Publish to ${queue.name}`, vhost: queue.vhost, exchange: "", key: queue.name, done: ctx.refresh });

/* Follows a task of moving until it ends or is stopped. */
export function followTask(ctx, id, what) {
  const bar = h("progress", { max: 1, "aria-label": "Progress" }), text = h("p", { role: "status" }, "Begun.");
  const stop = button("Stop", () => {
    stop.disabled = true;
    del("tasks/" + part(id)).catch((error) => (text.textContent = error.message));
  });
  const tick = async () => {
    const task = await get("tasks/" + part(id)).catch((error) => ({ state: "gone", reason: error.message }));
    const done = (task.moved ?? 0) + (task.skipped ?? 0);
    if (typeof task.left === "number") Object.assign(bar, { max: done + task.left || 1, value: done });
    const why = Object.entries(task.skipped_because || {}).filter((one) => one[1]).map(([name, n]) => `${count(n)} ${name.replaceAll("_", " ")}`).join(", ");
    text.textContent = `${some(task.moved ?? 0, "message")} moved, ${rate(task.rate ?? 0)}` + (task.left ? `, ${count(task.left)} left` : "") +
      (task.skipped ? `, ${count(task.skipped)} skipped${why ? ` (${why})` : ""}` : "") + `: ${task.state}` + (task.waits_for ? `, waits: ${task.waits_for}` : "") + (task.reason ? `: ${task.reason}` : "") + ".";
    if (GOES_ON.includes(task.state)) setTimeout(tick, 500);
    else {
      stop.disabled = true;
      note(text.textContent);
      ctx.refresh();
    }
  };
  tick();
  return show(what, bar, text, h("p", { class: "help" }, "It goes on when this is closed."), h("div", { class: "actions" }, stop));
}

export const moveMessages = (ctx, queue, preset = "queue") => ask({
  title: `Move messages of ${queue.name}`, button: "Move", danger: true,
  text: `${some(queue.messages_ready, "message")} are ready; what arrives meanwhile is not moved.`,
  fields: [{ name: "kind", label: "Where", type: "select", value: preset, options: [["queue", "To a queue"], ["exchange", "To an exchange"],
    ["source", "Dead letters: back to the queues that they came from"]] },
  { name: "queue", label: "Queue", show: (v) => v.kind === "queue" }, { name: "exchange", label: "Exchange", show: (v) => v.kind === "exchange" },
  { name: "routing_key", label: "Routing key", help: "Empty: each message's own.", show: (v) => v.kind === "exchange" },
  { name: "count", label: "At most so many", type: "number", min: 1 }, { name: "rate", label: "At most so many a second", type: "number", min: 1 }],
  run: async (v) => {
    const to = v.kind === "source" ? "source" : v.kind === "queue" ? { queue: v.queue } : { exchange: v.exchange, ...(v.routing_key ? { routing_key: v.routing_key } : {}) };
    const task = await call("POST", pathOf(queue) + "/move", { to, ...(v.count ? { count: v.count } : {}), ...(v.rate ? { rate: v.rate } : {}) });
    setTimeout(() => followTask(ctx, task.id, `Move messages of ${queue.name}`));
  },
});
