// A line chart as SVG: axes with round numbers, one line a series, and its last value in words for those who do not see it.
const SVG = "http://www.w3.org/2000/svg";

export function s(tag, attributes, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function ticks(low, high, count = 4) {
  const raw = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw) * power;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) found.push(Number(value.toPrecision(6)));
  return found;
}

export function lineChart(series, { x = "", y = "", log = false, width = 420, height = 240, zero = false, band = null } = {}) {
  const left = 52, bottom = 38, top = 10, right = 12;
  const all = series.flatMap((each) => each.points).filter(([, value]) => Number.isFinite(value) && (!log || value > 0));
  for (const [at, low, high] of band || []) all.push([at, low], [at, high]);
  const xs = all.map(([at]) => at), ys = all.map(([, value]) => (log ? Math.log10(value) : value));
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const [y0, y1] = [zero ? Math.min(0, ...ys) : Math.min(...ys), Math.max(...ys)];
  const px = (at) => left + ((at - x0) / (x1 - x0 || 1)) * (width - left - right);
  const py = (value) => height - bottom - ((value - y0) / (y1 - y0 || 1)) * (height - bottom - top);
  const chart = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img" });
  const last = series.map((each) => `${each.name} ends at ${each.points.at(-1)?.[1].toPrecision(3)}`).join("; ");
  chart.append(s("title", {}, `${y} by ${x}: ${last}.`));
  for (const value of ticks(y0, y1)) {
    chart.append(s("line", { x1: left, x2: width - right, y1: py(value), y2: py(value), class: "grid" }));
    chart.append(s("text", { x: left - 6, y: py(value) + 4, class: "tick end" }, log ? Number((10 ** value).toPrecision(2)).toString() : String(value)));
  }
  for (const at of ticks(x0, x1)) chart.append(s("text", { x: px(at), y: height - bottom + 16, class: "tick middle" }, String(at)));
  chart.append(s("line", { x1: left, x2: width - right, y1: height - bottom, y2: height - bottom, class: "axis" }));
  chart.append(s("text", { x: (left + width - right) / 2, y: height - 4, class: "tick middle" }, x));
  chart.append(s("text", { x: 12, y: (height - bottom + top) / 2, class: "tick middle", transform: `rotate(-90 12 ${(height - bottom + top) / 2})` }, y));
  if (band) chart.append(s("polygon", { class: "band", points: [...band.map(([at, low]) => [at, low]), ...band.map(([at, , high]) => [at, high]).reverse()].map(([at, value]) => `${px(at).toFixed(1)},${py(value).toFixed(1)}`).join(" ") }));
  series.forEach((each, index) => {
    const points = each.points.filter(([, value]) => Number.isFinite(value) && (!log || value > 0));
    const path = points.map(([at, value]) => `${px(at).toFixed(1)},${py(log ? Math.log10(value) : value).toFixed(1)}`).join(" ");
    const line = s("polyline", { points: path, class: `line line-${each.dashed ? "1 thin" : index}` });
    if (each.colour) line.style.stroke = each.colour;
    if (each.dash !== undefined) line.style.strokeDasharray = each.dash;
    chart.append(line);
  });
  return chart;
}
