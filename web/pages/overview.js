/* The broker at a glance: what is wrong and what to do, what is in it, what goes through it. */
import { h } from "../dom.js";
import { get, getIfThere, query } from "../api.js";
import { chart, growth, levels, rangeChoice, ranges, sparkline } from "../chart.js";
import { bytes, count, duration, rate } from "../format.js";
import { administers, monitors } from "../rights.js";
import { setQuery, href } from "../route.js";
import { button, facts, grid, section } from "../ui.js";
import { loadFacts, loadMetrics } from "./metrics.js";
import { exportDefinitions, importDefinitions } from "./definitions.js";

export const title = () => "Overview";

export async function load(ctx) {
  const wanted = query(ranges(ctx.query.range, "lengths", "msg_rates"));
  const overview = await get("overview" + wanted);
  const node = monitors() ? (await get("nodes" + query(ranges(ctx.query.range, "node_stats"))))[0] : null;
  const metrics = monitors() ? await loadMetrics(ctx) : null;
  const certificates = monitors() ? await getIfThere("certificates") : null;
  return { overview, node, metrics, certificates };
}

function alarms(node) {
  if (!node) return null;
  const out = [];
  if (node.mem_alarm)
    out.push([
      "The memory alarm is on: publishers are held.",
      `${bytes(node.mem_used)} are used, ${bytes(node.mem_limit)} may be. Consumers still get messages. ` +
        "Let them catch up, purge or bound queues that grow, or raise the watermark on the page Node.",
    ]);
  if (node.disk_free_alarm)
    out.push([
      "The disk alarm is on: publishers are held.",
      `${bytes(node.disk_free)} are free, ${bytes(node.disk_free_limit)} must be. ` +
        "Make room on the disk of the data directory; publishers go on by themselves then.",
    ]);
  if (node.unwritable_vhosts)
    out.push([
      `${count(node.unwritable_vhosts)} virtual hosts cannot be written.`,
      "The log says why. Their publishers are held until the journal can be written.",
    ]);
  if (node.fd_total && node.fd_used / node.fd_total > 0.9)
    out.push([
      "Nearly all file descriptors are used.",
      `${count(node.fd_used)} of ${count(node.fd_total)}. Raise the limit of open files (LimitNOFILE in the unit), or close connections.`,
    ]);
  return out.map(([head, text]) => h("div", { class: "banner", role: "alert" }, h("h2", {}, head), h("p", {}, text)));
}

function tile(label, value, points, to, shade) {
  return h(
    "a",
    { class: "tile", href: href(...to) },
    h("span", {}, label),
    h("b", {}, value),
    points &&
      sparkline(
        points.map((one) => one[1]),
        shade,
      ),
  );
}

function tiles({ overview }) {
  const { queue_totals: lengths = {}, message_stats: stats = {}, object_totals: objects = {} } = overview;
  const speed = (name) => rate(stats[name + "_details"]?.rate ?? 0);
  const grown = (name) => growth(stats[name + "_details"]);
  return h(
    "div",
    { class: "tiles" },
    tile(
      "Ready",
      count(lengths.messages_ready ?? 0),
      levels(lengths.messages_ready_details),
      [["queues"], { sort: "messages_ready", desc: 1 }],
      2,
    ),
    tile(
      "Unacknowledged",
      count(lengths.messages_unacknowledged ?? 0),
      levels(lengths.messages_unacknowledged_details),
      [["queues"], { sort: "messages_unacknowledged", desc: 1 }],
      2,
    ),
    tile("Published", speed("publish"), grown("publish"), [["exchanges"], {}]),
    tile("Delivered", speed("deliver_get"), grown("deliver_get"), [["consumers"], {}]),
    tile("Acknowledged", speed("ack"), grown("ack"), [["queues"], {}]),
    tile("Connections", count(objects.connections), null, [["connections"], {}]),
    tile("Channels", count(objects.channels), null, [["channels"], {}]),
    tile("Consumers", count(objects.consumers), null, [["consumers"], {}]),
    tile("Queues", count(objects.queues), null, [["queues"], {}]),
    tile("Exchanges", count(objects.exchanges), null, [["exchanges"], {}]),
  );
}

