/* One user: tags, password, limits, permissions, and what these allow in the end. */
import { h } from "../dom.js";
import { del, get, part, put } from "../api.js";
import { some } from "../format.js";
import { go, href } from "../route.js";
import { ask, badge, button, danger, facts, grid, section } from "../ui.js";
import { limitRows } from "./limits.js";
import { permissionRows, topicRows } from "./permissions.js";
import { generator, saveUser, userFields } from "./users.js";

export const title = (ctx) => `User ${ctx.path[1]}`;

export async function load(ctx) {
  const path = "users/" + part(ctx.path[1]);
  return {
    user: await get(path),
    permissions: await get(path + "/permissions"),
    topics: await get(path + "/topic-permissions"),
    limits: (await get("user-limits/" + part(ctx.path[1])))[0]?.value || {},
    connections: await get("connections/username/" + part(ctx.path[1]) + "?columns=name"),
  };
}

const edit = (ctx, user) =>
  ask({
    title: `Edit ${user.name}`,
    button: "Save",
    fields: userFields(user),
    extra: generator(),
    text: "A new password ends this user's log-ins on this page; connections stay.",
    run: async (v) => {
      await saveUser(user.name, v, user);
      ctx.refresh();
      return "Saved.";
    },
  });

const remove = (user, connections) =>
  ask({
    title: `Delete the user ${user.name}`,
    button: "Delete",
    danger: true,
    typed: user.name,
    text: `Permissions go too, and ${some(connections.length, "connection")} ${connections.length === 1 ? "is" : "are"} closed.`,
    run: async () => {
      await del("users/" + part(user.name));
      go(["users"]);
      return `User ${user.name} is deleted.`;
    },
  });

/* ---- Effective rights: what the tags, permissions and topic permissions allow for one name. */

const TAG_WORDS = {
  administrator: "everything: users, virtual hosts, policies, the node",
  monitoring: "sees the node and everybody's connections and channels",
  policymaker: "changes policies and parameters in the virtual hosts with permissions",
  management: "this page, for the virtual hosts with permissions",
};

function judge(expression, name) {
  if (expression === "") return badge("no", "bad");
  try {
    return new RegExp(expression).test(name === "" ? "amq.default" : name) ? badge("yes", "good") : badge("no", "bad");
  } catch {
    return badge("the broker decides", "warn");
  }
}

function effective(ctx, { user, permissions, topics }) {
  const { state } = ctx;
  const name = state.tried ?? "";
  return section(
    "Effective rights",
    h(
      "ul",
      {},
      user.tags.length
        ? user.tags.map((tag) => h("li", {}, h("b", {}, tag), `: ${TAG_WORDS[tag] || "means nothing to this broker"}`))
        : h("li", {}, "No tag: AMQP only, not this page."),
    ),
    h(
      "div",
      { class: "toolbar" },
      h("label", { for: "right-name" }, "For a queue or exchange called"),
      h("input", {
        id: "right-name",
        value: name,
        placeholder: "orders",
        spellcheck: "false",
        autocomplete: "off",
        oninput: (event) => {
          state.tried = event.target.value;
          ctx.redraw();
        },
      }),
    ),
    grid(
      ["Virtual host", "Declare, delete", "Publish to it", "Consume from it", "Routing keys, as a topic exchange"],
      permissions.map((one) => {
        const topic = topics.find((t) => t.vhost === one.vhost && t.exchange === name);
        return [
          h("a", { href: href(["vhosts", one.vhost]) }, one.vhost),
          judge(one.configure, name),
          judge(one.write, name),
          judge(one.read, name),
          topic ? `publish ${topic.write}, bind ${topic.read}` : "all",
        ];
      }),
      { empty: "This user has no permissions anywhere, and may not open a connection to any virtual host." },
    ),
  );
}

export function view(ctx, data) {
  const { user, permissions, topics, limits, connections } = data;
  return [
    h(
      "div",
      { class: "actions" },
      button("Edit…", () => edit(ctx, user)),
      danger("Delete…", () => remove(user, connections)),
    ),
    section(
      "Facts",
      facts(
        ["Tags", user.tags.length ? user.tags.map((one) => [badge(one), " "]) : "none"],
        ["Password", user.password_hash ? "set" : "none: cannot log in"],
        ["Hashing", user.hashing_algorithm],
        ["Connections", h("a", { href: href(["connections"], {}) }, some(connections.length, "connection"))],
      ),
    ),
    section(
      "Limits",
      limitRows(
        limits,
        ["max-connections", "max-channels"],
        (name, v) =>
          v === undefined
            ? del(`user-limits/${part(user.name)}/${name}`)
            : put(`user-limits/${part(user.name)}/${name}`, { value: v }),
        ctx.refresh,
      ),
    ),
    section("Permissions", permissionRows(ctx, permissions, { user: user.name, vhosts: ctx.vhosts })),
    section("Topic permissions", topicRows(ctx, topics, { user: user.name, vhosts: ctx.vhosts })),
    effective(ctx, data),
  ];
}
