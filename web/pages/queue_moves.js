/* Moving the messages of a queue: the form, and the task's progress. */
import { h } from "../dom.js";
import { call, del, get, part } from "../api.js";
import { count, rate, some } from "../format.js";
import { ask, button, note, show } from "../ui.js";
import { pathOf } from "./queue_bulk.js";

/* The states of a task that has not ended. */
export const GOES_ON = ["running", "waiting", "stopping"];

/* Follows a task of moving until it ends or is stopped. */
export function followTask(ctx, id, what) {
  const bar = h("progress", { max: 1, "aria-label": "Progress" }),
    text = h("p", { role: "status" }, "Begun.");
  const stop = button("Stop", () => {
    stop.disabled = true;
    del("tasks/" + part(id)).catch((error) => (text.textContent = error.message));
  });
  const tick = async () => {
    const task = await get("tasks/" + part(id)).catch((error) => ({ state: "gone", reason: error.message }));
    const done = (task.moved ?? 0) + (task.skipped ?? 0);
    if (typeof task.left === "number") Object.assign(bar, { max: done + task.left || 1, value: done });
    const why = Object.entries(task.skipped_because || {})
      .filter((one) => one[1])
      .map(([name, n]) => `${count(n)} ${name.replaceAll("_", " ")}`)
      .join(", ");
    text.textContent =
      `${some(task.moved ?? 0, "message")} moved, ${rate(task.rate ?? 0)}` +
      (task.left ? `, ${count(task.left)} left` : "") +
      (task.skipped ? `, ${count(task.skipped)} skipped${why ? ` (${why})` : ""}` : "") +
      `: ${task.state}` +
      (task.waits_for ? `, waits: ${task.waits_for}` : "") +
      (task.reason ? `: ${task.reason}` : "") +
      ".";
    if (GOES_ON.includes(task.state)) setTimeout(tick, 500);
    else {
      stop.disabled = true;
      note(text.textContent);
      ctx.refresh();
    }
  };
  tick();
  return show(
    what,
    bar,
    text,
    h("p", { class: "help" }, "It goes on when this is closed."),
    h("div", { class: "actions" }, stop),
  );
}

export const moveMessages = (ctx, queue, preset = "queue") =>
  ask({
    title: `Move messages of ${queue.name}`,
    button: "Move",
    danger: true,
    text: `${some(queue.messages_ready, "message")} are ready; what arrives meanwhile is not moved.`,
    fields: [
      {
        name: "kind",
        label: "Where",
        type: "select",
        value: preset,
        options: [
          ["queue", "To a queue"],
          ["exchange", "To an exchange"],
          ["source", "Dead letters: back to the queues that they came from"],
        ],
      },
      { name: "queue", label: "Queue", show: (v) => v.kind === "queue" },
      { name: "exchange", label: "Exchange", show: (v) => v.kind === "exchange" },
      { name: "routing_key", label: "Routing key", help: "Empty: each message's own.", show: (v) => v.kind === "exchange" },
      { name: "count", label: "At most so many", type: "number", min: 1 },
      { name: "rate", label: "At most so many a second", type: "number", min: 1 },
    ],
    run: async (v) => {
      const to =
        v.kind === "source"
          ? "source"
          : v.kind === "queue"
            ? { queue: v.queue }
            : { exchange: v.exchange, ...(v.routing_key ? { routing_key: v.routing_key } : {}) };
      const task = await call("POST", pathOf(queue) + "/move", {
        to,
        ...(v.count ? { count: v.count } : {}),
        ...(v.rate ? { rate: v.rate } : {}),
      });
      setTimeout(() => followTask(ctx, task.id, `Move messages of ${queue.name}`));
    },
  });
