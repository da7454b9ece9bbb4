/* One virtual host: its numbers, limits, and who may do what in it. */
import { h } from "../dom.js";
import { call, del, get, part, put, query } from "../api.js";
import { chart, growth, levels, rangeChoice, ranges } from "../chart.js";
import { count, rate, some, yes } from "../format.js";
import { administers } from "../rights.js";
import { go, href, setQuery } from "../route.js";
import { ask, button, danger, facts, section } from "../ui.js";
import { limitRows } from "./limits.js";
import { permissionRows, topicRows } from "./permissions.js";
import { saveVhost, vhostFields } from "./vhosts.js";

export const title = (ctx) => `Virtual host ${ctx.path[1]}`;

export async function load(ctx) {
  const path = "vhosts/" + part(ctx.path[1]),
    wanted = query(ranges(ctx.query.range, "lengths", "msg_rates"));
  if (!administers()) {
    const vhost = (await get("vhosts" + wanted)).find((one) => one.name === ctx.path[1]);
    if (!vhost) throw Object.assign(new Error("gone"), { status: 404 });
    return { vhost };
  }
  return {
    vhost: await get(path + wanted),
    permissions: await get(path + "/permissions"),
    topics: await get(path + "/topic-permissions"),
    limits: (await get("vhost-limits/" + part(ctx.path[1])))[0]?.value || {},
    users: (await get("users?columns=name")).map((one) => one.name),
    queues: (await get(`queues/${part(ctx.path[1])}?page=1&page_size=1&pagination=true&columns=name`)).total_count,
  };
}

function actions(ctx, { vhost, queues }) {
  const path = "vhosts/" + part(vhost.name);
  const save = () =>
    ask({
      title: `Edit ${vhost.name}`,
      button: "Save",
      fields: vhostFields(vhost),
      run: async (v) => {
        await saveVhost(vhost.name, v);
        ctx.refresh();
        return "Saved.";
      },
    });
  const kept = vhost.protected_from_deletion ?? vhost.metadata?.protected_from_deletion;
  const protect = async () => {
    await call(kept ? "DELETE" : "POST", path + "/deletion/protection", kept ? undefined : {});
    ctx.refresh();
  };
  const remove = () =>
    ask({
      title: "Delete the virtual host",
      button: "Delete",
      danger: true,
      typed: vhost.name,
      text: `This deletes ${some(queues, "queue")} with ${some(vhost.messages ?? 0, "message")}, all exchanges, bindings, policies and permissions in it, and closes its connections.`,
      run: async () => {
        await del(path);
        go(["vhosts"]);
        return `Virtual host ${vhost.name} is deleted.`;
      },
    });
  return h(
    "div",
    { class: "actions" },
    button("Edit…", save),
    button(kept ? "Allow its deletion" : "Protect from deletion", protect),
    !kept && danger("Delete…", remove),
  );
}

export function view(ctx, data) {
  const { vhost } = data,
    stats = vhost.message_stats || {},
    range = ctx.query.range || "10 min";
  const line = (label, shade, name) => ({ label, shade, points: growth(stats[name + "_details"]) });
  return [
    administers() && actions(ctx, data),
    h(
      "p",
      {},
      h("a", { href: href(["queues"], { vhost: vhost.name }) }, "Queues"),
      " · ",
      h("a", { href: href(["exchanges"], { vhost: vhost.name }) }, "Exchanges"),
      " · ",
      h("a", { href: href(["connections"], { vhost: vhost.name }) }, "Connections"),
      " · ",
      h("a", { href: href(["policies"], { vhost: vhost.name }) }, "Policies"),
    ),
    rangeChoice(range, ctx.overview.sample_retention_policies.global, (name) => setQuery({ range: name })),
    h(
      "div",
      { class: "columns" },
      chart({
        key: "lengths",
        title: "Messages in queues",
        range,
        format: count,
        fill: true,
        series: [
          { label: "Ready", shade: 2, points: levels(vhost.messages_ready_details) },
          { label: "Unacknowledged", shade: 3, points: levels(vhost.messages_unacknowledged_details) },
        ],
      }),
      chart({
        key: "rates",
        title: "Messages a second",
        range,
        format: rate,
        series: [line("Published", 1, "publish"), line("Delivered", 3, "deliver_get"), line("Acknowledged", 5, "ack")],
      }),
    ),
    section(
      "Facts",
      facts(
        ["Description", vhost.description],
        ["Tags", (vhost.tags || []).join(", ")],
        ["Default queue type", vhost.default_queue_type],
        ["Tracing", yes(vhost.tracing)],
        ["Protected from deletion", yes(vhost.protected_from_deletion ?? vhost.metadata?.protected_from_deletion)],
        data.queues !== undefined && ["Queues", count(data.queues)],
      ),
    ),
    data.limits &&
      section(
        "Limits",
        limitRows(
          data.limits,
          ["max-connections", "max-queues"],
          (name, v) =>
            v === undefined
              ? del(`vhost-limits/${part(vhost.name)}/${name}`)
              : put(`vhost-limits/${part(vhost.name)}/${name}`, { value: v }),
          ctx.refresh,
        ),
      ),
    data.permissions && section("Permissions", permissionRows(ctx, data.permissions, { vhost: vhost.name, users: data.users })),
    data.topics && section("Topic permissions", topicRows(ctx, data.topics, { vhost: vhost.name, users: data.users })),
  ];
}
