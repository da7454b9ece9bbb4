/* What this broker offers; actions that it does not have are not shown. */

/* Filled by load(). */
export const can = {};

const ASKED = {
  peek: ["queues/x/x/peek", "POST"],
  move: ["queues/x/x/move", "POST"],
  pause: ["queues/x/x/pause", "PUT"],
  preview: ["policies/x/x/preview", "POST"],
  route: ["exchanges/x/x/route", "POST"],
};

/* Asks which methods the paths have; it needs no rights and changes nothing. */
export async function load() {
  for (const [name, [path, method]] of Object.entries(ASKED)) {
    const answer = await fetch("api/" + path, { method: "OPTIONS", headers: { "X-Leveret": "1" } });
    can[name] = answer.ok && (answer.headers.get("Allow") || "").includes(method);
  }
}
