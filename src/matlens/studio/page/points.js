// A map of samples: coloured points that are pointed at, chosen by a click, and walked through by the arrow keys.
import { s } from "./chart.js";

const REACH = 16; // of the pointer, in units of the picture

export function pointMap({ label, width, height, places, describe, link, size = () => 5 }) {
  const map = s("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "chart points", tabindex: 0, role: "slider",
    "aria-label": `${label}; arrow keys go from sample to sample`, "aria-valuemin": 0, "aria-valuemax": places.length - 1,
  });
  const marks = s("g", {});
  const ring = s("circle", { r: 9, class: "ring" });
  const rim = s("circle", { r: 9, class: "ring chosen" });
  map.append(marks, rim, ring);

  function paint(colourOf, markOf = () => "full") {
    marks.replaceChildren(...places.flatMap((place, index) => {
      if (!place) return [];
      const colour = colourOf(index);
      const kind = colour ? markOf(index) : "none";
      const r = size(index);
      if (kind === "cross") return [s("path", { d: `M${place[0] - r} ${place[1] - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`, class: "point cross" })];
      const open = kind === "open";
      return [s("circle", { cx: place[0], cy: place[1], r, class: `point ${kind}`, ...(colour ? { [open ? "stroke" : "fill"]: colour } : {}) })];
    }));
  }

  function follow() {
    const put = (circle, sample) => {
      const place = sample === null ? null : places[sample];
      circle.style.display = place ? "" : "none";
      if (place) { circle.setAttribute("cx", place[0]); circle.setAttribute("cy", place[1]); }
    };
    put(ring, link.sample);
    put(rim, link.chosen);
    map.setAttribute("aria-valuenow", link.sample ?? 0);
    map.setAttribute("aria-valuetext", link.sample === null ? "no sample is chosen" : describe(link.sample));
  }

  const at = (event) => {
    const box = map.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * width, ((event.clientY - box.top) / box.height) * height];
  };
  const nearest = ([x, y], fits = () => true, most = Infinity) => {
    let [found, least] = [null, most];
    places.forEach((place, index) => {
      if (!place || !fits(place, index)) return;
      const distance = Math.hypot(place[0] - x, place[1] - y);
      if (distance < least) [found, least] = [index, distance];
    });
    return found;
  };
  map.addEventListener("pointermove", (event) => link.point(nearest(at(event), undefined, REACH)));
  map.addEventListener("pointerleave", () => link.point(null));
  map.addEventListener("click", (event) => {
    const found = nearest(at(event), undefined, REACH);
    link.choose(found === link.chosen ? null : found);
  });
  map.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const there = places.flatMap((place, index) => (place ? [index] : []));
    if (event.key === "Escape") link.choose(null);
    else if (event.key === "Home") link.choose(there[0] ?? null);
    else if (event.key === "End") link.choose(there.at(-1) ?? null);
    else if (way) {
      const now = link.chosen === null ? null : places[link.chosen];
      const ahead = (place, index) => {
        const [dx, dy] = [place[0] - now[0], place[1] - now[1]];
        const along = dx * way[0] + dy * way[1];
        return index !== link.chosen && along > 1e-6 && along >= Math.abs(dx * way[1] + dy * way[0]);
      };
      const found = now ? nearest(now, ahead) : there[0] ?? null;
      if (found !== null) link.choose(found);
    } else return;
    event.preventDefault();
  });
  follow();
  return { element: map, paint, follow };
}
