// Results of a run on a library inside the page: conclusions in words, then linked charts, or the plate.
import { post } from "./api.js";
import { h, put } from "./dom.js";
import { showPlate } from "./plate.js";
import { showSamples } from "./samples.js";
import { setValue, store, tell } from "./store.js";

const TABS = { "library learn": "Charts", "library explain": "Charts", "library suggest": "Plate" };

export function resultTab(detail) {
  const needed = { "library learn": "model.json", "library explain": "gradients.nc", "library suggest": "suggestions.csv" }[detail.command];
  return needed && detail.files?.includes(needed) ? TABS[detail.command] : null;
}

export async function showResults(place, detail, name) {
  const words = h("section");
  const body = h("section", { class: "library" }, h("p", { class: "help" }, "Reading the results."));
  put(place, words, body);
  try {
    if (detail.command === "library suggest") {
      showPlate(body, name, await post("library", { run: name, what: "plate" }));
      put(words, said(detail.sentences));
      return;
    }
    const data = await post("library", { run: name, what: "samples" });
    put(words, data.conclusions.length ? concluded(data.conclusions) : said(detail.sentences));
    put(body);
    await showSamples(body, { run: name }, data);
  } catch (error) {
    put(body, h("p", { class: "callout bad", role: "alert" }, error.message[0].toUpperCase() + error.message.slice(1)));
  }
}

function said(sentences) {
  return sentences?.length ? [h("h2", {}, "What was found"), h("ul", {}, sentences.map((text) => h("li", {}, text)))] : null;
}

function concluded(conclusions) {
  return [h("h2", {}, "What was found"), h("ul", { class: "conclusions" }, conclusions.map((each) => h("li", {},
    h("span", { class: `chip ${each.status}` }, each.status), " ", each.sentence,
    each.firm === false ? " Its sign may be wrong." : "",
    h("details", {}, h("summary", {}, "Why"), h("p", { class: "help" }, `${each.reason[0].toUpperCase()}${each.reason.slice(1)}.`),
      each.next ? h("p", { class: "help" }, `The sample that would tell most: ${each.next}.`) : null))))];
}

// What comes next in a library's way: each button fills the form of the next command.
export function nextSteps(detail, name) {
  if (detail.state !== "finished") return [];
  const model = detail.command === "library learn" ? name : detail.command === "library explain" ? detail.values?.model : null;
  if (!model) return [];
  const use = (command, values) => () => {
    for (const [key, value] of Object.entries(values)) setValue(command, key, value);
    tell("use", command);
    document.body.dataset.pane = "settings";
    document.querySelector("#settings button[type=submit]")?.focus();
  };
  const insight = detail.command === "library explain" ? name : "";
  const steps = detail.command === "library learn" ? [["Explain", "library explain", { model }]] : [];
  steps.push(["Suggest what to make", "library suggest", { model, insight }]);
  if (detail.command === "library learn") steps.push(["Predict", "library predict", { model }]);
  return steps.filter(([, command]) => store.forms.has(command)).map(([text, command, values]) => h("button", { type: "button", class: detail.command === "library learn" && command === "library explain" ? "main" : "", onclick: use(command, values) }, text));
}
