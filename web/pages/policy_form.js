/* The form of a policy, with a preview of what it would change. */
import { h } from "../dom.js";
import { part, post, put } from "../api.js";
import { can } from "../features.js";
import { count, table } from "../format.js";
import { vhosts } from "../rights.js";
import { ask, button, grid } from "../ui.js";

const KEYS =
  "max-length, max-length-bytes, overflow, message-ttl, expires, delivery-limit, dead-letter-exchange, dead-letter-routing-key, alternate-exchange";
const lines = (definition) =>
  Object.entries(definition || {})
    .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
    .join("\n");

const bodyOf = (v) => ({ pattern: v.pattern, definition: v.definition, priority: v.priority ?? 0, "apply-to": v.apply });

function previewOf(found) {
  const rows = found.objects || [];
  return [
    h(
      "p",
      {},
      `The pattern fits ${count(found.matched)} objects; the policy would be in effect for ${count(found.wins)}, and ${count(found.changed)} would change.`,
    ),
    rows.length > 0 &&
      grid(
        ["What", "Name", "Policy now", "Then", "Settings now", "Then"],
        rows.map((one) => [
          one.kind,
          one.name,
          one.policy || "–",
          one.new_policy || "–",
          table(one.definition) || "–",
          table(one.new_definition) || "–",
        ]),
      ),
    found.changed > rows.length && h("p", { class: "dim" }, `The first ${rows.length} are shown.`),
  ];
}

export async function editPolicy(ctx, { operator, policy }) {
  const old = policy || {
    vhost: ctx.query.vhost || vhosts()[0],
    pattern: "^",
    priority: 0,
    "apply-to": operator ? "queues" : "all",
  };
  const pathOf = (v) =>
    `${operator ? "operator-policies" : "policies"}/${part(policy?.vhost ?? v.vhost)}/${part(policy?.name ?? v.name)}`;
  const applies = operator
    ? ["queues", "classic_queues", "quorum_queues"]
    : ["all", "queues", "classic_queues", "quorum_queues", "streams", "exchanges"];
  let preview = null;
  await ask({
    title: policy ? `Edit ${policy.name}` : operator ? "Add an operator policy" : "Add a policy",
    button: "Save",
    wide: true,
    fields: [
      ...(policy
        ? []
        : [
            { name: "vhost", label: "Virtual host", type: "select", value: old.vhost, options: ctx.vhosts },
            { name: "name", label: "Name", required: true },
          ]),
      {
        name: "pattern",
        label: "Pattern of names",
        value: old.pattern,
        required: true,
        help: "A regular expression: ^orders\\. fits all names that begin so.",
      },
      { name: "apply", label: "Applies to", type: "select", value: old["apply-to"], options: applies },
      {
        name: "priority",
        label: "Priority",
        type: "number",
        value: String(old.priority),
        help: "The highest one that fits is in effect.",
      },
      {
        name: "definition",
        label: "Definition",
        type: "table",
        rows: 5,
        value: lines(old.definition),
        help: `One KEY=VALUE a line. Keys: ${KEYS}.`,
      },
    ],
    extra: (values, area) => {
      if (!can.preview || preview) return;
      const out = h("div", { role: "status" });
      preview = button("What would change?", async () => {
        try {
          const v = values();
          out.replaceChildren(
            ...previewOf(await post(pathOf({ ...v, name: v.name || "?" }) + "/preview", bodyOf(v))).filter(Boolean),
          );
        } catch (error) {
          out.replaceChildren(h("p", { class: "problem" }, error.message));
        }
      });
      area.append(preview, out);
    },
    run: async (v) => {
      await put(pathOf(v), bodyOf(v));
      ctx.refresh();
      return "Saved.";
    },
  });
}
