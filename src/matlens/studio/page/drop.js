// Files that are dropped anywhere on the page are copied into the folder, and the first one is opened.
import { upload } from "./api.js";
import { notice } from "./dom.js";
import { refreshInputs } from "./main.js";

export async function takeFiles(files) {
  let first = "";
  for (const file of files) {
    try {
      const made = await upload(file);
      first = first || made.file;
    } catch (error) {
      notice(`${file.name}: ${error.message}`, "bad");
    }
  }
  await refreshInputs();
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
