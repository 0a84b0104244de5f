// The tables of calls and changes: newest first, with the names under which logs and traces know them.

import { circuit, element, none, time } from "./format.js";
import { model } from "./model.js";

const calls = document.querySelector("#calls tbody");
const noCalls = document.getElementById("no-calls");
const SHOWN = 30;
let shown = null;

/** The last calls of all backends. */
export function updateCalls(choose) {
  const last = model.calls.at(-1);
  if (shown === last) return;
  shown = last;
  noCalls.hidden = model.calls.length > 0;
  calls.replaceChildren(...model.calls.slice(-SHOWN).reverse().map((call) => callRow(call, choose)));
}

function callRow(call, choose) {
  const row = element("tr");
  const where = element("td");
  const button = element("button", call.backend, { type: "button" });
  button.addEventListener("click", () => choose(call.backend));
  where.append(button);
  row.append(when(call.at), where, element("td", outcome(call.outcome)), took(call.ms), element("td", call.message ?? "", { class: "message" }), request(call));
  return row;
}

function outcome(label) {
  return label === "success" ? "slow" : label.replaceAll("_", " ");
}

function when(at) {
  const cell = element("td");
  cell.append(element("time", time(at), { datetime: new Date(at).toISOString() }));
  return cell;
}

function took(milliseconds) {
  return element("td", milliseconds === null ? none : `${milliseconds >= 10 ? Math.round(milliseconds) : milliseconds.toFixed(2)} ms`, { class: "n" });
}

function request({ request_id: id, trace_id: trace }) {
  const cell = element("td");
  if (trace) cell.append(element("code", `trace ${trace}`), " ");
  if (id) cell.append(element("code", id));
  return cell;
}

/** The changes of one backend's circuit. */
export function fillChanges(body, changes) {
  body.replaceChildren(...changes.map((change) => {
    const row = element("tr");
    const state = element("td");
    state.append(element("span", circuit(change.to), { class: "circuit", "data-state": change.to }));
    const why = change.after ? `${change.cause.replaceAll("_", " ")}: ${change.after}` : change.cause.replaceAll("_", " ");
    row.append(when(change.at ?? change.at_ms), state, element("td", why, { class: "message" }), request(change));
    return row;
  }));
}

/** The last failures and slow calls of one backend. */
export function fillFailures(body, failures) {
  body.replaceChildren(...failures.map((failure) => {
    const row = element("tr");
    row.append(when(failure.at_ms), element("td", failure.cause.replaceAll("_", " ")), took(failure.latency_ms), element("td", failure.message, { class: "message" }), request(failure));
    return row;
  }));
}
