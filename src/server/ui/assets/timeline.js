// The small picture in the row of a backend: latencies over time, above a band that shows the circuit.

import { first, model, span } from "./model.js";
import { palette } from "./theme.js";

const BAND = 7;
const WIDTH = 360;
const HEIGHT = 34;

/** What the circuit was from when to when, within the time that is shown: `{state, from, to}` in epoch milliseconds. */
export function spells(backend) {
  const begin = first() * model.columnMs;
  const states = backend.changes.map(({ at, to }) => ({ at, to }));
  const before = states.filter(({ at }) => at <= begin).at(-1)?.to;
  // Of changes before those that are kept nothing is known; what the first of them came from is.
  const initial = before ?? (states.length === 0 ? backend.now.circuit : from(states[0].to));
  const inside = states.filter(({ at }) => at > begin);
  const marks = [{ at: begin, to: initial }, ...inside, { at: model.at, to: null }];
  return marks.slice(0, -1).map(({ at, to }, place) => ({ state: to, from: at, to: marks[place + 1].at }));
}

function from(to) {
  return { Open: "Closed", HalfOpen: "Open", Closed: "HalfOpen" }[to];
}

/** Draws it. */
export function draw(canvas, backend) {
  if (canvas.width !== WIDTH) {
    canvas.width = WIDTH;
    canvas.height = HEIGHT;
  }
  const context = canvas.getContext("2d");
  const colours = palette();
  context.fillStyle = colours.panel;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  heat(context, backend, colours.heat);
  band(context, backend, colours);
}

function heat(context, backend, shades) {
  const rows = model.edges.length || 1;
  const height = (HEIGHT - BAND - 1) / rows;
  const most = Math.max(1, ...backend.columns.map(({ heat }) => Math.max(0, ...heat.values())));
  const wide = WIDTH / span();
  const begin = first();
  for (const { number, heat } of backend.columns) {
    const x = (number - begin) * wide;
    for (const [row, count] of heat) {
      context.fillStyle = shades[shade(count, most)];
      context.fillRect(x, (rows - 1 - row) * height, Math.ceil(wide), Math.max(1, height));
    }
  }
}

/** How dark a count is of sixteen steps: by its logarithm, so that single calls can be seen beside thousands. */
export function shade(count, most) {
  return Math.min(15, 3 + Math.round((12 * Math.log1p(count)) / Math.log1p(most)));
}

/** Shapes as well as colours: a thin line is closed, a full bar open, and half of one half-open. */
function band(context, backend, colours) {
  const begin = first() * model.columnMs;
  const pixel = (at) => Math.round(((at - begin) / model.columnMs / span()) * WIDTH);
  const looks = { Closed: [colours.good, 2], HalfOpen: [colours.warn, 4], Open: [colours.bad, BAND] };
  for (const { state, from: start, to } of spells(backend)) {
    const [colour, height] = looks[state] ?? [colours.quiet, 1];
    context.fillStyle = colour;
    context.fillRect(pixel(start), HEIGHT - height, Math.max(1, pixel(to) - pixel(start)), height);
  }
}
