// What one backend and its tools are held to, and how fast the room for errors burns.

import { element, write } from "./format.js";

const WINDOWS = ["5m", "1h", "6h", "3d"];
const section = document.getElementById("objectives");
const body = section.querySelector("tbody");

/** Two digits that count: most rates are near 0 or 1. */
function burnt(rate) {
  return rate >= 10 ? String(Math.round(rate)) : rate.toFixed(2);
}

/** Rows for these objectives; nothing at all where there are none. */
export function fillObjectives(objectives = []) {
  section.hidden = objectives.length === 0;
  while (body.rows.length > objectives.length) body.deleteRow(-1);
  objectives.forEach((objective, place) => fill(body.rows[place] ?? made(), objective));
}

function made() {
  const row = element("tr");
  const state = element("td");
  state.append(element("span", undefined, { class: "burn" }));
  const numbers = [...WINDOWS, "left"].map(() => element("td", undefined, { class: "n" }));
  row.append(element("th", undefined, { scope: "row" }), element("td"), state, ...numbers);
  body.append(row);
  return row;
}

function fill(row, { tool, slo, objective, threshold_ms: threshold, burning, burn_rates: rates, error_budget_remaining: left }) {
  const [of, what, state, ...numbers] = row.cells;
  write(of, tool ? `tool ${tool}` : "all calls");
  write(what, slo === "latency" ? `${objective} % within ${threshold} ms` : `${objective} % good`);
  const word = state.firstChild;
  write(word, burning ? "burning" : "kept");
  if (word.dataset.burning !== String(burning)) word.dataset.burning = String(burning);
  const found = WINDOWS.map((window) => rates.find((rate) => rate.window === window)?.rate ?? 0);
  found.forEach((rate, place) => write(numbers[place], burnt(rate)));
  write(numbers[WINDOWS.length], `${Math.round(100 * left)} %`);
}
