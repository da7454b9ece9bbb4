/* Messages that are picked out of those that are looked at: moved, or deleted. */
import { h } from "../dom.js";
import { del, get, part, post } from "../api.js";
import { some } from "../format.js";
import { ask, button, danger } from "../ui.js";
import { pathOf } from "./queue_bulk.js";
import { GOES_ON } from "./queue_moves.js";

async function eachPicked(ctx, queue, again, act) {
  let n = 0;
  for (const id of ctx.state.picked.keys()) {
    try {
      await act(`${pathOf(queue)}/messages/${part(id)}`);
    } catch (error) {
      throw new Error(`${error.message} (${some(n, "message")} done before)`);
    }
    n++;
  }
  await again();
  ctx.refresh();
  return `${some(n, "message")} done.`;
}

/* Moves one message, which is a task of its own, and waits for its end. */
async function moveOne(path, to) {
  let task = await post(path + "/move", { to });
  while (task && GOES_ON.includes(task.state)) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    task = await get("tasks/" + part(task.id));
  }
  if (task?.state === "failed") throw new Error(task.reason);
  if (task && !task.moved)
    throw new Error(
      "A message stayed: " +
        Object.entries(task.skipped_because || {})
          .filter((one) => one[1])
          .map((one) => one[0].replaceAll("_", " "))
          .join(", "),
    );
}

const TARGETS = [
  ["source", "Back to the queues that they came from, as dead letters"],
  ["queue", "To a queue"],
];
const movePicked = (ctx, queue, again) =>
  ask({
    title: `Move ${some(ctx.state.picked.size, "message")}`,
    button: "Move",
    danger: true,
    fields: [
      { name: "kind", label: "Where", type: "select", value: "source", options: TARGETS },
      { name: "queue", label: "Queue", show: (v) => v.kind === "queue" },
    ],
    run: (v) => eachPicked(ctx, queue, again, (path) => moveOne(path, v.kind === "source" ? "source" : { queue: v.queue })),
  });
const deletePicked = (ctx, queue, again) =>
  ask({
    title: `Delete ${some(ctx.state.picked.size, "message")}`,
    button: "Delete",
    danger: true,
    text: "They are gone: they do not become dead letters.",
    run: () => eachPicked(ctx, queue, again, (path) => del(path)),
  });

/* What is done with the messages that are picked; again() looks anew. */
export function pickBar(ctx, queue, again) {
  const { picked } = ctx.state;
  return (
    picked?.size > 0 &&
    h(
      "div",
      { class: "bulk", role: "group", "aria-label": "Selected messages" },
      h("b", {}, `${some(picked.size, "message")} selected`),
      button("Move…", () => movePicked(ctx, queue, again)),
      danger("Delete…", () => deletePicked(ctx, queue, again)),
    )
  );
}

/* The box that picks a message. */
export const pick = (ctx, message) =>
  h(
    "label",
    { class: "inline" },
    h("input", {
      type: "checkbox",
      checked: ctx.state.picked.has(message.id),
      "aria-label": `Select the message at position ${message.position}`,
      onchange: (event) => {
        if (event.target.checked) ctx.state.picked.set(message.id, message);
        else ctx.state.picked.delete(message.id);
        ctx.redraw();
      },
    }),
  );
