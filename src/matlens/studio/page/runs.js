// The left side: runs of the folder with their states, and files to start from.
import { h, put } from "./dom.js";
import { on, store } from "./store.js";

export const STATES = {
  starting: "starting", running: "running", stopped: "stopped", failed: "failed", finished: "finished", refused: "not started",
};

export function showRuns(place) {
  const search = h("input", { type: "search", placeholder: "Search", "aria-label": "Search runs and files", oninput: () => draw() });
  const runs = h("ol", { class: "list" });
  const files = h("ol", { class: "list" });
  const runsHead = h("h2", {}, "Runs");
  const filesHead = h("h2", {}, "Files");
  put(place, h("a", { class: "button wide", href: "#/" }, "New"), h("a", { class: "button wide", href: "#/batch" }, "Many files"), search, runsHead, runs, filesHead, files);

  let address = "";
  const draw = () => {
    const word = search.value.trim().toLowerCase();
    const fits = (...texts) => !word || texts.join(" ").toLowerCase().includes(word);
    const found = store.runs.filter((run) => fits(run.run, run.command, run.state, run.said, ...run.inputs));
    put(runs, found.length ? found.map((run) => runItem(run, address)) : h("li", { class: "none" }, word ? "No run fits." : "No runs yet."));
    const inputs = store.inputs.filter((input) => fits(input.file));
    put(files, inputs.length ? inputs.map((input) => fileItem(input, address)) : h("li", { class: "none" }, word ? "No file fits." : "No files yet."));
  };
  on("runs", draw);
  on("inputs", draw);
  on("route", (kind, name) => { address = `${kind}/${name}`; draw(); });
  draw();
}

function runItem(run, address) {
  const active = address === `run/${run.run}`;
  const share = shareOf(run.progress);
  const inputs = run.inputs.filter((file) => !/\.mask-[0-9a-f]{10}\./.test(file)); // a painted mask is no picture to know it by
  const what = inputs.length ? inputs.slice(0, 2).join(", ") : run.run.split("/").pop();
  return h("li", {}, h("a", { href: `#/run/${encodeURIComponent(run.run)}`, class: active ? "active" : "", "aria-current": active ? "page" : false },
    h("span", { class: "what" }, run.command),
    h("span", { class: `state ${run.state}` }, STATES[run.state] || run.state),
    h("span", { class: "of" }, what),
    run.state === "running" && share !== null ? h("progress", { max: 1, value: share, "aria-label": `Progress of ${run.command}` }) : null,
    run.state === "running" && run.progress?.left ? h("span", { class: "of" }, `${run.progress.left} left`) : null));
}

function fileItem(input, address) {
  const active = address === `file/${input.file}`;
  const slash = input.file.lastIndexOf("/") + 1;
  return h("li", {}, h("a", { href: `#/file/${encodeURIComponent(input.file)}`, class: active ? "active" : "", "aria-current": active ? "page" : false },
    h("span", { class: "what" }, input.file.slice(slash)),
    h("span", { class: "size" }, sizeText(input.size)),
    slash ? h("span", { class: "of" }, input.file.slice(0, slash)) : null));
}

export function shareOf(progress) {
  return progress && progress.total > 0 ? Math.min(progress.done / progress.total, 1) : null;
}

export function sizeText(bytes) {
  if (bytes < 1e3) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toPrecision(3)} MB`;
}
