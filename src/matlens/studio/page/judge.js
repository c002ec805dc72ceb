// What a run found, with its evidence: the parts of its report, the verdict first, with figures to enlarge and to download.
import { address } from "./api.js";
import { h, put } from "./dom.js";
import { figureOf } from "./figures.js";

const FIRST = ["Curves", "Evidence", "Copy test", "Effective properties"];
const LEFT_OUT = /^(Settings|Sources)/;
// What is taken over of a report, which is a file like any other: text in these elements, and its figures.
const KEPT = new Set(["P", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "CAPTION", "DETAILS", "SUMMARY", "H3", "PRE", "DL", "DT", "DD", "STRONG", "SMALL", "CODE", "SUB", "SUP"]);
const MARKS = ["number", "equivalent", "different", "undecided", "open", "passed", "failed"];

export function judgeOf(run) {
  const element = h("div", { class: "judge" }, h("p", { class: "help", role: "status" }, "Reading the report."));
  let known = "";
  let told = "";

  async function update(report) {
    if (known === report) return;
    known = report;
    const answer = await fetch(address(`${run}/${report}`));
    const text = (await answer.text()).replace(/<style[^]*?<\/style>/g, "").replace(/ style="[^"]*"/g, (style) => style.replace("style", "data-style")).replace(/ src="data:[^"]*"/g, "");
    const page = new DOMParser().parseFromString(text, "text/html");
    const stamp = report.split("?")[1];
    // A report that is written again with links to PDFs says the same, so what is read and has the focus stays in place.
    const bare = page.cloneNode(true);
    for (const links of bare.querySelectorAll("figure .links")) links.remove();
    if (told === bare.body.textContent) return;
    told = bare.body.textContent;
    const taken = (nodes) => [...nodes].flatMap((node) => copy(node, run, stamp));
    const of = (place, name) => place?.querySelector(name)?.textContent.trim() || "";
    const found = page.querySelector(".answer");
    const sections = [...page.querySelectorAll("main > section")].map((section) => [of(section, "h2"), section]);
    const order = (title) => (FIRST.includes(title) ? FIRST.indexOf(title) : FIRST.length);
    const tiles = taken(found?.querySelectorAll(".tiles") || []);
    put(element,
      h("section", { class: `said ${MARKS.find((mark) => found?.classList.contains(mark)) || ""}` },
        of(found, ".word") ? h("p", { class: "word" }, of(found, ".word")) : null, h("p", { class: "headline" }, of(found, ".headline")), tiles),
      [...(found?.querySelectorAll("section") || [])].map((section) => h("section", { class: section.className === "warnings" ? "warn" : "" }, taken(section.children))),
      sections.filter(([title]) => !LEFT_OUT.test(title)).sort(([a], [b]) => order(a) - order(b)).map(([title, section]) => h("section", {}, h("h2", {}, title), taken([...section.children].filter((node) => node.tagName !== "H2")))),
      taken(found?.querySelectorAll(":scope > figure") || []));
  }

  return { element, update };
}

function copy(node, run, stamp) {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent.trim() ? [node.textContent] : [];
  if (node.nodeType !== Node.ELEMENT_NODE) return [];
  const inside = () => [...node.childNodes].flatMap((child) => copy(child, run, stamp));
  if (node.tagName === "FIGURE") {
    const name = node.querySelector("a[href^='figures/'][href$='.csv']")?.getAttribute("href").match(/^figures\/([\w.-]+)\.csv$/)?.[1];
    const caption = node.querySelector("figcaption")?.firstChild?.textContent.trim() || "";
    const image = node.querySelector("img");
    const width = Number(image?.dataset.style?.match(/width: (\d+)%/)?.[1] || 100);
    return name ? [figureOf(run, name, { alt: image?.alt || "", caption, width, stamp })] : [];
  }
  if (node.tagName === "H2") return [h("h2", {}, node.textContent)];
  if (node.classList.contains("scroll")) return [h("div", { class: "scrolled", tabIndex: 0, role: "region", "aria-label": node.getAttribute("aria-label") }, inside())];
  if (!KEPT.has(node.tagName) && node.parentNode.tagName !== "DL") return inside();
  return [h(node.tagName.toLowerCase(), { class: MARKS.filter((mark) => node.classList.contains(mark)).join(" ") || false, scope: node.getAttribute("scope") || false }, inside())];
}
