/* Limits of a user or virtual host, as a table with its forms. */
import { count } from "../format.js";
import { ask, button, grid } from "../ui.js";

const WORDS = { "max-connections": "Connections", "max-queues": "Queues", "max-channels": "Channels" };

/* change(name, value): value undefined removes the limit. */
export const limitRows = (limits, names, change, done) =>
  grid(
    ["What", "At most", "Action"],
    names.map((name) => [
      WORDS[name],
      limits[name] === undefined ? "no limit" : count(limits[name]),
      button(
        "Change…",
        () =>
          ask({
            title: `Limit of ${WORDS[name].toLowerCase()}`,
            button: "Save",
            fields: [
              {
                name: "value",
                label: "At most so many",
                type: "number",
                min: 0,
                value: limits[name] ?? "",
                help: "Empty: no limit. What is there already stays.",
              },
            ],
            run: async ({ value }) => {
              await change(name, value);
              done();
              return "Saved.";
            },
          }),
        { "aria-label": `Change the limit of ${WORDS[name].toLowerCase()}` },
      ),
    ]),
  );
