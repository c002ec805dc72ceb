// The right side: settings of a command, made from the JSON Schema of its options, and what they are elsewhere.
import { post } from "./api.js";
import { announce, debounced, h, notice, put } from "./dom.js";
import { on, setValue, store, tell, valuesOf } from "./store.js";

export function showForm(place) {
  const choose = h("select", { id: "command", onchange: () => use(choose.value) }, groups());
  const title = h("p", { class: "about" });
  const fields = h("div", { class: "fields" });
  const problem = h("p", { class: "problem", role: "alert" });
  const startButton = h("button", { type: "submit", class: "main wide" }, "Start");
  const line = h("pre", { tabIndex: 0 });
  const python = h("pre", { tabIndex: 0 });
  const elsewhere = h("div", { class: "elsewhere" },
    copied("On the command line", line), copied("In Python", python));
  const form = h("form", { onsubmit: start, noValidate: true }, fields, h("div", { class: "go" }, problem, startButton), elsewhere);
  put(place, h("label", { class: "over", for: "command" }, "What to do"), choose, title, form);

  function use(command) {
    store.command = command;
    choose.value = command;
    const found = store.forms.get(command);
    put(title, found.title);
    const first = found.order.filter((name) => found.first.includes(name));
    const rest = found.order.filter((name) => !found.first.includes(name));
    const folded = new Map();
    for (const name of rest) {
      const group = found.schema.properties[name].group || "More";
      folded.set(group, [...(folded.get(group) || []), name]);
    }
    put(fields, first.map((name) => fieldOf(found, name)), [...folded].map(([group, names]) =>
      h("details", {}, h("summary", {}, group), names.map((name) => fieldOf(found, name)))));
    check();
    tell("command", command);
  }

  const check = debounced(async () => {
    const command = store.command;
    try {
      const found = await post("check", { command, values: valuesOf(command) });
      if (command !== store.command) return;
      put(line, found.line);
      put(python, found.python || "The values do not fit yet.");
      // What is still missing is said when Start is pressed, and not while one types.
      showErrors(Object.fromEntries(Object.entries(found.errors).filter(([, said]) => !said.includes("is missing"))));
    } catch (error) {
      put(problem, error.message);
    }
  }, 200);

  function showErrors(errors) {
    for (const field of fields.querySelectorAll("[data-name]")) {
      const said = errors[field.dataset.name] || "";
      const shown = field.querySelector(".problem");
      shown.textContent = said;
      field.classList.toggle("wrong", Boolean(said));
      const control = field.querySelector("input, select");
      if (control) control.setAttribute("aria-invalid", String(Boolean(said)));
      if (said) field.closest("details")?.setAttribute("open", "");
    }
    put(problem, errors[""] || "");
  }

  async function start(event) {
    event.preventDefault();
    startButton.disabled = true;
    try {
      const made = await post("start", { command: store.command, values: valuesOf(store.command) });
      if (made.errors) {
        showErrors(made.errors);
        fields.querySelector(".wrong input, .wrong select")?.focus();
      } else {
        announce("The run has been started.");
        location.hash = `#/run/${encodeURIComponent(made.run)}`;
      }
    } catch (error) {
      notice(error.message, "bad");
    } finally {
      startButton.disabled = false;
    }
  }

  on("values", (name) => {
    if (!name || !place.contains(document.activeElement)) use(store.command);
    else check();
  });
  on("inputs", () => fillFiles());
  on("use", use);
  on("route", check);
  on("refused", (said, command) => {
    if (command !== store.command) return;
    // The sentence of the command line stands beside the option that it names.
    const form = store.forms.get(store.command);
    const name = form.order.find((each) => said.includes(form.schema.properties[each].label)) || "";
    showErrors({ [name]: said });
  });
  fillFiles();
  use(store.command);
}

function groups() {
  const names = [...store.forms.keys()].filter((name) => !name.endsWith("demo"));
  const option = (name) => h("option", { value: name }, store.forms.get(name).name.replace("library ", "").replace(/^./, (a) => a.toUpperCase()));
  return [
    h("optgroup", { label: "Microstructures" }, names.filter((name) => !name.startsWith("library")).map(option)),
    h("optgroup", { label: "Libraries" }, names.filter((name) => name.startsWith("library")).map(option)),
  ];
}

function fieldOf(form, name) {
  const field = form.schema.properties[name];
  const id = `field-${form.name.replace(" ", "-")}-${name}`;
  const values = valuesOf(form.name);
  const set = (value) => setValue(form.name, name, value);
  const words = name.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());
  const label = h("label", { for: id }, words === "N" ? "Number" : words, field.unit ? h("span", { class: "unit" }, field.unit) : null);
  const help = h("p", { class: "help", id: `${id}-help` }, field.description || "");
  const problem = h("p", { class: "problem", role: "alert" });
  const shared = { id, "aria-describedby": `${id}-help` };
  const initial = Array.isArray(field.default) ? field.default.join(", ") : field.default ?? "";
  let control;
  if (field.kind === "flag") {
    control = h("input", { ...shared, type: "checkbox", checked: values[name] === true, onchange: (event) => set(event.target.checked) });
    return h("div", { class: "field tick", "data-name": name }, h("div", { class: "row" }, control, label), help, problem);
  }
  if (field.choices.length && !field.many) {
    control = h("select", { ...shared, onchange: (event) => set(event.target.value) },
      field.choices.includes(initial) ? null : h("option", { value: "" }, String(initial) || "—"), // what is done unless one is chosen
      field.choices.map((choice) => h("option", { value: choice === initial ? "" : choice }, choice)));
    control.value = values[name] ?? "";
  } else {
    const text = Array.isArray(values[name]) ? values[name].join(" | ") : values[name] ?? "";
    const hint = initial !== "" ? String(initial) : field.metavar || "";
    control = h("input", {
      ...shared, type: "text", value: text, placeholder: hint, autocomplete: "off", spellcheck: false, list: field.exists ? "files" : false,
      inputMode: field.kind === "whole" ? "numeric" : field.kind === "number" ? "decimal" : "text",
      oninput: (event) => set(field.many ? event.target.value.split("|").map((part) => part.trim()).filter(Boolean) : event.target.value.trim()),
    });
    if (field.many) help.append(" Several are written with | between them.");
  }
  return h("div", { class: "field", "data-name": name }, label, control, help, problem);
}

function fillFiles() {
  document.getElementById("files")?.remove();
  const runs = store.runs.filter((run) => run.state === "finished").map((run) => run.run);
  document.body.append(h("datalist", { id: "files" }, [...store.inputs.map((input) => input.file), ...runs].map((file) => h("option", { value: file }))));
}

export function copied(title, content) {
  const button = h("button", { type: "button", class: "quiet", onclick: async () => {
    await navigator.clipboard.writeText(content.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } }, "Copy");
  return h("section", {}, h("div", { class: "row spread" }, h("h2", { class: "over" }, title), button), content);
}
