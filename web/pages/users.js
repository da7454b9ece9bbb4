/* The list of users. */
import { h } from "../dom.js";
import { part, post, put } from "../api.js";
import { some } from "../format.js";
import * as list from "../list.js";
import { user as self } from "../rights.js";
import { go } from "../route.js";
import { ask, badge, button, danger } from "../ui.js";

export const title = () => "Users";

const kind = {
  name: "users",
  label: "Users",
  sort: "",
  vhosts: false,
  path: () => "users",
  href: (row) => [["users", row.name]],
  key: (row) => row.name,
  columns: [
    { id: "name", label: "Name", sort: "name", cell: (row) => row.name },
    { id: "tags", label: "Tags", cell: (row) => row.tags.map((one) => [badge(one), " "]) },
    { id: "password", label: "Password", cell: (row) => (row.password_hash ? "set" : badge("none", "warn")) },
    {
      id: "limits",
      label: "Limits",
      cell: (row) =>
        Object.entries(row.limits || {})
          .map(([name, v]) => `${name} ${v}`)
          .join(", "),
    },
  ],
};

export const load = (ctx) => list.load(kind, ctx.query);

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
/* Twenty letters and digits that are not mistaken for one another: 115 random bits. */
export function generate() {
  const out = [];
  while (out.length < 20) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < LETTERS.length * 4) out.push(LETTERS[byte % LETTERS.length]);
  }
  return out.join("");
}

export const TAGS = ["administrator", "monitoring", "policymaker", "management", "impersonator"];
const others = (old) => (old.tags || []).filter((one) => !TAGS.includes(one)).join(", ");

export function userFields(old) {
  return [
    {
      name: "password",
      label: "Password",
      type: "text",
      autocomplete: "new-password",
      help: old.name ? "Empty: it stays as it is." : "Empty: no password, the user cannot log in.",
    },
    { type: "note", label: "Tags say what the user may do on this page and by the API:" },
    ...TAGS.map((tag) => ({ name: "tag_" + tag, label: tag, type: "check", value: (old.tags || []).includes(tag) })),
    { name: "others", label: "Other tags", value: others(old) },
    ...(old.name ? [{ name: "nothing", label: "Remove the password: no log-in is possible then", type: "check" }] : []),
  ];
}

/* A button that fills the field with a new password, once. */
export function generator() {
  let made = false;
  return (values, area) => {
    if (made) return;
    made = true;
    area.append(
      button("Generate a password", () => {
        const field = area.closest("form").elements.password;
        field.value = generate();
        field.select();
      }),
    );
  };
}

export async function saveUser(name, v, old) {
  const tags = [
    ...TAGS.filter((tag) => v["tag_" + tag]),
    ...v.others
      .split(",")
      .map((one) => one.trim())
      .filter(Boolean),
  ].join(",");
  const secret =
    v.password !== ""
      ? { password: v.password }
      : v.nothing || !old
        ? { password_hash: "" }
        : { password_hash: old.password_hash, hashing_algorithm: old.hashing_algorithm };
  await put("users/" + part(name), { tags, ...secret });
}

const add = () =>
  ask({
    title: "Add a user",
    button: "Add",
    fields: [{ name: "name", label: "Name", required: true }, ...userFields({})],
    extra: generator(),
    run: async (v) => {
      await saveUser(v.name, v);
      go(["users", v.name]);
      return `User ${v.name} is made; permissions come next.`;
    },
  });

const actions = (ctx) => (rows, done) =>
  danger("Delete…", () =>
    ask({
      title: `Delete ${some(rows.length, "user")}`,
      button: "Delete",
      danger: true,
      typed: rows.length > 1 ? String(rows.length) : undefined,
      text: [
        rows
          .map((one) => one.name)
          .slice(0, 10)
          .join(", "),
        "Their permissions go with them, and their connections are closed.",
        rows.some((one) => one.name === self.name) ? "You are one of them: you will be logged out." : "",
      ],
      run: async () => {
        await post("users/bulk-delete", { users: rows.map((one) => one.name) });
        done();
        ctx.refresh();
        return `${some(rows.length, "user")} deleted.`;
      },
    }),
  );

export function view(ctx, data) {
  ctx.state.selected ||= new Map();
  return [
    h("div", { class: "actions" }, button("Add a user…", add, { class: "primary" })),
    list.view({ ...kind, actions: actions(ctx) }, ctx, data, ctx.state.selected),
  ];
}
