// Elements are made by one function; text is always text, so that no name of a file is read as HTML.
export function h(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made && !name.startsWith("aria") && name !== "list" && name !== "form") made[name] = value;
    else made.setAttribute(name === "class" ? "class" : name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

export function put(place, ...children) {
  place.replaceChildren(...children.flat().filter(Boolean));
}

// Draws anew what holds controls: the one that has the focus keeps it, by its place among them.
export function putAgain(place, ...children) {
  const controls = () => [...place.querySelectorAll("input, select, button, [role=slider]")];
  const own = controls().indexOf(document.activeElement);
  put(place, ...children);
  if (own >= 0) controls()[own]?.focus();
}

export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function notice(text, kind = "note") {
  announce(text);
  const shown = h("div", { class: `toast ${kind}` }, h("span", {}, text), h("button", { type: "button", class: "quiet", "aria-label": "Close this message", onclick: () => shown.remove() }, "×"));
  document.body.append(shown);
  setTimeout(() => shown.remove(), kind === "bad" ? 15000 : 6000);
}

export function debounced(work, wait) {
  let timer = 0;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), wait);
  };
}
