// Measured values against those predicted without the sample; on the line both are equal.
import { s, ticks } from "./chart.js";
import { pointMap } from "./points.js";

const SIDE = 380, LEFT = 58, EDGE = 44, FREE = 12;

export function parity({ measured, predicted, describe, link }) {
  const all = [...measured.values, ...predicted.values].filter((value) => value !== null);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const px = (value) => LEFT + ((value - low) / (high - low || 1)) * (SIDE - LEFT - FREE);
  const py = (value) => SIDE - EDGE - ((value - low) / (high - low || 1)) * (SIDE - EDGE - FREE);
  const places = measured.values.map((value, index) => (value === null || predicted.values[index] === null ? null : [px(value), py(predicted.values[index])]));
  const map = pointMap({ label: "Predicted against measured", width: SIDE, height: SIDE, places, describe, link, size: () => 4 });
  const frame = s("g", { class: "frame" });
  for (const value of ticks(low, high)) {
    frame.append(s("line", { x1: px(value), x2: px(value), y1: FREE, y2: SIDE - EDGE, class: "grid" }), s("line", { x1: LEFT, x2: SIDE - FREE, y1: py(value), y2: py(value), class: "grid" }));
    frame.append(s("text", { x: px(value), y: SIDE - EDGE + 16, class: "tick middle" }, String(value)), s("text", { x: LEFT - 6, y: py(value) + 4, class: "tick end" }, String(value)));
  }
  frame.append(s("line", { x1: px(low), y1: py(low), x2: px(high), y2: py(high), class: "axis" }));
  frame.append(s("text", { x: (LEFT + SIDE - FREE) / 2, y: SIDE - 6, class: "tick middle" }, "measured"));
  frame.append(s("text", { x: 12, y: (SIDE - EDGE) / 2, class: "tick middle", transform: `rotate(-90 12 ${(SIDE - EDGE) / 2})` }, "predicted without the sample"));
  map.element.prepend(frame);
  return map;
}
