// The middle: one run, from its start to its report.
import { address, get, post } from "./api.js";
import { lineChart } from "./chart.js";
import { announce, h, notice, put } from "./dom.js";
import { copied } from "./form.js";
import { judgeOf } from "./judge.js";
import { nextSteps, resultTab, showResults } from "./results.js";
import { STATES, shareOf } from "./runs.js";
import { on, setAll, store, tell } from "./store.js";
import { structuresView } from "./structures.js";
import { watchOf } from "./watch.js";
import { failedOf, tablesOf } from "./table.js";

let shown = null; // the run in view; listeners are registered once and look here
const stopping = new Set(); // runs that were asked to stop

on("runs", () => shown?.update());

export function showRun(place, name) {
  const head = h("div", { class: "head" });
  const body = h("div", { class: "body" });
  put(place, h("article", { class: "run" }, head, body));
  const losses = [];
  let tab = "";
  let was = "";
  let known = "";
  let tabled = "";
  let detail = null;
  let report = null;
  let structures = null;
  let results = null;
  const watch = watchOf(name);
  const judge = judgeOf(name);
  const above = h("div", { class: "body" });
  const below = h("div", { class: "body" });

  async function update() {
    const run = store.runs.find((each) => each.run === name);
    const mark = JSON.stringify(run || null);
    if (mark === known) return;
    known = mark;
    try {
      detail = await get("run", { run: name });
    } catch (error) {
      put(body, h("p", { class: "problem" }, error.message));
      return;
    }
    if (shown?.name !== name) return;
    note(detail.progress);
    draw();
  }

  function note(progress) {
    const found = progress?.text.match(/^loss ([\d.e+-]+)/);
    if (found) losses.push([progress.done, Number(found[1])]);
  }

  function draw() {
    const state = detail.state;
    if (state === "gone") {
      put(head, h("h1", {}, "This run is gone"));
      put(body, h("p", {}, "It was deleted or moved. Deleted runs are in the folder trash, from which you can take them back."));
      return;
    }
    const own = resultTab(detail);
    const tabs = ["Overview", ...(own ? [own] : []), ...(detail.report ? ["Judge", "Report"] : []), ...(detail.structures?.length ? ["Structures"] : []), ...(detail.files?.some((file) => file.endsWith(".csv")) ? ["Tables"] : []), ...(detail.files?.length ? ["Files"] : [])];
    // A run that ends while it is watched shows its report, or what can be looked into.
    if (state === "finished" && detail.report && was !== state) tab = own || "Report";
    if (was !== state) results = null;
    if (!tabs.includes(tab)) tab = "Overview";
    was = state;
    put(head,
      h("div", { class: "row spread" },
        h("div", {}, h("h1", {}, detail.command, " ", h("span", { class: `state ${state}` }, STATES[state] || state)), h("p", { class: "path" }, name)),
        h("div", { class: "row actions" }, actions(detail, name))),
      tabs.length > 1 ? h("div", { class: "tabs" }, h("div", { class: "row", role: "tablist", "aria-label": "Parts of the run" }, tabs.map((each) =>
        h("button", { type: "button", role: "tab", "aria-selected": String(each === tab), onclick: () => { tab = each; draw(); head.querySelector("[aria-selected=true]").focus(); } }, each))),
        detail.report ? h("a", { class: "own", href: address(`${name}/report.html`), target: "_blank", rel: "noopener" }, "Report as its own page") : null) : null);
    body.classList.toggle("full", tab === "Report");
    if (tab === "Report") {
      const source = address(`${name}/${detail.report}`);
      if (report?.getAttribute("src") !== source) {
        report = h("iframe", { class: "report", src: source, title: "Report of the run", sandbox: "allow-same-origin allow-popups allow-downloads" });
      }
      if (body.firstChild !== report) put(body, report);
    } else if (tab === "Judge") {
      if (body.firstChild !== judge.element) put(body, judge.element);
      judge.update(detail.report);
    } else if (tab === "Structures") {
      structures ??= structuresView(() => detail.structures.map((file) => `${name}/${file}`));
      if (body.firstChild !== structures.element) put(body, structures.element);
      structures.update();
    } else if (tab === "Tables") {
      if (!body.querySelector(".tables") || known !== tabled) put(body, tablesOf(detail, name));
      tabled = known;
    } else if (tab === own) {
      if (!results) showResults(results = h("div", { class: "results" }), detail, name);
      if (body.firstChild !== results) put(body, results);
    } else if (tab === "Files") put(body, files(detail, name));
    else {
      // What is watched stays where it is: a volume that is being turned is not put anew with every step of the run.
      const live = state === "running" && detail.command === "reconstruct";
      if (body.firstChild !== above) put(body, above, watch.element, below);
      watch.element.hidden = !live;
      if (live) watch.update(detail.structures.filter((file) => file.startsWith("exemplar")).map((file) => `${name}/${file}`)[0]);
      const [first, rest] = overview(detail, name, live && watch.seen() ? [] : losses, live && watch.seen());
      put(above, first);
      put(below, rest);
    }
  }

  shown = { name, update, draw };
  update();
  return () => { shown = null; };
}

