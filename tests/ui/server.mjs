// A server of MCP over HTTP that does as it is told: it answers, is slow, fails, or breaks the connection.

import http from "node:http";

const REVISION = "2025-11-25";
const TOOLS = ["search", "fetch", "write"].map((name) => ({ name, description: `Does ${name}.`, inputSchema: { type: "object" } }));

/** Starts one. `mood` may be changed while it runs: `{ms: () => number, fails: boolean}`. */
export async function start() {
  const mood = { ms: () => 1, fails: false };
  const server = http.createServer(async (request, response) => {
    if (mood.fails) return request.socket.destroy();
    if (request.method !== "POST") return response.writeHead(405).end();
    let body = "";
    for await (const piece of request) body += piece;
    const { id, method } = JSON.parse(body);
    if (id === undefined) return response.writeHead(202).end();
    const result = results[method]?.();
    if (method === "tools/call") await new Promise((resolve) => setTimeout(resolve, mood.ms()));
    response.setHeader("Content-Type", "application/json");
    const answer = result ? { result } : { error: { code: -32601, message: "no such method" } };
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, mood, stop: () => server.closeAllConnections() ?? server.close() };
}

const results = {
  initialize: () => ({ protocolVersion: REVISION, capabilities: { tools: {} }, serverInfo: { name: "scripted", version: "1" } }),
  ping: () => ({}),
  "tools/list": () => ({ tools: TOOLS }),
  "tools/call": () => ({ content: [{ type: "text", text: "done" }] }),
};
