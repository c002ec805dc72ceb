// Suggestions as a plate: amounts can be changed, wells removed and added, sums are checked, and the list downloaded.
import { announce, h, put } from "./dom.js";
import { shown as number } from "./scale.js";

const OFF = 0.05; // hundredths by which a sum may miss 100
const SUPPORT = ["unsupported", "weak", "supported"];

export function showPlate(place, name, data) {
  const key = `matlens-plate-${name}`;
  const given = data.rows.map((row) => ({ ...row, amounts: [...row.amounts] }));
  let rows = restored(key, data.components.length) || given;
  const table = h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Plate" });
  const said = h("p", { class: "sums", role: "status" });

  // Each site of a material has a sum of its own.
  const sites = [...new Set(data.components.map((_, k) => data.sites[k] ?? ""))];
  const of = (site) => data.components.flatMap((_, k) => ((data.sites[k] ?? "") === site ? [k] : []));
  const partOf = (row, site) => of(site).reduce((sum, k) => sum + (Number.isFinite(row.amounts[k]) ? row.amounts[k] : 0), 0);
  const sumOf = (row) => row.amounts.reduce((sum, amount) => sum + (Number.isFinite(amount) ? amount : 0), 0);
  const wrongOf = (row) => {
    if (row.amounts.some((amount) => !Number.isFinite(amount))) return "an amount is no number";
    if (row.amounts.some((amount) => amount < 0)) return "an amount is below zero";
    const open = sites.map((site) => [site, partOf(row, site) - 100]).filter(([, over]) => Math.abs(over) > OFF);
    return open.map(([site, over]) => `${number(Math.abs(over), 3)} ${over < 0 ? "is missing" : "too much"}${site ? ` on site ${site}` : ""}`).join("; ");
  };
  const wells = (count) => Array.from({ length: count }, (_, at) => `${count > 96 ? `${Math.floor(at / 96) + 1}-` : ""}${"ABCDEFGH"[Math.floor((at % 96) / 12)]}${(at % 12) + 1}`);

  function keepRows() {
    try { sessionStorage.setItem(key, JSON.stringify(rows)); } catch { /* then it lives as long as the page */ }
    tellSums();
  }

  function tellSums() {
    const wrong = rows.filter(wrongOf).length;
    put(said, !rows.length ? "The plate is empty." : wrong ? `${wrong} of ${rows.length} wells do not close; see the marked lines.` : `${rows.length} ${rows.length === 1 ? "well" : "wells"}, and all sums are 100.`);
    said.className = `sums ${wrong ? "wrong" : ""}`;
  }

  function draw(focus) {
    const named = wells(rows.length);
    const body = rows.map((row, at) => {
      const problem = h("span", { class: "problem", id: `sum-${at}` }, wrongOf(row));
      const sum = h("td", { class: "number" }, number(sumOf(row), 5));
      const line = h("tr", { class: wrongOf(row) ? "wrong" : "" }, h("th", { scope: "row" }, named[at]),
        data.components.map((component, k) => h("td", {}, h("input", {
          type: "text", inputMode: "decimal", size: 6, value: Number.isFinite(row.amounts[k]) ? String(row.amounts[k]) : "", "aria-label": `${component} in ${named[at]}`, "aria-describedby": `sum-${at}`, "data-cell": `${at}-${k}`,
          onfocus: (event) => event.target.select(),
          oninput: (event) => {
            const text = event.target.value.trim().replace(",", ".");
            row.amounts[k] = text === "" ? Number.NaN : Number(text);
            row.changed = true;
            put(problem, wrongOf(row));
            put(sum, number(sumOf(row), 5));
            line.className = wrongOf(row) ? "wrong" : "";
            keepRows();
          },
        }))), sum,
        h("td", {}, row.changed ? "changed by you" : row.expected === undefined ? "" : `${number(row.expected)}${row.low === null || row.low === undefined ? "" : ` (${number(row.low)} to ${number(row.high)})`}`),
        h("td", {}, row.changed ? "" : SUPPORT[row.support] ?? ""),
        h("td", { class: "why" }, row.changed ? "" : row.move || "", problem),
        h("td", {}, h("button", { type: "button", class: "quiet", "aria-label": `Fill up ${named[at]} with the largest component`, title: "Gives what is missing to the largest component", onclick: () => { close(row); row.changed = true; keepRows(); draw(`${at}-0`); } }, "Close"),
          h("button", { type: "button", class: "quiet", "aria-label": `Remove ${named[at]}`, onclick: () => { rows.splice(at, 1); announce(`${named[at]} was removed.`); keepRows(); draw(); } }, "Remove")));
      return line;
    });
    put(table, h("table", { class: "plain plate" }, h("thead", {}, h("tr", {}, ["Well", ...data.components.map((each) => each), "Sum", "Expected", "Support", "Change", ""].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, body)));
    tellSums();
    if (focus) table.querySelector(`[data-cell="${focus}"]`)?.focus();
  }

  function close(row) {
    row.amounts = row.amounts.map((amount) => (Number.isFinite(amount) ? amount : 0));
    for (const site of sites) {
      const largest = of(site).reduce((best, k) => (row.amounts[k] > row.amounts[best] ? k : best));
      row.amounts[largest] = Number((row.amounts[largest] + 100 - partOf(row, site)).toFixed(4));
    }
  }

  function csv() {
    const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const named = wells(rows.length);
    const lines = rows.map((row, at) => [named[at], ...row.amounts.map((amount) => (Number.isFinite(amount) ? String(amount) : "")), row.changed ? "changed by hand" : row.move || ""]);
    return [["well", ...data.components, "change"], ...lines].map((line) => line.map(quoted).join(",")).join("\n") + "\n";
  }

  const download = h("button", { type: "button", class: "main", onclick: () => {
    const link = h("a", { href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })), download: "plate.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    announce("The plate was downloaded.");
  } }, "Download as CSV");
  put(place, h("h2", {}, "To make"), h("p", { class: "help" }, `Amounts in ${data.fraction_name || "hundredths"}. Expected values with 90 % intervals are those of the suggestions; a changed well has none.`),
    table, said, h("div", { class: "row" },
      h("button", { type: "button", onclick: () => { rows.push({ amounts: data.components.map(() => 0), changed: true, move: "" }); keepRows(); draw(`${rows.length - 1}-0`); } }, "Add a well"),
      h("button", { type: "button", onclick: () => { rows = data.rows.map((row) => ({ ...row, amounts: [...row.amounts] })); keepRows(); draw(); announce("The plate is as it was suggested."); } }, "As suggested"), download));
  draw();
}

function restored(key, width) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(key));
    // JSON has no NaN: an empty amount comes back as null.
    if (!Array.isArray(kept) || !kept.every((row) => row.amounts?.length === width)) return null;
    return kept.map((row) => ({ ...row, amounts: row.amounts.map((amount) => amount ?? Number.NaN) }));
  } catch {
    return null;
  }
}
