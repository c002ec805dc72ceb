// A mask is painted over the picture: with a brush by mouse, pen or touch, or by the arrow keys and the space bar.
import { h, put } from "./dom.js";

const STEPS = 30; // that can be undone

export function runsOf(painted) {
  const runs = [];
  for (let at = 0; at < painted.length; at++) {
    if (!painted[at]) continue;
    const start = at;
    while (at < painted.length && painted[at]) at++;
    runs.push(start, at - start);
  }
  return runs;
}

export function drawn(runs, size) {
  const painted = new Uint8Array(size);
  for (let k = 0; k < runs.length; k += 2) painted.fill(1, runs[k], runs[k] + runs[k + 1]);
  return painted;
}

// Begins to paint; `changed` is told the runs of pixels after each stroke, and `done` when painting ends.
export function startPainting(view, tools, runs, changed, done) {
  const { canvas, overlay, brush, place, look } = view.surface();
  const { rows, columns } = look;
  let painted = drawn(runs, rows * columns);
  const before = [];
  let erasing = false;
  let radius = Math.max(2, Math.round(Math.min(rows, columns) / 40));
  let at = [columns / 2, rows / 2];
  const ends = new AbortController();

  const size = h("input", { type: "range", min: 1, max: Math.round(Math.min(rows, columns) / 6), value: radius, "aria-label": "Size of the brush in pixels", oninput: () => { radius = Number(size.value); show(); } });
  const mode = (text, erase) => h("button", { type: "button", "aria-pressed": String(erasing === erase), onclick: () => { erasing = erase; controls(); } }, text);
  const undo = () => {
    if (!before.length) return;
    painted = drawn(before.pop(), rows * columns);
    all();
    told();
    controls();
  };
  const clear = () => { remember(); painted.fill(0); all(); told(); controls(); };

  function controls() {
    put(tools, mode("Paint", false), mode("Erase", true), h("label", { class: "row" }, "Brush", size),
      h("button", { type: "button", disabled: !before.length, onclick: undo }, "Undo"),
      h("button", { type: "button", disabled: !painted.includes(1), onclick: clear }, "Clear"),
      h("button", { type: "button", class: "main", onclick: stop }, "Done"),
      h("span", { class: "help" }, "What is painted is left out. By keys: arrows move the brush, space paints, Escape ends."));
  }

  const context = overlay.getContext("2d");
  context.fillStyle = "#b3400a";

  function bar(row, from, to) {
    if (erasing) context.clearRect(from, row, to - from, 1);
    else context.fillRect(from, row, to - from, 1);
  }

  function all() {
    context.clearRect(0, 0, columns, rows);
    const kept = erasing;
    erasing = false;
    const found = runsOf(painted);
    for (let k = 0; k < found.length; k += 2) {
      for (let start = found[k], left = found[k + 1]; left > 0;) {
        const from = start % columns;
        const length = Math.min(left, columns - from);
        bar(Math.floor(start / columns), from, from + length);
        start += length;
        left -= length;
      }
    }
    erasing = kept;
  }

  function dab([x, y]) {
    for (let row = Math.max(0, Math.floor(y - radius)); row <= Math.min(rows - 1, Math.ceil(y + radius)); row++) {
      const half = Math.sqrt(Math.max(radius ** 2 - (row + 0.5 - y) ** 2, 0));
      const from = Math.max(0, Math.round(x - half));
      const to = Math.min(columns, Math.round(x + half));
      if (to <= from) continue;
      painted.fill(erasing ? 0 : 1, row * columns + from, row * columns + to);
      bar(row, from, to);
    }
  }

  function line(from, to) {
    const steps = Math.max(1, Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / Math.max(1, radius / 2)));
    for (let k = 1; k <= steps; k++) dab([0, 1].map((axis) => from[axis] + ((to[axis] - from[axis]) * k) / steps));
  }

  function remember() {
    before.push(runsOf(painted));
    if (before.length > STEPS) before.shift();
  }

  const told = () => changed(runsOf(painted));

  function show() {
    brush.hidden = false;
    brush.style.left = `${(100 * (at[0] - radius)) / columns}%`;
    brush.style.top = `${(100 * (at[1] - radius)) / rows}%`;
    brush.style.width = `${(200 * radius) / columns}%`;
    brush.style.height = `${(200 * radius) / rows}%`;
  }

  const listen = (what, listener) => canvas.addEventListener(what, listener, { signal: ends.signal });
  let down = false;
  listen("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.focus();
    remember();
    down = true;
    at = place(event);
    dab(at);
    show();
  });
  listen("pointermove", (event) => {
    const next = place(event);
    if (down) line(at, next);
    at = next;
    show();
  });
  const up = () => {
    if (!down) return;
    down = false;
    told();
    controls();
  };
  listen("pointerup", up);
  listen("pointercancel", up);
  listen("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) {
      const far = event.shiftKey ? 4 * radius : Math.max(1, radius / 2);
      at = [Math.min(Math.max(at[0] + step[0] * far, 0), columns), Math.min(Math.max(at[1] + step[1] * far, 0), rows)];
      show();
    } else if (event.key === " ") {
      remember();
      dab(at);
      told();
      controls();
    } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) undo();
    else return;
    event.preventDefault();
  });
  // Of the whole page: the size of the brush and the buttons take the focus from the picture.
  addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); }, { signal: ends.signal });

  function stop() {
    ends.abort();
    context.clearRect(0, 0, columns, rows);
    brush.hidden = true;
    view.leaveSurface();
    done();
  }

  all();
  show();
  controls();
  canvas.focus();
  return stop;
}
