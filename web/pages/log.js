/* The log, line by line as it is written. */
import { h, island } from "../dom.js";
import { events, query } from "../api.js";
import { count, time } from "../format.js";
import { setQuery } from "../route.js";

export const title = () => "Log";
export const load = async () => ({});

const LINES_MAX = 5000;
const LEVELS = ["debug", "info", "warning", "error"];

/* One stream for each level that is asked for; it follows the end unless somebody has scrolled up. */
function stream(el) {
  const out = h("div", { class: "lines", tabindex: "0", role: "log", "aria-label": "Lines of the log", "aria-live": "off" });
  const said = h("span", { class: "dim", role: "status" });
  const filter = h("input", { type: "search", placeholder: "Only lines with", "aria-label": "Only lines with" });
  const pause = h("button", { type: "button", "aria-pressed": "false" }, "Pause");
  let lines = [],
    control = null,
    level = null,
    waiting = [],
    timer = 0;

  const text = (one) =>
    `${time(one.time ? Date.parse(one.time) || one.time : 0)} ${one.level.padEnd(7)} ${one.area}: ${one.text}`;
  const fits = (one) => !filter.value || text(one).toLowerCase().includes(filter.value.toLowerCase());
  const element = (one) => h("div", { class: one.level }, text(one));
  const isPaused = () => pause.getAttribute("aria-pressed") === "true";

  function add(fresh) {
    const follows = out.scrollTop + out.clientHeight >= out.scrollHeight - 30;
    lines = [...lines, ...fresh].slice(-LINES_MAX);
    out.append(...fresh.filter(fits).map(element));
    while (out.children.length > LINES_MAX) out.firstChild.remove();
    if (follows) out.scrollTop = out.scrollHeight;
    said.textContent = `${count(lines.length)} lines`;
  }
  const flush = () => {
    timer = 0;
    if (isPaused()) {
      said.textContent = `paused; ${count(waiting.length)} lines wait`;
      return;
    }
    add(waiting);
    waiting = [];
  };
  const all = () => {
    out.replaceChildren(...lines.filter(fits).map(element));
    out.scrollTop = out.scrollHeight;
  };
  filter.oninput = all;
  pause.onclick = () => {
    pause.setAttribute("aria-pressed", String(!isPaused()));
    pause.textContent = isPaused() ? "Go on" : "Pause";
    flush();
  };

  async function run() {
    const mine = (control = new AbortController());
    lines = [];
    waiting = [];
    out.replaceChildren();
    while (!mine.signal.aborted) {
      try {
        await events("log/tail" + query({ lines: lines.length ? 0 : 500, level }), mine.signal, (name, data) => {
          waiting.push(
            name === "lost"
              ? { level: "warning", area: "page", text: `${data.count} lines were too many to show`, time: Date.now() }
              : data,
          );
          waiting = waiting.slice(-LINES_MAX);
          timer ||= setTimeout(flush, 100);
        });
      } catch (error) {
        if (mine.signal.aborted) return;
        said.textContent = `${error.message}; trying again`;
      }
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  el.append(
    h(
      "div",
      { class: "toolbar" },
      filter,
      pause,
      h(
        "button",
        {
          type: "button",
          onclick: () => {
            const address = URL.createObjectURL(new Blob([lines.map(text).join("\n") + "\n"], { type: "text/plain" }));
            const link = h("a", { href: address, download: "leveret.log" });
            link.click();
            setTimeout(() => URL.revokeObjectURL(address), 10000);
          },
        },
        "Download",
      ),
      said,
    ),
    out,
  );
  return {
    update(fresh) {
      if (fresh.level === level) return;
      level = fresh.level;
      control?.abort();
      run();
    },
    end() {
      control?.abort();
      clearTimeout(timer);
    },
  };
}

export const view = (ctx) => [
  h(
    "label",
    { class: "inline" },
    "At least ",
    h(
      "select",
      { value: ctx.query.level || "info", onchange: (event) => setQuery({ level: event.target.value }) },
      LEVELS.map((one) => h("option", { value: one }, one)),
    ),
  ),
  island("log", stream, { level: ctx.query.level || "info" }),
];
