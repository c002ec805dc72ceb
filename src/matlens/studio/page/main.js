// Starts the page: loads the forms, listens to the server, and shows the view that the address names.
import { get } from "./api.js";
import { showBatch } from "./batch.js";
import { h, notice, put } from "./dom.js";
import { showForm } from "./form.js";
import { showHome } from "./home.js";
import { showFile } from "./picture.js";
import { showRun } from "./run.js";
import { showRuns } from "./runs.js";
import { store, tell } from "./store.js";
import { showSpace } from "./structures.js";

const work = document.getElementById("work");
const connection = document.getElementById("connection");
let leave = null;

export function route() {
  const [, kind, name] = location.hash.match(/^#\/(run|file|space)\/(.+)$/) || [];
  if (leave) leave();
  leave = null;
  document.body.dataset.pane = "work";
  if (kind === "run") leave = showRun(work, decodeURIComponent(name));
  else if (kind === "file") leave = showFile(work, decodeURIComponent(name));
  else if (location.hash === "#/batch") leave = showBatch(work);
  else if (kind === "space") leave = showSpace(work, decodeURIComponent(name));
  else leave = showHome(work);
  tell("route", kind || "home", name ? decodeURIComponent(name) : "");
  work.scrollTop = 0;
}

function listen() {
  const source = new EventSource("/api/events");
  source.addEventListener("runs", (event) => {
    store.runs = JSON.parse(event.data);
    tell("runs");
  });
  source.onopen = () => put(connection, "");
  source.onerror = () => {
    put(connection, h("span", { class: "lost" }, "The server does not answer; runs go on, and the page waits for it."));
    // The browser itself comes back to a server that is away for a moment, but not to one that refused.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

export async function refreshInputs() {
  store.inputs = await get("inputs");
  tell("inputs");
}

function themes() {
  const stored = localStorage.getItem("matlens-theme");
  if (stored) document.documentElement.dataset.theme = stored;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme === "dark" ||
      (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("matlens-theme", document.documentElement.dataset.theme);
    tell("theme");
  });
}

async function begin() {
  themes();
  for (const button of document.querySelectorAll(".panes button")) {
    button.addEventListener("click", () => { document.body.dataset.pane = button.dataset.pane; });
  }
  try {
    for (const form of await get("commands")) store.forms.set(form.name, form);
    store.runs = await get("runs");
    store.inputs = await get("inputs");
  } catch (error) {
    put(work, h("p", { class: "start" }, `${error.message[0].toUpperCase()}${error.message.slice(1)}`));
    return;
  }
  showRuns(document.getElementById("runs"));
  showForm(document.getElementById("settings"));
  addEventListener("hashchange", route);
  addEventListener("unhandledrejection", (event) => notice(event.reason?.message || "something failed.", "bad"));
  route();
  listen();
}

begin();
