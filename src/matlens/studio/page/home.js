// The first view: what one can do, and a place to drop a file.
import { post } from "./api.js";
import { takeFiles } from "./drop.js";
import { h, notice, put } from "./dom.js";
import { refreshInputs } from "./main.js";
import { tell } from "./store.js";

export function showHome(place) {
  const chosen = h("input", { type: "file", multiple: true, class: "unseen", id: "choose", onchange: () => takeFiles(chosen.files) });
  const demo = (command) => async (event) => {
    event.target.disabled = true;
    try {
      const made = await post("start", { command, values: {} });
      location.hash = `#/run/${encodeURIComponent(made.run)}`;
    } catch (error) {
      notice(error.message, "bad");
      event.target.disabled = false;
    }
  };
  const volume = async (event) => {
    event.target.disabled = true;
    try {
      const made = await post("demo");
      await refreshInputs();
      tell("use", "characterize");
      location.hash = `#/file/${encodeURIComponent(made.file)}`;
    } catch (error) {
      notice(error.message, "bad");
      event.target.disabled = false;
    }
  };
  put(place, h("div", { class: "home" },
    h("h1", {}, "From a picture or a table to what it says about the material"),
    h("label", { class: "drop", for: "choose" }, h("strong", {}, "Drop a micrograph, a volume or a table here"),
      h("span", {}, "or choose a file. It is copied into the folder of this studio and never leaves this machine."), chosen),
    h("ol", { class: "steps" },
      h("li", {}, h("h2", {}, "See the phases"), h("p", {}, "Cut the data bar, set the pixel size, and move the threshold until the phases are those you see.")),
      h("li", {}, h("h2", {}, "Press Start"), h("p", {}, "Reconstruct equivalent structures, measure statistics, compute conductivities, or learn from a table of samples.")),
      h("li", {}, h("h2", {}, "Read the report"), h("p", {}, "The answer comes first, with its uncertainty and what to watch out for. Every number and figure is a file of the run."))),
    h("p", {}, "Many pictures of one kind? Set the phases of one by eye, and ", h("a", { href: "#/batch" }, "work on all with one recipe"), "."),
    h("div", { class: "demos" },
      h("p", {}, "No file at hand? These work at once, with data that come with MatLens."),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: demo("demo") }, "Demo: a micrograph of gravel"),
        h("button", { type: "button", onclick: volume }, "Demo: a volume"),
        h("button", { type: "button", onclick: demo("library demo") }, "Demo: a library of photoanodes")))));
  return () => {};
}
