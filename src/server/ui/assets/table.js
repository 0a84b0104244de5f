// The table of all backends: one row each, whose cells are written only where something has changed.

import { circuit, element, ms, none, rate, share, write } from "./format.js";
import { lately, model } from "./model.js";
import { changed, register, unregister } from "./seen.js";
import { draw } from "./timeline.js";

const body = document.querySelector("#table tbody");
const filter = document.getElementById("filter");
const nothing = document.getElementById("nothing");
const rows = new Map();
let choose = () => {};

export function begin(onChoose) {
  choose = onChoose;
  filter.addEventListener("input", sift);
}

/** Rows for those backends that there are, in the order of their names. */
export function arrange() {
  for (const [name, row] of rows) {
    if (model.backends.has(name)) continue;
    unregister(row.canvas);
    row.line.remove();
    rows.delete(name);
  }
  let place = 0;
  for (const name of model.backends.keys()) {
    const row = rows.get(name) ?? made(name);
    rows.set(name, row);
    // A row that stands where it should is left alone: moving it would take the focus away.
    if (body.children[place] !== row.line) body.insertBefore(row.line, body.children[place] ?? null);
    place += 1;
  }
  sift();
}

function made(name) {
  const line = element("tr");
  const head = element("th", undefined, { scope: "row" });
  const button = element("button", name, { type: "button" });
  button.addEventListener("click", () => choose(name));
  head.append(button);
  const cell = (kind) => element("td", none, kind ? { class: kind } : {});
  const state = element("span", none, { class: "circuit" });
  const circuitCell = element("td");
  circuitCell.append(state);
  const cells = { status: cell(), rate: cell("n"), errors: cell("n"), p50: cell("n"), p95: cell("n"), p99: cell("n"), flight: cell("n"), queued: cell("n") };
  const picture = element("td");
  const canvas = element("canvas", undefined, { "aria-hidden": "true" });
  picture.append(canvas);
  line.append(head, circuitCell, ...Object.values(cells), picture);
  register(canvas, () => {
    const backend = model.backends.get(name);
    if (backend) draw(canvas, backend);
  });
  return { line, button, state, cells, canvas };
}

function sift() {
  const wanted = filter.value.trim().toLowerCase();
  let shown = 0;
  for (const [name, { line }] of rows) {
    line.hidden = !name.toLowerCase().includes(wanted);
    shown += line.hidden ? 0 : 1;
  }
  nothing.hidden = shown > 0;
}

/** Marks the backend that is shown from near. */
export function mark(chosen) {
  for (const [name, { line, button }] of rows) {
    line.classList.toggle("chosen", name === chosen);
    button.setAttribute("aria-expanded", String(name === chosen));
  }
}

/** Writes every row, and gives the sums for the tiles. */
export function update() {
  const sums = { rate: 0, bad: 0, all: 0, flight: 0, queued: 0, open: 0 };
  for (const backend of model.backends.values()) {
    const { rate: perSecond, bad, all } = lately(backend);
    fill(rows.get(backend.name), backend, { perSecond, bad, all });
    sums.rate += perSecond;
    sums.bad += bad;
    sums.all += all;
    sums.flight += backend.now.in_flight;
    sums.queued += backend.now.queued;
    sums.open += backend.now.circuit === "Closed" ? 0 : 1;
  }
  return sums;
}

function fill(row, backend, { perSecond, bad, all }) {
  if (!row) return;
  const { now } = backend;
  const { cells } = row;
  const tools = now.open_tools ? `; open: ${now.open_tools.join(", ")}` : "";
  write(row.state, circuit(now.circuit, now.mode) + tools);
  if (row.state.dataset.state !== now.circuit) row.state.dataset.state = now.circuit;
  const burns = now.objectives?.some(({ burning }) => burning) ?? false;
  write(cells.status, [now.status, ...(now.healthy ? [] : ["unhealthy"]), ...(burns ? ["objective burning"] : [])].join(", "));
  cells.status.classList.toggle("ill", !now.healthy || burns);
  const [p50, p95, p99] = now.latency_us ?? [null, null, null];
  write(cells.rate, rate(perSecond));
  write(cells.errors, share(bad, all));
  write(cells.p50, ms(p50));
  write(cells.p95, ms(p95));
  write(cells.p99, ms(p99));
  write(cells.flight, String(now.in_flight));
  write(cells.queued, String(now.queued));
  changed(row.canvas);
}
