/* The list of channels. */
import { h } from "../dom.js";
import { part } from "../api.js";
import { count, rate } from "../format.js";
import * as list from "../list.js";
import { href } from "../route.js";
import { badge, grid } from "../ui.js";

export const title = () => "Channels";

export const stateOf = (row) => badge(row.state, { running: "good", flow: "warn" }[row.state] || "");
const stat = (row, name) => rate(row.message_stats?.[name + "_details"]?.rate ?? 0);
export const modes = (row) =>
  [row.confirm && "confirms", row.transactional && "transactions"].filter(Boolean).map((one) => [badge(one), " "]);

const kind = {
  name: "channels",
  label: "Channels",
  sort: "",
  empty: "There are no channels.",
  path: (query) => (query.vhost ? `vhosts/${part(query.vhost)}/channels` : "channels"),
  href: (row) => [["channels", row.name]],
  key: (row) => row.name,
  columns: [
    { id: "name", label: "Channel", sort: "name", cell: (row) => row.name },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    { id: "user", label: "User", sort: "user", cell: (row) => row.user },
    { id: "mode", label: "Mode", cell: modes },
    { id: "state", label: "State", sort: "state", cell: stateOf },
    { id: "consumers", label: "Consumers", sort: "consumer_count", num: true, cell: (row) => count(row.consumer_count) },
    { id: "prefetch", label: "Prefetch", sort: "prefetch_count", num: true, cell: (row) => row.prefetch_count || "no limit" },
    {
      id: "unacked",
      label: "Unacked",
      sort: "messages_unacknowledged",
      num: true,
      cell: (row) => count(row.messages_unacknowledged),
    },
    {
      id: "unconfirmed",
      label: "Unconfirmed",
      sort: "messages_unconfirmed",
      num: true,
      cell: (row) => count(row.messages_unconfirmed),
    },
    {
      id: "publish",
      label: "Published",
      sort: "message_stats.publish_details.rate",
      num: true,
      cell: (row) => stat(row, "publish"),
    },
    {
      id: "deliver",
      label: "Delivered",
      sort: "message_stats.deliver_get_details.rate",
      num: true,
      cell: (row) => stat(row, "deliver_get"),
    },
    { id: "ack", label: "Acked", sort: "message_stats.ack_details.rate", num: true, cell: (row) => stat(row, "ack") },
  ],
  filters: [
    {
      name: "is",
      label: "All channels",
      options: [
        ["unacked", "With unacked messages", "messages_unacknowledged:gt:0"],
        ["consuming", "With consumers", "consumer_count:gt:0"],
      ],
    },
  ],
};

export const load = (ctx) => list.load(kind, ctx.query);
export const view = (ctx, data) => list.view(kind, ctx, data);

/* The channels of a connection. */
export const channelGrid = (rows) =>
  grid(
    ["Channel", "Mode", "State", "#Consumers", "#Prefetch", "#Unacked", "#Published", "#Delivered"],
    rows.map((row) => [
      h("a", { href: href(["channels", row.name]) }, `Channel ${row.number}`),
      modes(row),
      stateOf(row),
      count(row.consumer_count),
      row.prefetch_count || "no limit",
      count(row.messages_unacknowledged),
      stat(row, "publish"),
      stat(row, "deliver_get"),
    ]),
    { empty: "It has no channels." },
  );
