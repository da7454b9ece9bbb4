/* The keyboard: "/" searches, "g" and a letter goes to a page, j and k walk through a list, "?"
 * helps, Ctrl-K finds any object by its name. */
import { h } from "./dom.js";
import { get, query } from "./api.js";
import { go } from "./route.js";
import { administers } from "./rights.js";
import { show } from "./ui.js";

let pages = {}; /* letter to [path, title] */
export const setPages = (them) => (pages = them);

let g = 0; /* when "g" was pressed */

function walk(step) {
  const links = [...document.querySelectorAll("table.list tbody tr")].map(
    (row) => row.querySelector("a") || row.querySelector("button, input"),
  );
  if (!links.length) return;
  const at = links.findIndex((one) => one?.closest("tr").contains(document.activeElement));
  links[Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
}

export function help() {
  const rows = [
    ["/", "filter this list"],
    ["j, k", "next and previous row"],
    ["Enter", "open it"],
    ["Ctrl-K", "find by name"],
    ["r", "ask the broker now"],
    ["?", "this help"],
    ...Object.entries(pages).map(([letter, [, title]]) => [`g ${letter}`, title]),
  ];
  show(
    "Keyboard",
    h(
      "table",
      {},
      h(
        "tbody",
        {},
        rows.map(([key, what]) => h("tr", {}, h("td", {}, h("kbd", {}, key)), h("td", {}, what))),
      ),
    ),
  );
}

/* ---- The palette. */

const KINDS = [
  ["queue", "queues", (row) => ["queues", row.vhost, row.name], "name,vhost"],
  ["exchange", "exchanges", (row) => ["exchanges", row.vhost, row.name], "name,vhost"],
  ["connection", "connections", (row) => ["connections", row.name], "name,vhost"],
  ["virtual host", "vhosts", (row) => ["vhosts", row.name], "name"],
  ["user", "users", (row) => ["users", row.name], "name", administers],
];

async function findIn([kind, path, to, columns, may], text) {
  if (may && !may()) return [];
  const found = await get(path + query({ page: 1, page_size: 8, name: text, use_regex: "false", columns, pagination: "true" }));
  return found.items.map((row) => ({ kind, text: row.name || "(default exchange)", vhost: row.vhost, to: to(row) }));
}

export function palette() {
  if (document.querySelector("dialog[open]")) return;
  const list = h("ul", { role: "listbox", id: "found", "aria-label": "Found" });
  let at = 0,
    shown = [],
    asked = 0;
  const input = h("input", {
    type: "text",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "found",
    autocomplete: "off",
    placeholder: "Name of a queue, exchange, connection, page …",
    "aria-label": "Find by name",
  });
  const dialog = h("dialog", { class: "palette", "aria-label": "Find by name" }, input, list);
  const draw = () => {
    list.replaceChildren(
      ...shown.map((one, i) =>
        h(
          "li",
          { role: "option", id: `o${i}`, "aria-selected": String(i === at), onclick: () => open(one) },
          h("span", { class: "dim" }, one.kind),
          " ",
          one.text,
          one.vhost && one.vhost !== "/" ? h("span", { class: "dim" }, ` in ${one.vhost}`) : null,
        ),
      ),
    );
    if (shown.length) input.setAttribute("aria-activedescendant", `o${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const open = (one) => {
    dialog.close();
    if (one) go(one.to);
  };
  const search = async () => {
    const mine = ++asked,
      text = input.value;
    const found = Object.values(pages)
      .filter(([, title]) => title.toLowerCase().includes(text.toLowerCase()))
      .map(([path, title]) => ({ kind: "page", text: title, to: path }));
    shown = found.slice(0, 6);
    at = 0;
    draw();
    if (!text) return;
    for (const kind of KINDS) {
      const more = await findIn(kind, text).catch(() => []);
      if (mine !== asked) return;
      shown = [...shown, ...more];
      draw();
    }
  };
  let timer = 0;
  input.oninput = () => {
    clearTimeout(timer);
    timer = setTimeout(search, 120);
  };
  input.onkeydown = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      at = Math.min(shown.length - 1, Math.max(0, at + step));
      draw();
    } else if (event.key === "Enter") open(shown[at]);
    else return;
    event.preventDefault();
  };
  const back = document.activeElement;
  dialog.onclose = () => {
    asked++;
    dialog.remove();
    if (back?.isConnected) back.focus();
  };
  document.body.append(dialog);
  dialog.showModal();
  search();
}

export function begin(refresh) {
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      palette();
      return;
    }
    const writes = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (writes || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open], .login")) return;
    const wasG = Date.now() - g < 1500;
    g = 0;
    if (wasG && pages[event.key]) go(pages[event.key][0]);
    else if (event.key === "g") g = Date.now();
    else if (event.key === "/") document.querySelector("main input[type=search]")?.focus();
    else if (event.key === "j") walk(1);
    else if (event.key === "k") walk(-1);
    else if (event.key === "r") refresh();
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
}
