/* Settings of the running node, and the configuration that it has read. */
import { h } from "../dom.js";
import { part, post, put } from "../api.js";
import { bytes, value } from "../format.js";
import { administers } from "../rights.js";
import { ask, button, danger, facts, grid, note, section } from "../ui.js";

const size = (name, label, now) => ({
  name,
  label,
  value: "",
  placeholder: bytes(now),
  help: "A size, such as 2GB, or a fraction of the memory, such as 0.6. Empty: it stays.",
});
const limit = (text) => (/^0?\.\d+$|^1(\.0)?$/.test(text) ? { relative: Number(text) } : { absolute: text });

function change(ctx, { settings }) {
  return ask({
    title: "Change the running node",
    button: "Change",
    text: "Until the broker starts again or reads its configuration again.",
    fields: [
      size("memory", "Memory above which publishers are held", settings.vm_memory_high_watermark.absolute),
      size("disk", "Free disk below which publishers are held", settings.disk_free_limit.absolute),
      {
        name: "level",
        label: "Level of the log",
        type: "select",
        value: settings.log_level,
        options: ["debug", "info", "warning", "error", "none"],
      },
    ],
    run: async (v) => {
      await put(`nodes/${part(ctx.overview.node)}/settings`, {
        ...(v.memory ? { vm_memory_high_watermark: limit(v.memory) } : {}),
        ...(v.disk ? { disk_free_limit: limit(v.disk) } : {}),
        ...(v.level !== settings.log_level ? { log_level: v.level } : {}),
      });
      ctx.refresh();
      return "Changed.";
    },
  });
}

const act = (path, body, said) => async () => {
  try {
    await post(path, body);
    note(said);
  } catch (error) {
    note(error.message);
  }
};

export function actions(ctx, data) {
  const path = "nodes/" + part(ctx.overview.node);
  return h(
    "div",
    { class: "actions" },
    button("Log level and watermarks…", () => change(ctx, data)),
    button("Rotate the log", act(path + "/log/rotate", {}, "The log goes on in a new file.")),
    danger("Take no new connections…", () =>
      ask({
        title: "Take no new connections",
        button: "Suspend listeners",
        danger: true,
        text: "Open connections stay; new AMQP clients are refused until listeners are resumed.",
        run: async () => {
          await post(path + "/listeners/suspend");
          return "Listeners are suspended.";
        },
      }),
    ),
    button("Take connections again", act(path + "/listeners/resume", {}, "Listeners are open.")),
  );
}

export function configuration({ effective, settings }) {
  if (!administers())
    return section("Configuration", h("p", {}, "Administrators see it."), facts(["Log level", settings.log_level]));
  const rows = Array.isArray(effective)
    ? effective
    : Object.entries(effective || {}).map(([key, v]) => ({ key, ...(typeof v === "object" && v ? v : { value: v }) }));
  return section(
    "Configuration in effect",
    grid(
      ["Key", "Value", "From"],
      rows.map((one) => [
        h("code", {}, one.key),
        one.value === null || one.value === undefined ? "–" : value(one.value),
        one.origin ?? one.source ?? "",
      ]),
    ),
  );
}
