/* One policy. */
import { h } from "../dom.js";
import { del, get, part, query } from "../api.js";
import { count, value } from "../format.js";
import { administers, makesPolicies } from "../rights.js";
import { go, href } from "../route.js";
import { ask, button, danger, facts, grid, section } from "../ui.js";
import { editPolicy } from "./policy_form.js";

const is = (ctx) => Boolean(ctx.query.operator);
export const title = (ctx) => `${is(ctx) ? "Operator policy" : "Policy"} ${ctx.path[2]}`;
const pathOf = (ctx) => `${is(ctx) ? "operator-policies" : "policies"}/${part(ctx.path[1])}/${part(ctx.path[2])}`;

export async function load(ctx) {
  const policy = (await get((is(ctx) ? "operator-policies/" : "policies/") + part(ctx.path[1]))).find(
    (one) => one.name === ctx.path[2],
  );
  if (!policy) throw Object.assign(new Error("gone"), { status: 404 });
  const where = `${is(ctx) ? "operator_policy" : "policy"}:eq:${policy.name}`;
  const of = (what) =>
    get(
      `${what}/${part(policy.vhost)}` +
        query({ page: 1, page_size: 50, pagination: "true", columns: "name,type,messages", where }),
    );
  return { policy, queues: await of("queues"), exchanges: is(ctx) ? { items: [], filtered_count: 0 } : await of("exchanges") };
}

const objects = (what, vhost, found) =>
  found.filtered_count > 0 &&
  section(
    `${count(found.filtered_count)} ${what}`,
    grid(
      ["Name", "Type"],
      found.items.map((one) => [h("a", { href: href([what, vhost, one.name]) }, one.name), one.type]),
    ),
    found.filtered_count > found.items.length && h("p", { class: "dim" }, `The first ${found.items.length} are shown.`),
  );

export function view(ctx, { policy, queues, exchanges }) {
  const may = is(ctx) ? administers() : makesPolicies();
  const all = queues.filtered_count + exchanges.filtered_count;
  return [
    may &&
      h(
        "div",
        { class: "actions" },
        button("Edit…", () => editPolicy(ctx, { operator: is(ctx), policy })),
        danger("Delete…", () =>
          ask({
            title: `Delete the policy ${policy.name}`,
            button: "Delete",
            danger: true,
            text: `It is in effect for ${count(all)} objects; for each of them the next policy that fits counts then, or none.`,
            run: async () => {
              await del(pathOf(ctx));
              go(["policies"], { operator: is(ctx) ? 1 : "" });
              return "Deleted.";
            },
          }),
        ),
      ),
    section(
      "Policy",
      facts(
        ["Virtual host", policy.vhost],
        ["Pattern", h("code", {}, policy.pattern)],
        ["Applies to", policy["apply-to"]],
        ["Priority", count(policy.priority)],
        ["In effect for", `${count(all)} objects`],
      ),
    ),
    section(
      "Definition",
      grid(
        ["Key", "Value"],
        Object.entries(policy.definition).map(([name, v]) => [name, value(v)]),
      ),
    ),
    objects("queues", policy.vhost, queues),
    objects("exchanges", policy.vhost, exchanges),
    all === 0 && h("p", { class: "empty" }, "It is in effect for nothing: no name fits, or other policies win."),
  ];
}
