/* The log-in form. The password goes to the broker once, and is kept nowhere. */
import { h } from "../dom.js";

export function login(logIn) {
  const problem = h("p", { class: "problem", role: "alert" });
  const send = h("button", { class: "primary" }, "Log in");
  const form = h(
    "form",
    {
      onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = true;
        problem.textContent = "";
        try {
          await logIn(event.target.elements.username.value, event.target.elements.password.value);
        } catch (error) {
          problem.textContent = error.message;
          form.elements.password.value = "";
        }
        send.disabled = false;
      },
    },
    h(
      "div",
      { class: "field" },
      h("label", { for: "username" }, "User"),
      h("input", {
        id: "username",
        name: "username",
        autocomplete: "username",
        required: true,
        autocapitalize: "none",
        spellcheck: "false",
      }),
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: "password" }, "Password"),
      h("input", { id: "password", name: "password", type: "password", autocomplete: "current-password", required: true }),
    ),
    problem,
    send,
  );
  return h(
    "main",
    { class: "login" },
    h("h1", {}, h("i", { class: "hare", "aria-hidden": "true" }), "Leveret"),
    form,
    h("p", { class: "help" }, "Users with one of the tags management, monitoring, policymaker and administrator may log in."),
  );
}
