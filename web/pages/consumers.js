/* The list of consumers. */
import { h } from "../dom.js";
import { part } from "../api.js";
import { count, table } from "../format.js";
import * as list from "../list.js";
import { href } from "../route.js";
import { badge } from "../ui.js";

export const title = () => "Consumers";

const kind = {
  name: "consumers",
  label: "Consumers",
  sort: "",
  search: false,
  empty: "Nobody consumes.",
  path: (query) => "consumers" + (query.vhost ? "/" + part(query.vhost) : ""),
  key: (row) => `${row.channel_details?.name} ${row.consumer_tag}`,
  columns: [
    {
      id: "queue",
      label: "Queue",
      sort: "queue.name",
      cell: (row) => h("a", { href: href(["queues", row.queue.vhost, row.queue.name]) }, row.queue.name),
    },
    { id: "vhost", label: "Virtual host", sort: "queue.vhost", cell: (row) => row.queue.vhost },
    { id: "tag", label: "Tag", sort: "consumer_tag", cell: (row) => row.consumer_tag },
    {
      id: "channel",
      label: "Channel",
      sort: "channel_details.name",
      cell: (row) => h("a", { href: href(["channels", row.channel_details?.name ?? ""]) }, row.channel_details?.name ?? "–"),
    },
    { id: "user", label: "User", sort: "channel_details.user", cell: (row) => row.channel_details?.user ?? "–" },
    { id: "acks", label: "Acks", sort: "ack_required", cell: (row) => (row.ack_required ? "yes" : "no") },
    {
      id: "prefetch",
      label: "Prefetch",
      sort: "prefetch_count",
      num: true,
      cell: (row) => (row.prefetch_count ? count(row.prefetch_count) : "no limit"),
    },
    {
      id: "active",
      label: "Active",
      sort: "active",
      cell: (row) => (row.active === false ? badge(row.activity_status || "waiting", "warn") : badge("active", "good")),
    },
    { id: "exclusive", label: "Exclusive", sort: "exclusive", hidden: true, cell: (row) => (row.exclusive ? "yes" : "no") },
    { id: "arguments", label: "Arguments", hidden: true, cell: (row) => table(row.arguments) },
  ],
};

export const load = (ctx) => list.load(kind, ctx.query);
export const view = (ctx, data) => list.view(kind, ctx, data);
