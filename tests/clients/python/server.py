"""A server as fastmcp's users write them, over Streamable HTTP on a loopback port."""

import sys

from fastmcp import Context, FastMCP

server = FastMCP("fastmcp")


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool
async def count(to: int, context: Context) -> str:
    """Counts, and says how far it is."""
    for number in range(1, to + 1):
        await context.report_progress(number, to)
    return f"counted to {to}"


@server.resource("note://one")
def note() -> str:
    return "a note"


@server.prompt
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Greet {name}."


server.run(transport="http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
