/* The node: memory, files, journal, workers; its settings, and those that change at once. */
import { h } from "../dom.js";
import { get, getIfThere, part, query } from "../api.js";
import { chart, growth, levels, rangeChoice, ranges } from "../chart.js";
import { bytes, count, duration, percent, rate } from "../format.js";
import { administers } from "../rights.js";
import { href, setQuery } from "../route.js";
import { actions, configuration } from "./node_settings.js";
import { loadFacts, loadMetrics, metricSections } from "./metrics.js";
import { badge, facts, grid, section, tabs } from "../ui.js";

export const title = () => "Node";
const TABS = [
  ["", "Numbers"],
  ["settings", "Configuration"],
  ["flags", "Feature flags"],
  ["logins", "Log-in attempts"],
];

export async function load(ctx) {
  const tab = ctx.query.tab || "";
  const name = part(ctx.overview.node),
    path = "nodes/" + name;
  const data = {
    node: await get(path + query(tab === "" ? ranges(ctx.query.range, "node_stats") : {})),
    settings: await get(path + "/settings"),
  };
  if (tab === "") data.metrics = await loadMetrics(ctx);
  if (tab === "") data.memory = (await getIfThere(path + "/memory"))?.memory;
  if (tab === "settings" && administers()) data.effective = await getIfThere("config/effective");
  if (tab === "flags") data.flags = await get("feature-flags");
  if (tab === "logins")
    data.logins = { all: await get("auth/attempts/" + name), sources: await get(`auth/attempts/${name}/source`) };
  return data;
}

/* ---- The parts. */

const WORDS = {
  connection_readers: "Connections, reading",
  connection_writers: "Connections, writing",
  connection_channels: "Channels",
  connection_other: "Connections, other",
  queue_procs: "Queues",
  quorum_queue_procs: "Quorum queues",
  msg_index: "Index of messages",
  binary: "Bodies of messages",
  mgmt_db: "History of numbers",
  metrics: "Metrics",
  plugins: "HTTP and page",
  code: "Program",
  other_system: "Other",
  allocated_unused: "Freed, not returned",
  other_proc: "Other",
};

function memoryParts(memory) {
  if (!memory) return null;
  const parts = Object.entries(memory)
    .filter(([, v]) => typeof v === "number")
    .sort((a, b) => b[1] - a[1]);
  const all = memory.total?.rss || parts.reduce((sum, one) => sum + one[1], 0);
  return section(
    "Memory",
    grid(
      ["What", "#Bytes", "#Part", "Share"],
      parts.map(([name, v]) => [
        WORDS[name] || name,
        bytes(v),
        percent(v / all),
        h("meter", { min: 0, max: all, value: v, "aria-label": WORDS[name] || name }),
      ]),
    ),
    h("p", { class: "dim" }, `${bytes(all)} in all.`),
  );
}

function numbers(ctx, { node, memory, settings, metrics }) {
  const range = ctx.query.range || "10 min";
  const of = (label, shade, name, how) => ({ label, shade, points: how(node[name + "_details"]) });
  const perSecond = (n) => bytes(n) + "/s";
  return [
    administers() && actions(ctx, { settings }),
    rangeChoice(range, ctx.overview.sample_retention_policies.global, (name) => setQuery({ range: name })),
    h(
      "div",
      { class: "columns" },
      chart({ key: "memory", title: "Memory", range, format: bytes, fill: true, series: [of("In use", 1, "mem_used", levels)] }),
      chart({
        key: "io",
        title: "Journal, bytes a second",
        range,
        format: perSecond,
        series: [of("Written", 2, "io_write_bytes", growth), of("Read", 3, "io_read_bytes", growth)],
      }),
      chart({
        key: "sync",
        title: "Journal, calls a second",
        range,
        format: rate,
        series: [
          of("Synced", 1, "io_sync_count", growth),
          of("Written", 2, "io_write_count", growth),
          of("Read", 3, "io_read_count", growth),
        ],
      }),
      chart({
        key: "open",
        title: "Sockets and file descriptors",
        range,
        format: count,
        series: [of("Sockets", 1, "sockets_used", levels), of("File descriptors", 3, "fd_used", levels)],
      }),
    ),
    section(
      "Now",
      facts(
        ["Name", node.name],
        ["State", badge(node.running ? "running" : "down", node.running ? "good" : "bad")],
        ["Up for", duration(node.uptime)],
        ["Process", node.os_pid],
        ["Memory", `${bytes(node.mem_used)}; alarm above ${bytes(node.mem_limit)}`],
        ["Memory alarm", node.mem_alarm ? badge("on", "bad") : "off"],
        ["Disk free", `${bytes(node.disk_free)}; alarm below ${bytes(node.disk_free_limit)}`],
        ["Disk alarm", node.disk_free_alarm ? badge("on", "bad") : "off"],
        ["File descriptors", `${count(node.fd_used)} of ${count(node.fd_total)}`],
        ["Sockets", `${count(node.sockets_used)} of ${count(node.sockets_total)}`],
        ["Threads", count(node.proc_used)],
        ["Cores", count(node.processors)],
        ["A sync takes", duration(node.io_sync_avg_time ?? 0)],
        ["A write takes", duration(node.io_write_avg_time ?? 0)],
        ["A read takes", duration(node.io_read_avg_time ?? 0)],
        ["Log level", settings.log_level],
        node.log_files && ["Log", node.log_files.join(", ")],
        node.db_dir && ["Data", node.db_dir],
        node.config_files && ["Configuration", node.config_files.join(", ")],
      ),
    ),
    section("Load", facts(...loadFacts(metrics))),
    h("div", { class: "columns" }, memoryParts(memory), h("div", {}, metricSections(metrics))),
  ];
}

const flags = (rows) =>
  section(
    "Feature flags",
    h("p", { class: "help" }, "Leveret has no flags of its own: these are RabbitMQ's that it fulfils."),
    grid(
      ["Name", "State", "What"],
      rows.map((one) => [one.name, badge(one.state, "good"), one.desc]),
    ),
  );

const logins = ({ all, sources }) => [
  section(
    "By protocol",
    grid(
      ["Protocol", "#Attempts", "#Succeeded", "#Failed"],
      all.map((one) => [
        one.protocol,
        count(one.auth_attempts),
        count(one.auth_attempts_succeeded),
        count(one.auth_attempts_failed),
      ]),
    ),
  ),
  section(
    "By source",
    grid(
      ["Address", "User", "Protocol", "#Attempts", "#Failed"],
      [...sources]
        .sort((a, b) => b.auth_attempts_failed - a.auth_attempts_failed)
        .slice(0, 200)
        .map((one) => [
          one.remote_address,
          one.username,
          one.protocol,
          count(one.auth_attempts),
          count(one.auth_attempts_failed),
        ]),
      { empty: "Nobody has tried yet." },
    ),
  ),
];

export function view(ctx, data) {
  const tab = ctx.query.tab || "";
  return [
    tabs(TABS, tab, (id) => href(["node"], { tab: id })),
    tab === "settings"
      ? configuration(data)
      : tab === "flags"
        ? data.flags && flags(data.flags)
        : tab === "logins"
          ? data.logins && logins(data.logins)
          : numbers(ctx, data),
  ];
}