function actions(detail, name) {
  const act = (what, given, after) => async (event) => {
    event.target.disabled = true;
    try {
      const made = await post(what, { run: name, ...given });
      after?.(made);
    } catch (error) {
      notice(error.message, "bad");
    }
    event.target.disabled = false;
  };
  const button = (text, onclick, kind = "") => h("button", { type: "button", class: kind, onclick }, text);
  const running = detail.state === "running" || detail.state === "starting";
  if (!running) stopping.delete(name);
  const stop = act("stop", { at_once: stopping.has(name) }, () => {
    announce("The run is asked to stop; what was done is kept.");
    stopping.add(name);
    shown?.draw();
  });
  return [
    running ? button(stopping.has(name) ? "Stop at once" : "Stop", stop, "main") : null,
    ["stopped", "failed"].includes(detail.state) ? button("Resume", act("resume", {}, () => announce("The run goes on.")), "main") : null,
    ...nextSteps(detail, name),
    detail.values && store.forms.has(detail.command) ? button("Repeat with changes", () => {
      setAll(detail.command, detail.values);
      tell("use", detail.command);
      document.body.dataset.pane = "settings";
    }) : null,
    running ? null : button("Delete", act("delete", {}, (made) => {
      notice(made.place ? `The run was moved to ${made.place}.` : "The entry was removed.");
      location.hash = "#/";
    })),
  ];
}

// What stands above and below of what is watched.
function overview(detail, name, losses, watched) {
  const progress = detail.progress;
  const share = shareOf(progress);
  const parts = [];
  if (detail.state === "refused" || detail.state === "failed") tell("refused", detail.error, detail.command);
  if (detail.error) parts.push(h("p", { class: "callout bad", role: "alert" }, sentence(detail.error)));
  if (detail.state === "starting" || (detail.state === "running" && !progress)) parts.push(h("p", { class: "callout" }, "The files are read and the work is planned; that takes some seconds."));
  if (progress) {
    parts.push(h("section", { class: "progress" },
      h("div", { class: "row spread" }, h("strong", {}, sentence(progress.label || "working")), h("span", {}, progress.left ? `${progress.left} left` : "")),
      h("progress", share === null ? { "aria-label": "Progress" } : { max: 1, value: share, "aria-label": "Progress" }),
      h("p", { class: "help" }, [progress.share, progress.text].filter(Boolean).join(", "))));
  }
  parts.push(failedOf(detail));
  const pictures = [];
  if (detail.picture && !watched) pictures.push(h("figure", {}, h("img", { src: address(`${name}/${detail.picture}`), alt: detail.state === "running" ? "The structure as it forms" : "The structure" }),
    h("figcaption", {}, detail.state === "running" ? "The structure as it forms." : "The structure.")));
  if (losses.length > 2) pictures.push(h("figure", {}, lineChart([{ name: "loss", points: losses }], { x: "work done", y: "loss", log: true }), h("figcaption", {}, "Loss since this page was opened, on a logarithmic scale.")));
  if (pictures.length) parts.push(h("div", { class: "pictures" }, pictures));
  const below = [];
  for (const [title, texts, kind] of [["What was found", detail.sentences, ""], ["What to know before using it", detail.warnings, "warn"]]) {
    if (texts?.length) below.push(h("section", { class: kind }, h("h2", {}, title), h("ul", {}, texts.map((text) => h("li", {}, text)))));
  }
  if (progress?.said?.length) below.push(h("section", {}, h("h2", {}, "So far"), h("ul", {}, progress.said.map((text) => h("li", {}, text)))));
  if (detail.state === "stopped") below.push(h("p", { class: "help" }, "What was done is kept, and the best so far is under Structures. Resume goes on, and ends with the same bytes as a run that never stopped."));
  // The same run elsewhere, also one that was made on the command line.
  if (detail.line && !progress) below.push(h("div", { class: "elsewhere" }, copied("On the command line", h("pre", { tabIndex: 0 }, detail.line))));
  return [parts, below];
}

function files(detail, name) {
  return h("ul", { class: "files" }, detail.files.map((file) => h("li", {},
    h("a", { href: address(`${name}/${file}`), target: "_blank", rel: "noopener" }, file),
    h("a", { class: "download", href: `${address(`${name}/${file}`)}?download`, download: file, "aria-label": `Download ${file}` }, "download"))));
}

function sentence(text) {
  return text ? text[0].toUpperCase() + text.slice(1) : "";
}
