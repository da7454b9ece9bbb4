/* Requests to the broker. The browser's cookie says who asks; X-Leveret says that this page does. */

/* An answer that says no: its text is the broker's. */
export class Refusal extends Error {
  constructor(status, reason) {
    super(reason);
    this.status = status;
  }
}
/* No answer: the broker is away. */
export class Away extends Error {}

/* A part of a path. */
export const part = (name) => encodeURIComponent(name);
export const exchangePart = (name) => part(name === "" ? "amq.default" : name);
/* "?a=1&b=2" of what is neither undefined nor "". */
export function query(values) {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(values))
    for (const one of [value].flat()) if (one !== undefined && one !== "") text.append(name, one);
  return text.size ? "?" + text : "";
}

let signedOut = () => {};
/* Sets what is called when a request finds nobody logged in. */
export const onSignedOut = (call) => (signedOut = call);

function reasonOf(status, json) {
  const reason = json?.reason ?? json?.error;
  if (reason === undefined) return `the broker answered ${status}`;
  return typeof reason === "string" ? reason : JSON.stringify(reason);
}

async function send(method, path, options) {
  try {
    return await fetch("api/" + path, {
      method,
      cache: "no-store",
      credentials: "same-origin",
      ...options,
      headers: { "X-Leveret": "1", ...options.headers },
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Away("the broker does not answer");
  }
}

async function refuse(answer) {
  const json = await answer.json().catch(() => null);
  if (answer.status === 401 && json?.error === "not_authorized") signedOut();
  throw new Refusal(answer.status, reasonOf(answer.status, json));
}

/* The JSON of an answer; null when it has none. Throws Refusal and Away. */
export async function call(method, path, body, headers) {
  const options = { headers: { ...headers } };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await send(method, path, options);
  if (!answer.ok) await refuse(answer);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}
export const get = (path) => call("GET", path);
/* The text of an answer that is not JSON. */
export async function getText(path) {
  const answer = await send("GET", path, {});
  if (!answer.ok) await refuse(answer);
  return answer.text();
}
export const put = (path, body = {}) => call("PUT", path, body);
export const post = (path, body = {}) => call("POST", path, body);
export const del = (path, headers) => call("DELETE", path, undefined, headers);

/* The same, and null where the broker knows no such path or thing. */
export async function getIfThere(path) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 404 || error.status === 405) return null;
    throw error;
  }
}

export async function logIn(username, password) {
  const body = new URLSearchParams({ username, password });
  const answer = await send("POST", "login", { body });
  if (answer.ok) return;
  const json = await answer.json().catch(() => null);
  throw new Refusal(answer.status, reasonOf(answer.status, json));
}

/* Calls each(name, data) for every event of a stream, until signal ends it or the broker does. */
export async function events(path, signal, each) {
  const answer = await send("GET", path, { signal });
  if (!answer.ok) await refuse(answer);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const pieces = (rest + value).split("\n\n");
    rest = pieces.pop();
    for (const piece of pieces) {
      const lines = piece.split("\n");
      const of = (name) =>
        lines
          .find((line) => line.startsWith(name))
          ?.slice(name.length)
          .trim();
      const data = of("data:");
      if (data) each(of("event:") || "message", JSON.parse(data));
    }
  }
}
