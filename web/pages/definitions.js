/* Export and import of definitions. An import is tried first, and says what it would change. */
import { h } from "../dom.js";
import { getIfThere, get, post, part, query } from "../api.js";
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

export const exportDefinitions = (ctx) => ask({
  title: "Export definitions", button: "Export",
  text: "The file holds the hashes of passwords: keep it where nobody else reads it.",
  fields: [{ name: "vhost", label: "Virtual host", type: "select", value: "", options: [["", "All"], ...ctx.vhosts] }],
  run: async ({ vhost }) => {
    const definitions = await get(vhost === "" ? "definitions" : "definitions/" + part(vhost));
    save(`leveret_${new Date().toISOString().slice(0, 10)}.json`, JSON.stringify(definitions, null, 2));
    return "Exported.";
  },
});

/* What an answer to an import says: how many of each kind, and what is left out. */
function summary(answer) {
  const kinds = Object.entries(answer?.changes || answer?.imported || {});
  const left = answer?.left_out || [];
  return [
    kinds.length ? grid(["Kind", "What changes"], kinds.map(([kind, n]) => [kind, typeof n === "number" ? count(n) :
      Object.entries(n).map(([what, many]) => `${what}: ${Array.isArray(many) ? many.join(", ") : many}`).join("; ")])) : h("p", {}, "Nothing was reported to change."),
    left.length > 0 && [h("h3", {}, "Left out"), grid(["Where", "Why"], left.map((one) => [one.path, one.why]))],
  ];
}

async function send(vhost, definitions, dry) {
  const path = vhost === "" ? "definitions" : "definitions/" + part(vhost);
  return post(path + query({ dry_run: dry ? "true" : undefined }), definitions);
}

/* Whether the broker knows ?dry_run=true: one that does not would import at once. */
const triesFirst = async () => Boolean((await getIfThere("definitions/dry-run")) || (await get("overview?columns=definitions_dry_run")).definitions_dry_run);

export async function importDefinitions(ctx) {
  let file = null, text = "";
  const dry = await triesFirst().catch(() => false);
  await ask({
    title: "Import definitions", button: dry ? "Try it" : "Import", danger: !dry,
    text: ["Things that are there already and not in the file stay. Passwords, permissions and policies of the file replace those of the same name.",
      h("div", { class: "field" }, h("label", { for: "definitions-file" }, "File"),
        h("input", { id: "definitions-file", type: "file", accept: ".json,application/json", onchange: async (event) => {
          file = event.target.files[0];
          text = file ? await file.text() : "";
        } }))],
    fields: [{ name: "vhost", label: "Into", type: "select", value: "", options: [["", "The whole broker"], ...ctx.vhosts] }],
    run: async ({ vhost }) => {
      if (!text) throw new Error("Choose a file first.");
      let definitions;
      try {
        definitions = JSON.parse(text);
      } catch (error) {
        throw new Error(`The file is not JSON: ${error.message}`);
      }
      const answer = await send(vhost, definitions, dry);
      if (!dry) {
        show("Imported", summary(answer));
        return "Imported.";
      }
      ask({ title: "Import these?", button: "Import", danger: true, wide: true, text: summary(answer),
        run: async () => {
          await send(vhost, definitions, false);
          ctx.refresh();
          return "Imported.";
        } });
      return null;
    },
  });
  ctx.refresh();
}
