/* What the API has: each endpoint with an example, and a form to try it. */
import { h } from "../dom.js";
import { call } from "../api.js";
import { setQuery } from "../route.js";
import { ask, badge, button, show } from "../ui.js";

export const title = () => "API";

let endpoints = null;
async function read() {
  const text = await (await fetch("endpoints.txt")).text();
  return text
    .split("\n")
    .filter((line) => line && !line.startsWith("#"))
    .map((line) => {
      const [method, path, who, ...rest] = line.split("|");
      const [what, example] = rest.join("|").split("|{");
      return { method, path, who, what, example: example && "{" + example };
    });
}
export async function load() {
  endpoints ||= await read();
  return endpoints;
}

const STREAM = /\/tail$/;
/* The names of a path's variable parts, as forms ask for them. */
const NAMES = {
  v: "Virtual host",
  q: "Queue",
  x: "Exchange",
  y: "Exchange, the destination",
  p: "Part",
  n: "Name",
  u: "User",
  c: "Name",
  id: "Id",
  f: "Flag",
  w: "Virtual host",
  unit: "Unit",
};
const partsOf = (path) =>
  path
    .split("/")
    .filter((one) => one.startsWith(":"))
    .map((one) => one.slice(1));

function curl(one) {
  const path = one.path
    .replace("/:v", "/%2F")
    .replace(/:(\w+)/g, (_, name) => (NAMES[name] || name).toUpperCase().split(/[ ,]/)[0]);
  return `curl -u USER:PASSWORD ${one.method === "GET" ? "" : `-X ${one.method} `}${one.example ? `-H content-type:application/json -d '${one.example}' ` : ""}${location.origin}${location.pathname.replace(/\/$/, "")}${path}`;
}

function tryIt(one) {
  const parts = partsOf(one.path);
  return ask({
    title: `${one.method} ${one.path}`,
    button: "Send",
    danger: one.method !== "GET",
    wide: true,
    text: one.what,
    fields: [
      ...parts.map((name) => ({
        name: "part_" + name,
        label: NAMES[name] || name,
        required: true,
        value: ["v", "w"].includes(name) ? "/" : "",
      })),
      ...(one.method === "GET" ? [{ name: "query", label: "Query", placeholder: "page=1&page_size=10" }] : []),
      ...(one.example
        ? [{ name: "body", label: "Body", type: "textarea", rows: 6, value: JSON.stringify(JSON.parse(one.example), null, 2) }]
        : []),
    ],
    run: async (v) => {
      let path = one.path.replace("/api/", "");
      for (const name of parts) path = path.replace(":" + name, encodeURIComponent(v["part_" + name]));
      const answer = await call(one.method, path + (v.query ? "?" + v.query : ""), one.example ? JSON.parse(v.body) : undefined);
      show(
        "Answer",
        h(
          "pre",
          { tabindex: "0" },
          answer === null ? "Done; there is no body." : JSON.stringify(answer, null, 2).slice(0, 200000),
        ),
      );
    },
  });
}

export function view(ctx, all) {
  const text = (ctx.query.name || "").toLowerCase();
  const found = all.filter((one) => `${one.method} ${one.path} ${one.what}`.toLowerCase().includes(text));
  return [
    h(
      "p",
      { class: "help" },
      "All of this page is done with these. JSON in and out; HTTP basic authentication; names in paths are percent-encoded, as in %2F for the virtual host /. ",
      "The names are RabbitMQ's where it has them.",
    ),
    h(
      "div",
      { class: "toolbar" },
      h("input", {
        type: "search",
        placeholder: "Filter endpoints",
        "aria-label": "Filter endpoints",
        value: ctx.query.name || "",
        oninput: (event) => setQuery({ name: event.target.value }, true),
      }),
      h("span", { class: "dim" }, `${found.length} endpoints`),
    ),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "group", "aria-label": "Endpoints" },
      h(
        "table",
        { class: "list" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Endpoint", "What it does", "Who", "Try"].map((one) => h("th", { scope: "col" }, one)),
          ),
        ),
        h(
          "tbody",
          {},
          found.map((one) =>
            h(
              "tr",
              { key: one.method + one.path },
              h(
                "th",
                { scope: "row" },
                badge(one.method, { GET: "good", DELETE: "bad" }[one.method] || "warn"),
                " ",
                h("code", {}, one.path),
              ),
              h("td", {}, one.what, h("details", {}, h("summary", {}, "Example"), h("pre", { tabindex: "0" }, curl(one)))),
              h("td", {}, one.who),
              h(
                "td",
                {},
                !STREAM.test(one.path) &&
                  one.path.startsWith("/api/") &&
                  one.path !== "/api/login" &&
                  button("Try…", () => tryIt(one), { "aria-label": `Try ${one.method} ${one.path}` }),
              ),
            ),
          ),
        ),
      ),
    ),
  ];
}
