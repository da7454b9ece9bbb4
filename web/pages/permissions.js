/* Permissions and topic permissions as tables with their forms, and a tester of expressions. */
import { h } from "../dom.js";
import { del, exchangePart, part, put } from "../api.js";
import { href } from "../route.js";
import { ask, button, grid } from "../ui.js";

/* Says beside the fields what of a name each expression fits; the browser's expressions are nearly
 * the broker's (PCRE2), which judges in the end. */
export function tester(names) {
  let box = null;
  return (values, area) => {
    if (!box) {
      const input = h("input", { id: "tester", placeholder: "orders", autocomplete: "off", spellcheck: "false" });
      box = { input, out: h("div", { class: "help", role: "status" }) };
      area.append(h("div", { class: "field" }, h("label", { for: "tester" }, "Try a name"), input, box.out));
    }
    const name = box.input.value;
    box.out.textContent = names
      .map((one) => {
        const text = values()[one];
        if (text === undefined) return "";
        try {
          return `${one}: ${text !== "" && new RegExp(text).test(name) ? "fits" : text === "" ? "fits nothing" : "does not fit"}`;
        } catch (error) {
          return `${one}: ${error.message}`;
        }
      })
      .filter(Boolean)
      .join(" · ");
  };
}

const HELP = "Regular expressions of names. Nothing (an empty field) allows nothing; .* allows everything.";

function edit(ctx, { vhost, user, users, vhosts }, old = {}) {
  return ask({
    title: old.user ? `Permissions of ${old.user} on ${old.vhost}` : "Give permissions",
    button: "Save",
    text: HELP,
    fields: [
      ...(vhost || old.vhost
        ? []
        : [{ name: "vhost", label: "Virtual host", type: "select", options: vhosts, value: vhosts[0] }]),
      ...(user || old.user ? [] : [{ name: "user", label: "User", type: "select", options: users, value: users[0] }]),
      { name: "configure", label: "Configure: declare and delete", value: old.configure ?? ".*" },
      { name: "write", label: "Write: publish, bind queues", value: old.write ?? ".*" },
      { name: "read", label: "Read: consume, bind exchanges", value: old.read ?? ".*" },
    ],
    extra: tester(["configure", "write", "read"]),
    run: async (v) => {
      const all = { vhost, user, ...old, ...v };
      await put(`permissions/${part(all.vhost)}/${part(all.user)}`, { configure: v.configure, write: v.write, read: v.read });
      ctx.refresh();
      return "Saved.";
    },
  });
}

const remove = (ctx, path, text) =>
  ask({
    title: "Take the permissions away",
    button: "Take away",
    danger: true,
    text,
    run: async () => {
      await del(path);
      ctx.refresh();
      return "Taken away.";
    },
  });

const code = (text) => (text === "" ? h("span", { class: "dim" }, "nothing") : h("code", {}, text));

/* of: {vhost or user, users, vhosts}: the one whose permissions these are, and those to choose from. */
export const permissionRows = (ctx, rows, of) => [
  grid(
    [of.vhost === undefined ? "Virtual host" : "User", "Configure", "Write", "Read", "Actions"],
    rows.map((one) => [
      of.vhost === undefined
        ? h("a", { href: href(["vhosts", one.vhost]) }, one.vhost)
        : h("a", { href: href(["users", one.user]) }, one.user),
      code(one.configure),
      code(one.write),
      code(one.read),
      [
        button("Edit…", () => edit(ctx, of, one), { "aria-label": `Edit the permissions of ${one.user} on ${one.vhost}` }),
        " ",
        button(
          "Take away…",
          () =>
            remove(
              ctx,
              `permissions/${part(one.vhost)}/${part(one.user)}`,
              `${one.user} can do nothing in ${one.vhost} then, and may not connect to it.`,
            ),
          { "aria-label": `Take away the permissions of ${one.user} on ${one.vhost}` },
        ),
      ],
    ]),
    { empty: "Nobody has permissions here." },
  ),
  h(
    "div",
    { class: "actions" },
    button("Give permissions…", () => edit(ctx, of)),
  ),
];

function editTopic(ctx, { vhost, user, users, vhosts }, old = {}) {
  return ask({
    title: "Topic permissions",
    button: "Save",
    text: "For a topic exchange, the routing keys that the user may publish and bind with. {username} and {vhost} stand for their values.",
    fields: [
      ...(vhost || old.vhost
        ? []
        : [{ name: "vhost", label: "Virtual host", type: "select", options: vhosts, value: vhosts[0] }]),
      ...(user || old.user ? [] : [{ name: "user", label: "User", type: "select", options: users, value: users[0] }]),
      ...(old.exchange !== undefined ? [] : [{ name: "exchange", label: "Exchange", value: "amq.topic", required: true }]),
      { name: "write", label: "Write: keys to publish with", value: old.write ?? ".*" },
      { name: "read", label: "Read: keys to bind with", value: old.read ?? ".*" },
    ],
    extra: tester(["write", "read"]),
    run: async (v) => {
      const all = { vhost, user, ...old, ...v };
      await put(`topic-permissions/${part(all.vhost)}/${part(all.user)}`, {
        exchange: all.exchange,
        write: v.write,
        read: v.read,
      });
      ctx.refresh();
      return "Saved.";
    },
  });
}

export const topicRows = (ctx, rows, of) => [
  grid(
    [of.vhost === undefined ? "Virtual host" : "User", "Exchange", "Write", "Read", "Actions"],
    rows.map((one) => [
      of.vhost === undefined ? one.vhost : one.user,
      one.exchange || "(default exchange)",
      code(one.write),
      code(one.read),
      [
        button("Edit…", () => editTopic(ctx, of, one), {
          "aria-label": `Edit the topic permissions of ${one.user} on ${one.exchange}`,
        }),
        " ",
        button(
          "Take away…",
          () =>
            remove(
              ctx,
              `topic-permissions/${part(one.vhost)}/${part(one.user)}/${exchangePart(one.exchange)}`,
              `${one.user} may use every routing key of ${one.exchange} then.`,
            ),
          { "aria-label": `Take away the topic permissions of ${one.user} on ${one.exchange}` },
        ),
      ],
    ]),
    { empty: "None: routing keys are not limited." },
  ),
  h(
    "div",
    { class: "actions" },
    button("Limit routing keys…", () => editTopic(ctx, of)),
  ),
];
