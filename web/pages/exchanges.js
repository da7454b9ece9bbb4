/* The list of exchanges. */
import { exchangePart, part, put, del } from "../api.js";
import { h } from "../dom.js";
import { rate, some } from "../format.js";
import * as list from "../list.js";
import { go } from "../route.js";
import { enters, vhosts } from "../rights.js";
import { ask, badge, button, danger } from "../ui.js";

export const title = () => "Exchanges";
export const pathOf = (row) => `exchanges/${part(row.vhost)}/${exchangePart(row.name)}`;
export const shown = (name) => name || "(default exchange)";
const stat = (row, name) => rate(row.message_stats?.[name + "_details"]?.rate ?? 0);

const kind = {
  name: "exchanges",
  label: "Exchanges",
  sort: "",
  path: (query) => "exchanges" + (query.vhost ? "/" + part(query.vhost) : ""),
  href: (row) => [["exchanges", row.vhost, row.name]],
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => shown(row.name) },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    { id: "type", label: "Type", sort: "type", cell: (row) => row.type },
    {
      id: "features",
      label: "Features",
      cell: (row) =>
        [
          row.durable && "durable",
          row.auto_delete && "auto-delete",
          row.internal && "internal",
          ...Object.keys(row.arguments || {}),
        ]
          .filter(Boolean)
          .map((one) => [badge(one), " "]),
    },
    { id: "policy", label: "Policy", sort: "policy", cell: (row) => row.policy || "" },
    { id: "in", label: "In", sort: "message_stats.publish_in_details.rate", num: true, cell: (row) => stat(row, "publish_in") },
    {
      id: "out",
      label: "Out",
      sort: "message_stats.publish_out_details.rate",
      num: true,
      cell: (row) => stat(row, "publish_out"),
    },
  ],
  filters: [{ name: "type", label: "Any type", options: [] }],
};

export function load(ctx) {
  kind.filters[0].options = (ctx.overview.exchange_types || []).map(({ name }) => [name, name, "type:eq:" + name]);
  return list.load(kind, ctx.query);
}

const declare = (ctx) =>
  ask({
    title: "Declare an exchange",
    button: "Declare",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", value: ctx.query.vhost || vhosts()[0], options: vhosts() },
      { name: "name", label: "Name", required: true },
      {
        name: "type",
        label: "Type",
        type: "select",
        value: "direct",
        options: (ctx.overview.exchange_types || [{ name: "direct" }]).map((one) => one.name),
      },
      { name: "durable", label: "Durable: is there after a restart", type: "check", value: true },
      { name: "auto_delete", label: "Auto-delete: goes with its last binding", type: "check" },
      { name: "internal", label: "Internal: clients cannot publish to it", type: "check" },
      { name: "alternate", label: "Alternate exchange", help: "Gets what no queue takes." },
      {
        name: "delayed",
        label: "Type behind the delay",
        type: "select",
        value: "direct",
        options: ["direct", "fanout", "topic", "headers"],
        show: (v) => v.type === "x-delayed-message",
      },
      {
        name: "arguments",
        label: "Other arguments",
        type: "table",
        help: "One KEY=VALUE a line; a value that reads as JSON is JSON.",
      },
    ],
    run: async (v) => {
      const all = { ...v.arguments };
      if (v.alternate) all["alternate-exchange"] = v.alternate;
      if (v.type === "x-delayed-message") all["x-delayed-type"] = v.delayed;
      await put(pathOf(v), {
        type: v.type,
        durable: v.durable,
        auto_delete: v.auto_delete,
        internal: v.internal,
        arguments: all,
      });
      go(["exchanges", v.vhost, v.name]);
      return `Exchange ${v.name} is declared.`;
    },
  });

const actions = (ctx) => (rows, done) =>
  danger("Delete…", () =>
    ask({
      title: `Delete ${some(rows.length, "exchange")}`,
      button: "Delete",
      danger: true,
      typed: rows.length > 1 ? String(rows.length) : undefined,
      text: [
        rows
          .map((one) => shown(one.name))
          .slice(0, 10)
          .join(", "),
        "Their bindings go with them; the queues and their messages stay.",
      ],
      run: async () => {
        for (const row of rows) await del(pathOf(row));
        done();
        ctx.refresh();
        return `${some(rows.length, "exchange")} deleted.`;
      },
    }),
  );

export function view(ctx, data) {
  ctx.state.selected ||= new Map();
  return [
    h("div", { class: "actions" }, enters() && button("Declare an exchange…", () => declare(ctx), { class: "primary" })),
    list.view({ ...kind, actions: enters() ? actions(ctx) : null }, ctx, data, ctx.state.selected),
  ];
}
