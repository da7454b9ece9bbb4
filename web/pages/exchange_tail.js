/* Live messages of an exchange. */
import { h } from "../dom.js";
import { events, query } from "../api.js";
import { count } from "../format.js";
import { messageView } from "./message.js";

const TAIL_MAX = 200;
/* What an island makes: the stream is begun and stopped by hand. */
export function tailLive(path) {
  return (el) => {
    const key = h("input", { id: "tail-key", value: "#", spellcheck: "false", autocomplete: "off" });
    const out = h("div", {}),
      said = h("span", { class: "dim", role: "status" }, "");
    let control = null;
    const go = h("button", { type: "button", class: "primary" }, "Follow");
    const stop = () => {
      control?.abort();
      control = null;
      go.textContent = "Follow";
    };
    go.onclick = async () => {
      if (control) return stop();
      control = new AbortController();
      go.textContent = "Stop";
      said.textContent = "Following…";
      try {
        await events(`${path}/tail${query({ key: key.value })}`, control.signal, (name, data) => {
          if (name === "lost") said.textContent = `${count(data.count)} were too many to show.`;
          else out.prepend(h("div", { class: "message" }, messageView({ ...data, payload_bytes: data.payload_bytes ?? 0 }, {})));
          while (out.children.length > TAIL_MAX) out.lastChild.remove();
        });
        said.textContent = "The broker ended the stream.";
      } catch (error) {
        said.textContent = error.name === "AbortError" ? "Stopped." : error.message;
      }
      stop();
    };
    el.append(h("div", { class: "toolbar" }, h("label", { for: "tail-key" }, "Binding key"), key, go, said), out);
    return { end: stop };
  };
}
