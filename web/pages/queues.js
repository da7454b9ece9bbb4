/* The list of queues, and what is done to several of them at once. */
import { h } from "../dom.js";
import { del, getIfThere, part, post, put } from "../api.js";
import { levels, sparkline } from "../chart.js";
import { bytes, count, duration, rate, some, value } from "../format.js";
import * as list from "../list.js";
import { can } from "../features.js";
import { go } from "../route.js";
import { administers, enters, may, vhosts as ownVhosts } from "../rights.js";
import { ask, badge, button, danger } from "../ui.js";
import { declareQueue } from "./queue_forms.js";

export const title = () => "Queues";
export const pathOf = (row) => `queues/${part(row.vhost)}/${part(row.name)}`;

/* When the queue is empty if it goes on so; its length grows by speed a second. */
export function toEmpty(row) {
  const speed = row.messages_details?.rate ?? 0;
  if (!row.messages) return "empty";
  if (speed > 0.05) return `+${rate(speed)}`;
  return speed < -0.05 ? duration((1000 * row.messages) / -speed) : "–";
}

export const state = (row) => badge(row.state, { running: "good", paused: "warn", idle: "" }[row.state] ?? "bad");

const SHORT = { "message-ttl": "TTL", expires: "Exp", "max-length": "Len", "max-length-bytes": "Bytes", "dead-letter-exchange": "DLX", "dead-letter-routing-key": "DLK",
  "max-priority": "Pri", "single-active-consumer": "SAC", "delivery-limit": "DL", overflow: "Ovfl" };

function features(row) {
  const words = [[row.type], !row.durable && ["transient"], row.auto_delete && ["auto-delete"], row.exclusive && ["exclusive"],
    ...Object.entries(row.arguments || {}).filter(([name]) => name !== "x-queue-type").map(([name, v]) => {
      const plain = name.replace(/^x-/, "");
      return [SHORT[plain] || plain, `${plain}: ${value(v)}`];
    })];
  return words.filter(Boolean).map(([word, title]) => [h("span", { class: "badge", title }, word), " "]);
}

const stat = (row, name) => rate(row.message_stats?.[name + "_details"]?.rate ?? 0);

const kind = {
  name: "queues", label: "Queues", sort: "",
  path: (query) => "queues" + (query.vhost ? "/" + part(query.vhost) : ""),
  href: (row) => [["queues", row.vhost, row.name]],
  wanted: ["name", "vhost", "messages", "consumers"],
  extra: { lengths_age: 300, lengths_incr: 10 },
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => row.name },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    { id: "features", label: "Type", sort: "type", fields: ["type", "durable", "auto_delete", "exclusive", "arguments"],
      cell: features },
    { id: "state", label: "State", sort: "state", cell: state },
    { id: "policy", label: "Policy", sort: "policy", cell: (row) => row.policy || "" },
    { id: "depth", label: "Last 5 min", fields: ["messages_details"], cell: (row) => sparkline(levels(row.messages_details).map((one) => one[1]), 2) },
    { id: "ready", label: "Ready", sort: "messages_ready", num: true, cell: (row) => count(row.messages_ready) },
    { id: "unacked", label: "Unacked", sort: "messages_unacknowledged", num: true, cell: (row) => count(row.messages_unacknowledged) },
    { id: "total", label: "Total", sort: "messages", num: true, hidden: true, cell: (row) => count(row.messages) },
    { id: "in", label: "In", sort: "message_stats.publish_details.rate", num: true, fields: ["message_stats.publish_details.rate"], cell: (row) => stat(row, "publish") },
    { id: "out", label: "Out", sort: "message_stats.deliver_get_details.rate", num: true, fields: ["message_stats.deliver_get_details.rate"], cell: (row) => stat(row, "deliver_get") },
    { id: "ack", label: "Acked", sort: "message_stats.ack_details.rate", num: true, hidden: true, fields: ["message_stats.ack_details.rate"], cell: (row) => stat(row, "ack") },
    { id: "empty", label: "To empty", sort: "messages_details.rate", fields: ["messages", "messages_details"], cell: toEmpty },
    { id: "consumers", label: "Consumers", sort: "consumers", num: true, cell: (row) => count(row.consumers) },
    { id: "capacity", label: "Consumer capacity", sort: "consumer_capacity", num: true, hidden: true, cell: (row) => `${Math.round(100 * (row.consumer_capacity ?? 0))} %` },
    { id: "bytes", label: "Bytes", sort: "message_bytes", num: true, hidden: true, cell: (row) => bytes(row.message_bytes) },
    { id: "memory", label: "Memory", sort: "memory", num: true, hidden: true, cell: (row) => bytes(row.memory) },
    { id: "paged", label: "On disk only", sort: "messages_paged_out", num: true, hidden: true, cell: (row) => count(row.messages_paged_out) },
  ],
  filters: [
    { name: "type", label: "Any type", options: [["classic", "Classic", "type:eq:classic"], ["quorum", "Quorum", "type:eq:quorum"], ["stream", "Stream", "type:eq:stream"]] },
    { name: "is", label: "In any state", options: [["idle", "Without consumers", "consumers:eq:0"], ["growing", "Growing", "messages_details.rate:gt:0"],
      ["filled", "Not empty", "messages:gt:0"], ["paused", "Paused", "state:eq:paused"]] },
    { name: "policy", label: "Any policy", options: [] },
  ],
};

