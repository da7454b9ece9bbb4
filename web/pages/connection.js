/* One connection: its traffic, its client, its channels. */
import { h } from "../dom.js";
import { get, part, query } from "../api.js";
import { chart, growth, rangeChoice, ranges } from "../chart.js";
import { bytes, count, time, value } from "../format.js";
import { go, setQuery } from "../route.js";
import { danger, facts, section } from "../ui.js";
import { channelGrid } from "./channels.js";
import { close, stateOf } from "./connections.js";

export const title = (ctx) => `Connection ${ctx.path[1]}`;
const perSecond = (n) => bytes(n) + "/s";

export async function load(ctx) {
  const path = "connections/" + part(ctx.path[1]);
  const connection = await get(path + query(ranges(ctx.query.range, "data_rates")));
  return { connection, channels: await get(path + "/channels") };
}

export function view(ctx, { connection: c, channels }) {
  const range = ctx.query.range || "10 min";
  const { capabilities, ...client } = c.client_properties || {};
  return [
    h(
      "div",
      { class: "actions" },
      danger("Close…", () => close([c], () => go(["connections"]))),
    ),
    rangeChoice(range, ctx.overview.sample_retention_policies.basic, (name) => setQuery({ range: name })),
    chart({
      key: "data",
      title: "Bytes a second",
      range,
      format: perSecond,
      series: [
        { label: "From the client", shade: 1, points: growth(c.recv_oct_details) },
        { label: "To the client", shade: 3, points: growth(c.send_oct_details) },
      ],
    }),
    section(
      "Now",
      facts(
        ["State", stateOf(c)],
        ["User", c.user],
        ["Virtual host", c.vhost],
        ["Protocol", c.protocol],
        ["Mechanism", c.auth_mechanism],
        ["Client", `${c.peer_host}:${c.peer_port}`],
        ["Broker", `${c.host}:${c.port}`],
        ["Connected", time(c.connected_at)],
        ["TLS", c.ssl ? [c.ssl_protocol, c.ssl_cipher].filter(Boolean).join(", ") || "yes" : "no"],
        c.peer_cert_subject && ["Certificate", c.peer_cert_subject],
        ["Channels", `${count(c.channels)} of ${c.channel_max ? count(c.channel_max) : "any number"}`],
        ["Frame", bytes(c.frame_max)],
        ["Heartbeat", c.timeout ? `${c.timeout} s` : "off"],
        ["From the client", `${bytes(c.recv_oct)} in ${count(c.recv_cnt)} reads`],
        ["To the client", `${bytes(c.send_oct)} in ${count(c.send_cnt)} writes`],
        ["Waits to be sent", bytes(c.send_pend ?? 0)],
      ),
    ),
    section("Channels", channelGrid(channels)),
    section(
      "What the client says of itself",
      facts(
        ...Object.entries(client).map(([name, v]) => [name, value(v)]),
        capabilities && [
          "capabilities",
          Object.entries(capabilities)
            .filter((one) => one[1])
            .map((one) => one[0].replaceAll("_", " "))
            .join(", "),
        ],
      ),
    ),
  ];
}
