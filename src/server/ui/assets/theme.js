// Light, dark, or as the system says; and the colours for what is drawn on a canvas.

const NAME = "mcp-gateway theme";
const ORDER = ["system", "light", "dark"];
const button = document.getElementById("theme");
const listeners = [];
let colours = null;

export function begin() {
  set(localStorage.getItem(NAME) ?? "system");
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "system";
    set(ORDER[(ORDER.indexOf(now) + 1) % ORDER.length]);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

function set(theme) {
  if (theme === "light" || theme === "dark") {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(NAME, theme);
  } else {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(NAME);
  }
  button.textContent = `Theme: ${document.documentElement.dataset.theme ?? "system"}`;
  changed();
}

function changed() {
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