export async function load(ctx) {
  const policies = (await getIfThere("policies?columns=name")) || [];
  const names = [...new Set(policies.map((one) => one.name))];
  kind.filters[2].options = [...names.map((one) => [one, one, "policy:eq:" + one])];
  return list.load(kind, ctx.query);
}

/* ---- Several at once. */

/* Does it to one after the other, and says how far it came when one is refused. */
async function each(rows, act, done) {
  let n = 0;
  for (const row of rows) {
    try {
      await act(row);
    } catch (error) {
      if (error.status !== 404) throw new Error(`${row.name}: ${error.message} (${n} of ${rows.length} are done)`);
    }
    n++;
  }
  done();
  return `${some(n, "queue")} done.`;
}

const sum = (rows, name) => rows.reduce((all, row) => all + (row[name] || 0), 0);
const said = (rows) => rows.length <= 8 ? rows.map((one) => one.name).join(", ") : `${rows.slice(0, 8).map((one) => one.name).join(", ")} and ${count(rows.length - 8)} more`;

function bulk(verb, rows, text, act, done, more = {}) {
  return ask({ title: `${verb} ${some(rows.length, "queue")}`, text: [said(rows), text], button: verb, danger: true,
    typed: rows.length > 1 ? String(rows.length) : undefined, run: (values) => each(rows, (row) => act(row, values), done), ...more });
}

export const purgeText = (rows) => `This drops ${some(sum(rows, "messages_ready"), "message")} that are ready. Those that consumers have, ${count(sum(rows, "messages_unacknowledged"))}, stay.`;
export const deleteText = (rows) => `This deletes ${some(sum(rows, "messages"), "message")}, and ${some(sum(rows, "consumers"), "consumer")} ${sum(rows, "consumers") === 1 ? "is" : "are"} cancelled.`;
export const move = (row, to) => post(pathOf(row) + "/move", { to: { queue: to } });

const actions = (ctx) => (rows, done) => {
  const finish = () => {
    done();
    ctx.refresh();
  };
  const can = rows.every((row) => enters(row.vhost));
  return can ? [
    danger("Purge…", () => bulk("Purge", rows, purgeText(rows), (row) => del(pathOf(row) + "/contents"), finish)),
    danger("Delete…", () => bulk("Delete", rows, deleteText(rows), (row) => del(pathOf(row)), finish)),
    can.move && button("Move messages…", () => bulk("Move messages of", rows, `${some(sum(rows, "messages_ready"), "message")} go to another queue.`,
      (row, values) => move(row, values.to), finish, { button: "Move", fields: [{ name: "to", label: "Target queue", required: true }] })),
    can.pause && button("Pause", () => bulk("Pause", rows, "Consumers get no messages until the queues are resumed; publishers go on.", (row) => put(pathOf(row) + "/pause"), finish)),
    can.pause && button("Resume", () => bulk("Resume", rows, "Consumers get messages again.", (row) => put(pathOf(row) + "/resume"), finish, { typed: undefined })),
  ] : h("span", { class: "dim" }, "You may not change all of these.");
};

export function view(ctx, data) {
  ctx.state.selected ||= new Map();
  const mayDeclare = ownVhosts().some((vhost) => may("configure", vhost, "x") || enters(vhost));
  return [
    h("div", { class: "actions" }, mayDeclare && button("Declare a queue…", () => declareQueue(ctx, (vhost, name) => go(["queues", vhost, name])), { class: "primary" })),
    list.view({ ...kind, actions: enters() || administers() ? actions(ctx) : null }, ctx, data, ctx.state.selected),
  ];
}
