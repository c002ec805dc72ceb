// A histogram of grey values with a handle for each threshold: by mouse, by touch, and by the arrow keys.
const SVG = "http://www.w3.org/2000/svg";
const WIDE = 330, HIGH = 120, FOOT = 18;

function s(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

let held = false;

// Whether a handle is being dragged: what is drawn anew then would leave the hand.
export function isHeld() {
  return held;
}

export function histogram(look, thresholds, changed, released) {
  const { low, high, counts } = look.histogram;
  const at = (level) => ((level - low) / (high - low)) * WIDE;
  const chart = s("svg", { viewBox: `0 0 ${WIDE} ${HIGH + FOOT}`, class: "chart histogram", role: "group", "aria-label": "Histogram of grey values" });
  // The tallest bar is often a saturated grey; the others are to be seen too.
  const tallest = [...counts].sort((a, b) => b - a)[3] || 1;
  const points = counts.map((count, bin) => `${((bin + 0.5) / counts.length) * WIDE},${HIGH - Math.min(count / tallest, 1) * (HIGH - 8)}`);
  chart.append(s("polygon", { points: `0,${HIGH} ${points.join(" ")} ${WIDE},${HIGH}`, class: "bars" }));
  for (const level of look.otsu[String(thresholds.length + 1)] || []) {
    chart.append(s("line", { x1: at(level), x2: at(level), y1: 8, y2: HIGH, class: "otsu" }));
  }
  thresholds.forEach((level, index) => {
    const handle = s("g", {
      class: "handle", tabindex: 0, role: "slider", "data-index": index, "aria-label": `Threshold ${index + 1}`,
      "aria-valuemin": low, "aria-valuemax": high, "aria-valuenow": level.toPrecision(4),
    });
    const line = s("line", { y1: 0, y2: HIGH });
    const grip = s("circle", { cy: HIGH, r: 7 });
    const text = s("text", { y: HIGH + FOOT - 1, class: "tick middle" });
    handle.append(s("rect", { y: 0, width: 22, height: HIGH + 8, class: "catch" }), line, grip, text);
    const move = (value) => {
      const x = at(value);
      for (const [name, part] of [["x1", line], ["x2", line], ["cx", grip]]) part.setAttribute(name, x);
      handle.firstChild.setAttribute("x", x - 11);
      text.setAttribute("x", Math.min(Math.max(x, 16), WIDE - 16));
      text.textContent = Number(value.toPrecision(4));
    };
    const set = (value) => {
      const kept = Math.min(Math.max(value, low), high);
      move(kept);
      changed(thresholds.map((each, other) => (other === index ? kept : each)));
    };
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      const box = chart.getBoundingClientRect();
      const level = (moved) => low + ((moved.clientX - box.left) / box.width) * (high - low);
      const follow = (moved) => set(level(moved));
      const end = () => {
        held = false;
        removeEventListener("pointermove", follow);
        removeEventListener("pointerup", end);
        released();
      };
      held = true;
      addEventListener("pointermove", follow);
      addEventListener("pointerup", end);
    });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
      if (!step) return;
      event.preventDefault();
      set(thresholds[index] + (step * (high - low)) / counts.length);
    });
    move(level);
    chart.append(handle);
  });
  return chart;
}
