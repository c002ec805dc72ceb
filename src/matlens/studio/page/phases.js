// What the phases of a picture are: their names and colours, how much there is of each, and how far that can be trusted.
import { lineChart } from "./chart.js";
import { colourOf, setColour } from "./colours.js";
import { h } from "./dom.js";

export function sharesOf(cut, changed, redraw) {
  const names = cut.phases.map((phase) => phase.name);
  const rename = (index) => (event) => {
    delete event.target.dataset.typing;
    const name = event.target.value.replaceAll(",", " ").trim() || names[index];
    const free = !names.some((other, at) => at !== index && other === name);
    event.target.setAttribute("aria-invalid", String(!free));
    if (!free || name === names[index]) return;
    setColour(name, colourOf(names[index], index));
    changed({ phases: names.map((other, at) => (at === index ? name : other)).join(",") });
  };
  const row = (phase, index) => h("tr", {},
    h("th", { scope: "row" }, h("span", { class: "row phase" },
      h("input", { type: "color", value: colourOf(phase.name, index), "aria-label": `Colour of ${phase.name}`, onchange: (event) => { setColour(phase.name, event.target.value); redraw(); } }),
      h("input", { type: "text", value: phase.name, "aria-label": `Name of ${phase.name}`, oninput: (event) => { event.target.dataset.typing = "yes"; }, onchange: rename(index) }))),
    h("td", { class: "number" }, percent(phase.share)),
    h("td", { class: "help" }, phase.moved ? `${percent(Math.min(...phase.moved))} to ${percent(Math.max(...phase.moved))}` : ""));
  return h("section", {}, h("h2", {}, "Volume fractions"),
    h("table", { class: "shares" }, h("thead", { class: "unseen" }, h("tr", {}, ["Phase", "Share", "Range"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, cut.phases.map(row))),
    cut.phases[0].moved ? h("p", { class: "help" }, "The range is what a threshold 5 % lower or higher gives, before small parts are cleaned.") : null,
    cut.masked ? h("p", { class: "help" }, `${percent(cut.masked)} of the picture is masked and counts for nothing.`) : null);
}

export function s2Of(cut) {
  const step = cut.spacing.at(-1);
  const name = cut.phases.at(-1).name;
  const points = (curve) => curve.map((value, at) => [at * step, value]).filter(([, value]) => value !== null);
  const curve = cut.s2.curves.at(-1);
  const series = [{ name: "S2", points: points(curve) }, ...cut.s2.moved.map((each) => ({ name: "with a moved threshold", points: points(each), dashed: true }))];
  const far = Math.max(0, ...cut.s2.moved.flatMap((each) => each.map((value, at) => Math.abs(value - curve[at]) || 0)));
  return h("section", {}, h("h2", {}, "Two-point correlation"),
    lineChart(series, { x: `distance (${cut.unit})`, y: `S2 of ${name}`, width: 330, height: 190 }),
    h("p", { class: "help" }, `Measured in ${cut.s2.window.join(" x ")} pixels in the middle.`,
      series.length > 1 ? ` Dashed: by thresholds 5 % lower and higher, which move it by up to ${far.toPrecision(2)}.` : ""));
}

function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
