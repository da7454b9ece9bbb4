/* The list of queues, and what is done to several of them at once. */
import { h } from "../dom.js";
import { getIfThere, part } from "../api.js";
import { levels, sparkline } from "../chart.js";
import { bytes, count, duration, rate, value } from "../format.js";
import * as list from "../list.js";
import { go } from "../route.js";
import { administers, enters, may, vhosts as ownVhosts } from "../rights.js";
import { badge, button } from "../ui.js";
import { actions } from "./queue_bulk.js";
import { declareQueue } from "./queue_forms.js";

export const title = () => "Queues";

/* When the queue is empty if it goes on so; its length grows by speed a second. */
export function toEmpty(row) {
  const speed = row.messages_details?.rate ?? 0;
  if (!row.messages) return "empty";
  if (speed > 0.05) return `+${rate(speed)}`;
  return speed < -0.05 ? duration((1000 * row.messages) / -speed) : "–";
}

export const state = (row) => badge(row.state, { running: "good", paused: "warn", idle: "" }[row.state] ?? "bad");

const SHORT = {
  "message-ttl": "TTL",
  expires: "Exp",
  "max-length": "Len",
  "max-length-bytes": "Bytes",
  "dead-letter-exchange": "DLX",
  "dead-letter-routing-key": "DLK",
  "max-priority": "Pri",
  "single-active-consumer": "SAC",
  "delivery-limit": "DL",
  overflow: "Ovfl",
};

function features(row) {
  const words = [
    [row.type],
    !row.durable && ["transient"],
    row.auto_delete && ["auto-delete"],
    row.exclusive && ["exclusive"],
    ...Object.entries(row.arguments || {})
      .filter(([name]) => name !== "x-queue-type")
      .map(([name, v]) => {
        const plain = name.replace(/^x-/, "");
        return [SHORT[plain] || plain, `${plain}: ${value(v)}`];
      }),
  ];
  return words.filter(Boolean).map(([word, title]) => [h("span", { class: "badge", title }, word), " "]);
}

const stat = (row, name) => rate(row.message_stats?.[name + "_details"]?.rate ?? 0);

const kind = {
  name: "queues",
  label: "Queues",
  sort: "",
  path: (query) => "queues" + (query.vhost ? "/" + part(query.vhost) : ""),
  href: (row) => [["queues", row.vhost, row.name]],
  wanted: ["name", "vhost", "messages", "consumers"],
  extra: { lengths_age: 300, lengths_incr: 10 },
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => row.name },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    {
      id: "features",
      label: "Type",
      sort: "type",
      fields: ["type", "durable", "auto_delete", "exclusive", "arguments"],
      cell: features,
    },
    { id: "state", label: "State", sort: "state", cell: state },
    { id: "policy", label: "Policy", sort: "policy", cell: (row) => row.policy || "" },
    {
      id: "depth",
      label: "Last 5 min",
      fields: ["messages_details"],
      cell: (row) =>
        sparkline(
          levels(row.messages_details).map((one) => one[1]),
          2,
        ),
    },
    { id: "ready", label: "Ready", sort: "messages_ready", num: true, cell: (row) => count(row.messages_ready) },
    {
      id: "unacked",
      label: "Unacked",
      sort: "messages_unacknowledged",
      num: true,
      cell: (row) => count(row.messages_unacknowledged),
    },
    { id: "total", label: "Total", sort: "messages", num: true, hidden: true, cell: (row) => count(row.messages) },
    {
      id: "in",
      label: "In",
      sort: "message_stats.publish_details.rate",
      num: true,
      fields: ["message_stats.publish_details.rate"],
      cell: (row) => stat(row, "publish"),
    },
    {
      id: "out",
      label: "Out",
      sort: "message_stats.deliver_get_details.rate",
      num: true,
      fields: ["message_stats.deliver_get_details.rate"],
      cell: (row) => stat(row, "deliver_get"),
    },
    {
      id: "ack",
      label: "Acked",
      sort: "message_stats.ack_details.rate",
      num: true,
      hidden: true,
      fields: ["message_stats.ack_details.rate"],
      cell: (row) => stat(row, "ack"),
    },
    { id: "empty", label: "To empty", sort: "messages_details.rate", fields: ["messages", "messages_details"], cell: toEmpty },
    { id: "consumers", label: "Consumers", sort: "consumers", num: true, cell: (row) => count(row.consumers) },
    {
      id: "capacity",
      label: "Consumer capacity",
      sort: "consumer_capacity",
      num: true,
      hidden: true,
      cell: (row) => `${Math.round(100 * (row.consumer_capacity ?? 0))} %`,
    },
    { id: "bytes", label: "Bytes", sort: "message_bytes", num: true, hidden: true, cell: (row) => bytes(row.message_bytes) },
    { id: "memory", label: "Memory", sort: "memory", num: true, hidden: true, cell: (row) => bytes(row.memory) },
    {
      id: "paged",
      label: "On disk only",
      sort: "messages_paged_out",
      num: true,
      hidden: true,
      cell: (row) => count(row.messages_paged_out),
    },
  ],
  filters: [
    {
      name: "type",
      label: "Any type",
      options: [
        ["classic", "Classic", "type:eq:classic"],
        ["quorum", "Quorum", "type:eq:quorum"],
        ["stream", "Stream", "type:eq:stream"],
      ],
    },
    {
      name: "is",
      label: "In any state",
      options: [
        ["idle", "Without consumers", "consumers:eq:0"],
        ["growing", "Growing", "messages_details.rate:gt:0"],
        ["filled", "Not empty", "messages:gt:0"],
        ["paused", "Paused", "state:eq:paused"],
      ],
    },
    { name: "policy", label: "Any policy", options: [] },
  ],
};

export async function load(ctx) {
  const policies = (await getIfThere("policies?columns=name")) || [];
  const names = [...new Set(policies.map((one) => one.name))];
  kind.filters[2].options = [...names.map((one) => [one, one, "policy:eq:" + one])];
  return list.load(kind, ctx.query);
}

export function view(ctx, data) {
  ctx.state.selected ||= new Map();
  const mayDeclare = ownVhosts().some((vhost) => may("configure", vhost, "x") || enters(vhost));
  return [
    h(
      "div",
      { class: "actions" },
      mayDeclare &&
        button("Declare a queue…", () => declareQueue(ctx, (vhost, name) => go(["queues", vhost, name])), { class: "primary" }),
    ),
    list.view({ ...kind, actions: enters() || administers() ? actions(ctx) : null }, ctx, data, ctx.state.selected),
  ];
}
