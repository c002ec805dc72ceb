// The middle, for a table: what each column was taken for, checks before any model, and charts of what it holds.
import { post } from "./api.js";
import { announce, debounced, h, notice, put } from "./dom.js";
import { showSamples } from "./samples.js";
import { shown as number } from "./scale.js";
import { on, setTable, setValue, store, tableOptions, tell, valuesOf } from "./store.js";

const ROLES = [["sample", "name of the sample"], ["component", "component"], ["formula", "formula"], ["channel", "spectrum"],
  ["merit", "figure of merit"], ["covariate", "further fact: not learned from"]];
const OF_COLUMNS = ["sample", "components", "formula", "axis_columns", "merits", "covariates"];
const LEARN = "library learn";

let shown = null; // the table in view; listeners are registered once and look here

on("values", () => shown?.again());

export function showTable(place, file) {
  store.tables ??= {};
  setTable(store.tables[file] || {});
  if (!store.command.startsWith("library")) tell("use", LEARN);
  const truth = h("section", {}, h("p", { class: "help" }, "Reading the table."));
  const problem = h("p", { class: "callout bad", role: "alert", hidden: true });
  const columns = h("section");
  const checks = h("section", { "aria-live": "polite" });
  const charts = h("section");
  put(place, h("article", { class: "table library" }, h("h1", {}, file.split("/").pop()), problem, truth, columns, checks, charts));
  let wanted = {}; // roles that were chosen while the table could not be read with them
  let last = "";
  let run = 0;

  const source = () => ({ file, options: tableOptions(LEARN), target: valuesOf(LEARN).target || "" });

  async function read() {
    const request = JSON.stringify(source());
    if (request === last) return;
    last = request;
    const own = ++run;
    let found;
    try {
      found = await post("library", { ...JSON.parse(request), what: "columns" });
    } catch (error) {
      found = { columns: [], problem: error.message, parts: [], notes: [], merits: [] };
    }
    if (own !== run || shown?.file !== file) return;
    checks.inert = false;
    problem.hidden = !found.problem;
    put(problem, sentence(found.problem));
    if (!found.problem) wanted = {};
    put(truth, found.parts.length ? [h("h2", {}, "What was read"), h("ul", { class: "facts" }, found.parts.map((part) => h("li", {}, part)))] : null,
      found.notes.length ? h("details", {}, h("summary", {}, `Notes of the reader (${found.notes.length})`), h("ul", {}, found.notes.map((note) => h("li", {}, note)))) : null);
    drawColumns(found);
    if (found.problem) { put(checks); put(charts); return; }
    drawLearn(found);
    try {
      const data = await post("library", { ...JSON.parse(request), what: "samples" });
      if (own !== run || shown?.file !== file) return;
      put(charts, h("h2", {}, "What the table holds"));
      const box = h("div");
      charts.append(box);
      await showSamples(box, JSON.parse(request), data);
    } catch (error) {
      put(charts, h("p", { class: "callout bad", role: "alert" }, sentence(error.message)));
    }
  }

  function drawColumns(found) {
    const open = columns.querySelector("details")?.open ?? true;
    const focused = document.activeElement?.dataset?.column;
    const rows = grouped(found.columns).map((each) => {
      const role = wanted[each.names[0]] ?? each.role;
      const changed = Object.hasOwn(wanted, each.names[0]);
      const select = h("select", { "aria-label": `What ${each.title} is taken for`, "data-column": each.names[0], onchange: () => change(Object.fromEntries(each.names.map((name) => [name, select.value]))) },
        role ? null : h("option", { value: "" }, "not understood"), ROLES.map(([value, text]) => h("option", { value }, text)));
      select.value = role;
      return h("tr", { class: `role-${role || "none"}${changed ? " changed" : ""}` }, h("th", { scope: "row" }, each.title), h("td", {}, select), h("td", { class: "cells" }, each.cells));
    });
    const said = OF_COLUMNS.some((name) => valuesOf(LEARN)[name]) || Object.keys(wanted).length;
    put(columns, rows.length ? h("details", { open }, h("summary", {}, "What each column is taken for"),
      h("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": "Columns of the table" }, h("table", { class: "plain columns" },
        h("thead", {}, h("tr", {}, ["Column", "Taken for", "First values"].map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, rows))),
      h("p", { class: "row" }, h("span", { class: "help" }, "A change is written as an option, so the command line below Start repeats it."),
        said ? h("button", { type: "button", onclick: () => { wanted = {}; setAllOf(Object.fromEntries(OF_COLUMNS.map((name) => [name, ""]))); } }, "As proposed") : null)) : null);
    if (focused) columns.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  async function change(roles) {
    wanted = { ...wanted, ...roles };
    checks.inert = true; // until the table has been read with them, so that no check or model is of the columns before
    try {
      const made = await post("library", { ...source(), what: "roles", wanted });
      announce("The column was changed, and the table is read again.");
      setAllOf(made.options);
    } catch (error) {
      checks.inert = false;
      problem.hidden = false;
      put(problem, sentence(error.message));
    }
  }

  function setAllOf(values) {
    const next = { ...store.values.table, ...values };
    for (const [name, value] of Object.entries(next)) if (!value) delete next[name];
    store.tables[file] = next;
    last = "";
    setTable(next);
    read();
  }

  function drawLearn(found) {
    const target = found.target;
    const choose = found.merits.length > 1 ? h("label", { class: "small" }, "Figure of merit to learn", h("select", { id: "merit", onchange: (event) => setValue(LEARN, "target", event.target.value) },
      target ? null : h("option", { value: "" }, "choose one"), found.merits.map((merit) => h("option", { value: merit.name, selected: merit.name === target }, merit.unit ? `${merit.name} (${merit.unit})` : merit.name)))) : null;
    const learn = h("button", { type: "button", class: "main", disabled: !target, onclick: async () => {
      learn.disabled = true;
      try {
        const made = await post("start", { command: LEARN, values: { ...valuesOf(LEARN), library: file } });
        if (made.errors) { tell("use", LEARN); tell("refused", Object.values(made.errors)[0]); notice(sentence(Object.values(made.errors)[0]), "bad"); }
        else location.hash = `#/run/${encodeURIComponent(made.run)}`;
      } catch (error) {
        notice(error.message, "bad");
      }
      learn.disabled = false;
    } }, target ? `Learn ${target}` : "Learn");
    const said = h("div");
    const check = h("button", { type: "button", onclick: () => look() }, "Check the data first");
    async function look() {
      check.disabled = true;
      put(said, h("p", { class: "help" }, "Checking replicates, gaps, odd values and other causes; that takes up to a minute."));
      const own = run;
      try {
        const made = await post("library", { ...source(), what: "checks", transform: valuesOf(LEARN).transform || "none" });
        if (own === run) put(said, checksOf(made));
      } catch (error) {
        if (own === run) put(said, h("p", { class: "callout bad", role: "alert" }, sentence(error.message)));
      }
      check.disabled = false;
    }
    put(checks, h("h2", {}, "Before any model"), found.merits.length ? h("div", { class: "row" }, choose, check, learn) : h("p", { class: "callout" }, "The table has no figure of merit, so there is nothing to learn; say above which column is one."), said);
  }

  const again = debounced(() => { if (shown?.file === file) read(); }, 150);
  shown = { file, again };
  read();
  return () => { shown = null; };
}

function checksOf(found) {
  const most = Math.max(...found.components.map((each) => each.samples), 1);
  return [
    found.alarms.length ? h("div", { class: "callout bad", role: "alert" }, h("h2", {}, found.alarms.length > 1 ? `${found.alarms.length} alarms` : "An alarm"), h("ul", {}, found.alarms.map((text) => h("li", {}, text))))
      : h("p", { class: "callout" }, "No alarm: no value lies far from the rest, and nothing but composition and spectrum predicts the figure of merit."),
    h("ul", { class: "checks" }, found.sentences.map((text) => h("li", {}, text))),
    h("details", {}, h("summary", {}, "Samples of each component and system"),
      h("table", { class: "plain" }, h("thead", {}, h("tr", {}, ["Component", "Samples", `Range (${found.fraction_name})`].map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, found.components.map((each) => h("tr", {}, h("th", { scope: "row" }, each.name), h("td", {}, h("meter", { max: most, value: each.samples, "aria-label": `Samples with ${each.name}` }), ` ${each.samples}`), h("td", {}, `${number(100 * each.low)} to ${number(100 * each.high)}`))))),
      h("p", { class: "help" }, `Systems: ${found.systems.map((each) => `${each.name} (${each.samples})`).join(", ")}.`)),
  ];
}

// Channels that follow each other are one line.
function grouped(columns) {
  const rows = [];
  for (const column of columns) {
    const last = rows.at(-1);
    if (column.role === "channel" && last?.role === "channel") last.columns.push(column);
    else rows.push({ role: column.role, columns: [column] });
  }
  return rows.map(({ role, columns: all }) => {
    const names = all.map((column) => column.name);
    const title = all.length > 1 ? `${names[0]} to ${names.at(-1)} (${names.length} columns)` : names[0];
    const cells = all.length > 1 ? all.slice(0, 3).map((column) => column.cells[0]) : all[0].cells;
    return { role, names, title, cells: cells.map((cell) => (cell.length > 12 ? `${cell.slice(0, 10)}…` : cell)).join(", ") };
  });
}

function sentence(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}
