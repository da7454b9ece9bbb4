/* The page: its frame, who is logged in, which view is shown, and how it is kept up to date.
 *
 * A view is a module of pages/ with title(ctx), load(ctx), which asks the broker, and view(ctx, data),
 * which makes elements of the answer. ctx: {path, query, vhosts, state, redraw(), overview}; state is
 * the view's own while it is shown. A view that has end(ctx) is told when it is left. */
import { h, morph } from "./dom.js";
import * as api from "./api.js";
import * as features from "./features.js";
import * as keys from "./keys.js";
import * as live from "./live.js";
import * as rights from "./rights.js";
import * as route from "./route.js";
import { duration } from "./format.js";
import { login } from "./pages/login.js";

/* Path, title, letter, who may see it, module. Views below another one have no letter. */
const everybody = () => true;
const VIEWS = [
  ["overview", "Overview", "o", everybody, () => import("./pages/overview.js")],
  ["queues", "Queues", "q", everybody, () => import("./pages/queues.js"), () => import("./pages/queue.js")],
  ["exchanges", "Exchanges", "e", everybody, () => import("./pages/exchanges.js"), () => import("./pages/exchange.js")],
  ["connections", "Connections", "c", everybody, () => import("./pages/connections.js"), () => import("./pages/connection.js")],
  ["channels", "Channels", "h", everybody, () => import("./pages/channels.js"), () => import("./pages/channel.js")],
  ["consumers", "Consumers", "s", everybody, () => import("./pages/consumers.js")],
  ["dead-letters", "Dead letters", "d", everybody, () => import("./pages/dead_letters.js")],
  ["policies", "Policies", "p", everybody, () => import("./pages/policies.js"), () => import("./pages/policy.js")],
  ["vhosts", "Virtual hosts", "v", everybody, () => import("./pages/vhosts.js"), () => import("./pages/vhost.js")],
  ["users", "Users", "u", rights.administers, () => import("./pages/users.js"), () => import("./pages/user.js")],
  ["node", "Node", "n", rights.monitors, () => import("./pages/node.js")],
  ["log", "Log", "l", rights.monitors, () => import("./pages/log.js")],
  ["api", "API", "a", everybody, () => import("./pages/api.js")],
];

const root = h("div", { id: "app" });
document.body.prepend(root);

let shown = null; /* {name, module, ctx, data, problem} */

/* ---- The frame. */

function setTheme(theme) {
  if (theme) localStorage.setItem("theme", theme);
  else localStorage.removeItem("theme");
  document.documentElement.dataset.theme = theme;
  dispatchEvent(new Event("theme"));
}
document.documentElement.dataset.theme = localStorage.getItem("theme") || "";

async function logOut() {
  await api.del("login").catch(() => {});
  signedOut();
}

function status() {
  const { period, failure, age_ms } = live.state();
  const text = failure
    ? `${failure}${age_ms === null ? "" : `; these numbers are ${duration(age_ms)} old`}`
    : period
      ? "live"
      : "paused";
  return h(
    "div",
    { class: "status" },
    h(
      "span",
      { class: failure ? "bad" : period ? "good" : "", role: "status" },
      h("i", { class: "dot", "aria-hidden": "true" }),
      text,
    ),
    h(
      "select",
      {
        "aria-label": "How often the broker is asked",
        value: String(period),
        onchange: (e) => live.setPeriod(Number(e.target.value)),
      },
      live.PERIODS.map((s) => h("option", { value: String(s) }, s ? `each ${s} s` : "paused")),
    ),
    h(
      "button",
      { type: "button", "aria-label": "Ask the broker now", title: "Ask the broker now (r)", onclick: live.refresh },
      "↻",
    ),
  );
}

function header(overview) {
  return h(
    "header",
    {},
    h(
      "a",
      {
        class: "skip",
        href: location.hash,
        onclick: (e) => {
          e.preventDefault();
          document.querySelector("main").focus();
        },
      },
      "To the content",
    ),
    h(
      "a",
      { class: "brand", href: "#/overview" },
      h("i", { class: "hare", "aria-hidden": "true" }),
      h("b", {}, "Leveret"),
      overview && h("span", { class: "cluster" }, overview.cluster_name),
    ),
    h("button", { type: "button", class: "find", onclick: keys.palette }, "Find… ", h("kbd", {}, "Ctrl K")),
    status(),
    h(
      "div",
      { class: "own" },
      h(
        "select",
        { "aria-label": "Colours", value: localStorage.getItem("theme") || "", onchange: (e) => setTheme(e.target.value) },
        [
          ["", "system"],
          ["light", "light"],
          ["dark", "dark"],
        ].map(([value, text]) => h("option", { value }, text)),
      ),
      h("button", { type: "button", "aria-label": "Keyboard help", title: "Keyboard (?)", onclick: keys.help }, "?"),
      h("span", { class: "who", title: rights.user.tags.join(", ") }, rights.user.name),
      h("button", { type: "button", onclick: logOut }, "Log out"),
    ),
  );
}

