// Walks through what a session consists of, step by step, with the TypeScript SDK's client.
//
// Reads a JSON list of walks on standard input. Each names its place, the era in which the client speaks, and a key of its
// own. Prints a line of JSON for each step: the walk, the step, and the fault, which is null where there was none.

import assert from "node:assert/strict";
import { json } from "node:stream/consumers";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const STEP_MS = 15_000;
const REVISIONS = { legacy: "2025-11-25", modern: "2026-07-28" };
const MODES = { legacy: "legacy", modern: "auto" };
const LOG_LEVEL = "io.modelcontextprotocol/logLevel";
const ROOT = "file:///work";
const FORM = { username: "ada", email: "ada@example.org" };

// A connected client, what it was told and asked, and what its user answers.
class Peer {
  logged = [];
  pages = [];
  updates = [];
  #waiting = [];

  constructor(walk) {
    const capabilities = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
    const versionNegotiation = { mode: MODES[walk.era] };
    this.client = new Client({ name: "real-client", version: "1.0.0" }, { capabilities, versionNegotiation });
    this.client.setRequestHandler("elicitation/create", ({ params }) => {
      if (params.mode !== "url") return { action: "accept", content: FORM };
      this.pages.push(params.url);
      return { action: "accept" };
    });
    const reply = { role: "assistant", content: { type: "text", text: "Bern" }, model: "none" };
    this.client.setRequestHandler("sampling/createMessage", () => reply);
    this.client.setRequestHandler("roots/list", () => ({ roots: [{ uri: ROOT }] }));
    this.client.setNotificationHandler("notifications/message", ({ params }) => void this.logged.push(params.data));
    this.client.setNotificationHandler("notifications/resources/updated", ({ params }) => {
      this.updates.push(params.uri);
      this.#waiting.splice(0).forEach((wake) => wake());
    });
  }

  async call(name, args = {}, options = {}, meta = undefined) {
    const params = { name, arguments: args, ...(meta && { _meta: meta }) };
    const result = await this.client.callTool(params, { timeout: STEP_MS, ...options });
    const text = result.content.filter((block) => block.type === "text").map((block) => block.text).join("");
    assert(!result.isError, `an error: ${text}`);
    return text;
  }

  async update() {
    while (this.updates.length === 0) await new Promise((wake) => this.#waiting.push(wake));
    return this.updates.shift();
  }
}

const names = (entries) => entries.map((entry) => entry.name);

const basics = (walk, { client }, call) => ({
  connect() {
    assert.equal(client.getNegotiatedProtocolVersion(), REVISIONS[walk.era]);
  },
  async list() {
    assert(names((await client.listTools()).tools).includes("test_simple_text"));
    assert(names((await client.listResources()).resources).includes("static-text"));
    assert(names((await client.listResourceTemplates()).resourceTemplates).includes("template"));
    assert(names((await client.listPrompts()).prompts).includes("test_simple_prompt"));
  },
  async call() {
    assert.equal(await call("test_simple_text"), "This is a simple text response for testing.");
  },
  async read() {
    const { contents } = await client.readResource({ uri: "test://static-text" });
    assert.equal(contents[0].text, "This is the content of the static text resource.");
  },
  async prompt() {
    const params = { name: "test_prompt_with_arguments", arguments: { arg1: "one", arg2: "two" } };
    const { messages } = await client.getPrompt(params);
    assert.equal(messages[0].content.text, "Prompt with arguments: arg1='one', arg2='two'");
  },
  async progress() {
    const seen = [];
    await call("test_tool_with_progress", {}, { onprogress: ({ progress, total }) => seen.push([progress, total]) });
    assert.deepEqual(seen, [[0, 100], [50, 100], [100, 100]]);
  },
  async cancel() {
    const { key } = walk;
    const stop = new AbortController();
    const held = call("test_hold", { key }, { signal: stop.signal });
    const gone = assert.rejects(held);
    assert.equal(await call("test_held", { key, state: "held" }), "held");
    stop.abort("no longer wanted");
    await gone;
    assert.equal(await call("test_held", { key, state: "cancelled" }), "cancelled");
  },
});

const questions = (walk, { pages }, call) => ({
  async form() {
    const answer = await call("test_elicitation", { message: "Who are you?" });
    assert.equal(answer, `User response: action=accept, content=${JSON.stringify(FORM)}`);
  },
  async url() {
    const url = `https://example.org/${walk.key}`;
    assert.equal(await call("test_url_elicitation", { url }), "Consent: accept");
    assert.deepEqual(pages, [url]);
  },
  async sampling() {
    assert.equal(await call("test_sampling", { prompt: "Which city?" }), "LLM response: Bern");
  },
  async roots() {
    assert.equal(await call("test_input_required_result_list_roots"), `Roots: ${ROOT}`);
  },
});

const streams = (walk, peer, call) => ({
  async logging() {
    const lines = ["Tool execution started", "Tool processing data", "Tool execution completed"];
    for (const [level, wanted] of [["error", []], ["info", lines]]) {
      peer.logged.length = 0;
      if (walk.era === "legacy") await peer.client.setLoggingLevel(level);
      await call("test_tool_with_logging", {}, {}, walk.era === "modern" ? { [LOG_LEVEL]: level } : undefined);
      assert.deepEqual(peer.logged, wanted);
    }
  },
  async subscribe() {
    const uri = `test://template/${walk.key}/data`;
    const subscription =
      walk.era === "modern"
        ? await peer.client.listen({ resourceSubscriptions: [uri] })
        : await peer.client.subscribeResource({ uri });
    await call("test_touch", { uri });
    assert.equal(await peer.update(), uri);
    await subscription.close?.();
  },
});

async function walkThrough(walk) {
  const peer = new Peer(walk);
  const transport = new StreamableHTTPClientTransport(new URL(walk.url));
  await peer.client.connect(transport);
  const call = peer.call.bind(peer);
  const steps = { ...basics(walk, peer, call), ...questions(walk, peer, call), ...streams(walk, peer, call) };
  for (const [step, act] of Object.entries(steps)) await report(walk, step, act);
  await transport.terminateSession();
  await peer.client.close();
}

async function report(walk, step, act) {
  const fault = await within(act).then(() => null, String);
  console.log(JSON.stringify({ walk: walk.name, step, fault }));
}

async function within(act) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end within ${STEP_MS} ms`)), STEP_MS);
  });
  return Promise.race([(async () => act())(), late]).finally(() => clearTimeout(timer));
}

for (const walk of await json(process.stdin)) {
  try {
    await walkThrough(walk);
  } catch (error) {
    console.log(JSON.stringify({ walk: walk.name, step: "connect", fault: String(error) }));
  }
}
process.exit(0);
