/* Export and import of definitions. Before an import the broker tries it, and the page says what
 * would be new or different. */
import { h } from "../dom.js";
import { get, part, post } from "../api.js";
import { count } from "../format.js";
import { ask, grid, show } from "../ui.js";

function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const pathOf = (vhost) => (vhost === "" ? "definitions" : "definitions/" + part(vhost));

export const exportDefinitions = (ctx) =>
  ask({
    title: "Export definitions",
    button: "Export",
    text: "The file holds the hashes of passwords: keep it where nobody else reads it.",
    fields: [{ name: "vhost", label: "Virtual host", type: "select", value: "", options: [["", "All"], ...ctx.vhosts] }],
    run: async ({ vhost }) => {
      save(`leveret_${new Date().toISOString().slice(0, 10)}.json`, JSON.stringify(await get(pathOf(vhost)), null, 2));
      return "Exported.";
    },
  });

/* ---- What an import would change, as the broker judges it. */

const list = (title, rows, more) =>
  rows?.length > 0 && [
    h("h3", {}, title),
    grid(
      ["Where", "What"],
      rows.map((one) => [`${one.path} ${one.name ?? ""}`, one.why]),
    ),
    more > 0 && h("p", { class: "dim" }, `And ${count(more)} more.`),
  ];

function judged(answer) {
  const kinds = [...new Set(["created", "changed", "unchanged"].flatMap((what) => Object.keys(answer[what] || {})))];
  const of = (what) => kinds.map((kind) => answer[what]?.[kind] ?? 0);
  const [fresh, different, same] = [of("created"), of("changed"), of("unchanged")];
  return [
    grid(
      ["Kind", "#New", "#Different", "#As it is"],
      kinds.map((kind, i) => [kind.replaceAll("_", " "), count(fresh[i]), count(different[i]), count(same[i])]),
      { empty: "The file holds nothing." },
    ),
    list("There with other properties", answer.conflicts, answer.conflicts_more),
    list("Left out", answer.left_out),
    list("Changes", answer.changes, answer.changes_more),
  ];
}

/* What an answer to an import says of what was left out. */
const leftOut = (answer) =>
  answer?.left_out?.length > 0 &&
  show(
    "Imported, but for these",
    grid(
      ["Where", "Why"],
      answer.left_out.map((one) => [one.path, one.why]),
    ),
  );

function confirm(ctx, vhost, file, text) {
  return ask({
    title: "Import these?",
    button: "Import",
    danger: true,
    wide: true,
    text,
    run: async () => {
      leftOut(await post(pathOf(vhost), file));
      ctx.refresh();
      return "Imported.";
    },
  });
}

export const importDefinitions = (ctx) => {
  let text = "";
  return ask({
    title: "Import definitions",
    button: "Compare",
    text: [
      "What is there already and not in the file stays. Before anything changes you see what would.",
      h(
        "div",
        { class: "field" },
        h("label", { for: "definitions-file" }, "File"),
        h("input", {
          id: "definitions-file",
          type: "file",
          accept: ".json,application/json",
          onchange: async (event) => {
            const [file] = event.target.files;
            text = file ? await file.text() : "";
          },
        }),
      ),
    ],
    fields: [{ name: "vhost", label: "Into", type: "select", value: "", options: [["", "The whole broker"], ...ctx.vhosts] }],
    run: async ({ vhost }) => {
      if (!text) throw new Error("Choose a file first.");
      let file;
      try {
        file = JSON.parse(text);
      } catch (error) {
        throw new Error(`The file is not JSON: ${error.message}`);
      }
      if (!file || typeof file !== "object" || Array.isArray(file)) throw new Error("The file is not an object of definitions.");
      const said = judged(await post(pathOf(vhost) + "?dry_run=true", file));
      setTimeout(() => confirm(ctx, vhost, file, said));
    },
  });
};
