// Light, dark, or as the system says; and the colours for what is drawn on a canvas.

const NAME = "mcp-gateway theme";
const ORDER = ["system", "light", "dark"];
const button = document.getElementById("theme");
const listeners = [];
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = "system";
let colours = null;

export function begin() {
  choose(localStorage.getItem(NAME));
  button.addEventListener("click", () => choose(ORDER[(ORDER.indexOf(chosen) + 1) % ORDER.length]));
  systemIsDark.addEventListener("change", show);
}

function choose(theme) {
  chosen = ORDER.includes(theme) ? theme : "system";
  if (chosen === "system") localStorage.removeItem(NAME);
  else localStorage.setItem(NAME, chosen);
  button.textContent = `Theme: ${chosen}`;
  show();
}

/** The style knows light and dark alone. */
function show() {
  const system = systemIsDark.matches ? "dark" : "light";
  document.documentElement.dataset.theme = chosen === "system" ? system : chosen;
  colours = null;
  listeners.forEach((listener) => listener());
}

/** Calls back when colours have become others. */
export function onChange(listener) {
  listeners.push(listener);
}

/** The colours of now, read once for each theme. */
export function palette() {
  if (colours) return colours;
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  const rgb = (name) => of(name).split(" ").map(Number);
  const names = ["back", "panel", "line", "text", "quiet", "good", "bad", "warn", "third"];
  colours = Object.fromEntries(names.map((name) => [name, of(name)]));
  colours.heat = shades(rgb("heat-from"), rgb("heat-to"));
  return colours;
}

/** Sixteen steps between two colours. */
function shades(from, to) {
  const mix = (step, place) => Math.round(from[place] + ((to[place] - from[place]) * step) / 15);
  return Array.from({ length: 16 }, (_, step) => `rgb(${mix(step, 0)} ${mix(step, 1)} ${mix(step, 2)})`);
}
