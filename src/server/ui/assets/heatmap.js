// Latency over time as a heatmap: uPlot makes the axes, a hook paints one field for each five seconds and each range of latency.

import { axis, common, few, overTime, timeAxis } from "./charts.js";
import { ms } from "./format.js";
import { model, moments } from "./model.js";
import { palette } from "./theme.js";
import { shade } from "./timeline.js";

const HEIGHT = 270;
/** Rows are shown from the fastest to the slowest call, and at least so many. */
const FEWEST_ROWS = 8;
const read = document.getElementById("heat-read");

export function heatmap(node) {
  let columns = [];
  let most = 1;
  const paint = (plot) => fields(plot, columns, most);
  const plot = new uPlot(overTime(node, HEIGHT, {
    scales: { x: { time: true }, y: { distr: 3, range: () => bounds(columns) } },
    axes: [timeAxis(), axis({ size: 56, filter: few })],
    series: [{ label: "from" }, { label: "calls", points: { show: false }, paths: () => null }],
    legend: { show: false },
    hooks: { drawAxes: [paint], setCursor: [(chart) => say(chart, columns)] },
  }), [[], []], node);
  return {
    node,
    draw(shown) {
      columns = shown;
      most = Math.max(1, ...shown.map(({ heat }) => Math.max(0, ...heat.values())));
      const x = moments();
      plot.setData([x, x.map(() => 1)]);
    },
    ...common(plot, node, HEIGHT),
  };
}

/** Where a row begins and ends, in milliseconds. */
function row(place) {
  const { edges } = model;
  const low = place === 0 ? edges[1] / 2 : edges[place];
  const high = place + 1 < edges.length ? edges[place + 1] : low * 1.5;
  return [low / 1000, high / 1000];
}

function bounds(columns) {
  const rows = columns.flatMap(({ heat }) => [...heat.keys()]);
  if (rows.length === 0 || model.edges.length === 0) return [0.1, 1000];
  let low = Math.min(...rows);
  let high = Math.max(...rows);
  while (high - low + 1 < FEWEST_ROWS && (low > 0 || high < model.edges.length - 1)) {
    low = Math.max(0, low - 1);
    high = Math.min(model.edges.length - 1, high + 1);
  }
  return [row(low)[0], row(high)[1]];
}

function fields(plot, columns, most) {
  const { ctx: context } = plot;
  const { heat: shades } = palette();
  const seconds = model.columnMs / 1000;
  context.save();
  context.beginPath();
  context.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
  context.clip();
  for (const { number, heat } of columns) {
    const left = Math.round(plot.valToPos(number * seconds, "x", true));
    const right = Math.round(plot.valToPos((number + 1) * seconds, "x", true));
    for (const [place, count] of heat) {
      const [low, high] = row(place);
      const top = Math.round(plot.valToPos(high, "y", true));
      const bottom = Math.round(plot.valToPos(low, "y", true));
      context.fillStyle = shades[shade(count, most)];
      context.fillRect(left, top, Math.max(1, right - left), Math.max(1, bottom - top));
    }
  }
  context.restore();
}

/** Says in words what is under the pointer. */
function say(plot, columns) {
  const { left, top } = plot.cursor;
  if (left < 0 || top < 0) {
    read.textContent = "\u00a0";
    return;
  }
  const number = Math.floor(plot.posToVal(left, "x") / (model.columnMs / 1000));
  const us = plot.posToVal(top, "y") * 1000;
  const place = model.edges.findLastIndex((edge) => edge <= us);
  const [low, high] = row(Math.max(0, place));
  const count = columns.find((column) => column.number === number)?.heat.get(place) ?? 0;
  read.textContent = `${count} calls took ${ms(low * 1000)} to ${ms(high * 1000)} ms in these five seconds`;
}
