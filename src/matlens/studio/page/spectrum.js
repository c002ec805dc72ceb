// A spectrum, coloured by its gradient where the run has one, with the gradient and its interval below.
import { s, ticks } from "./chart.js";
import { colourScale, quantity, shown } from "./scale.js";

const LEFT = 66, RIGHT = 12, TOP = 10, TALL = 190, GAP = 26, LOW = 110, FOOT = 38;
const BINS = 25;
const NARROW = 800; // px of a page that shows one pane at a time

export function spectrumChart({ axis, found, mean, link, title }) {
  const { positions } = axis;
  const count = positions.length;
  // On a phone the chart has fewer units, so that its text keeps the size of other text.
  const wide = innerWidth < NARROW ? 400 : 860;
  const explained = Boolean(found.gradient);
  const height = TOP + TALL + (explained ? GAP + LOW : 0) + FOOT;
  const [x0, x1] = [positions[0], positions[count - 1]];
  const px = (at) => LEFT + ((positions[at] - x0) / (x1 - x0 || 1)) * (wide - LEFT - RIGHT);
  const ys = [...found.intensity, ...(mean ? mean.intensity : [])];
  const [y0, y1] = [Math.min(...ys), Math.max(...ys)];
  const py = (value) => TOP + TALL - ((value - y0) / (y1 - y0 || 1)) * TALL;
  const chart = s("svg", {
    viewBox: `0 0 ${wide} ${height}`, class: "chart spectrum", tabindex: 0, role: "slider", "aria-valuemin": 0, "aria-valuemax": count - 1,
    "aria-label": `Spectrum, ${title}; arrow keys go from channel to channel`,
  });
  for (const value of ticks(y0, y1, 3)) chart.append(s("line", { x1: LEFT, x2: wide - RIGHT, y1: py(value), y2: py(value), class: "grid" }), s("text", { x: LEFT - 6, y: py(value) + 4, class: "tick end" }, String(value)));
  const foot = height - FOOT;
  const byValue = (value) => LEFT + ((value - x0) / (x1 - x0 || 1)) * (wide - LEFT - RIGHT);
  for (const value of ticks(Math.min(x0, x1), Math.max(x0, x1), wide < 500 ? 4 : 6)) chart.append(s("text", { x: byValue(value), y: foot + 16, class: "tick middle" }, String(value)));
  chart.append(s("line", { x1: LEFT, x2: wide - RIGHT, y1: TOP + TALL, y2: TOP + TALL, class: "axis" }));
  chart.append(s("text", { x: (LEFT + wide - RIGHT) / 2, y: height - 4, class: "tick middle" }, quantity(axis.name, axis.unit)));
  chart.append(s("text", { x: 12, y: TOP + TALL / 2, class: "tick middle", transform: `rotate(-90 12 ${TOP + TALL / 2})` }, quantity(axis.spectrum, axis.spectrum_unit)));
  if (mean && mean !== found) chart.append(s("polyline", { points: lineOf(mean.intensity, px, py), class: "line thin" }));
  if (explained) {
    const scale = colourScale(found.gradient, true);
    coloured(chart, found, scale, px, py);
    below(chart, found, px, TOP + TALL + GAP, wide);
  } else chart.append(s("polyline", { points: lineOf(found.intensity, px, py), class: "line" }));
  const cursor = s("line", { y1: TOP, y2: foot, class: "cursor" });
  const told = s("text", { y: TOP + 10, class: "tick told" });
  chart.append(cursor, told);

  const words = (at) => `${shown(positions[at], 5)} ${axis.unit}: ${axis.spectrum} ${shown(found.intensity[at])}${explained ? `, gradient ${shown(found.gradient[at])} ${found.unit}, ${["unsupported", "weak", "supported"][found.support[at]]}` : ""}`;
  function mark(at) {
    cursor.style.display = told.style.display = at === null ? "none" : "";
    if (at === null) return;
    cursor.setAttribute("x1", px(at));
    cursor.setAttribute("x2", px(at));
    const right = px(at) < wide / 2;
    told.setAttribute("x", px(at) + (right ? 6 : -6));
    told.setAttribute("class", `tick told ${right ? "" : "end"}`);
    told.textContent = words(at);
  }
  function follow() {
    mark(link.channel);
    chart.setAttribute("aria-valuenow", link.channel ?? 0);
    chart.setAttribute("aria-valuetext", link.channel === null ? "no channel is chosen" : words(link.channel));
  }
  const under = (event) => {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * wide;
    let [best, least] = [0, Infinity];
    for (let at = 0; at < count; at++) if (Math.abs(px(at) - x) < least) [best, least] = [at, Math.abs(px(at) - x)];
    return best;
  };
  chart.addEventListener("pointermove", (event) => mark(under(event)));
  chart.addEventListener("pointerleave", follow);
  chart.addEventListener("click", (event) => link.chooseChannel(under(event)));
  chart.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -25, PageUp: 25, Home: -count, End: count }[event.key];
    if (event.key === "Escape") link.chooseChannel(null);
    else if (step) link.chooseChannel(Math.min(Math.max((link.channel ?? Math.floor(count / 2)) + step, 0), count - 1));
    else return;
    event.preventDefault();
  });
  follow();
  return { element: chart, follow };
}

