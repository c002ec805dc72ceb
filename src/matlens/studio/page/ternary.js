// Compositions in the triangle of three components; samples that hold others, too, are projected and drawn smaller.
import { s } from "./chart.js";
import { pointMap } from "./points.js";

const WIDE = 420, HIGH = 392, LEFT = 34, TOP = 40, SIDE = 352;
const TALL = (SIDE * Math.sqrt(3)) / 2;
const ALONE = 0.995; // share of the three from which a sample is said to consist of them

const whole = { low: [0, 0, 0], side: 1 };

// A part of the triangle that is itself one: each component from `low` to `low` and `side`.
function placeIn({ low, side }, three) {
  const sum = three[0] + three[1] + three[2];
  if (!(sum > 0)) return null;
  const [, b, c] = three.map((part, k) => (part / sum - low[k]) / side);
  return [LEFT + SIDE * (b + c / 2), TOP + TALL * (1 - c)];
}

// The smallest part, in steps of 5 %, that holds all samples.
function partWith(parts) {
  const shares = parts.flatMap((row) => { const sum = row[0] + row[1] + row[2]; return sum > 0 ? [row.map((part) => part / sum)] : []; });
  if (!shares.length) return whole;
  const low = [0, 1, 2].map((k) => Math.floor(Math.min(...shares.map((row) => row[k])) * 20 + 1e-9) / 20);
  const side = 1 - low[0] - low[1] - low[2];
  return side > 1e-6 ? { low, side } : whole;
}

export function ternary({ data, three, describe, link, zoomed }) {
  const parts = data.compositions.map((row) => three.map((k) => row[k]));
  const part = zoomed ? partWith(parts) : whole;
  const placeOf = (row) => placeIn(part, row);
  const inside = (row) => placeOf(row.map((share, k) => part.low[k] + share * part.side));
  const alone = parts.map((row) => row[0] + row[1] + row[2] >= ALONE);
  const names = three.map((k) => data.components[k]);
  const map = pointMap({
    label: `Triangle of ${names.join(", ")}`, width: WIDE, height: HIGH, places: parts.map(placeOf), describe, link,
    size: (index) => (alone[index] ? 5.5 : 3.2),
  });
  const corners = [[1, 0, 0], [0, 1, 0], [0, 0, 1]].map(inside);
  const frame = s("g", { class: "frame" });
  for (const share of [0.2, 0.4, 0.6, 0.8]) {
    for (const [a, b, c] of [[0, 1, 2], [1, 2, 0], [2, 0, 1]]) {
      const end = (other) => { const point = [0, 0, 0]; point[a] = share; point[other] = 1 - share; return inside(point); };
      const [[x1, y1], [x2, y2]] = [end(b), end(c)];
      frame.append(s("line", { x1, y1, x2, y2, class: "grid" }));
    }
  }
  frame.append(s("polygon", { points: corners.map((corner) => corner.join(",")).join(" "), class: "outline" }));
  const text = [[corners[0][0] - 4, corners[0][1] + 20, "middle"], [corners[1][0] + 4, corners[1][1] + 20, "middle"], [corners[2][0], corners[2][1] - 9, "middle"]];
  const percent = (value) => Number((100 * value).toPrecision(3));
  text.forEach(([x, y, anchor], k) => {
    frame.append(s("text", { x, y, class: `tick ${anchor} corner` }, names[k]));
    if (part !== whole) frame.append(s("text", { x, y: k === 2 ? y - 14 : y + 15, class: `tick ${anchor}` }, `${percent(part.low[k])} to ${percent(part.low[k] + part.side)} %`));
  });
  map.element.prepend(frame);
  const many = parts.filter((row, index) => placeOf(row) && !alone[index]).length;
  return { ...map, said: many ? `${many} samples hold other components, too; they are drawn small, at the proportions of these three.` : "" };
}

// The three components that most samples hold: on one site, as only those make a triangle.
export function usualThree(data) {
  const count = data.components.map((_, k) => data.compositions.filter((row) => row[k] > 1e-6).length);
  const order = count.map((_, k) => k).sort((a, b) => count[b] - count[a]);
  const site = data.sites.length ? data.sites[order[0]] : null;
  const fitting = order.filter((k) => site === null || data.sites[k] === site);
  return fitting.length < 3 ? null : fitting.slice(0, 3).sort((a, b) => a - b);
}
