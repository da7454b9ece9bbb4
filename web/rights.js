/* Who is logged in, and what that user may do. The broker decides; this only keeps what it would
 * refuse from being offered. */
import { get } from "./api.js";

export let user = null;

export async function load() {
  user = await get("whoami");
  return user;
}
export const forget = () => (user = null);

const has = (tag) => user.tags.includes(tag);
export const administers = () => has("administrator");
export const monitors = () => has("administrator") || has("monitoring");
export const makesPolicies = () => has("administrator") || has("policymaker");

function permission(vhost) {
  return (user.permissions || []).find((one) => one.vhost === vhost);
}
/* kind: "configure", "write" or "read". An expression that a browser cannot read is left to the
 * broker. */
export function may(kind, vhost, name) {
  const own = permission(vhost);
  if (!own || !own[kind]) return false;
  try {
    return new RegExp(own[kind]).test(name === "" ? "amq.default" : name);
  } catch {
    return true;
  }
}
/* Whether the user may change something in the vhost, or in some vhost. */
export const enters = (vhost) => (vhost === undefined ? (user.permissions || []).length > 0 : Boolean(permission(vhost)));
export const vhosts = () => (user.permissions || []).map((one) => one.vhost);
