"""Walks through what a session consists of, step by step, with a Python client: the SDK's or fastmcp's.

    steps.py sdk|fastmcp

Reads a JSON list of walks on standard input. Each names its place, the era in which the client speaks, and a key of its
own. Prints a line of JSON for each step: the walk, the step, and the fault, which is null where there was none.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager

import fastmcp
import mcp
from mcp.client.subscriptions import listen
from mcp_types import CreateMessageResult, ElicitResult, ListRootsResult, Root, TextContent

STEP_SECONDS = 15
MODERN = "2026-07-28"
REVISIONS = {"legacy": "2025-11-25", "modern": MODERN}
MODES = {"legacy": "legacy", "modern": "auto"}
LOG_LEVEL = "io.modelcontextprotocol/logLevel"
ROOT = "file:///work"
FORM = {"username": "ada", "email": "ada@example.org"}


class Person:
    """What a client is told and asked, and what its user answers."""

    def __init__(self):
        self.logged = []
        self.pages = []
        self.updates = asyncio.Queue()

    def answer(self, params):
        if params.mode == "url":
            self.pages.append(params.url)
            return ElicitResult(action="accept")
        return ElicitResult(action="accept", content=FORM)

    async def hear(self, message):
        if getattr(message, "method", None) == "notifications/resources/updated":
            self.updates.put_nowait(str(message.params.uri))

    async def log(self, params):
        self.logged.append(params.data)


class Sdk:
    """The client of the official SDK."""

    def __init__(self, walk):
        self.person = Person()

        async def elicit(_context, params):
            return self.person.answer(params)

        async def sample(_context, _params):
            return CreateMessageResult(role="assistant", content=TextContent(type="text", text="Bern"), model="none")

        async def roots(_context):
            return ListRootsResult(roots=[Root(uri=ROOT)])

        self.client = mcp.Client(
            walk["url"],
            mode=MODES[walk["era"]],
            elicitation_callback=elicit,
            sampling_callback=sample,
            list_roots_callback=roots,
            logging_callback=self.person.log,
            message_handler=self.person.hear,
        )

    async def listings(self):
        tools = await self.client.list_tools()
        resources = await self.client.list_resources()
        templates = await self.client.list_resource_templates()
        prompts = await self.client.list_prompts()
        return [tools.tools, resources.resources, templates.resource_templates, prompts.prompts]

    async def call(self, tool, arguments=None, *, progress=None, meta=None):
        result = await self.client.call_tool(tool, arguments or {}, progress_callback=progress, meta=meta)
        return said(result)

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents

    async def level(self, level):
        await self.client.set_logging_level(level)

    async def subscribe(self, uri):
        await self.client.subscribe_resource(uri)


class FastMcp(Sdk):
    """The client of fastmcp."""

    def __init__(self, walk):
        self.person = Person()

        async def elicit(_message, _type, params, _context):
            return self.person.answer(params)

        self.client = fastmcp.Client(
            walk["url"],
            mode=MODES[walk["era"]],
            elicitation_handler=elicit,
            sampling_handler=lambda _messages, _params, _context: "Bern",
            roots=[ROOT],
            log_handler=self.person.log,
            message_handler=self.person.hear,
        )

    async def listings(self):
        client = self.client
        tools = await client.list_tools()
        return [tools, await client.list_resources(), await client.list_resource_templates(), await client.list_prompts()]

    async def call(self, tool, arguments=None, *, progress=None, meta=None):
        return said(await self.client.call_tool_mcp(tool, arguments or {}, progress_handler=progress, meta=meta))

    async def read(self, uri):
        return await self.client.read_resource(uri)

    # What follows it leaves to the SDK's session beneath it.
    async def subscribe(self, uri):
        await self.client.session.subscribe_resource(uri)


def said(result):
    text = "".join(block.text for block in result.content if block.type == "text")
    assert not result.is_error, f"an error: {text}"
    return text


def steps(walk, peer):
    client, person, is_modern = peer.client, peer.person, walk["era"] == "modern"

    async def connect():
        assert client.protocol_version == REVISIONS[walk["era"]], client.protocol_version

    async def listing():
        wanted = ["test_simple_text", "static-text", "template", "test_simple_prompt"]
        for name, entries in zip(wanted, await peer.listings(), strict=True):
            names = [entry.name for entry in entries]
            assert name in names, f"{name} is not among {names}"

    async def call():
        same(await peer.call("test_simple_text"), "This is a simple text response for testing.")

    async def read():
        contents = await peer.read("test://static-text")
        same([part.text for part in contents], ["This is the content of the static text resource."])

    async def prompt():
        got = await client.get_prompt("test_prompt_with_arguments", {"arg1": "one", "arg2": "two"})
        same(got.messages[0].content.text, "Prompt with arguments: arg1='one', arg2='two'")

    async def progress():
        seen = []

        async def hear(done, total, _message):
            seen.append((done, total))

        await peer.call("test_tool_with_progress", progress=hear)
        same(seen, [(0, 100), (50, 100), (100, 100)])

    async def cancel():
        held = asyncio.create_task(peer.call("test_hold", {"key": walk["key"]}))
        same(await peer.call("test_held", {"key": walk["key"], "state": "held"}), "held")
        held.cancel()
        same(await peer.call("test_held", {"key": walk["key"], "state": "cancelled"}), "cancelled")

    async def form():
        said_of = await peer.call("test_elicitation", {"message": "Who are you?"})
        same(said_of, f"User response: action=accept, content={json.dumps(FORM, separators=(',', ':'))}")

    async def page():
        url = f"https://example.org/{walk['key']}"
        same(await peer.call("test_url_elicitation", {"url": url}), "Consent: accept")
        same([str(seen) for seen in person.pages], [url])

    async def sampling():
        same(await peer.call("test_sampling", {"prompt": "Which city?"}), "LLM response: Bern")

    async def roots():
        same(await peer.call("test_input_required_result_list_roots"), f"Roots: {ROOT}")

    async def logging():
        lines = ["Tool execution started", "Tool processing data", "Tool execution completed"]
        for level, wanted in [("error", []), ("info", lines)]:
            person.logged.clear()
            if not is_modern:
                await peer.level(level)
            await peer.call("test_tool_with_logging", meta={LOG_LEVEL: level} if is_modern else None)
            same(person.logged, wanted)

    async def subscribe():
        uri = f"test://template/{walk['key']}/data"
        async with watching(peer, uri, is_modern) as updated:
            await peer.call("test_touch", {"uri": uri})
            same(await updated(), uri)

    return {
        "connect": connect,
        "list": listing,
        "call": call,
        "read": read,
        "prompt": prompt,
        "progress": progress,
        "cancel": cancel,
        "form": form,
        "url": page,
        "sampling": sampling,
        "roots": roots,
        "logging": logging,
        "subscribe": subscribe,
    }


@asynccontextmanager
async def watching(peer, uri, is_modern):
    if not is_modern:
        await peer.subscribe(uri)
        yield peer.person.updates.get
        return
    async with listen(peer.client.session, resource_subscriptions=[uri]) as events:

        async def updated():
            return str((await anext(aiter(events))).uri)

        yield updated


def same(found, wanted):
    assert found == wanted, f"{found!r} instead of {wanted!r}"


async def report(walk, step, act):
    try:
        async with asyncio.timeout(STEP_SECONDS):
            await act()
        fault = None
    except Exception as error:  # noqa: BLE001 - whatever went wrong is what this line reports
        fault = f"{type(error).__name__}: {error}"
    print(json.dumps({"walk": walk["name"], "step": step, "fault": fault}), flush=True)


async def walk_through(peer_of, walk):
    async with AsyncExitStack() as stack:
        peer = peer_of(walk)
        async with asyncio.timeout(STEP_SECONDS):
            await stack.enter_async_context(peer.client)
        for step, act in steps(walk, peer).items():
            await report(walk, step, act)


async def main():
    peer_of = {"sdk": Sdk, "fastmcp": FastMcp}[sys.argv[1]]
    for walk in json.load(sys.stdin):
        try:
            await walk_through(peer_of, walk)
        except Exception as error:  # noqa: BLE001
            fault = f"{type(error).__name__}: {error}"
            print(json.dumps({"walk": walk["name"], "step": "connect", "fault": fault}), flush=True)


asyncio.run(main())