function charts(ctx, { overview }) {
  const { queue_totals: lengths = {}, message_stats: stats = {} } = overview;
  const range = ctx.query.range || "10 min";
  const grown = (label, shade, name) => ({ label, shade, points: growth(stats[name + "_details"]) });
  return [
    rangeChoice(range, overview.sample_retention_policies.global, (name) => setQuery({ range: name })),
    h(
      "div",
      { class: "columns" },
      chart({
        key: "lengths",
        title: "Messages in queues",
        range,
        format: count,
        fill: true,
        series: [
          { label: "Ready", shade: 2, points: levels(lengths.messages_ready_details) },
          { label: "Unacknowledged", shade: 3, points: levels(lengths.messages_unacknowledged_details) },
        ],
      }),
      chart({
        key: "rates",
        title: "Messages a second",
        range,
        format: rate,
        series: [
          grown("Published", 1, "publish"),
          grown("Delivered", 3, "deliver_get"),
          grown("Acknowledged", 5, "ack"),
          grown("Redelivered", 6, "redeliver"),
          grown("Unroutable, dropped", 4, "drop_unroutable"),
        ],
      }),
    ),
  ];
}

function nodeFacts(node, metrics) {
  const part = (value, of, text) => [h("div", {}, text), of ? h("meter", { min: 0, max: of, value, "aria-label": text }) : null];
  return section(
    "Node",
    facts(
      ["Name", h("a", { href: "#/node" }, node.name)],
      ["Up for", duration(node.uptime)],
      ["Memory", part(node.mem_used, node.mem_limit, `${bytes(node.mem_used)} of ${bytes(node.mem_limit)} until the alarm`)],
      ["Disk free", `${bytes(node.disk_free)} (alarm below ${bytes(node.disk_free_limit)})`],
      ["File descriptors", part(node.fd_used, node.fd_total, `${count(node.fd_used)} of ${count(node.fd_total)}`)],
      ["Sockets", part(node.sockets_used, node.sockets_total, `${count(node.sockets_used)} of ${count(node.sockets_total)}`)],
      ["Cores", count(node.processors)],
      ["Journal's sync", `${duration(node.io_sync_avg_time ?? 0)} on average, ${rate(node.io_sync_count_details?.rate)}`],
      ...loadFacts(metrics).slice(0, 2),
    ),
  );
}

function churn({ churn_rates: c = {} }) {
  const row = (name, key) => [name, count(c[key] ?? 0), rate(c[key + "_details"]?.rate ?? 0)];
  return section(
    "Coming and going",
    grid(
      ["What", "#Since the start", "#Now"],
      [
        row("Connections opened", "connection_created"),
        row("Connections closed", "connection_closed"),
        row("Channels opened", "channel_created"),
        row("Channels closed", "channel_closed"),
        row("Queues declared", "queue_declared"),
        row("Queues created", "queue_created"),
        row("Queues deleted", "queue_deleted"),
      ],
    ),
  );
}

const expiry = (one, certificates) => {
  const found = certificates?.find((certificate) => certificate.port === one.port);
  const ends = found?.certfile_expires_on?.[0];
  return ends ? String(ends) : one.tls ? "unknown" : "–";
};
const listeners = ({ listeners: list }, certificates) =>
  list &&
  section(
    "Listeners",
    grid(
      ["Protocol", "Address", "#Port", "TLS", "Certificate until"],
      list.map((one) => [one.protocol, one.ip_address, String(one.port), one.tls ? "yes" : "no", expiry(one, certificates)]),
    ),
  );

export function view(ctx, data) {
  const { overview, node, metrics, certificates } = data;
  return [
    alarms(node),
    tiles(data),
    charts(ctx, data),
    h("div", { class: "columns" }, node && nodeFacts(node, metrics), churn(overview), listeners(overview, certificates)),
    section(
      "Definitions",
      h(
        "p",
        { class: "help" },
        "Virtual hosts, users, permissions, policies, exchanges, queues and bindings as one file; messages are not in it.",
      ),
      administers()
        ? h(
            "div",
            { class: "actions" },
            button("Export", () => exportDefinitions(ctx)),
            button("Import…", () => importDefinitions(ctx)),
          )
        : h("p", { class: "dim" }, "Administrators may export and import them."),
    ),
    h(
      "p",
      { class: "dim" },
      `Leveret ${overview.leveret_version || overview.product_version}, told to clients as RabbitMQ ${overview.rabbitmq_version}.`,
    ),
  ];
}
