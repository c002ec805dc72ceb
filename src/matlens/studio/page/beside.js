// Structures side by side at one scale: a move, a zoom and the cursor in one of them hold for all.
import { barOf } from "./camera.js";
import { colourOf, rgb } from "./colours.js";
import { announce, h } from "./dom.js";

const UNKNOWN = 255;

// Each of `given` has a title and `found`, what the server sends of a structure. Of volumes a slice normal to z is shown.
export function beside(given) {
  const seen = { x: 0, y: 0, zoom: 1, cursor: null, slice: 0.5 }; // lengths from the middle of each structure
  const flat = (found) => found.shape.length === 2;
  const panels = given.map(panelOf);
  const smallest = () => Math.min(...panels.map((panel) => Math.min(...panel.lengths)));
  const element = h("div", { class: "beside" }, panels.map((panel) => panel.element));
  if (given.some(({ found }) => !flat(found))) {
    const slider = h("input", { type: "range", min: 0, max: 100, value: 50, "aria-label": "Place of the slices along z", oninput: () => { seen.slice = Number(slider.value) / 100; panels.forEach((panel) => panel.bitmap()); draw(); } });
    element.append(h("label", { class: "row whole" }, "Slices along z", slider));
  }

  function panelOf({ title, found }) {
    const canvas = h("canvas", { width: 360, height: 360, tabIndex: 0, role: "application", "aria-label": `${title}. Arrow keys move all pictures, plus and minus zoom them, Home shows them whole.` });
    const text = h("span", { class: "help" });
    const picture = document.createElement("canvas");
    const panel = { canvas, text, picture, lengths: [] };
    const name = h("strong", {}, title);
    panel.element = h("figure", {}, canvas, h("figcaption", {}, name, " ", text));

    panel.show = (next) => {
      found = next;
      panel.found = next;
      const [rows, columns] = next.shape.slice(-2);
      panel.lengths = [columns * next.spacing.at(-1), rows * next.spacing.at(-2)];
      panel.colours = next.phases.map((phase, label) => rgb(colourOf(phase.name, label)));
      panel.bitmap();
    };
    panel.rename = (next) => { name.textContent = next; };

    panel.bitmap = () => {
      const [rows, columns] = found.shape.slice(-2);
      const first = flat(found) ? 0 : Math.min(Math.floor(seen.slice * found.shape[0]), found.shape[0] - 1) * rows * columns;
      picture.width = columns;
      picture.height = rows;
      const context = picture.getContext("2d");
      const image = context.createImageData(columns, rows);
      panel.labels = found.pixels.subarray(first, first + rows * columns);
      for (let at = 0; at < rows * columns; at++) {
        const label = panel.labels[at];
        if (label === UNKNOWN) continue; // masked pixels stay transparent
        image.data.set(panel.colours[label % panel.colours.length], 4 * at);
        image.data[4 * at + 3] = 255;
      }
      context.putImageData(image, 0, 0);
    };
    panel.show(found);
    listen(panel);
    return panel;
  }

  const scale = () => (panels[0].canvas.width / smallest()) * seen.zoom; // pixels of a panel for each length

  function draw() {
    for (const { canvas, picture, found, lengths, text, labels } of panels) {
      const context = canvas.getContext("2d");
      const [wide, high] = [canvas.width, canvas.height];
      const each = scale();
      const left = wide / 2 - (seen.x + lengths[0] / 2) * each, top = high / 2 - (seen.y + lengths[1] / 2) * each;
      context.imageSmoothingEnabled = false;
      context.clearRect(0, 0, wide, high);
      context.drawImage(picture, left, top, lengths[0] * each, lengths[1] * each);
      const [length, said] = barOf(wide / each, found.unit);
      context.fillStyle = "#fff";
      context.fillRect(8, high - 32, Math.max(length * each, 40) + 12, 26);
      context.fillStyle = "#111";
      context.fillRect(14, high - 13, length * each, 3);
      context.font = "12px system-ui, sans-serif";
      context.fillText(said, 14, high - 18);
      text.textContent = "";
      if (!seen.cursor) continue;
      const [x, y] = seen.cursor;
      context.strokeStyle = "#fff";
      context.lineWidth = 3;
      for (const [colour, width] of [["#fff", 3], ["#111", 1]]) {
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.strokeRect(x - 6, y - 6, 12, 12);
      }
      const column = Math.floor((x - left) / (found.spacing.at(-1) * each)), row = Math.floor((y - top) / (found.spacing.at(-2) * each));
      const inside = column >= 0 && row >= 0 && column < picture.width && row < picture.height;
      const label = inside ? labels[row * picture.width + column] : UNKNOWN;
      text.textContent = inside ? `${label === UNKNOWN ? "masked" : found.phases[label]?.name} at ${column}, ${row}` : "outside";
    }
  }

  function closer(factor) {
    seen.zoom = Math.min(Math.max(seen.zoom * factor, 0.1), 40);
    draw();
  }

  function listen({ canvas }) {
    let last = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
    };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); last = place(event); });
    canvas.addEventListener("pointermove", (event) => {
      const now = place(event);
      if (last) {
        seen.x -= (now[0] - last[0]) / scale();
        seen.y -= (now[1] - last[1]) / scale();
        last = now;
      }
      seen.cursor = now;
      draw();
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { last = null; });
    canvas.addEventListener("pointerleave", () => { if (!last) { seen.cursor = null; draw(); } });
    canvas.addEventListener("wheel", (event) => { event.preventDefault(); closer(Math.exp(-event.deltaY / 600)); }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const step = 0.1 * (canvas.width / scale());
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] }[event.key];
      if (moves) { seen.x += moves[0]; seen.y += moves[1]; }
      else if (event.key === "+" || event.key === "=") seen.zoom = Math.min(seen.zoom * 1.25, 40);
      else if (event.key === "-") seen.zoom = Math.max(seen.zoom * 0.8, 0.1);
      else if (event.key === "Home") [seen.x, seen.y, seen.zoom] = [0, 0, 1];
      else return;
      event.preventDefault();
      draw();
      announce(`All pictures at zoom ${seen.zoom.toFixed(1)}, ${Number(seen.x.toPrecision(3))} and ${Number(seen.y.toPrecision(3))} from the middle.`);
    });
  }

  draw();
  return { element, show: (index, found, title) => { panels[index].show(found); if (title) panels[index].rename(title); draw(); } };
}
