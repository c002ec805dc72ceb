// Several files of one material: those that are ticked are given to a command together, or one by one in a batch.
import { h } from "./dom.js";
import { store, tell, useFiles } from "./store.js";

export function pictures() {
  return store.inputs.filter((input) => input.kind === "structures").map((input) => input.file);
}

// Gives the ticked files to every command that takes files of this kind, the one in view first.
export function chooseTogether(files) {
  store.together = files;
  for (const form of store.forms.values()) if (!form.name.startsWith("library") && files.length) useFiles(form.name, files);
  tell("values", "");
}

export function togetherOf(file) {
  const others = pictures().filter((each) => each !== file);
  if (!others.length) return null;
  const ticked = () => store.together.filter((each) => others.includes(each));
  const change = (each, on) => {
    chooseTogether([file, ...ticked().filter((other) => other !== each), ...(on ? [each] : [])]);
    summary.textContent = title();
  };
  const title = () => (ticked().length ? `Several files of one material: ${ticked().length + 1}` : "Several files of one material");
  const summary = h("summary", {}, title());
  return h("details", { open: ticked().length > 0 }, summary,
    h("p", { class: "help" }, "Files that are ticked are taken together, with the settings of this one."),
    h("ul", { class: "ticks" }, others.map((each) => h("li", {}, h("label", { class: "row" },
      h("input", { type: "checkbox", checked: store.together.includes(each), onchange: (event) => change(each, event.target.checked) }), each)))),
    h("p", { class: "help" }, "Each by itself, in one table: ", h("a", { href: "#/batch" }, "many files with one recipe"), "."));
}
