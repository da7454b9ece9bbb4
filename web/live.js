/* Polling: what is seen is asked for anew each few seconds, while the tab is seen, one request at a
 * time. When the broker answers slowly it is asked less often; when it does not answer, the numbers
 * are greyed with their age. */
import { Away } from "./api.js";

export const PERIODS = [1, 2, 5, 10, 30, 0];
const SLOW_MS = 500;

let period = Number(localStorage.getItem("period") ?? 5);
let load = null; /* asks for the data of the view */
let timer = 0;
let running = false;
let again = false; /* somebody wanted data while some were on their way */
let heardAt = 0; /* when data came last */
let failure = null;
let changed = () => {};

/* Sets what is called when the state below has changed. */
export const onChange = (call) => (changed = call);
/* {period, age_ms, failure}: failure is a text, or null. */
export const state = () => ({ period, failure, age_ms: heardAt ? Date.now() - heardAt : null });

function later(ms) {
  clearTimeout(timer);
  timer = period && !document.hidden ? setTimeout(run, ms) : 0;
}

async function run() {
  clearTimeout(timer);
  if (!load) return;
  if (running) {
    again = true;
    return;
  }
  running = true;
  const mine = load;
  const start = performance.now();
  try {
    await mine();
    if (mine === load) {
      heardAt = Date.now();
      failure = null;
    }
  } catch (error) {
    if (mine === load) failure = error instanceof Away ? error.message : String(error.message);
    if (!(error instanceof Away) && error.status === undefined) console.error(error);
  }
  running = false;
  changed();
  const took = performance.now() - start;
  if (again) {
    again = false;
    run();
  } else later(Math.max(period * 1000, took > SLOW_MS ? took * 10 : 0));
}

/* Begins to ask with this function, at once; null: nothing is asked. */
export function watch(call) {
  load = call;
  heardAt = 0;
  failure = null;
  run();
}
/* Asks now: after a change, or when the user wants it. */
export const refresh = () => run();
export function setPeriod(seconds) {
  period = seconds;
  localStorage.setItem("period", seconds);
  if (period) run();
  else clearTimeout(timer);
  changed();
}
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : run()));
setInterval(() => failure && changed(), 1000); /* the age that is shown grows */
