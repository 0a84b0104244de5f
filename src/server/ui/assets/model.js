// What is known of the gateway: everything of the first message, and what each further one adds.

import { circuit } from "./format.js";

/** Columns that are kept, as many as the gateway keeps: fifteen minutes of five seconds. */
const KEPT = 180;
/** Columns that are shown at least, however short the gateway runs: two minutes. */
const FEWEST = 24;
const CALLS = 100;
const MINUTE_MS = 60_000;
const RATE_MS = 5_000;

export const model = {
  backends: new Map(),
  calls: [],
  at: 0,
  column: 0,
  columnMs: 5000,
  edges: [],
  sessions: 0,
  viewers: 0,
  own: { added_us: null, budget_us: null, over_budget: 0 },
  version: "",
  started: 0,
  you: { name: "", operator: false },
};

/** Takes a message; gives the names of those backends of which it tells something, and sentences about changed circuits. */
export function take(message) {
  model.at = message.at;
  model.column = message.column;
  model.columnMs = message.column_ms;
  model.sessions = message.sessions;
  model.viewers = message.viewers;
  model.own = message.own;
  if (message.you) model.you = message.you;
  const told = message.kind === "hello" ? begin(message) : message.backends.map(add);
  const changes = told.flat();
  model.calls = [...model.calls, ...message.calls].slice(-CALLS);
  return changes;
}

function begin(message) {
  model.version = message.version;
  model.started = message.started;
  model.edges = message.edges_us;
  model.calls = [];
  const earlier = model.backends;
  model.backends = new Map(message.backends.map((given) => [given.name, whole(given)]));
  return [...model.backends.values()].map((backend) => compared(backend, earlier.get(backend.name)));
}

function whole(given) {
  const columns = given.columns.map(([number, counts, latency, queue, heat]) => ({ number, counts, latency, queue, heat: pairs(heat) }));
  const recent = columns.map(({ number, counts }) => [(number + 0.5) * model.columnMs, counts]);
  return {
    name: given.name,
    transport: given.transport,
    description: given.description ?? "",
    now: given.now ?? {},
    columns,
    changes: given.changes,
    recent: recent.filter(([at]) => at > model.at - MINUTE_MS),
  };
}

/** After a break in the line: what has become of a circuit meanwhile. */
function compared(backend, earlier) {
  if (!earlier || earlier.now.circuit === backend.now.circuit) return [];
  return [sentence(backend)];
}

function add(news) {
  const backend = model.backends.get(news.name);
  if (!backend) return [];
  const before = backend.now;
  if (news.now) backend.now = news.now;
  if (news.changes) backend.changes = [...backend.changes, ...news.changes].slice(-64);
  if (news.counts) backend.recent.push([model.at, news.counts]);
  keep(backend, news);
  const { circuit: state, mode, status } = backend.now;
  const differs = state !== before.circuit || mode !== before.mode || (status === "stopped") !== (before.status === "stopped");
  return differs ? [sentence(backend)] : [];
}

function keep(backend, news) {
  let last = backend.columns.at(-1);
  if (!last || last.number < model.column) {
    last = { number: model.column, counts: [0, 0, 0, 0], latency: null, queue: [0, 0], heat: new Map() };
    backend.columns.push(last);
  }
  for (const [bin, count] of pairs(news.heat ?? [])) last.heat.set(bin, (last.heat.get(bin) ?? 0) + count);
  (news.counts ?? []).forEach((count, place) => (last.counts[place] += count));
  last.latency = backend.now.latency_us ?? null;
  last.queue = [backend.now.in_flight, backend.now.queued];
  const oldest = model.column - KEPT;
  while (backend.columns.length > 0 && backend.columns[0].number <= oldest) backend.columns.shift();
}

/** Numbers in a row as pairs of a row of the heatmap and how many calls. */
export function pairs(flat) {
  const map = new Map();
  for (let place = 0; place < flat.length; place += 2) map.set(flat[place], flat[place + 1]);
  return map;
}

function sentence(backend) {
  const { circuit: state, mode, status } = backend.now;
  if (status === "stopped") return `${backend.name}: stopped`;
  const last = backend.changes.at(-1);
  const why = last && last.to === state ? `, ${last.cause.replaceAll("_", " ")}` : "";
  return `${backend.name}: circuit ${circuit(state, mode)}${why}`;
}

/** Calls a second over the last five seconds, and how many of the last minute's calls failed or were refused. */
export function lately(backend) {
  const since = model.at - MINUTE_MS;
  while (backend.recent.length > 0 && backend.recent[0][0] <= since) backend.recent.shift();
  const sums = { rate: 0, bad: 0, all: 0 };
  for (const [at, [good, failed, refused, other]] of backend.recent) {
    const total = good + failed + refused + other;
    sums.all += total;
    sums.bad += failed + refused;
    if (at > model.at - RATE_MS) sums.rate += total / (RATE_MS / 1000);
  }
  return sums;
}

/** How many columns are shown: all since the gateway started, up to those that are kept. */
export function span() {
  const run = model.column - Math.floor(model.started / model.columnMs) + 1;
  return Math.min(KEPT, Math.max(FEWEST, run));
}

/** The first column that is shown. */
export function first() {
  return model.column - span() + 1;
}

/** A value of each of the shown columns in the order of time; what was not kept is what `absent` says. */
export function series(columns, value, absent) {
  const values = new Array(span()).fill(absent);
  const begin = first();
  for (const column of columns) {
    if (column.number >= begin) values[column.number - begin] = value(column);
  }
  return values;
}

/** When each of the shown columns began, in seconds since the epoch. */
export function moments() {
  const begin = first();
  return Array.from({ length: span() }, (_, place) => ((begin + place) * model.columnMs) / 1000);
}
