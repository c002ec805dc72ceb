// The middle, for a file: a picture becomes phases by hand and eye; of a table it is said what was read.
import { pixels as ask, post } from "./api.js";
import { debounced, h, notice, put, putAgain } from "./dom.js";
import { histogram, isHeld } from "./histogram.js";
import { showTable } from "./library.js";
import { startPainting } from "./paint.js";
import { s2Of, sharesOf } from "./phases.js";
import { on, setShared, store, tell, useFiles } from "./store.js";
import { stage } from "./stage.js";
import { togetherOf } from "./together.js";

let shown = null; // the picture in view; listeners are registered once and look here

on("values", () => shown?.again());

export function showFile(place, file) {
  const kind = store.inputs.find((input) => input.file === file)?.kind || (/\.(csv|tsv|xlsx)$/i.test(file) ? "library" : "structures");
  for (const form of store.forms.values()) {
    const together = kind === "library" || !store.together.includes(file) ? [file] : [file, ...store.together.filter((each) => each !== file)];
    if (form.name.startsWith("library") === (kind === "library")) useFiles(form.name, together);
  }
  if (kind === "library") return showTable(place, file);
  if (!store.together.includes(file)) store.together = [file];
  if (store.command.startsWith("library")) tell("use", "reconstruct");
  // Files of one material have one recipe.
  const { mask, ...made } = store.cleaning[[file, ...store.together].find((each) => store.cleaning[each])] || {};
  setShared(store.cleaning[file] ? { ...made, ...(mask ? { mask } : {}) } : made);
  return showPicture(place, file);
}

