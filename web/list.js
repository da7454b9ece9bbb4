/* Lists that the broker sorts, filters and pages. All that chooses what is shown is in the address.
 *
 * A kind of list:
 * {name, path(query), columns, filters, key(row), href(row), search, wanted, extra, actions}
 * column: {id, label, sort, num, cell(row), hidden: not shown at first, fields: what it needs}
 * filter: {name, label, options: [[value, text, where]]}; where is a condition for the broker.
 * actions: (rows) => buttons for the rows that are selected; none: rows cannot be selected. */
import { h } from "./dom.js";
import { get, query as queryText } from "./api.js";
import { count } from "./format.js";
import { setQuery, href as address } from "./route.js";
import { ask } from "./ui.js";

const SIZES = ["25", "50", "100", "250", "500"];

const store = (kind) => "columns." + kind.name;
function chosen(kind) {
  const kept = localStorage.getItem(store(kind))?.split(",");
  return kind.columns.filter((one) => (kept ? kept.includes(one.id) : !one.hidden));
}

/* The columns of the query: what the cells need. */
function fieldsOf(kind, columns) {
  if (!kind.wanted) return undefined;
  return [...new Set([...kind.wanted, ...columns.flatMap((one) => one.fields || [one.sort || one.id])])].join(",");
}

export async function load(kind, query) {
  const where = (kind.filters || []).map((one) => one.options.find(([value]) => value === query[one.name])?.[2]);
  const ask = (page) =>
    get(
      kind.path(query) +
        queryText({
          page,
          page_size: query.size || "50",
          sort: query.sort || kind.sort,
          sort_reverse: query.desc ? "true" : undefined,
          name: query.name,
          use_regex: query.regex ? "true" : query.name && "false",
          pagination: "true",
          columns: fieldsOf(kind, chosen(kind)),
          where,
          ...(kind.extra || {}),
        }),
    );
  try {
    return await ask(query.page || "1");
  } catch (error) {
    /* Rows went away meanwhile, and with them the page. */
    if (error.status === 400 && query.page > 1 && /out of range/.test(error.message)) return ask("1");
    throw error;
  }
}

let typing = 0;
function toolbar(kind, query, vhosts) {
  const choose = (name) => (event) => setQuery({ [name]: event.target.value, page: "" });
  return h(
    "div",
    { class: "toolbar", role: "search" },
    kind.search !== false &&
      h("input", {
        type: "search",
        class: "search",
        placeholder: kind.search || "Filter by name",
        "aria-label": kind.search || "Filter by name",
        value: query.name || "",
        oninput: (event) => {
          const name = event.target.value;
          clearTimeout(typing);
          typing = setTimeout(() => setQuery({ name, page: "" }, true), 250);
        },
      }),
    kind.search !== false &&
      h(
        "label",
        { class: "inline" },
        h("input", {
          type: "checkbox",
          checked: Boolean(query.regex),
          onchange: (event) => setQuery({ regex: event.target.checked ? "1" : "", page: "" }),
        }),
        "regular expression",
      ),
    vhosts &&
      kind.vhosts !== false &&
      h(
        "select",
        { "aria-label": "Virtual host", value: query.vhost || "", onchange: choose("vhost") },
        h("option", { value: "" }, "All virtual hosts"),
        vhosts.map((one) => h("option", { value: one }, one)),
      ),
    (kind.filters || []).map((one) =>
      h(
        "select",
        { "aria-label": one.label, value: query[one.name] || "", onchange: choose(one.name) },
        h("option", { value: "" }, one.label),
        one.options.map(([value, text]) => h("option", { value }, text)),
      ),
    ),
    kind.columns.some((one) => one.hidden) && h("button", { type: "button", onclick: () => chooseColumns(kind) }, "Columns…"),
  );
}

function chooseColumns(kind) {
  const now = chosen(kind);
  ask({
    title: "Columns",
    button: "Show these",
    fields: kind.columns.slice(1).map((one) => ({ name: one.id, label: one.label, type: "check", value: now.includes(one) })),
    run: (values) => {
      localStorage.setItem(
        store(kind),
        kind.columns
          .filter((one, i) => i === 0 || values[one.id])
          .map((one) => one.id)
          .join(","),
      );
      dispatchEvent(new HashChangeEvent("hashchange"));
    },
  });
}

