// Files that are dropped anywhere on the page are copied into the folder, and the first one is opened.
import { upload } from "./api.js";
import { notice } from "./dom.js";
import { refreshInputs } from "./main.js";
import { store, tell } from "./store.js";

export async function takeFiles(files) {
  const made = [];
  for (const file of files) {
    try {
      made.push((await upload(file)).file);
    } catch (error) {
      notice(`${file.name}: ${error.message}`, "bad");
    }
  }
  await refreshInputs();
  // Pictures that are dropped at once are taken for those of one material; the first one is shown.
  const pictures = made.filter((file) => store.inputs.some((input) => input.file === file && input.kind === "structures"));
  if (location.hash === "#/batch" && pictures.length) {
    tell("dropped", pictures);
    return;
  }
  store.together = pictures;
  const first = pictures[0] || made[0];
  if (first) location.hash = `#/file/${encodeURIComponent(first)}`;
}

addEventListener("dragover", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  event.preventDefault();
  document.body.classList.add("dropping");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
addEventListener("drop", (event) => {
  document.body.classList.remove("dropping");
  if (!event.dataTransfer?.files.length) return;
  event.preventDefault();
  takeFiles(event.dataTransfer.files);
});
