// Samples where they lie on the wafer or the map, both axes in the same scale.
import { s, ticks } from "./chart.js";
import { pointMap } from "./points.js";

const SIDE = 380, EDGE = 46;

export function wafer({ data, plate, describe, link }) {
  const { x, y, names } = data.positions;
  const here = data.samples.map((_, index) => x[index] !== null && y[index] !== null && (plate === null || data.positions.plate[index] === plate));
  const of = (values) => values.filter((_, index) => here[index]);
  const [x0, x1] = [Math.min(...of(x)), Math.max(...of(x))];
  const [y0, y1] = [Math.min(...of(y)), Math.max(...of(y))];
  const inner = SIDE - 2 * EDGE;
  const zoom = inner / Math.max(x1 - x0, y1 - y0, 1e-12);
  const [px, py] = [(value) => EDGE + (value - x0) * zoom, (value) => EDGE + (y1 - value) * zoom];
  const height = Math.max((y1 - y0) * zoom, 40) + 2 * EDGE;
  const places = data.samples.map((_, index) => (here[index] ? [px(x[index]), py(y[index])] : null));
  const spacing = Math.sqrt((inner * (height - 2 * EDGE)) / Math.max(of(x).length, 1));
  const map = pointMap({ label: "Map of the wafer", width: SIDE, height, places, describe, link, size: () => Math.min(Math.max(spacing / 2.6, 2.5), 8) });
  const frame = s("g", { class: "frame" });
  for (const value of ticks(x0, x1)) frame.append(s("text", { x: px(value), y: height - EDGE + 30, class: "tick middle" }, String(value)));
  for (const value of ticks(y0, y1)) frame.append(s("text", { x: EDGE - 16, y: py(value) + 4, class: "tick end" }, String(value)));
  frame.append(s("text", { x: SIDE / 2, y: height - 2, class: "tick middle" }, names[0]));
  frame.append(s("text", { x: 10, y: height / 2, class: "tick middle", transform: `rotate(-90 10 ${height / 2})` }, names[1]));
  map.element.prepend(frame);
  return map;
}

export function platesOf(data) {
  return data.positions?.plate ? [...new Set(data.positions.plate)] : [];
}
