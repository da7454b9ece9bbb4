/* Forms about queues: declaring one, and the arguments that it may have. */
import { part, put } from "../api.js";
import { vhosts } from "../rights.js";
import { ask } from "../ui.js";

/* [argument, label, type, help, options] */
const ARGUMENTS = [
  ["x-message-ttl", "Message TTL (ms)", "number", "Messages that wait longer expire."],
  ["x-expires", "Queue expires (ms)", "number", "The queue is deleted when it was not used for so long."],
  ["x-max-length", "Most messages", "number", ""],
  ["x-max-length-bytes", "Most bytes", "number", ""],
  ["x-overflow", "When it is full", "select", "", ["", "drop-head", "reject-publish", "reject-publish-dlx"]],
  ["x-dead-letter-exchange", "Dead letter exchange", "text", "Expired, rejected and dropped messages go there."],
  ["x-dead-letter-routing-key", "Dead letter routing key", "text", "Empty: the message's own."],
  ["x-delivery-limit", "Delivery limit", "number", "A message that came back more often is a dead letter."],
  ["x-max-priority", "Highest priority", "number", "1 to 255"],
  ["x-single-active-consumer", "Single active consumer", "check", "Only one consumer gets messages at a time."],
];

export async function declareQueue(ctx, declared) {
  await ask({
    title: "Declare a queue",
    button: "Declare",
    wide: true,
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", value: ctx.query.vhost || vhosts()[0], options: vhosts() },
      { name: "name", label: "Name", required: true },
      {
        name: "type",
        label: "Type",
        type: "select",
        value: "",
        options: [["", `Default (${ctx.overview.default_queue_type || "of the virtual host"})`], "classic", "quorum"],
      },
      { name: "durable", label: "Durable: is there after a restart", type: "check", value: true },
      { name: "auto_delete", label: "Auto-delete: goes with its last consumer", type: "check" },
      { name: "more", label: "Set arguments", type: "check" },
      ...ARGUMENTS.map(([name, label, type, help, options]) => ({
        name,
        label,
        type,
        help,
        options,
        value: type === "select" ? "" : undefined,
        show: (v) => v.more,
      })),
      {
        name: "others",
        label: "Other arguments",
        type: "table",
        help: "One KEY=VALUE a line; a value that reads as JSON is JSON.",
        show: (v) => v.more,
      },
    ],
    run: async (values) => {
      const settings = {
        durable: values.durable,
        auto_delete: values.auto_delete,
        arguments: { ...(values.more ? values.others : {}) },
      };
      if (values.type) settings.arguments["x-queue-type"] = values.type;
      for (const [name] of values.more ? ARGUMENTS : [])
        if (values[name] !== undefined && values[name] !== "" && values[name] !== false) settings.arguments[name] = values[name];
      await put(`queues/${part(values.vhost)}/${part(values.name)}`, settings);
      declared(values.vhost, values.name);
      return `Queue ${values.name} is declared.`;
    },
  });
}
