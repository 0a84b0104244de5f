"""A gateway whose backends show every kind of number: one that works, one that is gone, one with a queue, one with odd names."""

import json
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from odd_server import NAMES
from peers import free_port

HERE = Path(__file__).resolve().parent


def configuration(gateway):
    demo = f"{gateway} demo"
    return {
        "server": {"host": "127.0.0.1", "port": free_port()},
        # Nobody takes the spans: what counts here is that they are made.
        "telemetry": {"traces": {"endpoint": f"http://127.0.0.1:{free_port()}"}, "overhead_budget": "1ms", "server_timing": True},
        "backends": {
            "works": {"command": demo, "slo": {"availability": 99.9, "tools": {"echo": {"availability": 99}}}},
            "gone": {
                "http_url": f"http://127.0.0.1:{free_port()}/mcp",
                "retry": {"enabled": False},
                "circuit_breaker": {"failure_threshold": 2},
            },
            "narrow": {"command": demo, "max_concurrency": 1},
            "odd": {"command": f"{sys.executable} {HERE / 'odd_server.py'}"},
        },
    }


class Gateway:
    """One that runs at an address, and how it is asked."""

    def __init__(self, url):
        self.url = url

    def page(self, path, accept):
        """The type and the bytes of a page."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.headers["Content-Type"], answer.read()

    def invoke(self, server, tool, arguments):
        params = {"server": server, "tool": tool, "arguments": arguments}
        body = {"jsonrpc": "2.0", "id": 1, "method": "gateway_invoke", "params": params}
        request = urllib.request.Request(
            self.url + "/mcp", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def work(self):
        """A little of everything, so that no number stays as it was."""
        for _ in range(40):
            self.invoke("works", "echo", {"message": "hi"})
        for milliseconds in [3, 30]:
            self.invoke("works", "sleep", {"ms": milliseconds})
        self.invoke("works", "fail", {"message": "no"})
        for _ in range(4):
            self.invoke("gone", "echo", {})
        for name in NAMES:
            self.invoke("odd", name, {})
        with ThreadPoolExecutor(4) as callers:
            list(callers.map(lambda _: self.invoke("narrow", "sleep", {"ms": 20}), range(8)))