function lineOf(values, px, py) {
  return values.map((value, at) => `${px(at).toFixed(1)},${py(value).toFixed(1)}`).join(" ");
}

// Pieces of one colour make one path: a thousand elements would be slow to draw anew under the pointer.
function coloured(chart, found, scale, px, py) {
  const paths = new Map();
  for (let at = 1; at < found.intensity.length; at++) {
    const value = found.gradient[at];
    const bin = value === null || !found.support[at] ? "none" : Math.round(((value - scale.low) / (scale.high - scale.low || 1)) * BINS);
    paths.set(bin, `${paths.get(bin) || ""}M${px(at - 1).toFixed(1)} ${py(found.intensity[at - 1]).toFixed(1)}L${px(at).toFixed(1)} ${py(found.intensity[at]).toFixed(1)}`);
  }
  for (const [bin, d] of paths) {
    const colour = bin === "none" ? {} : { stroke: scale.of(scale.low + (bin / BINS) * (scale.high - scale.low)) };
    chart.append(s("path", { d, class: bin === "none" ? "piece none" : "piece", ...colour }));
  }
}

function below(chart, found, px, top, wide) {
  const at = found.gradient.map((value, k) => [k, value]).filter(([, value]) => value !== null);
  if (!at.length) return;
  const most = Math.max(...at.map(([k, value]) => Math.abs(value) + (found.half[k] || 0))) || 1;
  const py = (value) => top + LOW / 2 - (value / most) * (LOW / 2);
  const high = at.map(([k, value]) => `${px(k).toFixed(1)},${py(value + (found.half[k] || 0)).toFixed(1)}`);
  const low = at.map(([k, value]) => `${px(k).toFixed(1)},${py(value - (found.half[k] || 0)).toFixed(1)}`).reverse();
  chart.append(s("polygon", { points: [...high, ...low].join(" "), class: "band" }));
  chart.append(s("line", { x1: LEFT, x2: wide - RIGHT, y1: py(0), y2: py(0), class: "axis" }));
  chart.append(s("polyline", { points: at.map(([k, value]) => `${px(k).toFixed(1)},${py(value).toFixed(1)}`).join(" "), class: "line slim" }));
  for (const value of [-most, most]) chart.append(s("text", { x: LEFT - 6, y: py(value) + (value > 0 ? 10 : 0), class: "tick end" }, shown(value, 2)));
  chart.append(s("text", { x: LEFT + 4, y: top - 4, class: "tick" }, `gradient (${found.unit}), with its 90 % interval`));
  let bare = "";
  found.support.forEach((level, k) => { if (!level) bare += `M${(px(k) - 0.6).toFixed(1)} ${top + LOW + 3}h1.2`; });
  if (bare) chart.append(s("path", { d: bare, class: "bare" }));
}
