// A reconstruction while it works: the structure beside its exemplar, the loss by term, and curves in the band of windows.
import { pixels } from "./api.js";
import { beside } from "./beside.js";
import { lineChart } from "./chart.js";
import { PHASES } from "./colours.js";
import { h, put } from "./dom.js";
import { volumeView } from "./volume.js";

const EVERY = 2000; // ms between two looks
const DASHES = ["", "7 3", "2 3"];

export function watchOf(run) {
  const structures = h("div", { class: "watched" });
  const loss = h("figure");
  const curves = h("div", { class: "curves" });
  const element = h("div", { class: "watch" }, structures, h("div", { class: "graphs" }, loss, curves));
  let asked = 0;
  let exemplar = null;
  let views = null;
  let space = null;
  let phase = "";

  // `first` is the file of the first exemplar, if the run has read it.
  async function update(first) {
    if (performance.now() - asked < EVERY) return;
    asked = Infinity;
    try {
      const found = await pixels({ what: "watch", file: run });
      if (found.look) {
        if (first && !exemplar) exemplar = await pixels({ what: "voxels", file: first });
        showLook(found);
      }
      if (found.loss) showLoss(found.loss);
      if (found.curves.length) showCurves(found.curves);
    } catch { /* the run writes its files anew; the next look finds them */ }
    asked = performance.now();
  }

  function showLook(found) {
    const look = { ...found.look, pixels: found.pixels };
    // Which realisation this is stands above; on a coarser level one pixel stands for several.
    const title = look.step > 1.01 ? `As it forms, at 1/${Number(look.step.toPrecision(3))} of its size` : "As it forms";
    const volume = look.shape.length === 3;
    if (!views) {
      const shown = [...(exemplar ? [{ title: "Exemplar", found: exemplar }] : []), ...(volume ? [] : [{ title, found: look }])];
      views = shown.length ? beside(shown) : { element: "" };
      put(structures, views.element || null);
    } else if (!volume) views.show(exemplar ? 1 : 0, look, title);
    if (!volume) return;
    if (space?.shape === look.shape.join()) {
      space.view.load(look);
      space.title.textContent = title;
      return;
    }
    const heading = h("h2", {}, title);
    const view = volumeView(look, look.key, space?.view);
    space = { shape: look.shape.join(), view, title: heading };
    put(structures, views.element || null, heading, view.element);
  }

  function showLoss({ evaluations, terms }) {
    const series = Object.entries(terms).map(([name, values], index) => ({
      name, points: values.map((value, at) => [evaluations[at], value === null ? NaN : value]),
      colour: index ? PHASES[(index - 1) % PHASES.length] : "var(--ink)", dash: index ? DASHES[Math.floor(index / 3) % 3] : "",
    })).filter((each) => each.points.filter(([, value]) => value > 0).length > 1);
    if (!series.length) return;
    put(loss, lineChart(series, { x: "evaluation", y: "loss", log: true }), h("figcaption", {}, "Loss by term, weighted, on a logarithmic scale. ", keyOf(series)));
  }

  function showCurves(found) {
    const phases = [...new Set(found.map((each) => each.phase))];
    if (!phases.includes(phase)) phase = phases.at(-1);
    const chosen = found.filter((each) => each.phase === phase);
    const choose = h("select", { "aria-label": "Phase of the curves", onchange: () => { phase = choose.value; showCurves(found); } }, phases.map((name) => h("option", { value: name, selected: name === phase }, name)));
    const charts = chosen.map(({ statistic, distance, low, high, exemplar: mean, result, unit }) => {
      const points = (values) => values.map((value, at) => [distance[at], value === null ? NaN : value]);
      const series = [{ name: "exemplar", points: points(mean), colour: "var(--ink)", dash: "7 3" }, { name: "as it forms", points: points(result), colour: "var(--accent)", dash: "" }];
      const band = low && distance.map((at, k) => [at, low[k], high[k]]).filter((row) => row.every(Number.isFinite));
      return h("figure", {}, lineChart(series, { x: `distance (${unit.replace("um", "µm")})`, y: statistic, width: 330, height: 200, zero: true, band }), h("figcaption", {}, keyOf(series), band ? " The band holds nine in ten windows of the exemplar." : " The exemplar has too few windows of this size for a band."));
    });
    const focused = curves.contains(document.activeElement);
    put(curves, h("label", { class: "row" }, "Phase", choose), charts);
    if (focused) choose.focus();
  }

  return { element, update, seen: () => views !== null };
}

function keyOf(series) {
  return h("span", { class: "keys" }, series.map((each) => {
    const line = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    line.setAttribute("viewBox", "0 0 22 6");
    line.setAttribute("aria-hidden", "true");
    const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
    stroke.setAttribute("d", "M0 3H22");
    stroke.style.stroke = each.colour;
    stroke.style.strokeDasharray = each.dash;
    line.append(stroke);
    return h("span", { class: "key" }, line, each.name);
  }));
}
