// A figure of a run: shown large on request, and downloaded as PNG, PDF and CSV.
import { address, post } from "./api.js";
import { announce, h, notice } from "./dom.js";

// `place` is the run, and `name` that of the figure's files in its folder `figures`.
export function figureOf(place, name, { alt, caption, width = 100, stamp = "" }) {
  const file = (ending) => `${place}/figures/${name}.${ending}`;
  const source = `${address(file("png"))}${stamp && `?${stamp}`}`;
  const title = name.replaceAll("_", " ");
  const image = h("img", { src: source, alt, loading: "lazy" });
  const open = h("button", { type: "button", class: "enlarge", "aria-label": `Enlarge the figure ${title}`, onclick: () => enlarged(source, alt, title) }, image);
  open.style.width = `${width}%`;
  const print = h("button", { type: "button", class: "quiet", "aria-label": `Download ${title} as PDF`, onclick: async () => {
    print.disabled = true;
    announce("The figure is being drawn as PDF.");
    try {
      const made = await post("pdf", { run: place, figure: name });
      h("a", { href: `${address(made.file)}?download`, download: `${name}.pdf` }).click();
    } catch (error) {
      notice(error.message, "bad");
    }
    print.disabled = false;
  } }, "PDF");
  const stored = (ending) => h("a", { class: "download", href: `${address(file(ending))}?download`, download: `${name}.${ending}`, "aria-label": `Download ${title} as ${ending.toUpperCase()}` }, ending.toUpperCase());
  return h("figure", { class: "figure" }, open, h("figcaption", {}, caption, " ", h("span", { class: "keys" }, "Download: ", stored("png"), print, stored("csv"))));
}

function enlarged(source, alt, title) {
  let zoom = 1;
  const image = h("img", { src: source, alt });
  const sheet = h("div", { class: "sheet", tabIndex: 0, role: "region", "aria-label": `${title}, scrolled by the arrow keys` }, image);
  const set = (wanted) => {
    const [x, y] = [(sheet.scrollLeft + sheet.clientWidth / 2) / sheet.scrollWidth, (sheet.scrollTop + sheet.clientHeight / 2) / sheet.scrollHeight];
    zoom = Math.min(Math.max(wanted, 1), 8);
    image.style.width = `${100 * zoom}%`;
    sheet.scrollTo(x * sheet.scrollWidth - sheet.clientWidth / 2, y * sheet.scrollHeight - sheet.clientHeight / 2);
    announce(`Zoom ${zoom.toFixed(1)}.`);
  };
  const button = (text, label, onclick) => h("button", { type: "button", "aria-label": label, onclick }, text);
  const dialog = h("dialog", { class: "enlarged", "aria-label": title },
    h("div", { class: "row spread" }, h("strong", {}, title), h("div", { class: "row" }, button("−", "Zoom out", () => set(zoom / 1.5)), button("+", "Zoom in", () => set(zoom * 1.5)), button("Whole", "Show the whole figure", () => set(1)), button("Close", "Close", () => dialog.close()))), sheet);
  sheet.addEventListener("wheel", (event) => { if (event.ctrlKey) { event.preventDefault(); set(zoom * Math.exp(-event.deltaY / 400)); } }, { passive: false });
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "+" || event.key === "=") set(zoom * 1.5);
    else if (event.key === "-") set(zoom / 1.5);
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
