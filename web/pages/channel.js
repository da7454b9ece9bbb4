/* One channel. */
import { h } from "../dom.js";
import { get, part, query } from "../api.js";
import { chart, growth, rangeChoice, ranges } from "../chart.js";
import { count, rate, time } from "../format.js";
import { href, setQuery } from "../route.js";
import { facts, grid, section } from "../ui.js";
import { modes, stateOf } from "./channels.js";
import { consumerGrid } from "./queue.js";

export const title = (ctx) => `Channel ${ctx.path[1]}`;

export const load = (ctx) => get("channels/" + part(ctx.path[1]) + query(ranges(ctx.query.range, "msg_rates")));

const queueLink = (vhost, name) => h("a", { href: href(["queues", vhost, name]) }, name);

export function view(ctx, c) {
  const stats = c.message_stats || {};
  const range = ctx.query.range || "10 min";
  const line = (label, shade, name) => ({ label, shade, points: growth(stats[name + "_details"]) });
  const owner = c.connection_details?.name;
  return [
    rangeChoice(range, ctx.overview.sample_retention_policies.basic, (name) => setQuery({ range: name })),
    chart({
      key: "rates",
      title: "Messages a second",
      range,
      format: rate,
      series: [
        line("Published", 1, "publish"),
        line("Confirmed", 2, "confirm"),
        line("Delivered", 3, "deliver_get"),
        line("Acknowledged", 5, "ack"),
        line("Redelivered", 6, "redeliver"),
      ],
    }),
    section(
      "Now",
      facts(
        ["State", stateOf(c)],
        ["Mode", modes(c)],
        ["Connection", owner && h("a", { href: href(["connections", owner]) }, owner)],
        ["User", c.user],
        ["Virtual host", c.vhost],
        ["Consumers", count(c.consumer_count)],
        ["Prefetch of each consumer", c.prefetch_count || "no limit"],
        ["Prefetch of the channel", c.global_prefetch_count || "no limit"],
        ["Unacknowledged", count(c.messages_unacknowledged)],
        ["Unconfirmed", count(c.messages_unconfirmed)],
        ["Uncommitted", count(c.messages_uncommitted)],
        ["Acks uncommitted", count(c.acks_uncommitted)],
        ["Unroutable, returned", count(stats.return_unroutable ?? 0)],
        ["Unroutable, dropped", count(stats.drop_unroutable ?? 0)],
        ["Idle since", c.idle_since ? time(Date.parse(c.idle_since)) : "in use"],
      ),
    ),
    section(
      "Consumers",
      consumerGrid(
        (c.consumer_details || []).map((one) => ({
          ...one,
          channel_details: one.channel_details || { name: c.name, user: c.user },
        })),
        "This channel consumes from no queue.",
      ),
    ),
    section(
      "Deliveries by queue",
      grid(
        ["Queue", "#Delivered", "#Acknowledged"],
        (c.deliveries || []).map((one) => [
          queueLink(one.queue.vhost, one.queue.name),
          rate(one.stats?.deliver_get_details?.rate ?? 0),
          rate(one.stats?.ack_details?.rate ?? 0),
        ]),
        { empty: "None." },
      ),
    ),
  ];
}
