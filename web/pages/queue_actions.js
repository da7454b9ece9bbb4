/* What may be done to one queue. */
import { h } from "../dom.js";
import { call, del, query } from "../api.js";
import { can } from "../features.js";
import { some } from "../format.js";
import { enters, may } from "../rights.js";
import { go } from "../route.js";
import { ask, button, danger } from "../ui.js";
import { deleteText, pathOf as pathOfQueue, purgeText } from "./queue_bulk.js";
import { publishTo } from "./queue_messages.js";
import { moveMessages } from "./queue_moves.js";

const pathOf = (ctx) => pathOfQueue({ vhost: ctx.path[1], name: ctx.path[2] ?? "" });

function pause(ctx, queue) {
  const paused = queue.state === "paused";
  return ask({
    title: paused ? "Resume the queue" : "Pause the queue",
    button: paused ? "Resume" : "Pause",
    danger: !paused,
    text: paused
      ? `Its ${some(queue.consumers, "consumer")} get messages again.`
      : `Its ${some(queue.consumers, "consumer")} get no messages until it is resumed; publishers go on.`,
    run: async () => {
      await call("PUT", pathOf(ctx) + (paused ? "/resume" : "/pause"), {});
      ctx.refresh();
      return paused ? "Resumed." : "Paused.";
    },
  });
}

export function actions(ctx, queue) {
  const one = [queue];
  if (!enters(queue.vhost)) return null;
  const configures = may("configure", queue.vhost, queue.name),
    reads = may("read", queue.vhost, queue.name);
  return h(
    "div",
    { class: "actions" },
    may("write", queue.vhost, "") && button("Publish…", () => publishTo(ctx, queue)),
    reads && can.move && button("Move messages…", () => moveMessages(ctx, queue)),
    configures && can.pause && button(queue.state === "paused" ? "Resume…" : "Pause…", () => pause(ctx, queue)),
    reads &&
      danger("Purge…", () =>
        ask({
          title: "Purge the queue",
          text: purgeText(one),
          button: "Purge",
          danger: true,
          run: async () => {
            await del(pathOf(ctx) + "/contents");
            ctx.refresh();
            return "Purged.";
          },
        }),
      ),
    configures &&
      danger("Delete…", () =>
        ask({
          title: "Delete the queue",
          text: deleteText(one),
          button: "Delete",
          danger: true,
          typed: queue.messages > 0 || queue.consumers > 0 ? queue.name : undefined,
          fields: [
            { name: "unused", label: "Only if it has no consumers", type: "check" },
            { name: "empty", label: "Only if it is empty", type: "check" },
          ],
          run: async ({ unused, empty }) => {
            await del(pathOf(ctx) + query({ "if-unused": unused ? "true" : undefined, "if-empty": empty ? "true" : undefined }));
            go(["queues"]);
            return `Queue ${queue.name} is deleted.`;
          },
        }),
      ),
  );
}
