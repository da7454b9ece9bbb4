/* What is done to queues, one or several at once, and what that would lose. */
import { h } from "../dom.js";
import { del, part, post, put } from "../api.js";
import { can } from "../features.js";
import { count, some } from "../format.js";
import { enters } from "../rights.js";
import { ask, button, danger } from "../ui.js";

export const pathOf = (row) => `queues/${part(row.vhost)}/${part(row.name)}`;

/* Does it to one after the other, and says how far it came when one is refused. */
async function each(rows, act, done) {
  let n = 0;
  for (const row of rows) {
    try {
      await act(row);
    } catch (error) {
      if (error.status !== 404) throw new Error(`${row.name}: ${error.message} (${n} of ${rows.length} are done)`);
    }
    n++;
  }
  done();
  return `${some(n, "queue")} done.`;
}

const sum = (rows, name) => rows.reduce((all, row) => all + (row[name] || 0), 0);
const NAMED = 8;
function said(rows) {
  const names = rows.slice(0, NAMED).map((one) => one.name);
  return names.join(", ") + (rows.length > NAMED ? ` and ${count(rows.length - NAMED)} more` : "");
}

function bulk(verb, rows, text, act, done, more = {}) {
  return ask({
    title: `${verb} ${some(rows.length, "queue")}`,
    text: [said(rows), text],
    button: verb,
    danger: true,
    typed: rows.length > 1 ? String(rows.length) : undefined,
    run: (values) => each(rows, (row) => act(row, values), done),
    ...more,
  });
}

export const purgeText = (rows) =>
  `This drops ${some(sum(rows, "messages_ready"), "message")} that are ready. Those that consumers have, ${count(sum(rows, "messages_unacknowledged"))}, stay.`;
export const deleteText = (rows) =>
  `This deletes ${some(sum(rows, "messages"), "message")}, and ${some(sum(rows, "consumers"), "consumer")} ${sum(rows, "consumers") === 1 ? "is" : "are"} cancelled.`;
export const move = (row, to) => post(pathOf(row) + "/move", { to: { queue: to } });

export const actions = (ctx) => (rows, done) => {
  const finish = () => {
    done();
    ctx.refresh();
  };
  const allowed = rows.every((row) => enters(row.vhost));
  return allowed
    ? [
        danger("Purge…", () => bulk("Purge", rows, purgeText(rows), (row) => del(pathOf(row) + "/contents"), finish)),
        danger("Delete…", () => bulk("Delete", rows, deleteText(rows), (row) => del(pathOf(row)), finish)),
        can.move &&
          button("Move messages…", () =>
            bulk(
              "Move messages of",
              rows,
              `${some(sum(rows, "messages_ready"), "message")} go to another queue.`,
              (row, values) => move(row, values.to),
              finish,
              { button: "Move", fields: [{ name: "to", label: "Target queue", required: true }] },
            ),
          ),
        can.pause &&
          button("Pause", () =>
            bulk(
              "Pause",
              rows,
              "Consumers get no messages until the queues are resumed; publishers go on.",
              (row) => put(pathOf(row) + "/pause"),
              finish,
            ),
          ),
        can.pause &&
          button("Resume", () =>
            bulk("Resume", rows, "Consumers get messages again.", (row) => put(pathOf(row) + "/resume"), finish, {
              typed: undefined,
            }),
          ),
      ]
    : h("span", { class: "dim" }, "You may not change all of these.");
};
