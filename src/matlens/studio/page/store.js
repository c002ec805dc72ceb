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
export function isShared(form, name) {
  return form.schema.properties[name]?.group === "From file to phases";
}

export function valuesOf(command) {
  const form = store.forms.get(command);
  const own = store.values[command] || {};
  const shared = store.values[""] || {};
  const known = Object.entries(shared).filter(([name]) => form && isShared(form, name));
  return { ...Object.fromEntries(known), ...own };
}

export function setValue(command, name, value) {
  const form = store.forms.get(command);
  const place = form && isShared(form, name) ? "" : command;
  store.values[place] = { ...store.values[place], [name]: value };
  keep();
  tell("values", name);
}

export function setAll(command, values) {
  const form = store.forms.get(command);
  store.values[command] = {};
  store.values[""] = {};
  for (const [name, value] of Object.entries(values)) {
    store.values[isShared(form, name) ? "" : command][name] = value;
  }
  keep();
  tell("values", "");
}

export function setShared(values) {
  store.values[""] = values;
  keep();
  tell("values", "");
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
