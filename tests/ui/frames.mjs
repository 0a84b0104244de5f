// How many frames a second the page holds with 100 backends that are called all the time.

import * as gateways from "./gateway.mjs";
import { live, open } from "./page.mjs";
import * as servers from "./server.mjs";

const BACKENDS = 100;
const CALLERS = 4;
const SECONDS = 10;

export async function frames(browser, binary) {
  const server = await servers.start();
  server.mood.ms = () => 2 + Math.random() ** 4 * 200;
  const names = Array.from({ length: BACKENDS }, (_, place) => `backend-${String(place).padStart(3, "0")}`);
  const gateway = await gateways.start(binary, { backends: Object.fromEntries(names.map((name) => [name, { http_url: server.url }])) });
  let calls = 0;
  let isOver = false;
  const caller = async () => {
    while (!isOver) {
      await gateway.call(names[calls % BACKENDS]);
      calls += 1;
    }
  };
  const callers = Array.from({ length: CALLERS }, caller);
  const view = await open(browser, gateway.url);
  await live(view.page);
  await view.page.waitForTimeout(5000);
  for (const kind of ["resting", "scrolling"]) {
    const before = calls;
    const seen = await view.page.evaluate(measure, { isScrolling: kind === "scrolling", seconds: SECONDS });
    console.log(`${kind}: ${told(seen)}, while ${Math.round((calls - before) / SECONDS)} calls a second were made`);
  }
  isOver = true;
  await Promise.all(callers);
  await view.close();
  await gateway.stop();
  server.stop();
}

function told({ rate, middle, worst, late, busy }) {
  return `${rate.toFixed(1)} frames a second, a frame ${middle.toFixed(1)} ms in the middle and ${worst.toFixed(1)} ms at the 99th of 100, ${late} of them over 33 ms, the page's own work ${busy.toFixed(1)} % of the time`;
}

/** In the page: times between frames. */
async function measure({ isScrolling, seconds }) {
  const times = [];
  let busy = 0;
  const tasks = new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (busy += duration)));
  tasks.observe({ entryTypes: ["longtask"] });
  await new Promise((resolve) => {
    const begin = performance.now();
    const frame = (now) => {
      times.push(now);
      if (isScrolling) scrollTo(0, (Math.sin((now - begin) / 700) * 0.5 + 0.5) * document.body.scrollHeight);
      if (now - begin > seconds * 1000) resolve();
      else requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  tasks.disconnect();
  const gaps = times.slice(1).map((time, place) => time - times[place]).sort((one, other) => one - other);
  const whole = times.at(-1) - times[0];
  return {
    rate: (gaps.length * 1000) / whole,
    middle: gaps[Math.floor(gaps.length / 2)],
    worst: gaps[Math.floor(gaps.length * 0.99)],
    late: gaps.filter((gap) => gap > 33.4).length,
    busy: (100 * busy) / whole,
  };
}
