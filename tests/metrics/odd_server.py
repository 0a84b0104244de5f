"""A small MCP server over stdio whose tools have the oddest names that MCP and JSON allow."""

import json
import sys

NAMES = ['quote " and \\ backslash', "line\nbreak", "caf\u00e9 \u2603", "nul\u0000byte", "} 1 # {", "tab\tand\rreturn"]


def answer(method):
    if method == "initialize":
        server = {"name": "odd", "version": "1"}
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": server}
    if method == "tools/list":
        return {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in NAMES]}
    return {"content": [{"type": "text", "text": "odd"}]}


def main():
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message:
            print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": answer(message.get("method"))}), flush=True)


if __name__ == "__main__":
    main()
