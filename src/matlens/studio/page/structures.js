// Structures of a run, or of a file: a plane as a picture, a volume in space.
import { pixels } from "./api.js";
import { beside } from "./beside.js";
import { h, put } from "./dom.js";
import { store } from "./store.js";
import { volumeView } from "./volume.js";

const MOST = 8; // structures side by side
const SMALL = 512; // pixels of a side of each of them

// A file of the folder, with the phases that its settings give, in space.
export function showSpace(place, file) {
  const view = h("div", {}, h("p", { class: "help", role: "status" }, "Reading the whole volume."));
  put(place, h("article", {}, h("h1", {}, file.split("/").pop()), h("p", { class: "path" }, h("a", { href: `#/file/${encodeURIComponent(file)}` }, "Back to its slices and settings")), view));
  show(view, { file, options: store.values[""] || {} });
  return () => {};
}

// The structures of a run, side by side, or one in space; `files` gives their paths, of which there may be more while it works.
export function structuresView(files) {
  const choose = h("select", { "aria-label": "Structure", onchange: () => show(view, { file: choose.value }) });
  const tools = h("div", { class: "row tools" });
  const view = h("div");
  const read = new Map(); // what was read of files that do not change any more
  let known = "";

  async function update() {
    const found = files();
    if (known === found.join("\n")) return;
    known = found.join("\n");
    const before = choose.value;
    put(view, h("p", { class: "help", role: "status" }, "Reading the structures."));
    try {
      for (const file of found.slice(0, MOST)) {
        if (!read.has(file)) read.set(file, await pixels({ what: "voxels", file, most: SMALL }));
      }
    } catch (error) {
      refuse(view, error);
      return;
    }
    const volumes = found.filter((file) => read.get(file)?.shape.length === 3);
    const together = () => put(view, beside(found.filter((file) => read.has(file)).map((file) => ({ title: nameOf(file), found: read.get(file) }))).element,
      found.length > MOST ? h("p", { class: "help" }, `The first ${MOST} of ${found.length} structures.`) : null,
      h("p", { class: "help" }, "All are drawn at one scale. Drag to move, and use the wheel or plus and minus to zoom; the cursor is shown in all of them."));
    put(tools, volumes.length ? [h("label", { class: "row" }, "In space", choose), h("button", { type: "button", onclick: together }, "Side by side")] : null);
    put(choose, volumes.map((file) => h("option", { value: file }, nameOf(file))));
    if (volumes.length) {
      choose.value = volumes.includes(before) ? before : volumes.find((file) => !/exemplar/.test(file)) || volumes[0];
      show(view, { file: choose.value });
    } else together();
  }

  return { element: h("section", {}, tools, view), update };
}

export function nameOf(file) {
  return file.split("/").pop().replace(/\.\w+$/, "").replaceAll("_", " ");
}

async function show(view, request) {
  try {
    const found = await pixels({ what: "voxels", ...request });
    const size = found.shape.map((side) => side * found.step).join(" x ");
    const reduced = found.step > 1 ? `, of which every ${ordinal(found.step)} voxel along each axis is shown` : "";
    put(view, h("p", { class: "path" }, `${size} ${found.shape.length === 3 ? "voxels" : "pixels"}${reduced}`), found.shape.length === 3 ? volumeView(found, request.file.split("/").pop()).element : null);
  } catch (error) {
    refuse(view, error);
  }
}

function refuse(view, error) {
  put(view, h("p", { class: "callout bad", role: "alert" }, error.message[0].toUpperCase() + error.message.slice(1)));
}

function ordinal(number) {
  return { 2: "second", 3: "third" }[number] || `${number}th`;
}
