// The built binary, running with a configuration, and calls to it.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PATIENCE_MS = 20_000;

/** Starts it on a free port; JSON is YAML. */
export async function start(binary, config) {
  const home = await mkdtemp(join(tmpdir(), "live-page-"));
  const file = join(home, "gateway.yaml");
  await writeFile(file, JSON.stringify(config));
  const child = spawn(binary, ["-c", file, "--port", "0"], { cwd: home, env: { PATH: process.env.PATH, HOME: home, NO_COLOR: "1" }, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  const address = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the gateway says nothing: ${log}`)), PATIENCE_MS);
    child.stderr.on("data", (piece) => {
      log = (log + piece).slice(-20_000);
      const found = log.match(/http:\/\/(127\.0\.0\.1:\d+)/);
      if (found) resolve(clearTimeout(timer) ?? found[1]);
    });
    child.on("exit", (code) => reject(new Error(`the gateway ended (${code}): ${log}`)));
  });
  const url = `http://${await address}`;
  let id = 0;
  const call = async (server, tool = "search", key) => {
    const headers = { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    const params = { server, tool, arguments: {} };
    const response = await fetch(`${url}/mcp`, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: ++id, method: "gateway_invoke", params }) });
    return response.json();
  };
  const stop = async () => {
    child.removeAllListeners("exit");
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.on("exit", resolve));
      child.kill("SIGKILL");
      await ended;
    }
    await rm(home, { recursive: true, force: true });
  };
  return { url, call, stop, log: () => log, configure: (next) => writeFile(file, JSON.stringify(next)) };
}
