/* Where the page is: "#/queues/%2F/orders?tab=messages" is path ["queues", "/", "orders"] and query
 * {tab: "messages"}. Every view has an address, so back, forward and links to a view work. */

export function read() {
  const [path, text = ""] = location.hash.replace(/^#\/?/, "").split("?");
  let parts;
  try {
    /* "-" stands for the empty name, of the default exchange. */
    parts = path
      .split("/")
      .filter(Boolean)
      .map((one) => (one === "-" ? "" : decodeURIComponent(one)));
  } catch {
    parts = [];
  }
  return { path: parts, query: Object.fromEntries(new URLSearchParams(text)) };
}

export function href(path, query = {}) {
  const parts = path.map((one) => (one === "" ? "-" : one === "-" ? "%2D" : encodeURIComponent(one)));
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "" && value !== null) text.set(name, value);
  return "#/" + parts.join("/") + (text.size ? "?" + text : "");
}

export const go = (path, query) => (location.hash = href(path, query));

/* Changes parts of the query. Typing replaces the address, so that back leaves the view. */
export function setQuery(changes, replace) {
  const { path, query } = read();
  const address = href(path, { ...query, ...changes });
  if (address === location.hash) return;
  if (!replace) location.hash = address;
  else {
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  }
}
