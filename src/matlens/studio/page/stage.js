// The picture with its phases over it. A drag draws a box to crop, or a line along the scale bar; a mask is painted on it.
import { colourOf, rgb } from "./colours.js";

const HIDDEN = 255; // a pixel that a mask leaves out

export function stage() {
  const element = document.createElement("div");
  element.className = "stage";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The picture, with its phases in colour");
  const marks = document.createElement("div");
  marks.className = "marks";
  const overlay = document.createElement("canvas");
  overlay.className = "paint";
  const brush = document.createElement("div");
  brush.className = "brush";
  brush.hidden = true;
  marks.append(brush);
  element.append(canvas, overlay, marks);
  const view = { element, blend: 0.45, on: true };
  let look = null;
  let cut = null;

  function draw() {
    if (!look) return;
    const { rows, columns, step } = look;
    if (canvas.width !== columns || canvas.height !== rows) {
      canvas.width = overlay.width = columns;
      canvas.height = overlay.height = rows;
      // So high that all of it is seen at once; the box has the shape of the picture, so that places in it agree.
      element.style.maxWidth = `calc(74vh * ${columns / rows})`;
    }
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    const data = image.data;
    for (let at = 0, to = 0; at < rows * columns; at++, to += 4) {
      data[to] = data[to + 1] = data[to + 2] = look.pixels[at];
      data[to + 3] = 255;
    }
    if (cut) tint(data, rows, columns, step);
    context.putImageData(image, 0, 0);
  }

  function tint(data, rows, columns, step) {
    const [top, left] = cut.origin.map((start) => start / step);
    const size = cut.pixel / step; // of a label, in pixels of what is shown
    const alpha = view.on ? view.blend : 0;
    const colours = cut.phases.map((phase, index) => rgb(colourOf(phase.name, index)));
    for (let row = 0; row < rows; row++) {
      const from = Math.floor((row - top) / size);
      for (let column = 0; column < columns; column++) {
        const to = 4 * (row * columns + column);
        const across = Math.floor((column - left) / size);
        const inside = from >= 0 && across >= 0 && from < cut.rows && across < cut.columns;
        const phase = inside ? cut.pixels[from * cut.columns + across] : HIDDEN;
        if (phase === HIDDEN) {
          for (let k = 0; k < 3; k++) data[to + k] = 0.35 * data[to + k] + 80; // left out
          continue;
        }
        if (!alpha) continue;
        const colour = colours[phase];
        for (let k = 0; k < 3; k++) data[to + k] = (1 - alpha) * data[to + k] + alpha * colour[k];
      }
    }
  }

  view.draw = draw;
  view.picture = (found) => { look = found; cut = null; draw(); };
  view.phases = (found) => { cut = found; draw(); };
  view.setBlend = (value) => { view.blend = value; draw(); };
  view.setOn = (value) => { view.on = value; draw(); };

  function place(event) {
    const box = canvas.getBoundingClientRect();
    const inside = (value, size) => Math.min(Math.max(value, 0), size);
    return [inside(((event.clientX - box.left) / box.width) * look.columns, look.columns), inside(((event.clientY - box.top) / box.height) * look.rows, look.rows)];
  }

  // What is painted on: see paint.js.
  view.surface = () => {
    element.classList.add("dragging");
    canvas.tabIndex = 0;
    return { canvas, overlay, brush, place, look };
  };
  view.leaveSurface = () => {
    element.classList.remove("dragging");
    canvas.removeAttribute("tabindex");
  };

  view.drag = (kind, done) => {
    element.classList.add("dragging");
    const shown = document.createElement("div");
    const stop = () => {
      shown.remove();
      element.classList.remove("dragging");
      canvas.removeEventListener("pointerdown", begin);
      removeEventListener("keydown", escape);
    };
    const escape = (event) => { if (event.key === "Escape") stop(); };
    const begin = (event) => {
      event.preventDefault();
      canvas.setPointerCapture(event.pointerId);
      const [x0, y0] = place(event);
      let [x1, y1] = [x0, y0];
      shown.className = kind;
      marks.append(shown);
      const follow = (moved) => {
        [x1, y1] = place(moved);
        if (kind === "line") y1 = y0; // scale bars are level
        const part = (value, size) => `${(100 * value) / size}%`;
        shown.style.left = part(Math.min(x0, x1), look.columns);
        shown.style.top = part(Math.min(y0, y1), look.rows);
        shown.style.width = part(Math.abs(x1 - x0), look.columns);
        shown.style.height = kind === "line" ? "0" : part(Math.abs(y1 - y0), look.rows);
      };
      const end = () => {
        canvas.removeEventListener("pointermove", follow);
        canvas.removeEventListener("pointerup", end);
        stop();
        const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)].map((x) => Math.round(x * look.step));
        const [up, down] = [Math.min(y0, y1), Math.max(y0, y1)].map((y) => Math.round(y * look.step));
        if (kind === "line" && right > left) done(Math.abs(x1 - x0) * look.step);
        else if (right - left > 8 && down - up > 8) done(`${left}:${right},${up}:${down}`);
      };
      canvas.addEventListener("pointermove", follow);
      canvas.addEventListener("pointerup", end);
    };
    canvas.addEventListener("pointerdown", begin);
    addEventListener("keydown", escape);
  };
  return view;
}
