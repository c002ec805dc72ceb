// What the page knows. Settings that were typed survive a reload; everything else is asked of the server again.
const KEPT = "matlens-values";

export const store = { forms: new Map(), runs: [], inputs: [], command: "reconstruct", together: [], cleaning: {}, values: restored() };

const listeners = new Map();

export function on(what, listener) {
  listeners.set(what, [...(listeners.get(what) || []), listener]);
}

export function tell(what, ...given) {
  for (const listener of listeners.get(what) || []) listener(...given);
}

// Options of reading belong to the file and not to one command: what is set by eye holds for all of them.
const SHARED = { "From file to phases": "", "How the table is read (default: as its columns say)": "table" };

function placeOf(form, name) {
  return SHARED[form?.schema.properties[name]?.group] ?? form?.name;
}

export function valuesOf(command) {
  const form = store.forms.get(command);
  const own = store.values[command] || {};
  const known = ["", "table"].flatMap((place) => Object.entries(store.values[place] || {}).filter(([name]) => form && placeOf(form, name) === place));
  return { ...Object.fromEntries(known), ...own };
}

export function setValue(command, name, value) {
  const place = placeOf(store.forms.get(command), name) ?? command;
  store.values[place] = { ...store.values[place], [name]: value };
  keep();
  tell("values", name);
}

export function setAll(command, values) {
  const form = store.forms.get(command);
  for (const place of [command, "", "table"]) store.values[place] = {};
  for (const [name, value] of Object.entries(values)) store.values[placeOf(form, name)][name] = value;
  keep();
  tell("values", "");
}

export function setShared(values) {
  store.values[""] = values;
  keep();
  tell("values", "");
}

export function setTable(values) {
  store.values.table = values;
  keep();
  tell("values", "");
}

// How a table is read, by the options that a command has for it.
export function tableOptions(command) {
  const form = store.forms.get(command);
  return Object.fromEntries(Object.entries(valuesOf(command)).filter(([name]) => form && placeOf(form, name) === "table"));
}

// The first argument of a command that takes files of this kind.
export function fileField(form) {
  return form.order.find((name) => {
    const field = form.schema.properties[name];
    return field.argument && field.exists;
  });
}

// Gives files to a command: all of them if it takes several, else the first.
export function useFiles(command, files) {
  const form = store.forms.get(command);
  const name = form && fileField(form);
  if (!name) return;
  store.values[command] = { ...store.values[command], [name]: form.schema.properties[name].many ? files : files[0] };
  keep();
}

function keep() {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(store.values));
  } catch { /* storage is full or switched off: the values live as long as the page */ }
}

function restored() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) || {};
  } catch {
    return {};
  }
}
