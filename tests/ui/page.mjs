// A page of the gateway in a browser of its own, which writes down what must not be.

import assert from "node:assert/strict";

/** Opens the page; everything it says on the console and everything it asks is kept. */
export async function open(browser, url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = [];
  const asked = [];
  page.on("console", (line) => {
    if (["error", "warning"].includes(line.type())) faults.push(line.text());
  });
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(url);
  return { page, context, faults, asked, close: () => context.close() };
}

/** Nothing was complained about, and nobody else was asked. `known` are refusals that the browser writes down by itself. */
export function clean({ faults, asked }, origin, known = /^$/) {
  const wrong = faults.filter((line) => !known.test(line));
  assert.deepEqual(wrong, [], "the console has errors");
  const abroad = asked.filter((url) => !url.startsWith(origin) && !url.startsWith("data:"));
  assert.deepEqual(abroad, [], "another host was asked");
}

/** The row of a backend. */
export function row(page, name) {
  return page.locator("#table tbody tr").filter({ has: page.getByRole("button", { name, exact: true }) });
}

/** Waits until the row of a backend has this text in it. */
export async function rowSays(page, name, text) {
  await row(page, name).filter({ hasText: text }).waitFor();
}

export async function live(page) {
  await page.locator("#link[data-state=live]").waitFor();
}
