// The picture with its phases over it. A drag draws a box to crop, or a line along the scale bar.
export const PHASES = ["#2f7fb8", "#e8a33d", "#3aa17e", "#c2577a", "#8a6fc0", "#7a8b3c", "#b8552f", "#4a4a4a"];

const RGB = PHASES.map((colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16)));

export function stage() {
  const element = document.createElement("div");
  element.className = "stage";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "The picture, with its phases in colour");
  const marks = document.createElement("div");
  marks.className = "marks";
  element.append(canvas, marks);
  const view = { element, blend: 0.45, on: true };
  let look = null;
  let cut = null;

  function draw() {
    if (!look) return;
    const { rows, columns, step } = look;
    canvas.width = columns;
    canvas.height = rows;
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
    for (let row = 0; row < rows; row++) {
      const from = Math.floor((row - top) / size);
      for (let column = 0; column < columns; column++) {
        const to = 4 * (row * columns + column);
        const across = Math.floor((column - left) / size);
        if (from < 0 || across < 0 || from >= cut.rows || across >= cut.columns) {
          for (let k = 0; k < 3; k++) data[to + k] = 0.35 * data[to + k] + 80; // left out
          continue;
        }
        if (!alpha) continue;
        const colour = RGB[cut.pixels[from * cut.columns + across] % RGB.length];
        for (let k = 0; k < 3; k++) data[to + k] = (1 - alpha) * data[to + k] + alpha * colour[k];
      }
    }
  }

  view.picture = (found) => { look = found; cut = null; draw(); };
  view.phases = (found) => { cut = found; draw(); };
  view.setBlend = (value) => { view.blend = value; draw(); };
  view.setOn = (value) => { view.on = value; draw(); };

  view.drag = (kind, done) => {
    element.classList.add("dragging");
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const inside = (value, size) => Math.min(Math.max(value, 0), size);
      return [inside(((event.clientX - box.left) / box.width) * look.columns, look.columns), inside(((event.clientY - box.top) / box.height) * look.rows, look.rows)];
    };
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
