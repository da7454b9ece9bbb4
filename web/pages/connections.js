/* The list of connections, and closing several of them. */
import { del, part } from "../api.js";
import { bytes, count, some, time } from "../format.js";
import * as list from "../list.js";
import { ask, badge, danger } from "../ui.js";

export const title = () => "Connections";

export const stateOf = (row) =>
  badge(row.state, { running: "good", blocked: "bad", blocking: "warn", flow: "warn" }[row.state] || "");
const speed = (row, name) => bytes(row[name + "_details"]?.rate ?? 0) + "/s";

const kind = {
  name: "connections",
  label: "Connections",
  sort: "",
  empty: "Nobody is connected.",
  path: (query) => (query.vhost ? `vhosts/${part(query.vhost)}/connections` : "connections"),
  href: (row) => [["connections", row.name]],
  key: (row) => row.name,
  columns: [
    {
      id: "name",
      label: "From",
      sort: "name",
      cell: (row) => (row.user_provided_name ? `${row.user_provided_name} (${row.name})` : row.name),
    },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    { id: "user", label: "User", sort: "user", cell: (row) => row.user },
    { id: "state", label: "State", sort: "state", cell: stateOf },
    { id: "tls", label: "TLS", sort: "ssl", cell: (row) => (row.ssl ? row.ssl_protocol || "yes" : "no") },
    {
      id: "client",
      label: "Client",
      cell: (row) => `${row.client_properties?.product ?? "–"} ${row.client_properties?.version ?? ""}`,
    },
    { id: "channels", label: "Channels", sort: "channels", num: true, cell: (row) => count(row.channels) },
    { id: "in", label: "From client", sort: "recv_oct_details.rate", num: true, cell: (row) => speed(row, "recv_oct") },
    { id: "out", label: "To client", sort: "send_oct_details.rate", num: true, cell: (row) => speed(row, "send_oct") },
    { id: "since", label: "Since", sort: "connected_at", cell: (row) => time(row.connected_at) },
    {
      id: "heartbeat",
      label: "Heartbeat",
      sort: "timeout",
      num: true,
      hidden: true,
      cell: (row) => (row.timeout ? `${row.timeout} s` : "off"),
    },
    { id: "protocol", label: "Protocol", sort: "protocol", hidden: true, cell: (row) => row.protocol },
  ],
  filters: [
    {
      name: "state",
      label: "In any state",
      options: [
        ["running", "Running", "state:eq:running"],
        ["blocked", "Blocked", "state:eq:blocked"],
        ["blocking", "Blocking", "state:eq:blocking"],
        ["idle", "Without channels", "channels:eq:0"],
      ],
    },
  ],
};

export const load = (ctx) => list.load(kind, ctx.query);

export function close(rows, done) {
  const channels = rows.reduce((all, row) => all + (row.channels || 0), 0);
  return ask({
    title: `Close ${some(rows.length, "connection")}`,
    button: "Close",
    danger: true,
    typed: rows.length > 1 ? String(rows.length) : undefined,
    text: `${some(channels, "channel")} are closed with ${rows.length === 1 ? "it" : "them"}; what was not acknowledged goes back into its queue. Most clients connect again.`,
    fields: [{ name: "reason", label: "Reason, which the client is told", value: "Closed on the management page" }],
    run: async ({ reason }) => {
      /* A header holds no characters beyond Latin-1. */
      const told = reason.replace(/[^\x20-\x7e]/g, "?");
      for (const row of rows)
        await del("connections/" + part(row.name), { "X-Reason": told }).catch((error) => {
          if (error.status !== 404) throw error;
        });
      done();
      return `${some(rows.length, "connection")} closed.`;
    },
  });
}

export function view(ctx, data) {
  ctx.state.selected ||= new Map();
  const actions = (rows, done) =>
    danger("Close…", () =>
      close(rows, () => {
        done();
        ctx.refresh();
      }),
    );
  return list.view({ ...kind, actions }, ctx, data, ctx.state.selected);
}
