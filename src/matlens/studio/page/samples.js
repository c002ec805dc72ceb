// Charts of samples that are linked: composition, spectrum, triangle, wafer; for tables, models and explanations alike.
import { post } from "./api.js";
import { compositionChart, compositionTable } from "./composition.js";
import { announce, debounced, h, put } from "./dom.js";
import { linked } from "./linked.js";
import { parity } from "./parity.js";
import { colourScale, quantity, shown } from "./scale.js";
import { spectrumChart } from "./spectrum.js";
import { ternary, usualThree } from "./ternary.js";
import { platesOf, wafer } from "./wafer.js";

const MOST_LINES = 400; // of a table that stands for a chart
const SCHEMES = { dilution: "all others shrink in proportion", exchange: "in place of its host", tangent: "less the mean of those present" };
const KINDS = { total: "the spectrum follows", partial: "the spectrum is held" };

export function showSamples(place, source, data) {
  const ask = (what, given = {}) => post("library", { ...source, what, ...given });
  const link = linked();
  let gradients = null;
  let mean = null;
  let component = null; // whose gradient colours the maps
  let maps = [];
  let spectrum = null;
  const view = { scheme: data.schemes?.[0], kind: data.kinds?.[0], three: usualThree(data), plate: platesOf(data)[0] ?? null, value: "0", zoomed: true };
  const spectra = new Map();
  const at = { composition: h("figure"), spectrum: h("figure"), ternary: h("figure"), wafer: h("figure"), parity: h("figure") };
  const told = h("p", { class: "told" });
  const controls = h("div", { class: "row controls" });
  const legend = h("div", { class: "legend" });
  put(place, controls, legend, told, h("div", { class: "charts" }, at.composition, view.three ? at.ternary : null, data.positions ? at.wafer : null, data.values.length === 3 ? at.parity : null),
    data.axis ? at.spectrum : null);

  const describe = (index) => {
    const parts = data.components.map((name, k) => [name, data.compositions[index][k]]).filter(([, part]) => part > 1e-6);
    const values = data.values.map((each) => `${each.name} ${shown(each.values[index])} ${each.unit}`.trim());
    return `Sample ${data.samples[index]}: ${parts.map(([name, part]) => `${name} ${shown(100 * part)}`).join(", ")} ${data.fraction_name}; ${values.join(", ")}`;
  };
  const speak = debounced(() => { if (link.chosen !== null) announce(describe(link.chosen)); }, 400);

  // What colours the maps: a value, the gradient of a component, or what is at the chosen channel.
  async function painted() {
    const [kind, index] = view.value.split(":");
    if (kind === "gradient") {
      const k = Number(index);
      return { name: `gradient of ${data.components[k]}`, unit: gradients.unit, signed: true, values: gradients.values.map((row) => row[k]), mark: (i) => ["cross", "open", "full"][gradients.support[i][k]] };
    }
    if (kind === "channel") {
      if (link.channel === null) return null;
      const found = await ask("channel", { index: link.channel });
      const where = `at ${shown(data.axis.positions[link.channel], 5)} ${data.axis.unit}`;
      if (index === "gradient") return { name: `gradient ${where}`, unit: mean.unit, signed: true, values: found.gradient };
      return { name: `${data.axis.spectrum} ${where}`, unit: data.axis.spectrum_unit, signed: false, values: found.intensity };
    }
    return data.values[Number(kind)];
  }

  let asked = 0;
  async function paint() {
    const own = ++asked;
    const shownBy = await painted();
    if (own !== asked) return;
    if (!shownBy) {
      put(legend, h("p", { class: "help" }, "Choose a channel in the spectrum: the maps are then coloured by what is there."));
      for (const map of maps) map.paint(() => null);
      return;
    }
    const scale = colourScale(shownBy.values, shownBy.signed);
    for (const map of maps) map.paint((index) => (shownBy.values[index] === null ? null : scale.of(shownBy.values[index])), shownBy.mark);
    const bar = h("span", { class: "bar", "aria-hidden": "true" }, scale.steps.map((colour) => { const step = h("span"); step.style.backgroundColor = colour; return step; }));
    put(legend, h("span", {}, quantity(shownBy.name, shownBy.unit)), h("span", {}, shown(scale.low)), bar, h("span", {}, shown(scale.high)),
      h("span", { class: "help" }, shownBy.mark ? "Filled: supported; open: weak; cross: unsupported." : "Open grey: not known."));
  }

  function drawControls() {
    const select = (label, value, options, changed) => {
      const made = h("select", { onchange: () => changed(made.value) }, options.map(([key, text]) => h("option", { value: key }, text)));
      made.value = value;
      return h("label", { class: "small" }, label, made);
    };
    const sample = select("Sample", link.chosen === null ? "" : String(link.chosen), [["", "mean of all"], ...data.samples.map((name, index) => [String(index), name])], (value) => link.choose(value === "" ? null : Number(value)));
    sample.querySelector("select").id = "sample-shown";
    const colours = [...data.values.map((each, k) => [String(k), each.name]), ...(gradients ? data.components.map((name, k) => [`gradient:${k}`, `gradient of ${name}`]) : []),
      ...(data.axis ? [["channel", `${data.axis.spectrum} at the chosen channel`]] : []), ...(mean?.gradient ? [["channel:gradient", "gradient at the chosen channel"]] : [])];
    const three = view.three ? [0, 1, 2].map((corner) => select(`Corner ${corner + 1}`, String(view.three[corner]), data.components.map((name, k) => [String(k), name]), (value) => {
      const other = view.three.indexOf(Number(value));
      if (other >= 0) view.three[other] = view.three[corner];
      view.three[corner] = Number(value);
      drawMaps();
      drawControls();
    })) : [];
    const plates = platesOf(data);
    put(controls, sample,
      gradients ? select("A component grows", view.scheme, data.schemes.map((name) => [name, `${name}: ${SCHEMES[name]}`]), (value) => { view.scheme = value; load(); }) : null,
      gradients && data.kinds.length > 1 ? select("Meanwhile", view.kind, data.kinds.map((name) => [name, KINDS[name]]), (value) => { view.kind = value; load(); }) : null,
      select("Maps coloured by", view.value, colours, (value) => { view.value = value; component = value.startsWith("gradient:") ? Number(value.slice(9)) : null; drawComposition(); paint(); }),
      data.components.length > 3 ? three : null,
      view.three ? h("label", { class: "row zoom" }, h("input", { type: "checkbox", checked: view.zoomed, onchange: (event) => { view.zoomed = event.target.checked; drawMaps(); } }), "Triangle zoomed to the samples") : null,
      plates.length > 1 ? select("Wafer", view.plate, plates.map((name) => [name, name]), (value) => { view.plate = value; drawMaps(); }) : null);
  }

  function drawComposition() {
    const sample = link.sample;
    const chart = compositionChart(data, gradients, sample, { chosen: component, choose: (k) => {
      if (!gradients) return;
      component = k;
      view.value = `gradient:${k}`;
      drawControls();
      drawComposition();
      paint();
    } });
    const title = sample === null ? "Mean of all samples" : `Sample ${data.samples[sample]}`;
    const said = gradients ? `${title}. Bars: composition. Points: by what the figure of merit changes when the component grows, with a 90 % interval. Filled: measured compositions lie along this direction; open: few do; cross: none. A click on a component colours the maps by its gradient.`
      : `${title}: composition.`;
    keep(at.composition, chart, said, compositionTable(data, gradients, sample));
  }

  const drawSpectrum = debounced(async () => {
    if (!data.axis) return;
    const sample = link.sample;
    const key = String(sample);
    if (!spectra.has(key)) spectra.set(key, await ask("spectrum", sample === null ? {} : { index: sample }));
    if (sample !== link.sample) return;
    const found = spectra.get(key);
    mean ??= found;
    const title = sample === null ? "mean of all samples" : `sample ${data.samples[sample]}`;
    const focused = at.spectrum.contains(document.activeElement);
    spectrum = spectrumChart({ axis: data.axis, found, mean: sample === null ? null : mean, link, title });
    const said = `Spectrum, ${title}${sample === null ? "" : "; thin: the mean"}.${found.gradient ? " Orange: more intensity there raises the figure of merit; blue: lowers it; grey: no support." : ""} A click chooses a channel.`;
    const lines = data.axis.positions.map((x, k) => [shown(x, 6), shown(found.intensity[k]), ...(found.gradient ? [shown(found.gradient[k]), shown(found.half[k], 2), ["unsupported", "weak", "supported"][found.support[k]]] : [])]);
    keep(at.spectrum, spectrum.element, said, { head: [quantity(data.axis.name, data.axis.unit), quantity(data.axis.spectrum, data.axis.spectrum_unit), ...(found.gradient ? [`gradient (${found.unit})`, "90 % interval ±", "support"] : [])], lines });
    if (focused) spectrum.element.focus();
  }, 40);

  function drawMaps() {
    maps = [];
    const lines = () => data.samples.map((name, k) => [name, ...data.compositions[k].map((part) => shown(100 * part)), ...(data.positions ? [shown(data.positions.x[k]), shown(data.positions.y[k])] : []), ...data.values.map((each) => shown(each.values[k]))]);
    const head = ["sample", ...data.components.map((name) => `${name} (${data.fraction_name})`), ...(data.positions ? data.positions.names : []), ...data.values.map((each) => quantity(each.name, each.unit))];
    if (view.three) {
      const one = data.sites.length ? new Set(view.three.map((k) => data.sites[k])).size === 1 : true;
      if (one) {
        const map = ternary({ data, three: view.three, describe, link, zoomed: view.zoomed });
        maps.push(map);
        keep(at.ternary, map.element, `Compositions in the triangle of ${view.three.map((k) => data.components[k]).join(", ")}. ${map.said}`, { head, lines });
      } else put(at.ternary, h("figcaption", {}, "These components are on several sites, and make no triangle; choose three of one site."));
    }
    if (data.positions) {
      const map = wafer({ data, plate: view.plate, describe, link });
      maps.push(map);
      keep(at.wafer, map.element, `Where the samples lie${view.plate === null || platesOf(data).length < 2 ? "" : `, on wafer ${view.plate}`}.`, { head, lines });
    }
    if (data.values.length === 3) {
      const map = parity({ measured: data.values[0], predicted: data.values[1], describe, link });
      maps.push(map);
      keep(at.parity, map.element, "Each sample as predicted by models that did not see it, against the measurement; on the line both are equal.", { head, lines });
    }
    paint();
  }

  link.on((what) => {
    if (what === "channel") {
      spectrum?.follow();
      if (data.axis && !view.value.startsWith("channel") && link.channel !== null) {
        view.value = "channel";
        component = null;
        drawControls();
        drawComposition();
      }
      paint();
      return;
    }
    for (const map of maps) map.follow();
    drawComposition();
    drawSpectrum();
    put(told, link.sample === null ? "Point at a sample in a map, or choose one; every chart follows." : describe(link.sample));
    const chooser = document.getElementById("sample-shown");
    if (chooser) chooser.value = link.chosen === null ? "" : String(link.chosen);
    speak();
  });

  async function load() {
    if (data.explained) gradients = await ask("gradients", { scheme: view.scheme, kind: view.kind });
    if (data.axis && !mean) {
      mean = await ask("spectrum");
      spectra.set("null", mean);
    }
    drawControls();
    drawComposition();
    drawSpectrum();
    drawMaps();
  }
  put(told, "Point at a sample in a map, or choose one; every chart follows.");
  return load();
}

// A chart with its caption, and a table that says the same and is made when it is unfolded.
function keep(figure, chart, said, { head, lines }) {
  const open = figure.querySelector("details")?.open;
  const table = h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Table of the chart" });
  const fill = () => {
    const all = typeof lines === "function" ? lines() : lines;
    put(table, h("table", { class: "plain" }, h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, all.slice(0, MOST_LINES).map((line) => h("tr", {}, line.map((cell, k) => h(k ? "td" : "th", k ? {} : { scope: "row" }, cell)))))),
    all.length > MOST_LINES ? h("p", { class: "help" }, `${all.length - MOST_LINES} further rows are in the files of the run.`) : null);
  };
  const details = h("details", { open: Boolean(open), ontoggle: () => { if (details.open && !table.firstChild) fill(); } }, h("summary", {}, "As a table"), table);
  if (open) fill();
  put(figure, chart, h("figcaption", {}, said), details);
}
