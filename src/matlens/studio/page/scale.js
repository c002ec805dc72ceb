// Colours of values: dark to bright for amounts, blue over grey to orange for what is above or below zero.
const RISING = ["#3f3b8c", "#2f6d8e", "#23928a", "#63bf5f", "#e0cf3a"];
const SIGNED = ["#1f63b5", "#7ba3cf", "#a9afb6", "#e0985a", "#b84a0a"];

const channels = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

function between(colours, share) {
  const at = Math.min(Math.max(share, 0), 1) * (colours.length - 1);
  const low = Math.min(Math.floor(at), colours.length - 2);
  const [from, to] = [channels(colours[low]), channels(colours[low + 1])];
  return `rgb(${from.map((value, k) => Math.round(value + (to[k] - value) * (at - low))).join(",")})`;
}

export function colourScale(values, signed) {
  const known = values.filter((value) => value !== null && Number.isFinite(value)).sort((a, b) => a - b);
  const end = (share) => known[Math.round(share * (known.length - 1))] ?? 0;
  // Single far values would make all others look alike; they have the colour of the end.
  let [low, high] = [end(0.02), end(0.98)];
  if (signed) [low, high] = [-Math.max(Math.abs(low), Math.abs(high)), Math.max(Math.abs(low), Math.abs(high))];
  const colours = signed ? SIGNED : RISING;
  const of = (value) => between(colours, (value - low) / (high - low || 1));
  return { low, high, of, steps: [0, 0.25, 0.5, 0.75, 1].map((share) => between(colours, share)) };
}

export function shown(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = size && (size < 1e-3 || size >= 1e6) ? value.toExponential(digits - 1) : String(Number(value.toPrecision(digits)));
  return text.replace("-", "−").replace("e−", "e-").replace("e+", "e");
}

export function quantity(name, unit) {
  return unit ? `${name} (${unit})` : name;
}
