/* The lists of policies and operator policies, with how many objects each applies to. */
import { h } from "../dom.js";
import { get, part, query } from "../api.js";
import { count, table } from "../format.js";
import * as list from "../list.js";
import { administers, makesPolicies } from "../rights.js";
import { href } from "../route.js";
import { button, tabs } from "../ui.js";
import { editPolicy } from "./policy_form.js";

export const title = () => "Policies";
const operator = (ctx) => Boolean(ctx.query.operator);

const kind = (isOperator) => ({
  name: "policies",
  label: isOperator ? "Operator policies" : "Policies",
  sort: "",
  empty: isOperator
    ? "There are no operator policies: nothing limits what queues may be declared with."
    : "There are no policies.",
  path: ({ vhost }) => (isOperator ? "operator-policies" : "policies") + (vhost ? "/" + part(vhost) : ""),
  href: (row) => [["policies", row.vhost, row.name], { operator: isOperator ? 1 : "" }],
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => row.name },
    { id: "vhost", label: "Virtual host", sort: "vhost", cell: (row) => row.vhost },
    { id: "pattern", label: "Pattern", sort: "pattern", cell: (row) => h("code", {}, row.pattern) },
    { id: "apply", label: "Applies to", sort: "apply-to", cell: (row) => row["apply-to"] },
    { id: "priority", label: "Priority", sort: "priority", num: true, cell: (row) => count(row.priority) },
    { id: "definition", label: "Definition", cell: (row) => table(row.definition) },
    { id: "won", label: "In effect for", num: true, cell: (row) => (row.won === undefined ? "–" : count(row.won)) },
  ],
});

/* Of how many objects it is the policy that counts. */
async function won(row, isOperator) {
  const where = `${isOperator ? "operator_policy" : "policy"}:eq:${row.name}`;
  const of = async (what) =>
    (await get(`${what}/${part(row.vhost)}` + query({ page: 1, page_size: 1, pagination: "true", columns: "name", where })))
      .filtered_count;
  return (await of("queues")) + (isOperator ? 0 : await of("exchanges"));
}

export async function load(ctx) {
  const data = await list.load(kind(operator(ctx)), ctx.query);
  for (const row of data.items.slice(0, 25)) row.won = await won(row, operator(ctx)).catch(() => undefined);
  return data;
}

export function view(ctx, data) {
  const is = operator(ctx);
  const may = is ? administers() : makesPolicies();
  return [
    tabs(
      [
        ["", "Policies"],
        ["1", "Operator policies"],
      ],
      is ? "1" : "",
      (id) => href(["policies"], { operator: id, vhost: ctx.query.vhost }),
    ),
    h(
      "p",
      { class: "help" },
      is
        ? "Administrators limit with them what queues may be: of a number that both say, the lower one counts."
        : "Of all policies whose pattern fits an object's name, the one with the highest priority is in effect.",
    ),
    h(
      "div",
      { class: "actions" },
      may &&
        button(is ? "Add an operator policy…" : "Add a policy…", () => editPolicy(ctx, { operator: is }), { class: "primary" }),
    ),
    list.view(kind(is), ctx, data),
  ];
}
