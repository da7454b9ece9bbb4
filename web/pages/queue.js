/* One queue: what it holds and how that changes, who takes from it, where its messages come from
 * and go, and its messages themselves. */
import { h } from "../dom.js";
import { get, getIfThere, part, query } from "../api.js";
import { chart, growth, levels, rangeChoice, ranges } from "../chart.js";
import { bytes, count, percent, rate, some, time } from "../format.js";
import { href, setQuery } from "../route.js";
import { may } from "../rights.js";
import { badge, button, facts, grid, section, tabs } from "../ui.js";
import { bindingRows, bindForm } from "./bindings.js";
import { deadLetterGraph, deadLetterOf } from "./dead_letter_graph.js";
import { effectiveSettings } from "./effective.js";
import { actions } from "./queue_actions.js";
import { messagesTab } from "./queue_messages.js";
import { state, toEmpty } from "./queues.js";

const TABS = [
  ["", "Numbers"],
  ["messages", "Messages"],
  ["consumers", "Consumers"],
  ["bindings", "Bindings"],
  ["settings", "Settings"],
];
const nameOf = (ctx) => ctx.path[2] ?? "";
const pathOf = (ctx) => `queues/${part(ctx.path[1])}/${part(nameOf(ctx))}`;

export const title = (ctx) => `Queue ${nameOf(ctx)}`;

export async function load(ctx) {
  const tab = ctx.query.tab || "";
  const queue = await get(pathOf(ctx) + query(tab === "" ? ranges(ctx.query.range, "lengths", "msg_rates") : {}));
  const data = { queue };
  if (tab === "bindings") data.bindings = await get(pathOf(ctx) + "/bindings");
  if (tab === "settings") {
    data.policy = queue.policy && (await getIfThere(`policies/${part(queue.vhost)}/${part(queue.policy)}`).catch(() => null));
    data.operator =
      queue.operator_policy &&
      (await getIfThere(`operator-policies/${part(queue.vhost)}/${part(queue.operator_policy)}`).catch(() => null));
  }
  const dead = deadLetterOf(queue);
  if (tab === "" && dead)
    data.deadTargets = await getIfThere(
      `exchanges/${part(queue.vhost)}/${part(dead.exchange || "amq.default")}/bindings/source`,
    ).catch(() => null);
  return data;
}

/* ---- The parts. */

function numbers(ctx, { queue, deadTargets }) {
  const stats = queue.message_stats || {};
  const range = ctx.query.range || "10 min";
  const grown = (label, shade, name) => ({ label, shade, points: growth(stats[name + "_details"]) });
  return [
    rangeChoice(range, ctx.overview.sample_retention_policies.basic, (name) => setQuery({ range: name })),
    h(
      "div",
      { class: "columns" },
      chart({
        key: "lengths",
        title: "Messages",
        range,
        format: count,
        fill: true,
        series: [
          { label: "Ready", shade: 2, points: levels(queue.messages_ready_details) },
          { label: "Unacknowledged", shade: 3, points: levels(queue.messages_unacknowledged_details) },
        ],
      }),
      chart({
        key: "rates",
        title: "Messages a second",
        range,
        format: rate,
        series: [
          grown("In", 1, "publish"),
          grown("Out", 3, "deliver_get"),
          grown("Acknowledged", 5, "ack"),
          grown("Redelivered", 6, "redeliver"),
        ],
      }),
    ),
    section(
      "Now",
      facts(
        ["State", state(queue)],
        ["Type", queue.type],
        ["Ready", count(queue.messages_ready)],
        ["Unacknowledged", count(queue.messages_unacknowledged)],
        ["Time to empty", toEmpty(queue)],
        ["Consumers", count(queue.consumers)],
        ["Consumer capacity", percent(queue.consumer_capacity ?? 0)],
        ["Bytes of messages", bytes(queue.message_bytes)],
        ["Memory", bytes(queue.memory)],
        ["In memory", `${count(queue.messages_ram)} (${bytes(queue.message_bytes_ram)})`],
        ["On disk only", `${count(queue.messages_paged_out)} (${bytes(queue.message_bytes_paged_out)})`],
        ["Persistent", `${count(queue.messages_persistent)} (${bytes(queue.message_bytes_persistent)})`],
        queue.messages_dlx !== undefined && ["Dead letters that wait", count(queue.messages_dlx)],
        ["Idle since", queue.idle_since ? time(Date.parse(queue.idle_since)) : "in use"],
      ),
    ),
    deadLetterOf(queue) && section("Where its dead letters go", deadLetterGraph(queue, deadTargets)),
    grid(
      ["Published from", "#Rate", "#All"],
      (queue.incoming || []).map((one) => [
        h(
          "a",
          { href: href(["exchanges", one.exchange.vhost || queue.vhost, one.exchange.name]) },
          one.exchange.name || "(default exchange)",
        ),
        rate(one.stats?.publish_details?.rate ?? 0),
        count(one.stats?.publish ?? 0),
      ]),
      { empty: "" },
    ),
  ];
}

