/* The way of a queue's dead letters, drawn: queue, exchange, the queues behind it. */
import { h, s } from "../dom.js";
import { href } from "../route.js";

/* {exchange, key} or null. */
export function deadLetterOf(queue) {
  const of = (name) => queue.arguments?.["x-" + name] ?? queue.effective_policy_definition?.[name];
  const exchange = of("dead-letter-exchange");
  return exchange === undefined ? null : { exchange, key: of("dead-letter-routing-key") };
}

const cut = (text, n = 26) => (text.length > n ? text.slice(0, n - 1) + "…" : text);

/* Boxes in columns of [{text, to, self}], with lines [fromColumn, from, to, label]. */
export function graph(label, columns, lines) {
  const height = 40 * Math.max(...columns.map((one) => one.length)) + 10,
    width = 270 * columns.length - 60;
  const y = (column, i) => ((i + 0.5) * height) / columns[column].length;
  const x = (column) => 10 + column * 270;
  return s(
    "svg",
    { class: "graph", viewBox: `0 0 ${width} ${height}`, width, height, role: "group", "aria-label": label },
    lines.map(([column, a, b, text]) => {
      const [x1, y1, x2, y2] = [x(column) + 190, y(column, a), x(column + 1), y(column + 1, b)];
      return [
        s("path", { d: `M${x1} ${y1}C${x1 + 40} ${y1} ${x2 - 40} ${y2} ${x2} ${y2}m-7 -4l7 4l-7 4` }),
        text && s("text", { class: "label", x: x2 - 8, y: y2 - 6, "text-anchor": "end" }, cut(text, 12)),
      ];
    }),
    columns.map((boxes, column) =>
      boxes.map(({ text, to, self }, i) => {
        const box = [
          s("rect", { class: self ? "node self" : "node", x: x(column), y: y(column, i) - 14, width: 190, height: 28, rx: 6 }),
          s("text", { x: x(column) + 95, y: y(column, i) + 4, "text-anchor": "middle" }, cut(text)),
        ];
        return to ? s("a", { href: to }, box) : s("g", {}, box);
      }),
    ),
  );
}

const SHOWN = 12;

export function deadLetterGraph(queue, bindings) {
  const { exchange, key } = deadLetterOf(queue);
  const targets =
    exchange === ""
      ? [{ destination: key ?? queue.name, destination_type: "queue", routing_key: key ?? queue.name }]
      : (bindings || []).slice(0, SHOWN);
  const name = exchange || "(default exchange)";
  const text =
    bindings === null
      ? "nowhere: there is no such exchange, and dead letters are dropped"
      : targets.length
        ? targets.map((one) => one.destination).join(", ")
        : "nowhere: nothing is bound to it, and dead letters are dropped";
  return [
    h(
      "p",
      {},
      `Expired, rejected and dropped messages go to the exchange ${name}${key !== undefined ? ` with the key ${key}` : " with their own keys"}, and from there to ${text}.`,
    ),
    graph(
      `${queue.name} to ${name} to ${text}`,
      [
        [{ text: queue.name, self: true }],
        [{ text: name, to: href(["exchanges", queue.vhost, exchange]) }],
        targets.map((one) => ({
          text: one.destination,
          to: href([one.destination_type === "queue" ? "queues" : "exchanges", queue.vhost, one.destination]),
        })),
      ].filter((one) => one.length),
      [[0, 0, 0, ""], ...targets.map((one, i) => [1, 0, i, one.routing_key])],
    ),
  ];
}
