// Tables of a run: shown, sorted by a click on the head of a column, and downloaded.
import { address, answered } from "./api.js";
import { h, put } from "./dom.js";

const MOST = 1000; // rows that are shown

export function parseCsv(text) {
  const rows = [];
  let row = [], cell = "", quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (quoted) {
      if (letter !== '"') cell += letter;
      else if (text[at + 1] === '"') { cell += '"'; at++; } else quoted = false;
    } else if (letter === '"') quoted = true;
    else if (letter === ",") { row.push(cell); cell = ""; } else if (letter === "\n") { rows.push([...row, cell]); row = []; cell = ""; } else if (letter !== "\r") cell += letter;
  }
  if (cell || row.length) rows.push([...row, cell]);
  return rows;
}

export function tablesOf(detail, name) {
  const names = detail.files.filter((file) => file.endsWith(".csv")).sort((a, b) => (b === "values.csv") - (a === "values.csv"));
  const body = h("div", {});
  const download = h("a", { class: "button" }, "Download");
  const choose = h("select", { id: "table", onchange: () => open(choose.value) }, names.map((file) => h("option", { value: file }, file)));

  async function open(file) {
    download.href = `${address(`${name}/${file}`)}?download`;
    download.download = file;
    put(body, h("p", { class: "help" }, "Reading the table."));
    try {
      const answer = await fetch(address(`${name}/${file}`));
      if (!answer.ok) await answered(answer);
      const [head, ...rows] = parseCsv(await answer.text());
      put(body, sortable(head || [], rows, file));
    } catch (error) {
      put(body, h("p", { class: "callout bad", role: "alert" }, error.message));
    }
  }

  open(names[0]);
  return h("section", { class: "tables" }, failedOf(detail), h("div", { class: "row" }, h("label", { class: "row", for: "table" }, "Table"), choose, download), body);
}

// Files that could not be worked on, each with its sentence.
export function failedOf(detail) {
  const failed = Object.entries(detail.failed || {});
  if (!failed.length) return null;
  return h("section", { class: "warn failed" }, h("h2", {}, failed.length === 1 ? "1 file could not be worked on" : `${failed.length} files could not be worked on`),
    h("ul", {}, failed.map(([file, said]) => h("li", {}, h("strong", {}, file), `: ${said}`))));
}

function sortable(head, rows, title) {
  const numeric = head.map((_, column) => rows.some((row) => row[column] !== "") && rows.every((row) => row[column] === "" || Number.isFinite(Number(row[column]))));
  let by = -1, up = true;
  const place = h("div", { class: "scrolled", tabIndex: 0, role: "region", "aria-label": `Table ${title}` });

  function draw() {
    const sorted = by < 0 ? rows : [...rows].sort((a, b) => {
      if (!a[by] || !b[by]) return !a[by] - !b[by]; // what has no value is last, either way
      const [x, y] = up ? [a[by], b[by]] : [b[by], a[by]];
      return numeric[by] ? Number(x) - Number(y) : x.localeCompare(y, undefined, { numeric: true });
    });
    const cell = (value, column) => {
      if (numeric[column] && value !== "") return h("td", { class: "number", title: value }, String(Number(Number(value).toPrecision(5))));
      return h("td", { title: value }, head[column] === "file" ? value.split("/").pop() : value);
    };
    put(place, h("table", { class: "data" }, h("thead", {}, h("tr", {}, head.map((name, column) =>
      h("th", { scope: "col", "aria-sort": by === column ? (up ? "ascending" : "descending") : "none" },
        h("button", { type: "button", class: "quiet", onclick: () => { up = by === column ? !up : true; by = column; draw(); place.querySelectorAll("th button")[column].focus(); } },
          name.replaceAll("_", " "), by === column ? (up ? " ▲" : " ▼") : ""))))),
      h("tbody", {}, sorted.slice(0, MOST).map((row) => h("tr", {}, row.map(cell))))));
  }

  draw();
  return [place, rows.length > MOST ? h("p", { class: "help" }, `The first ${MOST} of ${rows.length} rows are shown; the download holds all.`) : null];
}
