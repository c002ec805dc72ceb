// Structures of a run, or of a file: a plane as a picture, a volume in space.
import { pixels } from "./api.js";
import { h, put } from "./dom.js";
import { store } from "./store.js";
import { volumeView } from "./volume.js";

// A file of the folder, with the phases that its settings give, in space.
export function showSpace(place, file) {
  const view = h("div", {}, h("p", { class: "help", role: "status" }, "Reading the whole volume."));
  put(place, h("article", {}, h("h1", {}, file.split("/").pop()), h("p", { class: "path" }, h("a", { href: `#/file/${encodeURIComponent(file)}` }, "Back to its slices and settings")), view));
  show(view, { file, options: store.values[""] || {} });
  return () => {};
}

// The structures of a run; `files` gives their paths, of which there may be more while it works.
export function structuresView(files) {
  const choose = h("select", { "aria-label": "Structure", onchange: () => show(view, { file: choose.value }) });
  const view = h("div");
  let known = "";

  function update() {
    const found = files();
    if (known === found.join("\n")) return;
    known = found.join("\n");
    const before = choose.value;
    put(choose, found.map((file) => h("option", { value: file }, nameOf(file))));
    choose.value = found.includes(before) ? before : found.find((file) => !/exemplar/.test(file)) || found[0];
    if (choose.value !== before) show(view, { file: choose.value });
  }

  return { element: h("section", {}, h("div", { class: "row tools" }, h("label", { class: "row" }, "Structure", choose)), view), update };
}

export function nameOf(file) {
  return file.split("/").pop().replace(/\.\w+$/, "").replaceAll("_", " ");
}

async function show(view, request) {
  try {
    const found = await pixels({ what: "voxels", ...request });
    const size = found.shape.map((side) => side * found.step).join(" x ");
    const reduced = found.step > 1 ? `, of which every ${ordinal(found.step)} voxel along each axis is shown` : "";
    put(view, h("p", { class: "path" }, `${size} ${found.shape.length === 3 ? "voxels" : "pixels"}${reduced}`), found.shape.length === 3 ? volumeView(found, request.file.split("/").pop()) : null);
  } catch (error) {
    put(view, h("p", { class: "callout bad", role: "alert" }, error.message[0].toUpperCase() + error.message.slice(1)));
  }
}

function ordinal(number) {
  return { 2: "second", 3: "third" }[number] || `${number}th`;
}