function frame() {
  if (!shown || !rights.user) return;
  const { name, module, ctx, data, problem } = shown;
  const title = module?.title?.(ctx) || VIEWS.find((one) => one[0] === name)[1];
  document.title = `${title} · Leveret`;
  const { failure } = live.state();
  const fresh = h(
    "div",
    { id: "app", class: failure ? "stale" : "" },
    header(ctx.overview),
    h(
      "nav",
      { class: "pages", "aria-label": "Pages" },
      VIEWS.filter((one) => one[3]()).map(([path, text]) =>
        h("a", { href: route.href([path]), "aria-current": path === name ? "page" : null }, text),
      ),
    ),
    h(
      "main",
      { key: name + ctx.path.join("/"), tabindex: "-1", "data-shown": shown.at },
      h("h1", {}, module?.heading?.(ctx) || title),
      problem && h("p", { class: "problem", role: "alert" }, problem),
      data !== undefined && !problem ? module.view(ctx, data) : !problem && h("p", { class: "empty" }, "Asking the broker…"),
    ),
  );
  morph(root, fresh);
}

/* ---- Views. */

async function loadView() {
  const mine = shown;
  if (!mine?.module) return;
  const { ctx, module } = mine;
  const at = location.hash;
  /* Rights may have changed since the view before. */
  if (!ctx.vhosts) await rights.load();
  const [overview, vhosts] = [
    await api.get("overview?columns=cluster_name,sample_retention_policies,node,exchange_types,default_queue_type"),
    ctx.vhosts || (await api.get("vhosts?columns=name")).map((one) => one.name),
  ];
  Object.assign(ctx, { overview, vhosts });
  try {
    const data = await module.load(ctx);
    if (mine !== shown) return;
    Object.assign(mine, { data, at, problem: null });
  } catch (error) {
    if (error.status === undefined || mine !== shown) throw error;
    mine.at = at;
    mine.problem = error.status === 404 ? "There is no such thing (any more)." : error.message;
  }
}

async function showRoute() {
  if (!rights.user) return;
  const { path, query } = route.read();
  const found = VIEWS.find((one) => one[0] === path[0] && one[3]());
  if (!found) {
    location.replace("#/overview");
    return;
  }
  const same = shown && shown.ctx.path.join("\n") === path.join("\n");
  if (same) {
    shown.ctx.query = query;
  } else {
    shown?.module?.end?.(shown.ctx);
    const ctx = { path, query, state: {}, redraw: frame, refresh: live.refresh, vhosts: null };
    shown = { name: path[0], ctx, module: null };
    const mine = shown;
    let module;
    try {
      module = await (path.length > 1 && found[5] ? found[5] : found[4])();
    } catch {
      shown.problem = "A file of this page does not come: load the page anew.";
      frame();
      return;
    }
    if (mine !== shown) return;
    mine.module = module;
    scrollTo(0, 0);
  }
  frame();
  live.watch(() => loadView());
}

/* ---- Log-in. */

function signedOut() {
  if (document.querySelector(".login")) return;
  rights.forget();
  live.watch(null);
  shown?.module?.end?.(shown.ctx);
  shown = null;
  document.querySelectorAll("dialog").forEach((one) => one.close());
  document.title = "Log in · Leveret";
  morph(
    root,
    h(
      "div",
      { id: "app" },
      login(async (name, password) => {
        await api.logIn(name, password);
        await start();
      }),
    ),
  );
  document.querySelector(".login input")?.focus();
}

async function start() {
  await rights.load();
  await features.load();
  keys.setPages(Object.fromEntries(VIEWS.filter((one) => one[3]()).map(([path, title, letter]) => [letter, [[path], title]])));
  root.replaceChildren();
  showRoute();
}

api.onSignedOut(signedOut);
live.onChange(frame);
addEventListener("hashchange", showRoute);
keys.begin(live.refresh);
for (;;) {
  try {
    await start();
    break;
  } catch (error) {
    if (error.status === 401) {
      signedOut();
      break;
    }
    root.replaceChildren(h("p", { class: "problem", role: "alert" }, `${error.message}; asking again…`));
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
}
