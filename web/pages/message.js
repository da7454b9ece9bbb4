/* A message for people: its properties, and its body as text, JSON or bytes. And the form that
 * publishes one. */
import { h } from "../dom.js";
import { exchangePart, part, post } from "../api.js";
import { bytes, some, time, value } from "../format.js";
import { ask, badge, facts } from "../ui.js";

function decode(message) {
  if (message.payload === null || message.payload === undefined) return null;
  if (message.payload_encoding !== "base64") return new TextEncoder().encode(message.payload);
  return Uint8Array.from(atob(message.payload), (c) => c.charCodeAt(0));
}

function json(message) {
  if (message.payload_encoding === "base64" || !/^\s*[[{]/.test(message.payload || "")) return null;
  try {
    return JSON.stringify(JSON.parse(message.payload), null, 2);
  } catch {
    return null;
  }
}

/* Offset, sixteen bytes, and what of them can be shown. */
function hex(data) {
  const lines = [];
  for (let at = 0; at < data.length && at < 8192; at += 16) {
    const row = [...data.slice(at, at + 16)];
    lines.push(
      at.toString(16).padStart(6, "0") +
        "  " +
        row
          .map((b) => b.toString(16).padStart(2, "0"))
          .join(" ")
          .padEnd(48) +
        " " +
        row.map((b) => (b > 31 && b < 127 ? String.fromCharCode(b) : "·")).join(""),
    );
  }
  return lines.join("\n") + (data.length > 8192 ? "\n…" : "");
}

export function messageView(message, { position }) {
  const { properties = {} } = message;
  const { headers = {}, ...others } = Array.isArray(properties) ? {} : properties;
  const data = decode(message);
  const pretty = data && json(message);
  const whole = !data || data.length >= message.payload_bytes;
  return [
    h(
      "div",
      {},
      position !== undefined && h("b", {}, `#${position} `),
      message.state && badge(message.state),
      message.redelivered && badge("redelivered", "warn"),
      ` ${bytes(message.payload_bytes)} from `,
      h("b", {}, message.exchange || "(default exchange)"),
      " with the key ",
      h("b", {}, message.routing_key || "(empty)"),
      message.arrived ? h("span", { class: "dim" }, ` · arrived ${time(message.arrived)}`) : null,
      message.expires ? h("span", { class: "dim" }, ` · expires ${time(message.expires)}`) : null,
      message.delivery_count ? h("span", { class: "dim" }, ` · delivered ${message.delivery_count} times before`) : null,
    ),
    facts(...Object.entries(others).map(([name, v]) => [name, name === "timestamp" ? time(v * 1000) : value(v)])),
    Object.keys(headers).length > 0 &&
      h(
        "details",
        { open: true },
        h("summary", {}, some(Object.keys(headers).length, "header")),
        facts(
          ...Object.entries(headers).map(([name, v]) => [
            name,
            typeof v === "object" ? h("pre", {}, JSON.stringify(v, null, 1)) : String(v),
          ]),
        ),
      ),
    data === null
      ? h("p", { class: "dim" }, "Its body needs the permission to read the queue.")
      : h(
          "details",
          { open: true },
          h("summary", {}, pretty ? "Body (JSON)" : message.payload_encoding === "base64" ? "Body (not text)" : "Body"),
          h("pre", { tabindex: "0" }, pretty ?? (message.payload_encoding === "base64" ? hex(data) : message.payload)),
        ),
    pretty && h("details", {}, h("summary", {}, "As it was sent"), h("pre", { tabindex: "0" }, message.payload)),
    data &&
      data.length > 0 &&
      message.payload_encoding !== "base64" &&
      h("details", {}, h("summary", {}, "Bytes"), h("pre", { tabindex: "0" }, hex(data))),
    !whole && h("p", { class: "dim" }, `Only the first ${bytes(data.length)} are shown.`),
  ];
}

const NUMBERS = ["delivery_mode", "priority", "timestamp"];
const PROPERTIES = [
  ["content_type", "Content type"],
  ["message_id", "Message id"],
  ["correlation_id", "Correlation id"],
  ["reply_to", "Reply to"],
  ["expiration", "Expires after (ms)"],
  ["priority", "Priority"],
  ["type", "Type"],
  ["app_id", "Application"],
  ["timestamp", "Timestamp (s)"],
];

/* exchange and key are the first values; exchange undefined: it is asked. */
export const messageForm = ({ title, vhost, exchange, key = "", done }) =>
  ask({
    title,
    button: "Publish",
    wide: true,
    fields: [
      { name: "routing_key", label: "Routing key", value: key },
      { name: "payload", label: "Body", type: "textarea", rows: 6 },
      {
        name: "encoding",
        label: "The body is",
        type: "select",
        value: "string",
        options: [
          ["string", "text"],
          ["base64", "base64"],
        ],
      },
      { name: "persistent", label: "Persistent: kept on disk", type: "check", value: true },
      { name: "more", label: "Set properties and headers", type: "check" },
      ...PROPERTIES.map(([name, label]) => ({ name, label, show: (v) => v.more })),
      {
        name: "headers",
        label: "Headers",
        type: "table",
        help: "One KEY=VALUE a line; a value that reads as JSON is JSON.",
        show: (v) => v.more,
      },
    ],
    run: async (v) => {
      const properties = { delivery_mode: v.persistent ? 2 : 1 };
      if (v.more) {
        for (const [name] of PROPERTIES)
          if (v[name] !== "") properties[name] = NUMBERS.includes(name) ? Number(v[name]) : v[name];
        if (Object.keys(v.headers).length) properties.headers = v.headers;
      }
      const answer = await post(`exchanges/${part(vhost)}/${exchangePart(exchange)}/publish`, {
        properties,
        routing_key: v.routing_key,
        payload: v.payload,
        payload_encoding: v.encoding,
      });
      done?.();
      if (!answer.routed)
        throw new Error("Published, but no queue took the message: nothing is bound with this key. It is gone.");
      return "Published.";
    },
  });