function showPicture(place, file) {
  const view = stage();
  const tools = h("div", { class: "tools row" });
  const levels = h("div", { class: "levels" });
  const result = h("div", { class: "result" });
  const problem = h("p", { class: "callout bad", role: "alert", hidden: true });
  const slices = h("div", { class: "row" });
  const title = h("h1", {}, file.split("/").pop());
  const facts = h("p", { class: "path" }, "Reading the file.");
  put(place, h("article", { class: "picture" }, title, facts, tools, problem,
    h("div", { class: "bench" }, h("div", { class: "stagebox" }, view.element, slices, togetherOf(file)), h("div", { class: "side" }, levels, result))));

  let look = null;
  let cut = null;
  let slice;
  let working = false;
  let waiting = false;
  let lastAsked = "";
  let stopPainting = null;
  let toolOpen = false; // whether the row of tools holds those of one that is in use

  const options = () => store.values[""] || {};

  // The first change by hand writes down all that was proposed, so that nothing else changes with it.
  function change(values) {
    const proposed = Object.keys(options()).length ? {} : Object.fromEntries(Object.entries(cut?.settings || {}).map(([name, value]) => [name, value === true ? true : String(value)]));
    const next = { ...proposed, ...options(), ...values };
    // Names that were given to another number of phases are names of nothing.
    if ("threshold" in values && next.phases && cut && next.phases.split(",").length !== countOf(next.threshold)) delete next.phases;
    for (const [name, value] of Object.entries(next)) if (value === "" || value === false || value === undefined) delete next[name];
    store.cleaning[file] = next;
    setShared(next);
  }

  async function again() {
    if (!look) return;
    const request = JSON.stringify({ what: "cut", file, slice, options: options() });
    if (request === lastAsked) return;
    if (working) { waiting = true; return; }
    working = true;
    lastAsked = request;
    try {
      cut = await ask(JSON.parse(request));
      problem.hidden = true;
      if (shown?.file === file) draw();
    } catch (error) {
      problem.hidden = false;
      put(problem, error.message[0].toUpperCase() + error.message.slice(1));
    }
    working = false;
    if (waiting) { waiting = false; again(); }
  }

  async function load() {
    try {
      look = await ask({ what: "look", file, ...(slice === undefined ? {} : { slice }) });
    } catch (error) {
      put(facts);
      problem.hidden = false;
      put(problem, error.message[0].toUpperCase() + error.message.slice(1));
      return;
    }
    if (shown?.file !== file) return;
    stopPainting?.();
    slice = look.slice ?? undefined;
    put(facts, `${look.shape.join(" x ")} pixels`);
    view.picture(look);
    drawTools();
    if (look.slice !== null) {
      const slider = h("input", { type: "range", min: 0, max: look.shape[0] - 1, value: slice, "aria-label": "Slice", oninput: debounced(() => { slice = Number(slider.value); load(); }, 60) });
      put(slices, h("label", { class: "row grow" }, `Slice z=${slice}`, slider), h("a", { class: "button", href: `#/space/${encodeURIComponent(file)}` }, "See it in space"));
    }
    again();
  }

  function drawTools() {
    toolOpen = false;
    const now = () => options();
    const tool = (text, action, pressed) => h("button", { type: "button", "aria-pressed": pressed === undefined ? false : String(pressed), onclick: action }, text);
    const blend = h("input", { type: "range", min: 0, max: 100, value: view.blend * 100, "aria-label": "Strength of the overlay", oninput: () => view.setBlend(blend.value / 100) });
    putAgain(tools,
      tool("Crop", () => view.drag("box", (box) => change({ crop: look.slice === null ? box : `${box},:` }))),
      now().crop ? tool("Whole picture", () => change({ crop: "" })) : null,
      tool("Scale bar", () => view.drag("line", askScale)),
      tool(now().mask ? "Change the mask" : "Paint a mask", paint),
      h("label", { class: "row" }, h("input", { type: "checkbox", checked: view.on, onchange: (event) => view.setOn(event.target.checked) }), "Phases"),
      h("label", { class: "row" }, "Blend", blend));
  }

  async function paint() {
    let mask = options().mask || "";
    let runs = [];
    try {
      if (mask) ({ runs } = await ask({ what: "painted", file, mask, slice }));
    } catch (error) {
      notice(error.message, "bad");
      return;
    }
    const keep = debounced(async (painted) => {
      try {
        const { rows, columns, step } = look;
        const made = await post("mask", { file, rows, columns, step, runs: painted, before: mask });
        mask = made.mask;
        change({ mask });
      } catch (error) {
        notice(error.message, "bad");
      }
    }, 150);
    toolOpen = true;
    stopPainting = startPainting(view, tools, runs, keep, () => { stopPainting = null; drawTools(); });
  }

  function askScale(length) {
    toolOpen = true;
    const size = h("input", { type: "text", inputMode: "decimal", "aria-label": "Length of the scale bar", placeholder: "length", size: 6 });
    const unit = h("select", { "aria-label": "Unit" }, ["um", "nm", "mm"].map((each) => h("option", { value: each }, each.replace("u", "µ"))));
    const done = () => {
      const value = Number(size.value.replace(",", "."));
      if (!(value > 0)) { size.focus(); return; }
      change({ spacing: `${Number((value / length).toPrecision(5))}${unit.value}` });
      drawTools();
    };
    put(tools, h("span", {}, `The bar is ${length.toFixed(0)} px long and stands for`), size, unit,
      h("button", { type: "button", class: "main", onclick: done }, "Set the pixel size"), h("button", { type: "button", onclick: drawTools }, "Cancel"));
    size.focus();
  }

  function draw() {
    view.phases(cut);
    const known = cut.unit !== "px";
    const size = cut.spacing.map((each) => Number(each.toPrecision(4))).join(" x ");
    put(facts, `${look.shape.join(" x ")} pixels, ${known ? `pixel size ${size} ${cut.unit}` : "pixel size unknown: draw the scale bar"}`);
    if (!isHeld()) drawLevels();
    if (!toolOpen) drawTools();
    if (!result.querySelector("[data-typing]")) putAgain(result, sharesOf(cut, change, () => { view.draw(); draw(); }), s2Of(cut), h("details", {}, h("summary", {}, "What was done"), h("ol", { class: "did" }, cut.steps.map((step) => h("li", {}, step)))));
  }

  function drawLevels() {
    const now = { ...cut.settings, ...options() };
    const number = (name, label, unit) => h("label", { class: "small" }, label, h("span", { class: "row" }, h("input", {
      type: "number", min: 0, value: now[name] ?? 0, onchange: (event) => change({ [name]: event.target.value === "0" ? "" : event.target.value }) }), h("span", { class: "unit" }, unit)));
    const choice = (name, label, choices) => h("label", { class: "small" }, label, h("select", { onchange: (event) => change({ [name]: event.target.value }) },
      choices.map(([value, text]) => h("option", { value, selected: String(now[name] ?? "") === value }, text))));
    const graph = cut.thresholds.length ? histogram(look, cut.thresholds, (found) => change({ threshold: found.map((level) => Number(level.toPrecision(5))).join(",") }), draw) : null;
    const methods = cut.thresholds.length ? h("div", { class: "row" }, h("button", { type: "button", onclick: () => change({ threshold: "otsu" }) }, "2 phases (Otsu)"),
      h("button", { type: "button", onclick: () => change({ threshold: "multiotsu:3" }) }, "3 phases"),
      h("button", { type: "button", onclick: () => { store.cleaning[file] = {}; setShared({}); } }, "As proposed")) : null;
    putAgain(levels, graph ? h("h2", {}, "Threshold") : null, graph, methods,
      h("h2", {}, "Cleaning"),
      h("div", { class: "smalls" },
        number("median", "Median filter", "px"), number("min_object", "Smallest part", "px"), number("min_hole", "Smallest hole", "px"),
        choice("data_bar", "Data bar", [["", "none"], ["auto", "found and cut"], ...(now.data_bar && now.data_bar !== "auto" ? [[String(now.data_bar), `${now.data_bar} rows`]] : [])]),
        choice("flatten", "Uneven light", [["", "as it is"], ["polynomial", "flattened"], ...(now.flatten && now.flatten !== "polynomial" ? [[now.flatten, now.flatten]] : [])])));
  }

  shown = { file, again };
  load();
  return () => { stopPainting?.(); shown = null; };
}

// The number of phases that a threshold makes.
function countOf(threshold) {
  const text = String(threshold);
  return text === "otsu" ? 2 : text.startsWith("multiotsu:") ? Number(text.split(":")[1]) : text.split(",").length + 1;
}
