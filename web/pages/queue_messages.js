/* The messages of a queue: looked at without a change (peek), taken, published, moved. */
import { h } from "../dom.js";
import { post } from "../api.js";
import { duration, some } from "../format.js";
import { can } from "../features.js";
import { enters, may } from "../rights.js";
import { ask, button, section, show } from "../ui.js";
import { messageForm, messageView } from "./message.js";
import { pathOf } from "./queue_bulk.js";
import { pick, pickBar } from "./queue_picked.js";

const PAGE = 20;
const STATES = [
  ["ready", "Ready"],
  ["unacked", "Unacknowledged"],
  ["all", "All"],
];

async function look(ctx, queue, offset) {
  const { state } = ctx;
  state.problem = null;
  try {
    state.messages = await post(pathOf(queue) + "/peek", {
      offset,
      count: PAGE,
      state: state.which || "ready",
      encoding: "auto",
      truncate: 50000,
    });
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
  return h(
    "div",
    { class: "toolbar" },
    h(
      "select",
      {
        "aria-label": "Which messages",
        value: state.which || "ready",
        onchange: (event) => {
          state.which = event.target.value;
          look(ctx, queue, 0);
        },
      },
      STATES.map(([value, text]) => h("option", { value }, text)),
    ),
    button("Look", () => look(ctx, queue, 0), { class: "primary" }),
    state.messages && [
      button("‹ Nearer the head", () => look(ctx, queue, Math.max(0, state.offset - PAGE)), { disabled: state.offset === 0 }),
      button("Further ›", () => look(ctx, queue, state.offset + PAGE), { disabled: shown < PAGE }),
      h(
        "label",
        { class: "inline" },
        "from position ",
        h("input", {
          type: "number",
          min: 0,
          value: String(state.offset),
          "aria-label": "Position",
          onchange: (event) => look(ctx, queue, Math.max(0, Number(event.target.value) || 0)),
        }),
      ),
      h("input", {
        type: "search",
        placeholder: "Search these messages",
        "aria-label": "Search these messages",
        value: state.search || "",
        oninput: (event) => {
          state.search = event.target.value;
          ctx.redraw();
        },
      }),
    ],
  );
}

const fits = (message, text) => !text || JSON.stringify(message).toLowerCase().includes(text.toLowerCase());

function unackedFacts(message) {
  const who = message.consumer;
  if (!who) return null;
  return h(
    "p",
    { class: "dim" },
    `Held by the consumer ${who.consumer_tag ?? ""} on channel ${who.channel} of ${who.connection}`,
    who.since ? ` for ${duration(Date.now() - who.since)}` : "",
  );
}

function peekTab(ctx, queue) {
  const { state } = ctx;
  const found = (state.messages || []).filter((one) => fits(one, state.search));
  return section(
    "Look at messages",
    h("p", { class: "help" }, "Looking changes nothing: no message is taken, marked or moved."),
    peekBar(ctx, queue),
    pickBar(ctx, queue, () => look(ctx, queue, state.offset)),
    state.problem && h("p", { class: "problem", role: "alert" }, state.problem),
    state.messages &&
      (found.length
        ? h(
            "div",
            {},
            found.map((message, i) =>
              h(
                "div",
                { class: "message", key: message.id ?? i },
                can.move && enters(queue.vhost) && message.state === "ready" && pick(ctx, message),
                messageView(message, { position: message.position ?? state.offset + i }),
                unackedFacts(message),
              ),
            ),
          )
        : h("p", { class: "empty" }, state.messages.length ? "None of these fits the search." : "There are no messages here.")),
  );
}

/* ---- Taking: it is another thing than looking, and says so. */

const MODES = [
  ["ack_requeue_true", "Put back (they are marked as redelivered)"],
  ["ack_requeue_false", "Remove from the queue"],
  ["reject_requeue_true", "Reject and put back"],
  ["reject_requeue_false", "Reject (they become dead letters)"],
];

function take(ctx, queue) {
  return ask({
    title: "Get messages",
    button: "Get",
    text: "Unlike looking, this delivers the messages.",
    fields: [
      { name: "ackmode", label: "And then", type: "select", value: "ack_requeue_true", options: MODES },
      { name: "count", label: "How many", type: "number", value: "1", min: 1 },
    ],
    run: async ({ ackmode, count: n }) => {
      const got = await post(pathOf(queue) + "/get", { ackmode, count: n || 1, encoding: "auto", truncate: 50000 });
      ctx.refresh();
      show(
        `${some(got.length, "message")} of ${queue.name}`,
        got.length ? got.map((one) => h("div", { class: "message" }, messageView(one, {}))) : h("p", {}, "The queue is empty."),
      );
    },
  });
}

export function messagesTab(ctx, queue) {
  if (!may("read", queue.vhost, queue.name))
    return h("p", { class: "empty" }, "Reading this queue needs the permission to read it.");
  return [
    can.peek && peekTab(ctx, queue),
    section(
      "Get messages",
      h("p", { class: "help" }, "Takes messages as a consumer does."),
      h(
        "div",
        { class: "actions" },
        button("Get…", () => take(ctx, queue)),
      ),
    ),
  ];
}

/* ---- Publishing. */

export const publishTo = (ctx, queue) =>
  messageForm({ title: `Publish to ${queue.name}`, vhost: queue.vhost, exchange: "", key: queue.name, done: ctx.refresh });
