/* Lines over time on a canvas: axes, hover, and zoom by dragging. It knows nothing of the broker.
 *
 * plot(el, {onHover(row or null)}) gives draw(rows, options), reset() and end(). rows: [ms, value
 * or null, …], oldest first. options: {colours, format(v), fill, ink, grid}. */

const LEFT = 64,
  BOTTOM = 20,
  TOP = 8,
  RIGHT = 8;
const SECOND = 1000,
  MINUTE = 60 * SECOND,
  HOUR = 60 * MINUTE;
const STEPS = [
  5 * SECOND,
  10 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  4 * HOUR,
  12 * HOUR,
  24 * HOUR,
];

/* The smallest round number above max / 4: gridlines are its multiples. */
function valueStep(max) {
  const size = 10 ** Math.floor(Math.log10(max / 4));
  return [1, 2, 2.5, 5, 10].map((one) => one * size).find((one) => one >= max / 4);
}

export function plot(el, { onHover }) {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  let rows = [],
    options = null,
    zoom = null,
    hover = null,
    drag = null,
    frame = 0;
  let from = 0,
    to = 1,
    top = 1,
    width = 0,
    height = 0;
  el.append(canvas);

  const x = (t) => LEFT + ((t - from) / (to - from)) * (width - LEFT - RIGHT);
  const y = (v) => height - BOTTOM - (v / top) * (height - BOTTOM - TOP);
  const timeAt = (px) => from + ((px - LEFT) / (width - LEFT - RIGHT)) * (to - from);

  function measure() {
    const ratio = devicePixelRatio || 1;
    width = el.clientWidth;
    height = el.clientHeight;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    [from, to] = zoom || [rows[0]?.[0] ?? Date.now() - MINUTE, rows.at(-1)?.[0] ?? Date.now()];
    if (to <= from) to = from + SECOND;
    const seen = rows.filter(([t]) => t >= from && t <= to).flatMap((row) => row.slice(1));
    top = Math.max(1, ...seen.filter((v) => v !== null)) * 1.06;
  }

  function axes() {
    pen.font = "11px system-ui, sans-serif";
    pen.fillStyle = options.ink;
    pen.strokeStyle = options.grid;
    pen.lineWidth = 1;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const step = valueStep(top);
    for (let v = 0; v <= top; v += step) {
      const at = Math.round(y(v)) + 0.5;
      pen.beginPath();
      pen.moveTo(LEFT, at);
      pen.lineTo(width - RIGHT, at);
      pen.stroke();
      pen.fillText(options.format(v), LEFT - 6, at);
    }
    pen.textAlign = "center";
    const many = Math.max(2, (width - LEFT) / 90);
    const each = STEPS.find((one) => (to - from) / one <= many) ?? 24 * HOUR;
    const zone = new Date(from).getTimezoneOffset() * MINUTE;
    for (let t = Math.ceil((from - zone) / each) * each + zone; t <= to; t += each) {
      const words = new Date(t).toLocaleTimeString("sv", each < MINUTE ? {} : { hour: "2-digit", minute: "2-digit" });
      if (x(t) > LEFT + 12 && x(t) < width - 22) pen.fillText(words, x(t), height - BOTTOM / 2 + 2);
    }
  }

  function line(series) {
    pen.strokeStyle = pen.fillStyle = options.colours[series];
    pen.lineWidth = 1.7;
    pen.lineJoin = "round";
    pen.beginPath();
    let first = null,
      last = null;
    for (const row of rows) {
      if (row[series + 1] === null) continue;
      first ??= row;
      if (last) pen.lineTo(x(row[0]), y(row[series + 1]));
      else pen.moveTo(x(row[0]), y(row[series + 1]));
      last = row;
    }
    pen.stroke();
    if (!options.fill || !first) return;
    pen.lineTo(x(last[0]), y(0));
    pen.lineTo(x(first[0]), y(0));
    pen.globalAlpha = 0.12;
    pen.fill();
    pen.globalAlpha = 1;
  }

  function pointer() {
    if (drag && Math.abs(drag[1] - drag[0]) > 3) {
      pen.globalAlpha = 0.2;
      pen.fillStyle = options.ink;
      pen.fillRect(Math.min(...drag), TOP, Math.abs(drag[1] - drag[0]), height - BOTTOM - TOP);
      pen.globalAlpha = 1;
    }
    if (!hover) return;
    pen.strokeStyle = options.ink;
    pen.lineWidth = 0.5;
    pen.beginPath();
    pen.moveTo(x(hover[0]), TOP);
    pen.lineTo(x(hover[0]), height - BOTTOM);
    pen.stroke();
    hover.slice(1).forEach((v, i) => {
      if (v === null) return;
      pen.fillStyle = options.colours[i];
      pen.beginPath();
      pen.arc(x(hover[0]), y(v), 3, 0, 7);
      pen.fill();
    });
  }

  function paint() {
    frame = 0;
    if (!options || !el.clientWidth) return;
    measure();
    axes();
    pen.save();
    pen.beginPath();
    pen.rect(LEFT, 0, width - LEFT - RIGHT, height - BOTTOM + 2);
    pen.clip();
    options.colours.forEach((_, i) => line(i));
    pointer();
    pen.restore();
  }
  const soon = () => (frame ||= requestAnimationFrame(paint));

  function nearest(px) {
    const t = timeAt(px);
    return rows.reduce((best, row) => (!best || Math.abs(row[0] - t) < Math.abs(best[0] - t) ? row : best), null);
  }
  const place = (event) => event.clientX - canvas.getBoundingClientRect().left;
  canvas.onpointerdown = (event) => {
    if (event.pointerType === "mouse") drag = [place(event), place(event)];
  };
  canvas.onpointermove = (event) => {
    if (drag) drag[1] = place(event);
    hover = nearest(place(event));
    onHover(hover);
    soon();
  };
  canvas.onpointerup = () => {
    if (drag && Math.abs(drag[1] - drag[0]) > 8) zoom = [timeAt(Math.min(...drag)), timeAt(Math.max(...drag))];
    drag = null;
    soon();
  };
  canvas.onpointerleave = () => {
    hover = drag = null;
    onHover(null);
    soon();
  };
  canvas.ondblclick = () => {
    zoom = null;
    soon();
  };
  const watcher = new ResizeObserver(soon);
  watcher.observe(el);
  return {
    draw(freshRows, freshOptions) {
      [rows, options] = [freshRows, freshOptions];
      soon();
    },
    reset() {
      zoom = null;
    },
    end() {
      cancelAnimationFrame(frame);
      watcher.disconnect();
    },
  };
}
