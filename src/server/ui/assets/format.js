// How numbers and times are written, everywhere the same.

export const none = "–";

/** Microseconds as milliseconds with three digits that count. */
export function ms(us) {
  if (us === null || us === undefined) return none;
  const value = us / 1000;
  if (value >= 100) return String(Math.round(value));
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function rate(perSecond) {
  if (perSecond >= 100) return String(Math.round(perSecond));
  return perSecond >= 10 || perSecond === 0 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

/** A part of a whole in percent; nothing of nothing. */
export function share(part, whole) {
  if (whole === 0) return none;
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return "< 0.1 %";
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });

/** The time of day where the reader is. */
export function time(epochMs) {
  return clock.format(epochMs);
}

const circuits = { Closed: "closed", Open: "open", HalfOpen: "half-open" };
const modes = { shadow: "shadow", forced_open: "forced open", forced_closed: "forced closed", disabled: "disabled" };

const hourAndMinute = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hour12: false });

/** The same to the minute. */
export function minute(epochMs) {
  return hourAndMinute.format(epochMs);
}

/** The state of a circuit and, where results do not decide, who does. */
export function circuit(state, mode) {
  const word = circuits[state] ?? state;
  return modes[mode] ? `${word}, ${modes[mode]}` : word;
}

/** Makes an element with text and attributes. */
export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** Writes a text where it differs: what is the same is not laid out again. */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
