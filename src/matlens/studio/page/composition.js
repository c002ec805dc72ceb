// The composition of a sample (or the mean of all), and beside each component its gradient with interval and support.
import { s } from "./chart.js";
import { shown } from "./scale.js";

const WIDE = 440, ROW = 30, HEAD = 34, NAME = 46, BARS = 84, FROM = 182, TO = 322;
const SUPPORT = ["unsupported", "weak", "supported"];

export function rowsOf(data, gradients, sample) {
  return data.components.map((name, k) => {
    const fraction = sample === null ? mean(data.compositions.map((row) => row[k])) : data.compositions[sample][k];
    if (!gradients) return { name, fraction };
    if (sample === null) {
      const { value, half, samples, full } = gradients.means[k];
      return { name, fraction, value, half, support: !samples ? 0 : full >= samples / 2 ? 2 : 1, samples };
    }
    return { name, fraction, value: gradients.values[sample][k], half: gradients.halves[sample][k], support: gradients.support[sample][k] };
  });
}

export function compositionChart(data, gradients, sample, { chosen, choose }) {
  const rows = rowsOf(data, gradients, sample);
  const height = HEAD + ROW * rows.length + 26;
  const title = sample === null ? "mean of all samples" : `sample ${data.samples[sample]}`;
  const chart = s("svg", { viewBox: `0 0 ${gradients ? WIDE : 220} ${height}`, class: `chart composition${gradients ? "" : " narrow"}`, role: "img", "aria-label": `Composition${gradients ? " and gradients" : ""}, ${title}; the table below says the same` });
  const most = Math.max(...data.compositions.flat());
  const width = (fraction) => (BARS * fraction) / (most || 1);
  chart.append(s("text", { x: NAME + 6, y: 16, class: "tick" }, data.fraction_name));
  // One scale for all samples, so that samples can be compared; a single far interval does not set it.
  const reach = gradients ? scaleOf(gradients) : 1;
  const px = (value) => (FROM + TO) / 2 + (Math.min(Math.max(value / reach, -1), 1) * (TO - FROM)) / 2;
  if (gradients) {
    chart.append(s("text", { x: (FROM + TO) / 2, y: 16, class: "tick middle" }, gradients.unit));
    for (const share of [-1, 0, 1]) {
      const at = px(share * reach);
      chart.append(s("line", { x1: at, x2: at, y1: HEAD - 8, y2: height - 22, class: share ? "grid" : "axis" }), s("text", { x: at, y: height - 6, class: "tick middle" }, shown(share * reach, 2)));
    }
  }
  rows.forEach((row, k) => {
    const y = HEAD + ROW * (k + 0.5);
    const line = s("g", { class: `row${chosen === k ? " chosen" : ""}` });
    line.addEventListener("click", () => choose(k));
    line.append(s("rect", { x: 0, y: y - ROW / 2, width: gradients ? WIDE : 220, height: ROW, class: "back" }));
    line.append(s("text", { x: NAME - 6, y: y + 4, class: "tick end name" }, row.name));
    line.append(s("rect", { x: NAME, y: y - 7, width: width(row.fraction), height: 14, class: "bar" }), s("text", { x: NAME + width(row.fraction) + 5, y: y + 4, class: "tick" }, shown(100 * row.fraction)));
    if (gradients && row.value !== null && row.value !== undefined) {
      const [low, high] = [row.value - row.half, row.value + row.half];
      line.append(s("line", { x1: px(low), x2: px(high), y1: y, y2: y, class: `whisker ${SUPPORT[row.support]}` }));
      const x = px(row.value);
      if (row.support === 0) line.append(s("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, class: "mark cross" }));
      else line.append(s("circle", { cx: x, cy: y, r: 5.5, class: `mark ${SUPPORT[row.support]} ${row.value < 0 ? "below" : "above"}` }));
      line.append(s("text", { x: WIDE - 4, y: y + 4, class: "tick end" }, `${shown(row.value)} ± ${shown(row.half, 2)}`));
    } else if (gradients) line.append(s("text", { x: WIDE - 4, y: y + 4, class: "tick end" }, row.samples === 0 ? "no support" : "not defined"));
    chart.append(line);
  });
  return chart;
}

export function compositionTable(data, gradients, sample) {
  const head = ["component", data.fraction_name, ...(gradients ? [`gradient (${gradients.unit})`, "90 % interval", "support"] : [])];
  const lines = rowsOf(data, gradients, sample).map((row) => [row.name, shown(100 * row.fraction), ...(gradients
    ? [shown(row.value), row.value === null ? "–" : `${shown(row.value - row.half)} to ${shown(row.value + row.half)}`, row.value === null ? "–" : SUPPORT[row.support]] : [])]);
  return { head, lines };
}

function scaleOf(gradients) {
  const ends = gradients.means.concat(gradients.values.flatMap((row, i) => row.map((value, k) => ({ value, half: gradients.halves[i][k], samples: gradients.support[i][k] }))))
    .filter((each) => each.value !== null && each.samples).map((each) => Math.abs(each.value) + each.half).sort((a, b) => a - b);
  const most = ends[Math.floor(0.95 * (ends.length - 1))] || 1;
  const power = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].find((factor) => factor * power >= most) * power;
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
