// Takes the picture of the page that is kept in docs/: some servers, one of them in trouble.

import * as gateways from "./gateway.mjs";
import { live, open } from "./page.mjs";
import * as servers from "./server.mjs";

const SECONDS = 110;
const WAVE_MS = 9000;

export async function shoot(browser, binary, file) {
  const kinds = { search: [8, 60], files: [1, 6], tickets: [40, 400], payments: [15, 90] };
  const started = {};
  for (const [name, [base, tail]] of Object.entries(kinds)) {
    started[name] = await servers.start();
    started[name].mood.ms = () => base * (1 + 0.5 * Math.sin(Date.now() / WAVE_MS)) + Math.random() ** 6 * tail * 4;
  }
  const backends = Object.fromEntries(Object.entries(started).map(([name, { url }]) => [name, { http_url: url, retry: { enabled: false }, circuit_breaker: { failure_threshold: 3, success_threshold: 2, reset_timeout: "8s" } }]));
  const gateway = await gateways.start(binary, { backends });
  await fetch(`${gateway.url}/mcp`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"jsonrpc":"2.0","id":1,"method":"gateway_list_tools"}' });
  let isOver = false;
  const caller = async (name, pause) => {
    while (!isOver) {
      await gateway.call(name, ["search", "fetch", "write"][Math.floor(Math.random() * 3)]);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pause));
    }
  };
  const callers = Object.keys(kinds).flatMap((name) => [caller(name, 60), caller(name, 120)]);
  setTimeout(() => (started.payments.mood.fails = true), SECONDS * 400);
  const view = await open(browser, `${gateway.url}/ui#payments`, { colorScheme: "light", viewport: { width: 1360, height: 1290 } });
  await live(view.page);
  await view.page.waitForTimeout(SECONDS * 1000);
  await view.page.screenshot({ path: file });
  isOver = true;
  await Promise.all(callers);
  await view.close();
  await gateway.stop();
  Object.values(started).forEach((server) => server.stop());
}
