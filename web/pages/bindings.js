/* Bindings as a table, and making one. */
import { h } from "../dom.js";
import { del, exchangePart, part, post } from "../api.js";
import { table } from "../format.js";
import { href } from "../route.js";
import { enters } from "../rights.js";
import { ask, button, grid } from "../ui.js";

const pathOf = (one) =>
  `bindings/${part(one.vhost)}/e/${exchangePart(one.source)}/${one.destination_type === "queue" ? "q" : "e"}/${part(one.destination)}`;

function unbind(ctx, one) {
  return ask({
    title: "Unbind",
    button: "Unbind",
    danger: true,
    text: `Messages with the key "${one.routing_key}" no longer go from the exchange ${one.source} to the ${one.destination_type} ${one.destination}.`,
    run: async () => {
      await del(`${pathOf(one)}/${part(one.properties_key)}`);
      ctx.refresh();
      return "Unbound.";
    },
  });
}

/* towards: which end is another object: "source" or "destination". */
export function bindingRows(ctx, rows, { towards, empty = "There are no bindings." }) {
  const end = (one) =>
    towards === "source"
      ? h("a", { href: href(["exchanges", one.vhost, one.source]) }, one.source || "(default exchange)")
      : [
          h(
            "a",
            { href: href([one.destination_type === "queue" ? "queues" : "exchanges", one.vhost, one.destination]) },
            one.destination,
          ),
          h("span", { class: "dim" }, one.destination_type === "queue" ? "" : " (exchange)"),
        ];
  return grid(
    [towards === "source" ? "From" : "To", "Routing key", "Arguments", "Action"],
    rows.map((one) => [
      end(one),
      one.routing_key,
      table(one.arguments) || "–",
      one.source !== "" &&
        enters(one.vhost) &&
        button("Unbind…", () => unbind(ctx, one), { "aria-label": `Unbind ${one.source} from ${one.destination}` }),
    ]),
    { empty },
  );
}

/* given: {vhost, source or destination, type: "q" or "e"} */
export function bindForm(ctx, given) {
  const open = (name, label) => (given[name] === undefined ? [{ name, label, required: true }] : []);
  return ask({
    title: "Bind",
    button: "Bind",
    fields: [
      ...open("source", "From the exchange"),
      ...(given.type
        ? []
        : [
            {
              name: "type",
              label: "To a",
              type: "select",
              value: "q",
              options: [
                ["q", "queue"],
                ["e", "exchange"],
              ],
            },
          ]),
      ...open("destination", "Its name"),
      { name: "routing_key", label: "Routing key", value: "" },
      { name: "arguments", label: "Arguments", type: "table", help: "One KEY=VALUE a line; a value that reads as JSON is JSON." },
    ],
    run: async (values) => {
      const all = { ...given, ...values };
      await post(`bindings/${part(all.vhost)}/e/${exchangePart(all.source)}/${all.type}/${part(all.destination)}`, {
        routing_key: values.routing_key,
        arguments: values.arguments,
      });
      ctx.refresh();
      return "Bound.";
    },
  });
}
