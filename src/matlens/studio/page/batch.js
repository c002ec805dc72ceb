// The middle: many files, each worked on by itself with one recipe, into one table.
import { announce, h, notice, put } from "./dom.js";
import { takeFiles } from "./drop.js";
import { fileField, on, store, tell, useFiles, valuesOf } from "./store.js";
import { pictures } from "./together.js";
import { sizeText } from "./runs.js";

let shown = null; // the view; listeners are registered once and look here

on("inputs", () => shown?.files());
on("values", () => shown?.recipe());
on("dropped", (files) => shown?.take(files));

export function showBatch(place) {
  const names = [...store.forms.keys()].filter((name) => name.startsWith("batch "));
  if (!names.includes(store.command)) tell("use", names[0]);
  let ticked = store.together.filter((file) => pictures().includes(file));
  const list = h("ul", { class: "ticks" });
  const count = h("p", { class: "help", role: "status" });
  const recipe = h("div", { class: "recipe" });
  const chosen = h("input", { type: "file", multiple: true, class: "unseen", id: "choose", onchange: () => takeFiles(chosen.files) });
  const start = h("button", { type: "button", class: "main", onclick: () => document.querySelector("#settings form").requestSubmit() }, "Start the batch");

  function use(files) {
    ticked = files;
    store.together = files;
    for (const name of names) useFiles(name, ticked);
    put(count, `${ticked.length} of ${pictures().length} files are ticked.`);
    start.disabled = !ticked.length;
    tell("values", "");
  }

  function files() {
    const known = new Map(store.inputs.map((input) => [input.file, input.size]));
    put(list, pictures().map((file) => h("li", {}, h("label", { class: "row" },
      h("input", { type: "checkbox", checked: ticked.includes(file), onchange: (event) => use(event.target.checked ? [...ticked, file] : ticked.filter((other) => other !== file)) }),
      h("span", { class: "grow" }, file), h("span", { class: "size" }, sizeText(known.get(file)))))));
    if (!pictures().length) put(list, h("li", { class: "help" }, "There are no pictures in the folder yet; drop some here."));
  }

  function recipeText() {
    const form = store.forms.get(store.command);
    if (!form.name.startsWith("batch ")) return put(recipe, h("p", {}, "The settings on the right are those of another command; choose what to do with each file."));
    const field = fileField(form);
    const values = Object.entries(valuesOf(form.name)).filter(([name, value]) => name !== field && value !== "" && value !== false && !(Array.isArray(value) && !value.length));
    const words = values.map(([name, value]) => h("li", {}, `${name.replaceAll("_", " ")}: ${value === true ? "yes" : value}`));
    return put(recipe, words.length ? h("ul", { class: "facts" }, words) : h("p", {}, "Each file is segmented as MatLens proposes, and measured with the settings on the right."),
      values.some(([name]) => name === "mask") ? h("p", { class: "callout" }, "The mask was painted on one picture and is used for all; leave it out on the right if they differ.") : null,
      ticked.length ? h("p", {}, h("a", { href: `#/file/${encodeURIComponent(ticked[0])}` }, `Set threshold, crop and pixel size by eye on ${ticked[0].split("/").pop()}`)) : null);
  }

  const what = h("select", { id: "batch-what", onchange: () => tell("use", what.value) }, names.map((name) =>
    h("option", { value: name, selected: name === store.command }, name.replace("batch ", "").replace(/^./, (letter) => letter.toUpperCase()))));
  put(place, h("article", { class: "batch" }, h("h1", {}, "Many files with one recipe"),
    h("p", { class: "path" }, "Each file is worked on by itself; the result is one table, with means and spreads. A file that fails costs only itself."),
    h("section", {}, h("div", { class: "row spread" }, h("h2", {}, "Files"), h("div", { class: "row" },
      h("button", { type: "button", onclick: () => { use(pictures()); files(); announce("All files are ticked."); } }, "All"),
      h("button", { type: "button", onclick: () => { use([]); files(); } }, "None"))), list, count,
    h("label", { class: "drop small-drop", for: "choose" }, h("strong", {}, "Drop more files here"), chosen)),
    h("section", {}, h("h2", {}, "Recipe"), h("label", { class: "row", for: "batch-what" }, h("span", {}, "Of each file"), what), recipe),
    h("div", { class: "row" }, start)));
  shown = {
    files, recipe: recipeText,
    take: (dropped) => { use([...new Set([...ticked, ...dropped])]); files(); notice(`${dropped.length} files were added.`); },
  };
  files();
  use(ticked);
  return () => { shown = null; };
}