function head(column, query, kind) {
  const sort = column.sort;
  const current = query.sort || kind.sort || (kind.columns[0] === column ? sort : "");
  const is = sort && current === sort;
  return h(
    "th",
    { scope: "col", class: column.num ? "num" : null, "aria-sort": is ? (query.desc ? "descending" : "ascending") : null },
    sort
      ? h(
          "button",
          {
            type: "button",
            class: "sort",
            onclick: () => setQuery({ sort, desc: (is ? !query.desc : column.num) ? "1" : "", page: "" }),
          },
          column.label,
          is ? h("span", { "aria-hidden": "true" }, query.desc ? " ▾" : " ▴") : null,
        )
      : column.label,
  );
}

function pager(data, query) {
  const to = (page, label, name) =>
    h(
      "button",
      {
        type: "button",
        "aria-label": name,
        disabled: page < 1 || page > data.page_count || page === data.page,
        onclick: () => setQuery({ page: page === 1 ? "" : String(page) }),
      },
      label,
    );
  const first = (data.page - 1) * data.page_size;
  return h(
    "div",
    { class: "pager" },
    h(
      "span",
      {},
      data.item_count ? `${count(first + 1)}–${count(first + data.item_count)} of ${count(data.filtered_count)}` : "0",
      data.filtered_count !== data.total_count ? ` (${count(data.total_count)} without the filter)` : "",
    ),
    to(1, "«", "First page"),
    to(data.page - 1, "‹", "Page before"),
    h("span", {}, `page ${count(data.page)} of ${count(data.page_count)}`),
    to(data.page + 1, "›", "Next page"),
    to(data.page_count, "»", "Last page"),
    h(
      "label",
      { class: "inline" },
      "Rows ",
      h(
        "select",
        { value: query.size || "50", onchange: (event) => setQuery({ size: event.target.value, page: "" }) },
        SIZES.map((one) => h("option", { value: one }, one)),
      ),
    ),
  );
}

/* The view of a list. selected: a Map from key to row, kept by the caller while the view is there. */
export function view(kind, ctx, data, selected = new Map()) {
  const { query } = ctx;
  const columns = chosen(kind);
  const key = kind.key || ((row) => `${row.vhost} ${row.name}`);
  const rows = data.items;
  const pick = Boolean(kind.actions);
  const all = rows.length > 0 && rows.every((row) => selected.has(key(row)));
  const mark = (row, on) => (on ? selected.set(key(row), row) : selected.delete(key(row)));
  for (const row of rows) if (selected.has(key(row))) selected.set(key(row), row);
  return [
    toolbar(kind, query, ctx.vhosts),
    pick &&
      selected.size > 0 &&
      h(
        "div",
        { class: "bulk", key: "bulk", role: "group", "aria-label": "Selected" },
        h("b", {}, `${count(selected.size)} selected`),
        kind.actions([...selected.values()], () => {
          selected.clear();
          ctx.redraw();
        }),
        h(
          "button",
          {
            type: "button",
            onclick: () => {
              selected.clear();
              ctx.redraw();
            },
          },
          "Select none",
        ),
      ),
    rows.length === 0
      ? h("p", { class: "empty" }, data.total_count ? "Nothing fits this filter." : kind.empty || "There are none.")
      : h(
          "div",
          { class: "scroll", tabindex: "0", role: "group", "aria-label": kind.label || kind.name },
          h(
            "table",
            { class: "list" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                pick &&
                  h(
                    "th",
                    { class: "pick" },
                    h("input", {
                      type: "checkbox",
                      "aria-label": "Select all rows of this page",
                      checked: all,
                      indeterminate: !all && rows.some((row) => selected.has(key(row))),
                      onchange: (event) => {
                        rows.forEach((row) => mark(row, event.target.checked));
                        ctx.redraw();
                      },
                    }),
                  ),
                columns.map((one) => head(one, query, kind)),
              ),
            ),
            h(
              "tbody",
              {},
              rows.map((row) =>
                h(
                  "tr",
                  { key: key(row), class: selected.has(key(row)) ? "picked" : null },
                  pick &&
                    h(
                      "td",
                      { class: "pick" },
                      h("input", {
                        type: "checkbox",
                        "aria-label": `Select ${row.name ?? key(row)}`,
                        checked: selected.has(key(row)),
                        onchange: (event) => {
                          mark(row, event.target.checked);
                          ctx.redraw();
                        },
                      }),
                    ),
                  columns.map((one, i) =>
                    h(
                      i === 0 ? "th" : "td",
                      { class: one.num ? "num" : i === 0 ? "name" : null, scope: i === 0 ? "row" : null },
                      i === 0 && kind.href ? h("a", { href: address(...kind.href(row)) }, one.cell(row)) : one.cell(row),
                    ),
                  ),
                ),
              ),
            ),
          ),
        ),
    pager(data, query),
  ];
}
