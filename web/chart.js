/* Charts of numbers over time, with a table beside them; and sparklines. */
import { h, s, island } from "./dom.js";
import { clock } from "./format.js";
import { plot } from "./plot.js";

/* Ranges by name: [age, step] in seconds, as the broker keeps samples. */
export const RANGES = { "1 min": [60, 5], "10 min": [600, 5], "1 h": [3600, 60], "8 h": [28800, 600], "24 h": [86400, 1800] };

/* The query for samples of that range: kinds are "lengths", "msg_rates", "data_rates", "node_stats". */
export function ranges(name, ...kinds) {
  const [age, incr] = RANGES[name] || RANGES["10 min"];
  return Object.fromEntries(
    kinds.flatMap((kind) => [
      [kind + "_age", age],
      [kind + "_incr", incr],
    ]),
  );
}

const samples = (details) => [...(details?.samples || [])].reverse();
/* Points of a number as it was. */
export const levels = (details) => samples(details).map((one) => [one.timestamp, one.sample]);
/* Points of how fast a counter grew. */
export function growth(details) {
  const all = samples(details);
  return all
    .slice(1)
    .map((one, i) => [one.timestamp, Math.max(0, (1000 * (one.sample - all[i].sample)) / (one.timestamp - all[i].timestamp))]);
}

const colour = (el, name) => getComputedStyle(el).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

/* One row for each time, with a value or null for each series. */
function rowsOf(series) {
  const byTime = new Map();
  series.forEach(({ points }, i) =>
    points.forEach(([t, v]) => {
      if (!byTime.has(t)) byTime.set(t, [t, ...series.map(() => null)]);
      byTime.get(t)[i + 1] = v;
    }),
  );
  return [...byTime.keys()].sort((a, b) => a - b).map((t) => byTime.get(t));
}

function live(el) {
  const canvas = h("div", { class: "canvas" });
  const legend = h("div", { class: "legend" });
  const body = h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Numbers of the chart" });
  const table = h("details", {}, h("summary", {}, "As a table"), body);
  let data = null,
    rows = [];
  el.append(legend, canvas, table);
  const graph = plot(canvas, { onHover: (row) => showLegend(row) });

  function showLegend(row) {
    const last = row || rows.at(-1);
    legend.replaceChildren(
      h("span", { class: "when" }, row ? clock(row[0]) : ""),
      ...data.series.map(({ label, shade }, i) =>
        h(
          "span",
          {},
          h("i", { class: "dash s" + shade }),
          `${label} `,
          h("b", {}, last && last[i + 1] !== null ? data.format(last[i + 1]) : "–"),
        ),
      ),
    );
  }
  function showTable() {
    if (!table.open) return;
    body.replaceChildren(
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Time"),
            data.series.map((one) => h("th", { scope: "col", class: "num" }, one.label)),
          ),
        ),
        h(
          "tbody",
          {},
          [...rows]
            .reverse()
            .slice(0, 200)
            .map((row) =>
              h(
                "tr",
                {},
                h("td", {}, clock(row[0])),
                row.slice(1).map((v) => h("td", { class: "num" }, v === null ? "–" : data.format(v))),
              ),
            ),
        ),
      ),
    );
  }
  function draw() {
    rows = rowsOf(data.series);
    canvas.setAttribute(
      "aria-label",
      `${data.title}: ` +
        data.series.map((one) => `${one.label} ${one.points.length ? data.format(one.points.at(-1)[1]) : "unknown"}`).join(", "),
    );
    graph.draw(rows, {
      format: data.format,
      fill: data.fill,
      ink: colour(el, "--dim"),
      grid: colour(el, "--line"),
      colours: data.series.map((one) => colour(el, "--s" + one.shade)),
    });
    showLegend(null);
    showTable();
  }
  canvas.setAttribute("role", "img");
  table.ontoggle = showTable;
  const redraw = () => data && draw();
  dark.addEventListener("change", redraw);
  addEventListener("theme", redraw);
  return {
    update(fresh) {
      if (data && data.range !== fresh.range) graph.reset();
      data = fresh;
      draw();
    },
    end() {
      dark.removeEventListener("change", redraw);
      removeEventListener("theme", redraw);
      graph.end();
    },
  };
}

/* {key, title, range, format(v), fill, series: [{label, shade: 1 to 8, points}]} */
export const chart = (data) =>
  h("figure", { class: "chart", key: data.key }, h("figcaption", {}, data.title), island(data.key, live, data));

/* A small line of values, oldest first; decoration beside a number that says the same. */
export function sparkline(values, shade = 1) {
  const width = 80,
    height = 18,
    top = Math.max(1, ...values);
  const points = values.map(
    (v, i) =>
      `${((width * i) / Math.max(1, values.length - 1)).toFixed(1)},${(height - 1 - ((height - 2) * v) / top).toFixed(1)}`,
  );
  return s(
    "svg",
    { class: "spark s" + shade, viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    s("polyline", { points: points.join(" ") }),
  );
}

/* A choice of ranges; those for which the broker keeps no samples (kept: ages in seconds) are off. */
export const rangeChoice = (current, kept, choose) =>
  h(
    "div",
    { class: "ranges", role: "group", "aria-label": "Time range" },
    Object.entries(RANGES).map(([name, [age]]) => {
      const has = !kept || age <= Math.max(...kept);
      return h(
        "button",
        {
          type: "button",
          "aria-pressed": String(name === current),
          disabled: !has,
          title: has ? null : "The broker does not keep these samples for so long.",
          onclick: () => choose(name),
        },
        name,
      );
    }),
  );
