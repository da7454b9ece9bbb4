/* One exchange: what goes through it, where it goes, and what a routing key would do. */
import { h, island } from "../dom.js";
import { del, get, post, query } from "../api.js";
import { chart, growth, rangeChoice, ranges } from "../chart.js";
import { can } from "../features.js";
import { count, rate, some, table } from "../format.js";
import { go, href, setQuery } from "../route.js";
import { enters, may } from "../rights.js";
import { ask, button, danger, facts, readTable, section, tabs } from "../ui.js";
import { bindForm, bindingRows } from "./bindings.js";
import { graph } from "./dead_letter_graph.js";
import { pathOf, shown } from "./exchanges.js";
import { tailLive } from "./exchange_tail.js";
import { messageForm } from "./message.js";

const of = (ctx) => ({ vhost: ctx.path[1], name: ctx.path[2] ?? "" });
export const title = (ctx) => `Exchange ${shown(of(ctx).name)}`;

export async function load(ctx) {
  const path = pathOf(of(ctx));
  const exchange = await get(path + query(ranges(ctx.query.range, "msg_rates")));
  const data = { exchange, out: await get(path + "/bindings/source"), into: [] };
  if (exchange.name !== "") data.into = await get(path + "/bindings/destination");
  return data;
}

function actions(ctx, exchange) {
  const builtIn = exchange.name === "" || exchange.name.startsWith("amq.");
  if (!enters(exchange.vhost)) return null;
  return h(
    "div",
    { class: "actions" },
    may("write", exchange.vhost, exchange.name) &&
      !exchange.internal &&
      button("Publish…", () =>
        messageForm({
          title: `Publish to ${shown(exchange.name)}`,
          vhost: exchange.vhost,
          exchange: exchange.name,
          done: ctx.refresh,
        }),
      ),
    may("read", exchange.vhost, exchange.name) &&
      exchange.name !== "" &&
      button("Bind to…", () => bindForm(ctx, { vhost: exchange.vhost, source: exchange.name })),
    !builtIn &&
      may("configure", exchange.vhost, exchange.name) &&
      danger("Delete…", () =>
        ask({
          title: "Delete the exchange",
          button: "Delete",
          danger: true,
          text: "Its bindings go with it. Messages that are published to it afterwards are refused.",
          fields: [{ name: "unused", label: "Only if nothing is bound to it", type: "check" }],
          run: async ({ unused }) => {
            await del(pathOf(exchange) + query({ "if-unused": unused ? "true" : undefined }));
            go(["exchanges"]);
            return "Deleted.";
          },
        }),
      ),
  );
}

/* ---- The graph of its bindings. */

const SHOWN = 12;

function picture({ exchange, out, into }) {
  if (exchange.name === "")
    return h("p", { class: "dim" }, "The default exchange takes a message to the queue that its key names.");
  const left = into.slice(0, SHOWN),
    right = out.slice(0, SHOWN);
  const columns = [
    left.map((one) => ({ text: shown(one.source), to: href(["exchanges", one.vhost, one.source]) })),
    [{ text: exchange.name, self: true }],
    right.map((one) => ({
      text: one.destination,
      to: href([one.destination_type === "queue" ? "queues" : "exchanges", one.vhost, one.destination]),
    })),
  ];
  const lines = [...left.map((one, i) => [0, i, 0, one.routing_key]), ...right.map((one, i) => [1, 0, i, one.routing_key])];
  const skip = left.length ? 0 : 1;
  const rest = into.length + out.length - left.length - right.length;
  return [
    graph(
      `Bindings of ${exchange.name}`,
      columns.slice(skip).filter((one) => one.length),
      lines.map(([c, ...more]) => [c - skip, ...more]),
    ),
    rest > 0 && h("p", { class: "dim" }, `${some(rest, "binding")} more are in the lists below.`),
  ];
}

/* ---- Trying a key. */

