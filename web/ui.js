/* Dialogs, forms and short notes. A dialog is the browser's own: it keeps the focus, and Escape
 * closes it. */
import { h } from "./dom.js";

/* ---- Notes: what has happened, below, and read aloud. */

const notes = h("div", { class: "notes", role: "status", "aria-live": "polite" });
document.body.append(notes);
export function note(text) {
  const one = h("div", { class: "note" }, text);
  notes.append(one);
  setTimeout(() => one.remove(), 6000);
}

/* ---- Fields.
 * {name, label, type, value, options, help, required, placeholder, show(values)}
 * type: text (default), password, number, textarea, select, check, table (lines of KEY=VALUE),
 * note. options of a select: texts, or pairs of value and text. */

let fieldCount = 0;

function control(field, id, describedBy) {
  const common = {
    id,
    name: field.name,
    required: field.required,
    placeholder: field.placeholder,
    "aria-describedby": describedBy,
    oninput: field.oninput,
  };
  if (field.type === "select")
    return h(
      "select",
      { ...common, value: field.value },
      field.options.map((one) => [one].flat()).map(([value, text]) => h("option", { value }, text ?? value)),
    );
  if (field.type === "check") return h("input", { ...common, type: "checkbox", checked: field.value });
  if (field.type === "textarea" || field.type === "table")
    return h("textarea", { ...common, rows: field.rows || 3, spellcheck: "false", value: field.value ?? "" });
  const list = field.suggest && `${id}-list`;
  return [
    h("input", {
      ...common,
      type: field.type || "text",
      value: field.value ?? "",
      list,
      min: field.min,
      step: field.type === "number" ? "any" : null,
      autocomplete: field.autocomplete || "off",
      spellcheck: "false",
    }),
    list &&
      h(
        "datalist",
        { id: list },
        field.suggest.map((one) => h("option", { value: one })),
      ),
  ];
}

function row(field) {
  const id = `f${++fieldCount}`;
  const help = field.help && `${id}-help`;
  if (field.type === "note") return h("p", { class: "help" }, field.label);
  return h(
    "div",
    { class: "field " + (field.type || "text"), "data-field": field.name },
    h("label", { for: id }, field.label, field.required && h("span", { class: "must" }, " (needed)")),
    control(field, id, help),
    help && h("div", { id: help, class: "help" }, field.help),
  );
}

/* "a=1" lines as an object; what reads as JSON is JSON, all else a string. */
export function readTable(text) {
  const out = {};
  for (const line of text.split("\n")) {
    if (!line.trim()) continue;
    const at = line.indexOf("=");
    if (at < 1) throw new Error(`"${line}" is not KEY=VALUE`);
    const raw = line.slice(at + 1).trim();
    try {
      out[line.slice(0, at).trim()] = JSON.parse(raw);
    } catch {
      out[line.slice(0, at).trim()] = raw;
    }
  }
  return out;
}

/* The values of a form, by name: numbers are numbers or undefined, tables are objects. */
function valuesOf(form, fields) {
  const out = {};
  for (const field of fields) {
    const el = form.elements[field.name];
    if (!el) continue;
    if (field.type === "check") out[field.name] = el.checked;
    else if (field.type === "number") out[field.name] = el.value === "" ? undefined : Number(el.value);
    else if (field.type === "table") out[field.name] = readTable(el.value);
    else out[field.name] = el.value;
  }
  return out;
}

function refreshShown(form, fields) {
  for (const field of fields) {
    if (!field.show) continue;
    let values = {};
    try {
      values = valuesOf(form, fields);
    } catch {
      /* a table that is being written */
    }
    const el = form.querySelector(`[data-field="${field.name}"]`);
    el.hidden = !field.show(values);
  }
}

/* Asks something in a dialog.
 * {title, text (texts or elements), fields, button, danger, typed, extra(values, area), run(values)}
 * typed: a word that must be typed first. run is called once, when the button is pressed; while it
 * throws, the dialog stays and shows why. Its result is noted. Resolves to whether it was run. */
export function ask({ title, text, fields = [], button, danger, typed, run, extra, wide }) {
  const back = document.activeElement;
  if (typed) fields = [...fields, { name: "typed", label: `Type ${typed} to go on`, required: true }];
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: danger ? "danger" : "primary" }, button || title);
  const area = h("div");
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", {}, title),
    text &&
      h(
        "div",
        { class: "said" },
        [text].flat().map((one) => (typeof one === "string" ? h("p", {}, one) : one)),
      ),
    fields.map(row),
    area,
    problem,
    h(
      "div",
      { class: "buttons" },
      h("button", { type: "button", onclick: () => dialog.close() }, run ? "Cancel" : "Close"),
      run && submit,
    ),
  );
  const dialog = h("dialog", { "aria-label": title, class: wide ? "wide" : null }, form);
  const check = () => {
    if (typed) submit.disabled = form.elements.typed.value !== typed;
    refreshShown(form, fields);
    extra?.(() => valuesOf(form, fields), area);
  };
  form.oninput = check;
  return new Promise((resolve) => {
    let done = false;
    form.onsubmit = async (event) => {
      event.preventDefault();
      if (!run || submit.disabled) return;
      submit.disabled = true;
      problem.textContent = "";
      try {
        const result = await run(valuesOf(form, fields));
        done = true;
        dialog.close();
        if (result) note(result);
      } catch (error) {
        problem.textContent = error.message;
        submit.disabled = false;
      }
    };
    dialog.onclose = () => {
      dialog.remove();
      if (back?.isConnected) back.focus();
      resolve(done);
    };
    document.body.append(dialog);
    dialog.showModal();
    check();
    form.querySelector("input:not([type=checkbox]), select, textarea")?.focus();
  });
}

/* Shows something in a dialog. */
export const show = (title, ...content) => ask({ title, text: content, wide: true });

export const button = (label, onclick, props) => h("button", { type: "button", onclick, ...props }, label);
export const danger = (label, onclick) => button(label, onclick, { class: "danger" });

/* Pairs of a name and what is shown for it; pairs that are false are left out. */
export const facts = (...pairs) =>
  h(
    "dl",
    { class: "facts" },
    pairs
      .filter(Boolean)
      .map(([name, value]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, value === "" || value === null || value === undefined ? "–" : value)),
      ),
  );

/* A plain table: heads are texts, "#text" for a column of numbers; rows are arrays of cells. */
export function grid(heads, rows, { empty = "There is nothing here.", label } = {}) {
  if (!rows.length) return h("p", { class: "empty" }, empty);
  const number = heads.map((one) => one.startsWith("#"));
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "group", "aria-label": label || heads.join(" ").replaceAll("#", "") },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((one, i) => h("th", { scope: "col", class: number[i] ? "num" : null }, one.replace("#", ""))),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((cells) =>
          h(
            "tr",
            {},
            cells.map((cell, i) => h("td", { class: number[i] ? "num" : null }, cell)),
          ),
        ),
      ),
    ),
  );
}

/* A part of a view with a heading. */
export const section = (title, ...content) => h("section", {}, h("h2", {}, title), ...content);

/* Tabs: links that change the query's tab. */
export const tabs = (names, current, hrefOf) =>
  h(
    "nav",
    { class: "tabs", "aria-label": "Parts of this view" },
    names.map(([id, label]) => h("a", { href: hrefOf(id), "aria-current": id === current ? "page" : null }, label)),
  );

/* A word with a colour beside it; the word alone says it, too. */
export const badge = (word, kind = "") => h("span", { class: "badge " + kind }, word);
