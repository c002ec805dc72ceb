// The middle, for a file: a picture becomes phases by hand and eye; of a table it is said what was read.
import { answered } from "./api.js";
import { lineChart } from "./chart.js";
import { debounced, h, put } from "./dom.js";
import { histogram, isHeld } from "./histogram.js";
import { on, setShared, store, tell, useFile } from "./store.js";
import { PHASES, stage } from "./stage.js";

let shown = null; // the picture in view; listeners are registered once and look here

on("values", () => shown?.again());

async function ask(request) {
  const headers = { "Content-Type": "application/json", "X-MatLens": "1" };
  const answer = await fetch("/api/picture", { method: "POST", headers, body: JSON.stringify(request) });
  if (!answer.ok) return answered(answer);
  const content = new Uint8Array(await answer.arrayBuffer());
  const end = content.indexOf(10);
  return { ...JSON.parse(new TextDecoder().decode(content.subarray(0, end))), pixels: content.subarray(end + 1) };
}

export function showFile(place, file) {
  const kind = store.inputs.find((input) => input.file === file)?.kind || "structures";
  for (const form of store.forms.values()) {
    if (form.name.startsWith("library") === (kind === "library")) useFile(form.name, file);
  }
  if (kind === "library") return showTable(place, file);
  store.cleaning ??= {};
  if (store.command.startsWith("library")) tell("use", "reconstruct");
  setShared(store.cleaning[file] || {});
  return showPicture(place, file);
}

function showTable(place, file) {
  if (!store.command.startsWith("library")) tell("use", "library learn");
  tell("values", "");
  const body = h("div", {}, h("p", { class: "help" }, "Reading the table."));
  put(place, h("article", {}, h("h1", {}, file.split("/").pop()), body));
  ask({ what: "table", file }).then((found) => put(body,
    h("h2", {}, "What was read"), h("ul", { class: "facts" }, found.parts.map((part) => h("li", {}, part))),
    found.notes.length ? [h("h2", {}, "Notes"), h("ul", {}, found.notes.map((note) => h("li", {}, note)))] : null,
    h("p", { class: "help" }, "The settings on the right change how columns are read and what is learned; press Start to learn and to test the model on samples held out.")),
  (error) => put(body, h("p", { class: "callout bad", role: "alert" }, error.message)));
  return () => {};
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
    h("div", { class: "bench" }, h("div", { class: "stagebox" }, view.element, slices), h("div", { class: "side" }, levels, result))));

  let look = null;
  let cut = null;
  let slice;
  let working = false;
  let waiting = false;
  let lastAsked = "";

  const options = () => store.values[""] || {};

  // The first change by hand writes down all that was proposed, so that nothing else changes with it.
  function change(values) {
    const proposed = Object.keys(options()).length ? {} : Object.fromEntries(Object.entries(cut?.settings || {}).map(([name, value]) => [name, value === true ? true : String(value)]));
    const next = { ...proposed, ...options(), ...values };
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
    slice = look.slice ?? undefined;
    put(facts, `${look.shape.join(" x ")} pixels`);
    view.picture(look);
    drawTools();
    if (look.slice !== null) {
      const slider = h("input", { type: "range", min: 0, max: look.shape[0] - 1, value: slice, "aria-label": "Slice", oninput: debounced(() => { slice = Number(slider.value); load(); }, 60) });
      put(slices, h("label", { class: "row grow" }, `Slice z=${slice}`, slider));
    }
    again();
  }

  function drawTools() {
    const now = () => options();
    const tool = (text, action, pressed) => h("button", { type: "button", "aria-pressed": pressed === undefined ? false : String(pressed), onclick: action }, text);
    const blend = h("input", { type: "range", min: 0, max: 100, value: view.blend * 100, "aria-label": "Strength of the overlay", oninput: () => view.setBlend(blend.value / 100) });
    put(tools,
      tool("Crop", () => view.drag("box", (box) => change({ crop: box }))),
      now().crop ? tool("Whole picture", () => change({ crop: "" })) : null,
      tool("Scale bar", () => view.drag("line", askScale)),
      h("label", { class: "row" }, h("input", { type: "checkbox", checked: view.on, onchange: (event) => view.setOn(event.target.checked) }), "Phases"),
      h("label", { class: "row" }, "Blend", blend));
  }

  function askScale(length) {
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
    put(result, shares(), s2(), h("details", {}, h("summary", {}, "What was done"), h("ol", { class: "did" }, cut.steps.map((step) => h("li", {}, step)))));
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
    const controls = () => [...levels.querySelectorAll("input, select, button, [role=slider]")];
    const own = controls().indexOf(document.activeElement);
    put(levels, graph ? h("h2", {}, "Threshold") : null, graph, methods,
      h("h2", {}, "Cleaning"),
      h("div", { class: "smalls" },
        number("median", "Median filter", "px"), number("min_object", "Smallest part", "px"), number("min_hole", "Smallest hole", "px"),
        choice("data_bar", "Data bar", [["", "none"], ["auto", "found and cut"], ...(now.data_bar && now.data_bar !== "auto" ? [[String(now.data_bar), `${now.data_bar} rows`]] : [])]),
        choice("flatten", "Uneven light", [["", "as it is"], ["polynomial", "flattened"], ...(now.flatten && now.flatten !== "polynomial" ? [[now.flatten, now.flatten]] : [])]),
        h("label", { class: "small" }, "Names of phases", h("input", { type: "text", value: now.phases ?? "", placeholder: "matrix,pore", onchange: (event) => change({ phases: event.target.value.trim() }) }))));
    if (own >= 0) controls()[own]?.focus();
  }

  function shares() {
    return h("section", {}, h("h2", {}, "Volume fractions"), h("table", { class: "shares" }, h("tbody", {}, cut.phases.map((phase, index) => {
      const swatch = h("span", { class: "swatch" });
      swatch.style.backgroundColor = PHASES[index % PHASES.length];
      return h("tr", {}, h("th", { scope: "row" }, swatch, phase.name), h("td", { class: "number" }, percent(phase.share)),
        h("td", { class: "help" }, phase.moved ? `${percent(Math.min(...phase.moved))} to ${percent(Math.max(...phase.moved))}` : ""));
    }))), cut.phases[0].moved ? h("p", { class: "help" }, "The range is what a threshold 5 % lower or higher gives, before small parts are cleaned.") : null);
  }

  function s2() {
    const step = cut.spacing.at(-1);
    const curve = cut.s2.curves.at(-1);
    const name = cut.phases.at(-1).name;
    const points = curve.map((value, at) => [at * step, value]).filter(([, value]) => value !== null);
    const window = cut.s2.window.join(" x ");
    return h("section", {}, h("h2", {}, "Two-point correlation"), lineChart([{ name: "S2", points }], { x: `distance (${cut.unit})`, y: `S2 of ${name}`, width: 330, height: 190 }),
      h("p", { class: "help" }, `Measured in ${window} pixels in the middle.`));
  }

  shown = { file, again };
  load();
  return () => { shown = null; };
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
