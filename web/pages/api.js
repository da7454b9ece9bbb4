/* The list of what the API has. */
import { h } from "../dom.js";
import { get } from "../api.js";
import { grid } from "../ui.js";
export const title = () => "API";
export const load = () => get("overview?columns=node");
export const view = () => grid(["Method", "Path"], []);
