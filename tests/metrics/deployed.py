"""Whether what lies in deploy/ holds: rules and their tests, and that each number of the dashboard and the rules is there."""

import json
import re
import subprocess
from pathlib import Path

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
RULES = DEPLOY / "prometheus" / "alerts.yml"
RULES_TEST = DEPLOY / "prometheus" / "alerts_test.yml"

# What Grafana puts in place of its variables.
VARIABLES = {"$backend": ".*", "$job": ".*", "$__rate_interval": "30s"}
NAME = re.compile(r"\b(?:mcp|process)_[a-z0-9_]+")
MATCHED = re.compile(r"(\b(?:mcp|process)_[a-z0-9_]+)\{([^}]*)\}")
LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
GROUPED = re.compile(r"\b(?:by|on|without|group_left)\s*\(([^)]*)\)")
# What only Prometheus adds, and what no query of ours asks of a page.
ADDED = {"job", "instance"}


def check_deployed(prometheus, page):
    promtool("check", "rules", RULES)
    promtool("test", "rules", RULES_TEST)
    shown = labels_of(page)
    queries = dashboard_queries()
    for title, query in queries:
        check_names(title, query, shown)
        assert prometheus.awaited(query), f"the panel {title!r} shows nothing: {query}"
    alerts = prometheus.alerts()
    for alert, query in alerts:
        check_names(alert, query, shown)
    print(f"{len(queries)} queries of the dashboard show something, {len(alerts)} alerts ask for what is there")


def promtool(*arguments):
    said = subprocess.run(["promtool", *map(str, arguments)], capture_output=True, text=True)
    assert said.returncode == 0, said.stdout + said.stderr


def dashboard_queries():
    dashboard = json.loads(DASHBOARD.read_text())
    targets = [(panel["title"], target["expr"]) for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return [(title, filled(query)) for title, query in targets]


def filled(query):
    for variable, value in VARIABLES.items():
        query = query.replace(variable, value)
    return query


def labels_of(page):
    """The labels of each sample's name on the page."""
    shown = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("{")
            name = name.split(" ")[0]
            shown.setdefault(name, set()).update(re.findall(r"(\w+)=\"", rest))
    return shown


def check_names(place, query, shown):
    for name in NAME.findall(query):
        assert name in shown, f"{place}: the page has no {name}"
    for name, matchers in MATCHED.findall(query):
        for label in LABEL.findall(matchers):
            assert label in shown[name] | ADDED, f"{place}: {name} has no label {label}"
    known = set().union(*(shown[name] for name in NAME.findall(query))) | ADDED
    for label in [label.strip() for group in GROUPED.findall(query) for label in group.split(",") if label.strip()]:
        assert label in known, f"{place}: nothing in the query has the label {label}"
