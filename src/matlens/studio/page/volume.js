// A structure in space: the volume beside its slices, with clip planes, phases to switch, and a screenshot.
import { barOf, orbit, VIEWS } from "./camera.js";
import { caster } from "./caster.js";
import { colourOf, rgb, setColour } from "./colours.js";
import { announce, h } from "./dom.js";
import { slices } from "./slices.js";

const AXES = ["x", "y", "z"];
const SIDE = 512; // pixels of the picture, at least
const QUICK = 70; // ms that a frame may take while one drags

// `volume` is what the server sends of a structure: shape, spacing, unit, phases and pixels. It is seen as `before` was.
export function volumeView(volume, name, before = null) {
  const sides = [...volume.shape].reverse();
  const spacing = [...volume.spacing].reverse();
  const lengths = sides.map((side, axis) => side * spacing[axis]);
  const palette = new Uint8Array(1024);
  const phases = volume.phases.map((phase, label) => ({ ...phase, label, colour: colourOf(phase.name, label), shown: true, opacity: 100 }));
  const clip = { low: [0, 0, 0], high: [...sides] };
  const camera = orbit(lengths);
  if (before) for (const key of ["azimuth", "elevation", "zoom"]) camera[key] = before.camera[key];
  const canvas = h("canvas", { width: SIDE, height: SIDE });
  const over = h("canvas", { width: SIDE, height: SIDE, "aria-hidden": "true" });
  const cast = caster(canvas);
  const box = h("div", { class: "space", tabIndex: 0, role: "application", "aria-label": "The volume. Arrow keys turn it, plus and minus zoom, Home shows it from its corner." }, canvas, over);
  let cross = true;
  let factor = 1; // by which pixels are coarser while one drags
  let waiting = false;

  if (cast) cast.load(volume);
  for (const phase of phases) paint(phase);
  const cuts = slices(volume, palette, () => draw());

  function paint({ label, colour, shown, opacity }) {
    palette.set([...rgb(colour), shown ? Math.round(2.55 * opacity) : 0], 4 * label);
  }

  function repaint() {
    cast?.paint(palette);
    cuts.draw();
    draw();
  }

  function draw(held = false) {
    if (!cast || waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (!canvas.isConnected) return;
      frame(held ? factor : 1);
    });
  }

  function frame(coarser) {
    const size = Math.max(SIDE, Math.min(1024, Math.round(box.clientWidth)));
    canvas.width = canvas.height = Math.round(size / coarser);
    const spent = cast.draw(camera, clip.low, clip.high);
    canvas.dataset.ms = spent.toFixed(1);
    canvas.dataset.size = canvas.width;
    // While one drags, pixels are as coarse as it takes to follow the hand.
    factor = Math.min(Math.max(Math.sqrt((spent * coarser * coarser) / QUICK), 1), 4);
    over.width = over.height = 2 * box.clientWidth || 2 * SIDE;
    marks(over.getContext("2d"), over.width, getComputedStyle(box).color);
  }

  // The edges of what is left of the box, names of the axes, the cross-hair and the scale bar.
  function marks(context, size, ink) {
    const place = (point) => {
      const [x, y] = camera.project(point);
      return [size * (0.5 + x), size * (0.5 - y)];
    };
    const line = (from, to) => {
      context.beginPath();
      context.moveTo(...place(from));
      context.lineTo(...place(to));
      context.stroke();
    };
    const low = clip.low.map((value, axis) => value * spacing[axis]);
    const high = clip.high.map((value, axis) => value * spacing[axis]);
    context.strokeStyle = context.fillStyle = ink;
    context.lineWidth = size / 700;
    context.font = `${Math.round(size / 38)}px system-ui, sans-serif`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const { towards } = camera.basis();
    // Edges at the corner that is farthest from the eye lie behind the volume.
    const hidden = towards.map((value) => (value > 0 ? 0 : 1));
    for (let axis = 0; axis < 3; axis++) {
      const others = [0, 1, 2].filter((each) => each !== axis);
      for (const ends of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
        if (ends.every((end, k) => end === hidden[others[k]])) continue;
        const from = [...low], to = [...high];
        others.forEach((other, k) => { from[other] = to[other] = ends[k] ? high[other] : low[other]; });
        line(from, to);
        if (ends.filter((end, k) => end === hidden[others[k]]).length !== 1) continue;
        const middle = from.map((value, each) => (value + to[each]) / 2);
        const out = middle.map((value, each) => value + 0.045 * camera.unit * (each === axis ? 0 : Math.sign(value - lengths[each] / 2)));
        if (ends[0] === hidden[others[0]]) context.fillText(AXES[axis], ...place(out));
      }
    }
    if (cross) {
      const at = [...cuts.at].reverse().map((value, axis) => (value + 0.5) * spacing[axis]);
      context.setLineDash([size / 90, size / 120]);
      for (let axis = 0; axis < 3; axis++) line(at.map((value, each) => (each === axis ? low[each] : value)), at.map((value, each) => (each === axis ? high[each] : value)));
      context.setLineDash([]);
    }
    const [length, text] = barOf(camera.unit, volume.unit);
    const wide = (length / camera.unit) * size, left = size / 40, foot = size - size / 40;
    context.fillRect(left, foot - size / 110, wide, size / 110);
    context.fillText(text, left + wide / 2, foot - size / 32);
  }

  function follow() {
    const fingers = new Map();
    box.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      box.focus({ preventScroll: true });
      box.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    box.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const [x, y] = [event.clientX - last[0], event.clientY - last[1]];
      if (fingers.size === 2) {
        const other = [...fingers].find(([id]) => id !== event.pointerId)[1];
        camera.closer(Math.hypot(event.clientX - other[0], event.clientY - other[1]) / (Math.hypot(last[0] - other[0], last[1] - other[1]) || 1));
      } else if (event.shiftKey) shift(x, y);
      else camera.turn(-0.5 * x, 0.5 * y);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
      draw(true);
    });
    const end = (event) => {
      if (fingers.delete(event.pointerId)) draw();
    };
    box.addEventListener("pointerup", end);
    box.addEventListener("pointercancel", end);
    const settle = () => draw();
    let timer = 0;
    box.addEventListener("wheel", (event) => {
      event.preventDefault();
      camera.closer(Math.exp(-event.deltaY / 600));
      draw(true);
      clearTimeout(timer);
      timer = setTimeout(settle, 200);
    }, { passive: false });
    box.addEventListener("keydown", (event) => {
      const turns = { ArrowLeft: [10, 0], ArrowRight: [-10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
      if (turns) camera.turn(...turns);
      else if (event.key === "+" || event.key === "=") camera.closer(1.25);
      else if (event.key === "-") camera.closer(0.8);
      else if (event.key === "Home") camera.look("corner");
      else return;
      event.preventDefault();
      draw();
      announce(`Seen from ${Math.round(camera.azimuth)} degrees around and ${Math.round(camera.elevation)} above, zoom ${camera.zoom.toFixed(1)}.`);
    });
  }

  function shift(x, y) {
    const each = camera.unit / box.clientHeight;
    camera.shift = [camera.shift[0] - x * each, camera.shift[1] + y * each];
  }

  // The picture as it is seen, twice as fine, on the colour of the page.
  function screenshot() {
    const size = 1024;
    canvas.width = canvas.height = size;
    cast.draw(camera, clip.low, clip.high);
    const sheet = h("canvas", { width: size, height: size });
    const context = sheet.getContext("2d");
    const style = getComputedStyle(box);
    context.fillStyle = getComputedStyle(document.documentElement).backgroundColor;
    context.fillRect(0, 0, size, size);
    context.drawImage(canvas, 0, 0);
    marks(context, size, style.color);
    frame(1);
    sheet.toBlob((blob) => {
      const link = h("a", { href: URL.createObjectURL(blob), download: `${name.replace(/\.[^.]*$/, "")}_in_space.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      announce("The screenshot is being downloaded.");
    });
  }

  const button = (text, onclick, label) => h("button", { type: "button", "aria-label": label || false, onclick }, text);
  const look = (view) => () => { camera.look(view); draw(); };
  const phaseRows = phases.map((phase) => h("tr", {},
    h("th", { scope: "row" }, h("label", { class: "row" }, h("input", { type: "checkbox", checked: true, onchange: (event) => { phase.shown = event.target.checked; paint(phase); repaint(); } }), phase.name)),
    h("td", {}, h("input", { type: "color", value: phase.colour, "aria-label": `Colour of ${phase.name}`, oninput: (event) => { phase.colour = event.target.value; setColour(phase.name, phase.colour); paint(phase); repaint(); } })),
    h("td", {}, h("input", { type: "range", min: 5, max: 100, value: 100, disabled: !cast, "aria-label": `Opacity of ${phase.name}`, oninput: (event) => { phase.opacity = Number(event.target.value); paint(phase); repaint(); } })),
    h("td", { class: "number" }, `${(100 * phase.share).toFixed(1)} %`)));
  const clipRows = AXES.map((axis, k) => {
    const ends = ["low", "high"].map((end, which) => {
      const slider = h("input", { type: "range", min: 0, max: sides[k], value: which ? sides[k] : 0, "aria-label": `Clip along ${axis} ${which ? "to" : "from"}`, oninput: () => {
        const wanted = Number(slider.value);
        clip[end][k] = which ? Math.max(wanted, clip.low[k] + 1) : Math.min(wanted, clip.high[k] - 1);
        slider.value = clip[end][k];
        said.textContent = `${clip.low[k]} to ${clip.high[k]}`;
        draw(true);
      }, onchange: () => draw() });
      return slider;
    });
    const said = h("span", { class: "help" }, `0 to ${sides[k]}`);
    return h("tr", {}, h("th", { scope: "row" }, axis), ends.map((slider) => h("td", {}, slider)), h("td", {}, said));
  });
  const views = { corner: "From the corner", z: "Along z", y: "Along y", x: "Along x" };
  const space = cast
    ? h("div", { class: "spacebox" }, box,
      h("div", { class: "row" }, Object.keys(VIEWS).map((view) => button(views[view], look(view))), button("+", () => { camera.closer(1.25); draw(); }, "Zoom in"), button("−", () => { camera.closer(0.8); draw(); }, "Zoom out"),
        h("label", { class: "row" }, h("input", { type: "checkbox", checked: true, onchange: (event) => { cross = event.target.checked; draw(); } }), "Cross-hair"), button("Screenshot", screenshot)),
      h("p", { class: "help" }, "Drag to turn, with Shift to move; the wheel zooms. While you drag, the picture is as coarse as this machine needs."))
    : h("p", { class: "callout", role: "status" }, "This browser has no WebGL 2, so the volume is shown as slices; switch on hardware acceleration, or use a newer browser, to see it in space.");
  const controls = h("div", { class: "side" },
    h("section", {}, h("h2", {}, "Phases"), h("table", { class: "shares" }, h("tbody", {}, phaseRows))),
    cast ? h("section", {}, h("h2", {}, "Clip planes"), h("table", { class: "shares clips" }, h("tbody", {}, clipRows))) : null);
  const element = h("div", { class: "volume" }, h("div", { class: "bench" }, space, controls), h("h2", {}, "Slices"), cuts.element);

  if (cast) {
    cast.paint(palette);
    follow();
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      space.replaceChildren(h("p", { class: "callout", role: "status" }, "The graphics memory was not enough for this volume; its slices are below."));
    });
    const observer = new ResizeObserver(() => draw());
    observer.observe(box);
  }
  function load(next) {
    volume.pixels = next.pixels;
    cast?.load(volume);
    cuts.draw();
    draw();
  }

  return { element, camera, load };
}