function tryKey(ctx, exchange) {
  const { state } = ctx;
  const key = h("input", {
    id: "try-key",
    value: state.tried ?? "",
    placeholder: "orders.eu.new",
    autocomplete: "off",
    spellcheck: "false",
  });
  const headers = h("textarea", { id: "try-headers", rows: 2, value: state.triedHeaders ?? "", spellcheck: "false" });
  const form = h(
    "form",
    {
      class: "toolbar",
      onsubmit: async (event) => {
        event.preventDefault();
        const mine = event.target.elements;
        state.tried = mine["try-key"].value;
        state.triedHeaders = mine["try-headers"]?.value ?? "";
        try {
          state.taken = await post(pathOf(exchange) + "/route", {
            routing_key: state.tried,
            headers: readTable(state.triedHeaders),
          });
          state.tryProblem = null;
        } catch (error) {
          state.tryProblem = error.message;
        }
        ctx.redraw();
      },
    },
    h("label", { for: "try-key" }, "Routing key"),
    key,
    exchange.type === "headers" && [h("label", { for: "try-headers" }, "Headers (KEY=VALUE)"), headers],
    h("button", {}, "Try"),
  );
  const queues = state.taken?.queues;
  return section(
    "Try a routing key",
    h("p", { class: "help" }, "Says which queues would take a message, without publishing one."),
    form,
    state.tryProblem && h("p", { class: "problem", role: "alert" }, state.tryProblem),
    queues &&
      h(
        "div",
        { role: "status" },
        queues.length
          ? [
              h("p", {}, `${some(state.taken.count ?? queues.length, "queue")} would take it:`),
              h(
                "ul",
                {},
                queues.map((name) => h("li", {}, h("a", { href: href(["queues", exchange.vhost, name]) }, name))),
              ),
            ]
          : h("p", {}, "No queue would take it: it would be dropped, or returned if it is mandatory."),
      ),
  );
}

export function view(ctx, data) {
  const { exchange, out, into } = data;
  const stats = exchange.message_stats || {};
  const tab = ctx.query.tab || "",
    range = ctx.query.range || "10 min";
  const numbers = () => [
    rangeChoice(range, ctx.overview.sample_retention_policies.basic, (name) => setQuery({ range: name })),
    chart({
      key: "rates",
      title: "Messages a second",
      range,
      format: rate,
      series: [
        { label: "In", shade: 1, points: growth(stats.publish_in_details) },
        { label: "Out to queues", shade: 3, points: growth(stats.publish_out_details) },
      ],
    }),
    section(
      "Now",
      facts(
        ["Type", exchange.type],
        ["Durable", exchange.durable ? "yes" : "no"],
        ["Auto-delete", exchange.auto_delete ? "yes" : "no"],
        ["Internal", exchange.internal ? "yes" : "no"],
        ["Arguments", table(exchange.arguments)],
        ["Policy", exchange.policy],
        ["In", `${rate(stats.publish_in_details?.rate ?? 0)}, ${count(stats.publish_in ?? 0)} in all`],
        ["Out", `${rate(stats.publish_out_details?.rate ?? 0)}, ${count(stats.publish_out ?? 0)} in all`],
      ),
    ),
    section("Bindings", picture(data)),
    exchange.name !== "" &&
      section(
        "From this exchange",
        bindingRows(ctx, out, { towards: "destination", empty: "Nothing is bound to this exchange." }),
      ),
    into.length > 0 && section("To this exchange", bindingRows(ctx, into, { towards: "source" })),
    can.route && exchange.name !== "" && tryKey(ctx, exchange),
  ];
  const mayTail = exchange.name !== "" && may("read", exchange.vhost, exchange.name);
  return [
    h("p", { class: "dim" }, `${exchange.type}, in the virtual host ${exchange.vhost}`),
    actions(ctx, exchange),
    mayTail &&
      tabs(
        [
          ["", "Numbers and bindings"],
          ["tail", "Live messages"],
        ],
        tab,
        (id) => href(ctx.path, { tab: id }),
      ),
    tab === "tail" && mayTail
      ? section(
          "Live messages",
          h("p", { class: "help" }, "Copies of what is published, by a binding of the broker's own; it ends with this view."),
          island("tail", tailLive(pathOf(exchange)), null),
        )
      : numbers(),
  ];
}
