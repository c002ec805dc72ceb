// Three slices of a volume, normal to its axes, which meet in a cross-hair; a click in one moves the others.
import { h } from "./dom.js";

const AXES = ["z", "y", "x"];
// Normal of a slice, axis of its rows, axis of its columns: planes xy, xz and yz.
const PLANES = [[0, 1, 2], [1, 0, 2], [2, 0, 1]];

export function slices(volume, palette, moved) {
  const { shape, spacing } = volume;
  const strides = [shape[1] * shape[2], shape[2], 1];
  const at = shape.map((side) => Math.floor(side / 2));
  const views = PLANES.map(([normal, rows, columns]) => {
    const canvas = h("canvas", { width: shape[columns], height: shape[rows], role: "img" });
    canvas.style.aspectRatio = `${shape[columns] * spacing[columns]} / ${shape[rows] * spacing[rows]}`;
    const cross = h("div", { class: "cross", "aria-hidden": "true" }, h("i"), h("i"));
    const text = h("span");
    const slider = h("input", { type: "range", min: 0, max: shape[normal] - 1, value: at[normal], "aria-label": `Slice along ${AXES[normal]}`, oninput: () => move(normal, Number(slider.value)) });
    const box = h("div", { class: "plane" }, canvas, cross);
    const follow = (event) => {
      const place = canvas.getBoundingClientRect();
      move(columns, Math.floor(((event.clientX - place.left) / place.width) * shape[columns]), rows, Math.floor(((event.clientY - place.top) / place.height) * shape[rows]));
    };
    box.addEventListener("pointerdown", (event) => { event.preventDefault(); box.setPointerCapture(event.pointerId); follow(event); });
    box.addEventListener("pointermove", (event) => { if (box.hasPointerCapture(event.pointerId)) follow(event); });
    return { normal, rows, columns, canvas, cross, slider, text, element: h("figure", {}, box, h("figcaption", {}, h("label", { class: "row" }, text, slider))) };
  });

  function move(...pairs) {
    for (let k = 0; k < pairs.length; k += 2) at[pairs[k]] = Math.min(Math.max(pairs[k + 1], 0), shape[pairs[k]] - 1);
    draw();
    moved(at);
  }

  function draw() {
    for (const { normal, rows, columns, canvas, cross, slider, text } of views) {
      const context = canvas.getContext("2d");
      const image = context.createImageData(shape[columns], shape[rows]);
      const data = image.data;
      let to = 0;
      for (let row = 0; row < shape[rows]; row++) {
        let from = at[normal] * strides[normal] + row * strides[rows];
        for (let column = 0; column < shape[columns]; column++, from += strides[columns], to += 4) {
          const label = 4 * volume.pixels[from];
          data[to] = palette[label]; data[to + 1] = palette[label + 1]; data[to + 2] = palette[label + 2];
          data[to + 3] = palette[label + 3] ? 255 : 70; // a phase that is switched off stays as a shade
        }
      }
      context.putImageData(image, 0, 0);
      cross.style.setProperty("--x", `${(100 * (at[columns] + 0.5)) / shape[columns]}%`);
      cross.style.setProperty("--y", `${(100 * (at[rows] + 0.5)) / shape[rows]}%`);
      slider.value = at[normal];
      text.textContent = `${AXES[columns]}${AXES[rows]}, ${AXES[normal]} = ${at[normal]}`;
      canvas.setAttribute("aria-label", `Slice ${AXES[columns]}${AXES[rows]} at ${AXES[normal]} = ${at[normal]}`);
    }
  }

  draw();
  return { element: h("div", { class: "slices" }, views.map((view) => view.element)), at, draw, move };
}
