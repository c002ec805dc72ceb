// Colours of phases: told apart by the colour-blind, unless the user has chosen one for the name of a phase.
export const PHASES = ["#2f7fb8", "#e8a33d", "#3aa17e", "#c2577a", "#8a6fc0", "#7a8b3c", "#b8552f", "#4a4a4a"];
const KEPT = "matlens-colours";

let chosen = {};
try {
  chosen = JSON.parse(localStorage.getItem(KEPT)) || {};
} catch { /* storage is switched off: colours live as long as the page */ }

export function colourOf(name, index) {
  return chosen[name] || PHASES[index % PHASES.length];
}

export function setColour(name, colour) {
  chosen[name] = colour;
  try {
    localStorage.setItem(KEPT, JSON.stringify(chosen));
  } catch { /* see above */ }
}

export function rgb(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
