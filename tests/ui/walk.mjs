// Walks through the live page as its users do, and says what holds: `N passed, N failed`.

import { chromium } from "playwright-core";
import { frames } from "./frames.mjs";
import { shoot } from "./shoot.mjs";
import { steps } from "./steps.mjs";

const [binary, mode, file] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
let failed = 0;
try {
  if (mode === "--frames") await frames(browser, binary);
  else if (mode === "--shoot") await shoot(browser, binary, file);
  else failed = await walk();
} finally {
  await browser.close();
}
process.exit(failed === 0 ? 0 : 1);

async function walk() {
  let passed = 0;
  let wrong = 0;
  for (const [name, step] of steps) {
    try {
      const said = await step(browser, binary);
      passed += 1;
      console.log(`ok      ${name}${said ? `: ${said}` : ""}`);
    } catch (error) {
      wrong += 1;
      console.log(`FAILED  ${name}: ${error.message}`);
    }
  }
  console.log(`${passed} passed, ${wrong} failed`);
  return wrong;
}
