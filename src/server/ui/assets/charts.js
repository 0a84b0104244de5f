// The charts of one backend over time, drawn by uPlot: calls, latency, queue, circuit.

import { minute, time } from "./format.js";
import { model, moments, series } from "./model.js";
import { palette } from "./theme.js";
import { spells } from "./timeline.js";

const HEIGHT = 170;
const DASHES = [[], [6, 4], [2, 3]];
const SYNC = "time";

const perSecond = (place) => (column) => column.counts[place] / (model.columnMs / 1000);
const quantile = (place) => (column) => (column.latency ? Math.max(column.latency[place], 1) / 1000 : null);

/** What each chart shows: its lines with their colours, and where their values are. */
const CHARTS = {
  "chart-rate": { lines: [["good", "good", perSecond(0), 0], ["failed", "bad", perSecond(1), 0], ["refused", "warn", perSecond(2), 0]] },
  "chart-latency": { isLogarithmic: true, lines: [["p50", "good", quantile(0), null], ["p95", "third", quantile(1), null], ["p99", "bad", quantile(2), null]] },
  "chart-queue": { lines: [["in flight", "good", (column) => column.queue[0], 0], ["waiting", "warn", (column) => column.queue[1], 0]] },
};
const STATES = ["closed", "half-open", "open"];

/** The axes of every chart in the colours of now. */
export function axis(more = {}) {
  const { quiet, line } = palette();
  return { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui", ...more };
}

/** The axis of time. */
export function timeAxis() {
  const written = (step) => (step < 60 ? time : minute);
  return axis({ values: (_, splits, __, ___, step) => splits.map((seconds) => written(step)(seconds * 1000)) });
}

/** Of a logarithmic axis the lines of 1, 2 and 5 in each decade have a number. */
export function few(_, splits) {
  return splits.map((value) => ([1, 2, 5].includes(Number(value.toPrecision(2)) / 10 ** Math.floor(Math.log10(value) + 1e-9)) ? value : null));
}

/** What all charts over time have in common. */
export function overTime(node, height, more) {
  return {
    width: Math.max(node.clientWidth, 240),
    height,
    cursor: { sync: { key: SYNC }, drag: { x: false, y: false } },
    padding: [8, 24, 0, 0],
    ...more,
  };
}

/** Makes the charts in their places. Each gives `draw(backend)` and `destroy()`. */
export function charts() {
  const lines = Object.entries(CHARTS).map(([id, chart]) => lineChart(document.getElementById(id), chart));
  return [...lines, circuitChart(document.getElementById("chart-circuit"))];
}

function lineChart(node, { isLogarithmic, lines }) {
  const colours = palette();
  const drawn = lines.map(([label, colour], place) => ({ label, stroke: colours[colour], dash: DASHES[place], width: 2, points: { size: 5, filter: alone }, value: (_, value) => (value === null ? "–" : value.toPrecision(3)) }));
  const y = isLogarithmic ? { distr: 3, range: (_, low, high) => decades(low, high) } : { range: (_, __, high) => [0, Math.max(1, high * 1.1)] };
  const plot = new uPlot(overTime(node, HEIGHT, {
    scales: { x: { time: true }, y },
    axes: [timeAxis(), axis({ size: 56, ...(isLogarithmic ? { filter: few } : {}) })],
    series: [{ label: "from" }, ...drawn],
  }), empty(lines.length), node);
  return {
    node,
    draw(backend) {
      plot.setData([moments(), ...lines.map(([, , value, absent]) => series(backend.columns, value, absent))]);
    },
    ...common(plot, node, HEIGHT),
  };
}

/** Values without a neighbour, which a line does not show. */
function alone(plot, place) {
  const values = plot.data[place];
  const isThere = (index) => values[index] !== null && values[index] !== undefined;
  return values.flatMap((_, index) => (isThere(index) && !isThere(index - 1) && !isThere(index + 1) ? [index] : []));
}

/** The state of the circuit as steps between three words. */
function circuitChart(node) {
  const colours = palette();
  const plot = new uPlot(overTime(node, HEIGHT, {
    scales: { x: { time: true }, y: { range: [-0.3, 2.3] } },
    axes: [timeAxis(), axis({ size: 72, splits: [0, 1, 2], values: (_, splits) => splits.map((split) => STATES[split]) })],
    series: [{ label: "from" }, { label: "circuit", stroke: colours.bad, width: 2, points: { show: false }, paths: uPlot.paths.stepped({ align: 1 }), value: (_, value) => STATES[value] ?? "–" }],
  }), empty(1), node);
  const number = { Closed: 0, HalfOpen: 1, Open: 2 };
  return {
    node,
    draw(backend) {
      const steps = spells(backend);
      const ends = steps.at(-1);
      const x = [...steps.map(({ from }) => from / 1000), ends.to / 1000];
      plot.setData([x, [...steps, ends].map(({ state }) => number[state])]);
    },
    ...common(plot, node, HEIGHT),
  };
}

function empty(lines) {
  return Array.from({ length: lines + 1 }, () => []);
}

/** Whole decades around the values: lines of a logarithmic axis. */
export function decades(low, high) {
  if (low === null || high === null || !(low > 0)) return [0.1, 1000];
  const down = 10 ** Math.floor(Math.log10(low));
  const up = 10 ** Math.ceil(Math.log10(high));
  return [down, up > down ? up : down * 10];
}

export function common(plot, node, height) {
  return {
    fit() {
      const width = Math.max(node.clientWidth, 240);
      if (Math.abs(width - plot.width) > 2) plot.setSize({ width, height });
    },
    destroy() {
      plot.destroy();
    },
  };
}
