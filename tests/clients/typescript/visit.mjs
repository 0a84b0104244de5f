// Visits MCP servers with the TypeScript SDK's client and says what worked.
//
// Reads a JSON list of visits on standard input. Each visit names a server, where it is, and how its tools are called
// there: `plain` under their own names, `prefixed` with the backend's name before them, `invoke` through `gateway_invoke`.
// Prints one `ok` or `not ok` line for each check.

import assert from "node:assert/strict";
import { json } from "node:stream/consumers";

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const CHECK_MS = 30_000;

// One connected client, and the way tools, prompts and resources are named where it is connected.
class Visitor {
  constructor(visit, client) {
    this.server = visit.server;
    this.how = visit.how;
    this.repository = visit.repository;
    this.client = client;
  }

  async tools() {
    if (this.how === "invoke") {
      const request = { name: "gateway_list_tools", arguments: { server: this.server } };
      return structured(await this.client.callTool(request)).tools.map((tool) => tool.name);
    }
    return (await this.client.listTools()).tools.map((tool) => tool.name);
  }

  async call(tool, args, onprogress) {
    const invoke = this.how === "invoke";
    const name = invoke ? "gateway_invoke" : this.named(await this.tools(), tool);
    const given = invoke ? { server: this.server, tool, arguments: args } : args;
    const result = await this.client.callTool({ name, arguments: given }, { onprogress, timeout: CHECK_MS });
    assert(!result.isError, `${tool} answered an error: ${text(result)}`);
    return result;
  }

  async prompt(prompt, args) {
    const names = (await this.client.listPrompts()).prompts.map((entry) => entry.name);
    return this.client.getPrompt({ name: this.named(names, prompt), arguments: args });
  }

  async resource(ending) {
    const uris = (await this.client.listResources()).resources.map((entry) => entry.uri);
    const uri = uris.find((candidate) => candidate.endsWith(ending));
    assert(uri, `no resource ends with ${ending} among ${uris}`);
    return this.client.readResource({ uri });
  }

  named(names, plain) {
    if (this.how === "plain") {
      assert(names.includes(plain), `${plain} is not among ${names}`);
      return plain;
    }
    const own = new RegExp(`^${this.server}[^A-Za-z0-9-]+${plain}$`);
    const found = names.filter((name) => own.test(name));
    assert.equal(found.length, 1, `${plain} of ${this.server} is not once among ${names}`);
    return found[0];
  }
}

const text = (result) => result.content.filter((block) => block.type === "text").map((block) => block.text).join("");

const structured = (result) => result.structuredContent ?? JSON.parse(text(result));

const everything = (visitor) => ({
  async "lists tools"() {
    assert((await visitor.tools()).length >= 10);
  },
  async "calls a tool"() {
    assert.equal(text(await visitor.call("echo", { message: "grüß dich 🦀" })), "Echo: grüß dich 🦀");
  },
  async "gets structured content"() {
    const result = await visitor.call("get-structured-content", { location: "Chicago" });
    assert.deepEqual(Object.keys(result.structuredContent).sort(), ["conditions", "humidity", "temperature"]);
  },
  async "gets an image"() {
    const result = await visitor.call("get-tiny-image", {});
    const image = result.content.find((block) => block.type === "image");
    assert(image.mimeType === "image/png" && image.data.length > 1000);
  },
  async "receives progress"() {
    const seen = [];
    const operation = { duration: 0.6, steps: 3 };
    const result = await visitor.call("trigger-long-running-operation", operation, (progress) => seen.push(progress));
    assert.match(text(result), /completed/);
    // The client drops a progress that it reads in one piece with the result, straight from the server too.
    assert(seen.length >= 2);
    assert.deepEqual(seen.map(({ progress, total }) => [progress, total]), [[1, 3], [2, 3], [3, 3]].slice(0, seen.length));
  },
  async "reads a resource"() {
    assert.match((await visitor.resource("architecture.md")).contents[0].text, /Architecture/);
  },
  async "gets a prompt"() {
    const result = await visitor.prompt("args-prompt", { city: "Bern", state: "BE" });
    assert.match(result.messages[0].content.text, /Bern/);
  },
});

const files = (visitor) => ({
  async "reads a file"() {
    const allowed = text(await visitor.call("list_allowed_directories", {})).split("\n").at(-1);
    assert.equal(text(await visitor.call("read_text_file", { path: `${allowed}/note.txt` })).trim(), "kept in a file");
  },
});

const time = (visitor) => ({
  async "tells the time"() {
    assert.equal(JSON.parse(text(await visitor.call("get_current_time", { timezone: "UTC" }))).timezone, "UTC");
  },
});

const memory = (visitor) => ({
  async remembers() {
    const city = { name: "Bern", entityType: "city", observations: ["lies on the Aare"] };
    await visitor.call("create_entities", { entities: [city] });
    const { entities } = structured(await visitor.call("open_nodes", { names: ["Bern"] }));
    assert.deepEqual(entities.map((entity) => entity.observations), [city.observations]);
  },
});

const git = (visitor) => ({
  async "tells the log"() {
    const request = { repo_path: visitor.repository, max_count: 1 };
    assert.match(text(await visitor.call("git_log", request)), /kept in a commit/);
  },
});

const fast = (visitor) => ({
  async adds() {
    assert.deepEqual((await visitor.call("add", { a: 19, b: 23 })).structuredContent, { result: 42 });
  },
  async counts() {
    assert.equal(text(await visitor.call("count", { to: 3 })), "counted to 3");
  },
  async "reads a note"() {
    assert.equal((await visitor.resource("one")).contents[0].text, "a note");
  },
  async "gets a greeting"() {
    assert.equal((await visitor.prompt("greet", { name: "Ada" })).messages[0].content.text, "Greet Ada.");
  },
});

const CHECKS = { everything, everything_http: everything, files, time, memory, git, fast };

async function visitServer(visit) {
  const client = new Client({ name: "real-client", version: "1.0.0" }, { versionNegotiation: { mode: visit.era } });
  const transport = visit.url
    ? new StreamableHTTPClientTransport(new URL(visit.url))
    : new StdioClientTransport({ command: visit.command[0], args: visit.command.slice(1), stderr: "ignore" });
  await client.connect(transport);
  if (visit.revision) {
    await report(`${visit.name}: speaks ${visit.revision}`, async () => {
      assert.equal(client.getNegotiatedProtocolVersion(), visit.revision);
    });
  }
  for (const [name, check] of Object.entries(CHECKS[visit.server](new Visitor(visit, client)))) {
    await report(`${visit.name}: ${name}`, check);
  }
  await transport.terminateSession?.();
  await client.close();
}

async function report(name, check) {
  try {
    await within(check());
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}: ${error}`.replaceAll("\n", " "));
  }
}

async function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

for (const visit of await json(process.stdin)) {
  try {
    await within(visitServer(visit));
  } catch (error) {
    console.log(`not ok ${visit.name}: connects: ${error}`.replaceAll("\n", " "));
  }
}
process.exit(0);
