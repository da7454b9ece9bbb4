/* Numbers that only the metrics tell: CPU, the journal's commits, workers, what memory of each kind
 * may be used. */
import { getText } from "../api.js";
import { bytes, count, percent } from "../format.js";
import { grid, section } from "../ui.js";

/* [{name, labels, value}] of Prometheus's text. */
function parse(text) {
  const out = [];
  for (const line of text.split("\n")) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (!found) continue;
    const labels = Object.fromEntries(
      [...(found[2] || "").matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((one) => [one[1], one[2]]),
    );
    out.push({ name: found[1], labels, value: Number(found[3]) });
  }
  return out;
}

/* What has grown since the look before, or since the broker's start at the first look. */
export async function loadMetrics(ctx) {
  const all = parse(await getText("../metrics"));
  const one = (name) => all.find((metric) => metric.name === name)?.value;
  const now = {
    at: Date.now() / 1000,
    cpu: one("process_cpu_seconds_total"),
    commits: one("leveret_journal_commit_seconds_count"),
    commit_s: one("leveret_journal_commit_seconds_sum"),
    written: one("leveret_journal_written_bytes_total"),
    started: one("process_start_time_seconds"),
  };
  const before = ctx.state.metrics || { at: now.started, cpu: 0, commits: 0, commit_s: 0, written: 0 };
  /* Two looks within a second tell too little. */
  if (!ctx.state.metrics || now.at - before.at > 1) {
    const commits = now.commits - before.commits;
    ctx.state.metrics = now;
    ctx.state.load = {
      cpu: (now.cpu - before.cpu) / (now.at - before.at),
      commits: commits / (now.at - before.at),
      commit_ms: commits ? (1000 * (now.commit_s - before.commit_s)) / commits : null,
      batch: commits ? (now.written - before.written) / commits : null,
    };
  }
  return { all, one, load: ctx.state.load };
}

/* Pairs for facts(). */
export const loadFacts = ({ load, one }) => [
  ["CPU", `${percent(load.cpu)} of a core`],
  [
    "A commit takes",
    load.commit_ms === null
      ? "no commits now"
      : `${load.commit_ms.toFixed(1)} ms on average, ${load.commits.toFixed(1)} each second`,
  ],
  ["Bytes in a batch", load.batch === null ? "–" : bytes(load.batch)],
  ["Chunks paged out, in", `${count(one("leveret_journal_pages_out_total"))}, ${count(one("leveret_journal_pages_in_total"))}`],
  ["History of numbers", `${bytes(one("leveret_history_bytes"))} for ${count(one("leveret_history_series"))} objects`],
];

const of = (all, name) => all.filter((metric) => metric.name === name);

export function metricSections({ all }) {
  const limits = new Map(of(all, "leveret_memory_limit_bytes").map((metric) => [metric.labels.kind, metric.value]));
  const letters = of(all, "leveret_mailbox_letters");
  return [
    letters.length > 0 &&
      section(
        "Workers",
        grid(
          ["Worker", "#Letters that wait"],
          letters.map((metric) => [`Worker ${metric.labels.worker}`, count(metric.value)]),
        ),
      ),
    section(
      "What clients may hold",
      grid(
        ["What", "#Held", "#At most"],
        of(all, "leveret_memory_bytes").map((metric) => [
          metric.labels.kind.replaceAll("_", " "),
          bytes(metric.value),
          bytes(limits.get(metric.labels.kind)),
        ]),
      ),
    ),
  ];
}
