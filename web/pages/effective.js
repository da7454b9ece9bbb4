/* Which settings count for a queue, and where each comes from. */
import { value } from "../format.js";
import { badge, grid } from "../ui.js";

const same = (a, b) => a !== undefined && JSON.stringify(a) === JSON.stringify(b);

/* The keys of policies are the arguments' names without "x-". */
export function effectiveSettings(queue, policy, operator) {
  const own = {};
  for (const [name, v] of Object.entries(queue.arguments || {})) if (name.startsWith("x-")) own[name.slice(2)] = v;
  const policies = queue.effective_policy_definition || {};
  const names = [...new Set([...Object.keys(own), ...Object.keys(policies)])].sort();
  return grid(
    ["Setting", "Value that counts", "From", "Also said"],
    names.map((name) => {
      const said = [
        ["argument", own[name]],
        [`policy ${queue.policy}`, policy?.definition?.[name]],
        [`operator policy ${queue.operator_policy}`, operator?.definition?.[name]],
      ].filter((one) => one[1] !== undefined);
      let counts = own[name] ?? policies[name];
      if (typeof own[name] === "number" && typeof policies[name] === "number") counts = Math.min(own[name], policies[name]);
      const from = said.find((one) => same(one[1], counts))?.[0] || (own[name] !== undefined ? "argument" : "policy");
      return [
        name,
        value(counts),
        badge(from, from === "argument" ? "" : "good"),
        said
          .filter((one) => one[0] !== from)
          .map(([who, v]) => `${who}: ${value(v)}`)
          .join("; "),
      ];
    }),
    { empty: "No argument and no policy changes how this queue behaves." },
  );
}