export const consumerGrid = (rows, empty) =>
  grid(
    ["Tag", "Channel", "User", "Acks", "#Prefetch", "Active", "Arguments"],
    rows.map((one) => [
      one.consumer_tag,
      h("a", { href: href(["channels", one.channel_details?.name ?? ""]) }, one.channel_details?.name ?? "–"),
      one.channel_details?.user ?? "–",
      one.ack_required ? "yes" : "no",
      one.prefetch_count ? count(one.prefetch_count) : "no limit",
      one.active === false ? badge(one.activity_status || "waiting", "warn") : badge("active", "good"),
      JSON.stringify(one.arguments || {}).slice(1, -1) || "–",
    ]),
    { empty },
  );

function consumers({ queue }) {
  return section("Consumers", consumerGrid(queue.consumer_details || [], "Nobody consumes from this queue."));
}

function bindings(ctx, { queue, bindings: rows }) {
  return section(
    "Bindings to this queue",
    bindingRows(ctx, rows, { towards: "source" }),
    may("write", queue.vhost, queue.name) &&
      h(
        "div",
        { class: "actions" },
        button("Bind…", () => bindForm(ctx, { vhost: queue.vhost, destination: queue.name, type: "q" })),
      ),
  );
}

function settings({ queue, policy, operator }) {
  return [
    section(
      "Settings in effect",
      h(
        "p",
        { class: "help" },
        "Arguments are given when a queue is declared; policies add to them. Where both say a number, the lower one counts; an operator policy only lowers.",
      ),
      effectiveSettings(queue, policy, operator),
    ),
    section(
      "Declared as",
      facts(
        ["Durable", queue.durable ? "yes" : "no"],
        ["Auto-delete", queue.auto_delete ? "yes" : "no"],
        ["Exclusive", queue.exclusive ? "yes" : "no"],
        ["Node", queue.node],
        ["Policy", queue.policy && h("a", { href: href(["policies", queue.vhost, queue.policy]) }, queue.policy)],
        [
          "Operator policy",
          queue.operator_policy &&
            h("a", { href: href(["policies", queue.vhost, queue.operator_policy], { operator: 1 }) }, queue.operator_policy),
        ],
        queue.owner_pid_details && [
          "Belongs to",
          h("a", { href: href(["connections", queue.owner_pid_details.name]) }, queue.owner_pid_details.name),
        ],
      ),
    ),
  ];
}

export function view(ctx, data) {
  const tab = ctx.query.tab || "";
  const { queue } = data;
  const parts = {
    "": () => numbers(ctx, data),
    messages: () => messagesTab(ctx, queue),
    consumers: () => consumers(data),
    bindings: () => data.bindings && bindings(ctx, data),
    settings: () => settings(data),
  };
  return [
    h(
      "p",
      { class: "dim" },
      `in the virtual host ${queue.vhost} · `,
      state(queue),
      ` · ${some(queue.messages, "message")} · ${some(queue.consumers, "consumer")}`,
    ),
    actions(ctx, queue),
    tabs(TABS, tab, (id) => href(ctx.path, { tab: id, range: ctx.query.range })),
    (parts[tab] || parts[""])(),
  ];
}
