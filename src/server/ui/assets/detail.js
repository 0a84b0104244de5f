// One backend from near: why its calls flow or do not, its charts, its tools, and what an operator may do.

import { act } from "./act.js";
import { fillChanges, fillFailures } from "./calls.js";
import { charts } from "./charts.js";
import { circuit, element, ms, none, rate, time, write } from "./format.js";
import { heatmap } from "./heatmap.js";
import { headers } from "./key.js";
import { model, pairs } from "./model.js";
import { fillObjectives } from "./objectives.js";
import { changed, register, unregister } from "./seen.js";
import { onChange } from "./theme.js";

/** How often it is asked for what does not come by itself, while something happens there. */
const ASK_EVERY_MS = 2000;
const byId = (id) => document.getElementById(id);
const section = byId("detail");
const actions = byId("actions");
const heatOf = byId("heat-of");
const numbers = byId("numbers");
const bodies = Object.fromEntries(["tools", "changes", "failures", "numbers-table"].map((id) => [id, document.querySelector(`#${id} tbody`)]));

let name = null;
let drawn = [];
let tools = {};
let asked = { at: 0, for: "" };

export function begin() {
  actions.addEventListener("click", ({ target }) => {
    const what = target.dataset.act;
    if (what && name) act(what, name).then(() => ask(true));
  });
  heatOf.addEventListener("change", () => drawn.forEach(({ node }) => changed(node)));
  numbers.addEventListener("toggle", fillNumbers);
  onChange(rebuild);
  new ResizeObserver(() => drawn.forEach((chart) => chart.fit())).observe(section);
}

export function shown() {
  return name;
}

/** Shows this backend; `focus` where a person has asked for it. */
export function show(chosen, focus) {
  name = chosen;
  tools = {};
  section.hidden = false;
  write(byId("detail-name"), chosen);
  fillChoice();
  rebuild();
  update();
  ask(true);
  if (focus) byId("detail-name").focus();
}

export function hide() {
  name = null;
  section.hidden = true;
}

/** Colours and sizes of a canvas are fixed when it is made. */
function rebuild() {
  for (const chart of drawn) {
    unregister(chart.node);
    chart.destroy();
  }
  drawn = [];
  if (section.hidden) return;
  const heat = heatmap(byId("chart-heat"));
  drawn = [...charts(), heat];
  for (const chart of drawn) {
    register(chart.node, () => {
      const backend = model.backends.get(name);
      if (!backend) return;
      chart.fit();
      chart.draw(chart === heat ? heatColumns(backend) : backend);
    });
  }
}

function heatColumns(backend) {
  const columns = tools[heatOf.value]?.columns;
  if (!columns) return backend.columns;
  return columns.map(([number, heat]) => ({ number, heat: pairs(heat) }));
}

/** Writes what has changed of it. */
export function update() {
  const backend = model.backends.get(name);
  if (!backend) return hide();
  const { now } = backend;
  actions.hidden = !model.you.operator;
  const words = [backend.transport, now.status, now.healthy ? "healthy" : "unhealthy", `circuit ${circuit(now.circuit, now.mode)}`];
  if (now.restarts > 0) words.push(`started again ${now.restarts} times`);
  if (backend.description) words.push(backend.description);
  write(byId("about"), words.join(" · "));
  fillObjectives(now.objectives);
  drawn.forEach(({ node }) => changed(node));
  if (numbers.open) fillNumbers();
  ask(false);
}

/** Asks for the words behind it: when it is opened, and again while something happens. */
async function ask(isWanted) {
  const backend = model.backends.get(name);
  const mark = JSON.stringify([name, backend?.columns.at(-1)?.counts, backend?.now.circuit, backend?.now.mode]);
  const isDue = performance.now() - asked.at > ASK_EVERY_MS && mark !== asked.for;
  if (!backend || !(isWanted || isDue)) return;
  asked = { at: performance.now(), for: mark };
  const response = await fetch(`backends/${encodeURIComponent(name)}`, { headers: headers(), cache: "no-store" }).catch(() => null);
  if (!response?.ok || backend.name !== name) return;
  const near = await response.json();
  if (backend.name === name) fill(near);
}

function fill({ why, tools: given }) {
  tools = given;
  write(byId("summary"), why.summary);
  fillChanges(bodies.changes, why.changes);
  fillFailures(bodies.failures, why.failures);
  fillTools(why.tools);
  fillChoice();
  drawn.forEach(({ node }) => changed(node));
}

function fillTools(circuits) {
  const names = [...new Set([...Object.keys(tools), ...circuits.map(({ tool }) => tool)])].sort();
  bodies.tools.replaceChildren(...names.map((tool) => {
    const row = element("tr");
    const own = circuits.find((circuit) => circuit.tool === tool);
    const state = element("td");
    state.append(element("span", own ? own.summary : "closed", { class: "circuit", "data-state": own?.circuit_state ?? "Closed" }));
    const { calls, latency_us: latency } = tools[tool] ?? {};
    const times = (latency ?? [null, null, null]).map((us) => element("td", us === null ? none : `${ms(us)} ms`, { class: "n" }));
    row.append(element("th", tool, { scope: "row" }), state, element("td", String(calls ?? none), { class: "n" }), ...times);
    return row;
  }));
}

/** The backend as a whole, and each tool that was called. */
function fillChoice() {
  const names = Object.keys(tools);
  const wanted = ["", ...names];
  const there = [...heatOf.options].map(({ value }) => value);
  if (JSON.stringify(wanted) === JSON.stringify(there)) return;
  const chosen = heatOf.value;
  heatOf.replaceChildren(...wanted.map((value) => element("option", value === "" ? "all calls" : `tool ${value}`, { value })));
  heatOf.value = wanted.includes(chosen) ? chosen : "";
}

/** What the charts show, for who does not see them. */
function fillNumbers() {
  const backend = model.backends.get(name);
  if (!numbers.open || !backend) return;
  const seconds = model.columnMs / 1000;
  const body = bodies["numbers-table"];
  body.replaceChildren(...backend.columns.slice(-60).reverse().map((column) => {
    const row = element("tr");
    const cell = (text) => element("td", text, { class: "n" });
    const [good, failed, refused] = column.counts.map((count) => rate(count / seconds));
    const latency = (column.latency ?? [null, null, null]).map(ms);
    const heat = [...column.heat].sort(([one], [other]) => one - other);
    const ranges = heat.map(([bin, count]) => `${count} from ${ms(model.edges[bin])}`).join(", ");
    row.append(element("th", time(column.number * model.columnMs), { scope: "row" }), ...[good, failed, refused, ...latency, ...column.queue.map(String)].map(cell), element("td", ranges || none));
    return row;
  }));
}
