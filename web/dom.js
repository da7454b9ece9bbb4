/* Elements: made with h and s, and brought up to date with morph, so that a poll changes only what
 * is different and focus, selection and scrolling stay. Strings become text nodes; nothing in the
 * page reads markup, so names, headers and bodies are shown as they are. */

const SVG = "http://www.w3.org/2000/svg";

/* Characters that turn the direction of what follows are named, so that no name can rearrange the
 * words around it. */
const visible = (text) =>
  text.replace(/[\u202a-\u202e\u2066-\u2069]/g, (c) => `[U+${c.charCodeAt(0).toString(16).toUpperCase()}]`);

function append(el, child) {
  if (child === null || child === undefined || child === false) return;
  if (Array.isArray(child)) child.forEach((one) => append(el, one));
  else el.append(child instanceof Node ? child : visible(String(child)));
}

function set(el, name, value) {
  if (name === "key") el.key = value;
  else if (name.startsWith("on")) {
    el[name] = value;
    (el.handlers ||= []).push(name);
  } else if (name === "checked" || name === "indeterminate") {
    el[name] = Boolean(value);
    (el.flags ||= {})[name] = Boolean(value);
  } else if (value === true) el.setAttribute(name, "");
  else if (value !== false && value !== null && value !== undefined) el.setAttribute(name, value);
}

function make(el, props, children) {
  for (const [name, value] of Object.entries(props || {})) if (name !== "value") set(el, name, value);
  append(el, children);
  if (props && props.value !== undefined) {
    el.value = props.value; /* after the children: a select needs its options first */
    el.shown = props.value;
  }
  return el;
}

/* An element. props: attributes, handlers (onclick), key (its identity among its siblings). */
export const h = (tag, props, ...children) => make(document.createElement(tag), props, children);
/* The same for drawings. */
export const s = (tag, props, ...children) => make(document.createElementNS(SVG, tag), props, children);

/* An element that looks after itself: it is made once, by make(), and then gets update(data) of
 * the element that make returned. For charts and streams. */
export function island(key, makeIt, data) {
  const el = h("div", { key, class: "island" });
  el.island = { makeIt, data };
  return el;
}

/* Makes the islands below an element that has come into the page. */
function settle(el) {
  if (el.island && !el.live) {
    el.live = el.island.makeIt(el);
    el.live.update?.(el.island.data);
  } else if (el.children) [...el.children].forEach(settle);
}

/* Ends the islands below an element that leaves the page. */
function leave(el) {
  if (el.live) el.live.end?.();
  else if (el.children) [...el.children].forEach(leave);
}

function morphAttributes(old, fresh) {
  for (const { name } of [...old.attributes])
    if (!fresh.hasAttribute(name) && !(name === "open" && old.nodeName === "DETAILS")) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (old.getAttribute(name) !== value && !(name === "open" && old.nodeName === "DETAILS")) old.setAttribute(name, value);
  for (const name of old.handlers || []) old[name] = null;
  for (const name of fresh.handlers || []) old[name] = fresh[name];
  old.handlers = fresh.handlers;
  Object.assign(old, fresh.flags);
}

/* Makes old like fresh, and returns what is in the page then. */
export function morph(old, fresh) {
  if (old.nodeName !== fresh.nodeName || old.key !== fresh.key || !old.island !== !fresh.island) {
    leave(old);
    old.replaceWith(fresh);
    settle(fresh);
    return fresh;
  }
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
  } else if (old.island) {
    old.live.update?.(fresh.island.data);
  } else {
    morphAttributes(old, fresh);
    morphChildren(old, fresh);
    if (fresh.shown !== undefined && fresh.shown !== old.shown) {
      old.value = fresh.value;
      old.shown = fresh.shown;
    }
  }
  return old;
}

function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (child.key !== undefined) keyed.set(child.key, child);
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const have = want.key !== undefined ? keyed.get(want.key) : at?.key === undefined ? at : null;
    if (!have) {
      old.insertBefore(want, at);
      settle(want);
      continue;
    }
    if (have === at) at = at.nextSibling;
    else old.insertBefore(have, at);
    morph(have, want);
  }
  while (at) {
    const next = at.nextSibling;
    leave(at);
    at.remove();
    at = next;
  }
}

/* A link within the page. */
export const link = (href, ...children) => h("a", { href }, ...children);
