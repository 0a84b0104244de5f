"""Visits MCP servers with the Python SDK's client and says what worked.

Reads a JSON list of visits on standard input. Each visit names a server, where it is, and how its tools are called
there: `plain` under their own names, `prefixed` with the backend's name before them, `invoke` through `gateway_invoke`.
Prints one `ok` or `not ok` line for each check.
"""

import asyncio
import json
import re
import sys
from contextlib import AsyncExitStack

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client

CHECK_SECONDS = 30


class Visitor:
    """One connected client, and the way tools, prompts and resources are named where it is connected."""

    def __init__(self, visit, client):
        self.server = visit["server"]
        self.how = visit["how"]
        self.repository = visit["repository"]
        self.client = client

    async def tools(self):
        if self.how == "invoke":
            answer = await self.client.call_tool("gateway_list_tools", {"server": self.server})
            return [tool["name"] for tool in structured(answer)["tools"]]
        return await every(self.client.list_tools, "tools", lambda tool: tool.name)

    async def call(self, tool, arguments, progress=None):
        if self.how == "invoke":
            request = {"server": self.server, "tool": tool, "arguments": arguments}
            result = await self.client.call_tool("gateway_invoke", request, progress_callback=progress)
        else:
            name = self.named(await self.tools(), tool)
            result = await self.client.call_tool(name, arguments, progress_callback=progress)
        assert not result.is_error, f"{tool} answered an error: {text(result)}"
        return result

    async def prompt(self, prompt, arguments):
        names = await every(self.client.list_prompts, "prompts", lambda entry: entry.name)
        return await self.client.get_prompt(self.named(names, prompt), arguments)

    async def resource(self, ending):
        uris = await every(self.client.list_resources, "resources", lambda entry: str(entry.uri))
        uri = next((uri for uri in uris if uri.endswith(ending)), None)
        assert uri, f"no resource ends with {ending!r} among {uris}"
        return await self.client.read_resource(uri)

    def named(self, names, plain):
        if self.how == "plain":
            assert plain in names, f"{plain!r} is not among {names}"
            return plain
        own = re.compile(f"{self.server}[^A-Za-z0-9-]+{plain}")
        found = [name for name in names if own.fullmatch(name)]
        assert len(found) == 1, f"{plain!r} of {self.server!r} is not once among {names}"
        return found[0]


async def every(list_page, field, name_of):
    """All pages of a listing."""
    page = await list_page()
    found = [name_of(entry) for entry in getattr(page, field)]
    while page.next_cursor:
        page = await list_page(cursor=page.next_cursor)
        found.extend(name_of(entry) for entry in getattr(page, field))
    return found


def text(result):
    return "".join(block.text for block in result.content if block.type == "text")


def structured(result):
    if result.structured_content is not None:
        return result.structured_content
    return json.loads(text(result))


async def everything(visitor):
    async def lists_tools():
        tools = await visitor.tools()
        assert len(tools) >= 10, f"only {tools}"

    async def calls_a_tool():
        said = text(await visitor.call("echo", {"message": "grüß dich \U0001f980"}))
        assert said == "Echo: grüß dich \U0001f980", said

    async def gets_structured_content():
        result = await visitor.call("get-structured-content", {"location": "Chicago"})
        assert set(result.structured_content) == {"temperature", "conditions", "humidity"}, result.structured_content

    async def gets_an_image():
        result = await visitor.call("get-tiny-image", {})
        image = next(block for block in result.content if block.type == "image")
        assert image.mime_type == "image/png" and len(image.data) > 1000

    async def receives_progress():
        seen = []

        async def progress(done, total, _message):
            seen.append((done, total))

        result = await visitor.call("trigger-long-running-operation", {"duration": 0.6, "steps": 3}, progress)
        assert "completed" in text(result), text(result)
        assert seen == [(1, 3), (2, 3), (3, 3)], seen

    async def reads_a_resource():
        result = await visitor.resource("architecture.md")
        assert "Architecture" in result.contents[0].text, result.contents[0].text[:200]

    async def gets_a_prompt():
        result = await visitor.prompt("args-prompt", {"city": "Bern", "state": "BE"})
        assert "Bern" in result.messages[0].content.text, result.messages

    checks = [lists_tools, calls_a_tool, gets_structured_content, gets_an_image, receives_progress, reads_a_resource]
    return [*checks, gets_a_prompt]


async def files(visitor):
    async def reads_a_file():
        allowed = text(await visitor.call("list_allowed_directories", {})).splitlines()[-1]
        said = text(await visitor.call("read_text_file", {"path": f"{allowed}/note.txt"}))
        assert said.strip() == "kept in a file", said

    return [reads_a_file]


async def time(visitor):
    async def tells_the_time():
        said = json.loads(text(await visitor.call("get_current_time", {"timezone": "UTC"})))
        assert said["timezone"] == "UTC", said

    return [tells_the_time]


async def memory(visitor):
    async def remembers():
        city = {"name": "Bern", "entityType": "city", "observations": ["lies on the Aare"]}
        await visitor.call("create_entities", {"entities": [city]})
        found = structured(await visitor.call("open_nodes", {"names": ["Bern"]}))["entities"]
        assert [entity["observations"] for entity in found] == [city["observations"]], found

    return [remembers]


async def git(visitor):
    async def tells_the_log():
        said = text(await visitor.call("git_log", {"repo_path": visitor.repository, "max_count": 1}))
        assert "kept in a commit" in said, said

    return [tells_the_log]


async def fast(visitor):
    async def adds():
        result = await visitor.call("add", {"a": 19, "b": 23})
        assert result.structured_content == {"result": 42}, result

    async def counts():
        seen = []

        async def progress(done, total, _message):
            seen.append((done, total))

        assert text(await visitor.call("count", {"to": 3}, progress)) == "counted to 3"
        assert seen == [(1, 3), (2, 3), (3, 3)], seen

    async def reads_a_note():
        result = await visitor.resource("one")
        assert result.contents[0].text == "a note", result

    async def gets_a_greeting():
        result = await visitor.prompt("greet", {"name": "Ada"})
        assert result.messages[0].content.text == "Greet Ada.", result

    return [adds, counts, reads_a_note, gets_a_greeting]


CHECKS = {
    "everything": everything,
    "everything_http": everything,
    "files": files,
    "time": time,
    "memory": memory,
    "git": git,
    "fast": fast,
}


def place_of(visit):
    if "sse" in visit:
        return sse_client(visit["sse"])
    return visit.get("url") or StdioServerParameters(command=visit["command"][0], args=visit["command"][1:])


async def visit_server(visit):
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(Client(place_of(visit), mode=visit["era"]))
        if "revision" in visit:
            await report(f"{visit['name']}: speaks {visit['revision']}", lambda: speaks(client, visit["revision"]))
        for check in await CHECKS[visit["server"]](Visitor(visit, client)):
            await report(f"{visit['name']}: {check.__name__.replace('_', ' ')}", check)


async def speaks(client, revision):
    assert client.protocol_version == revision, client.protocol_version


async def report(name, check):
    try:
        await asyncio.wait_for(check(), CHECK_SECONDS)
        print(f"ok {name}", flush=True)
    except Exception as error:  # noqa: BLE001 - whatever went wrong is what this line reports
        print(f"not ok {name}: {type(error).__name__}: {error}", flush=True)


async def main():
    for visit in json.load(sys.stdin):
        try:
            await visit_server(visit)
        except Exception as error:  # noqa: BLE001
            print(f"not ok {visit['name']}: connects: {type(error).__name__}: {error}", flush=True)


asyncio.run(main())
