/* The list of virtual hosts. */
import { h } from "../dom.js";
import { part, put } from "../api.js";
import { count, rate } from "../format.js";
import * as list from "../list.js";
import { administers } from "../rights.js";
import { go } from "../route.js";
import { ask, badge, button } from "../ui.js";

export const title = () => "Virtual hosts";

const kind = {
  name: "vhosts",
  label: "Virtual hosts",
  sort: "",
  vhosts: false,
  path: () => "vhosts",
  href: (row) => [["vhosts", row.name]],
  key: (row) => row.name,
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => row.name },
    { id: "description", label: "Description", sort: "description", cell: (row) => row.description || "" },
    { id: "tags", label: "Tags", cell: (row) => (row.tags || []).map((one) => [badge(one), " "]) },
    { id: "type", label: "Default queue type", sort: "default_queue_type", cell: (row) => row.default_queue_type || "" },
    { id: "tracing", label: "Tracing", sort: "tracing", cell: (row) => (row.tracing ? badge("on", "warn") : "off") },
    {
      id: "state",
      label: "State",
      cell: (row) => Object.values(row.cluster_state || {}).map((one) => badge(one, one === "running" ? "good" : "bad")),
    },
    { id: "ready", label: "Ready", sort: "messages_ready", num: true, cell: (row) => count(row.messages_ready ?? 0) },
    {
      id: "unacked",
      label: "Unacked",
      sort: "messages_unacknowledged",
      num: true,
      cell: (row) => count(row.messages_unacknowledged ?? 0),
    },
    {
      id: "in",
      label: "In",
      sort: "message_stats.publish_details.rate",
      num: true,
      cell: (row) => rate(row.message_stats?.publish_details?.rate ?? 0),
    },
    {
      id: "out",
      label: "Out",
      sort: "message_stats.deliver_get_details.rate",
      num: true,
      cell: (row) => rate(row.message_stats?.deliver_get_details?.rate ?? 0),
    },
  ],
};

export const load = (ctx) => list.load(kind, ctx.query);

export const vhostFields = (old) => [
  { name: "description", label: "Description", value: old.description },
  { name: "tags", label: "Tags", value: (old.tags || []).join(", "), help: "Separated by commas." },
  {
    name: "type",
    label: "Default queue type",
    type: "select",
    value: old.default_queue_type === "undefined" ? "" : old.default_queue_type || "",
    options: [["", "The node's"], "classic", "quorum"],
  },
  { name: "tracing", label: "Tracing: copies of all messages go to amq.rabbitmq.trace", type: "check", value: old.tracing },
];

export const saveVhost = (name, v) =>
  put("vhosts/" + part(name), {
    description: v.description,
    tags: v.tags,
    tracing: v.tracing,
    ...(v.type ? { default_queue_type: v.type } : {}),
  });

const add = () =>
  ask({
    title: "Add a virtual host",
    button: "Add",
    fields: [{ name: "name", label: "Name", required: true }, ...vhostFields({})],
    run: async (v) => {
      await saveVhost(v.name, v);
      go(["vhosts", v.name]);
      return `Virtual host ${v.name} is made; nobody has permissions on it yet but you.`;
    },
  });

export const view = (ctx, data) => [
  administers() && h("div", { class: "actions" }, button("Add a virtual host…", add, { class: "primary" })),
  list.view(kind, ctx, data),
];
