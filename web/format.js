/* Numbers and times for people. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export const count = (n) => (typeof n === "number" ? whole.format(n) : "–");
/* Per second. */
export function rate(n) {
  if (typeof n !== "number") return "–";
  const size = Math.abs(n);
  return (size >= 100 ? whole.format(Math.round(n)) : size > 0 && size < 0.05 ? "<0.1" : short.format(n)) + "/s";
}
export function bytes(n) {
  if (typeof n !== "number") return "–";
  let at = 0;
  for (; Math.abs(n) >= 1000 && at < 5; at++) n /= 1000;
  return (at ? short.format(n) : whole.format(Math.round(n))) + " " + ["B", "kB", "MB", "GB", "TB", "PB"][at];
}
/* Of milliseconds: the two largest units. */
export function duration(ms) {
  if (typeof ms !== "number" || !isFinite(ms)) return "–";
  const units = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  let s = Math.round(ms / 1000);
  if (ms < 1000) return Math.max(0, Math.round(ms)) + " ms";
  const words = [];
  for (const [unit, size] of units) {
    if (s >= size && words.length < 2) words.push(`${Math.floor(s / size)} ${unit}`);
    else if (words.length) break;
    s %= size;
  }
  return words.join(" ");
}
export const percent = (n) => (typeof n === "number" ? `${short.format(100 * n)} %` : "–");
export const time = (ms) => (ms ? new Date(ms).toLocaleString("sv") : "–");
export const clock = (ms) => new Date(ms).toLocaleTimeString("sv");
export const yes = (is) => (is ? "yes" : "no");
/* "1 message", "3 messages" */
export const some = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;
/* A value of JSON, short: strings without their quotes. */
export const value = (v) => (typeof v === "string" ? v : JSON.stringify(v));
/* "a=1, b=2" */
export const table = (t) =>
  Object.entries(t || {})
    .map(([k, v]) => `${k}=${value(v)}`)
    .join(", ");
