"""Which scenarios passed, measured at what the fixture passes alone?

A scenario passes if no check fails or warns, and every check that the fixture alone passes is there. So a scenario that
ends early, or that is answered with errors throughout, does not pass by what it left out.
"""

import json
import re
import textwrap
from collections import Counter

# The suite says INFO of what is optional and was not there to be checked.
GOOD = {"SUCCESS", "INFO"}
BAD = {"FAILURE", "WARNING"}
# Characters of a fault that are shown; the suite wrote down the rest.
LINE = 300
HEADING = f"{'scenarios':>10} {'checks':>9} {'unscored':>9}"


def read(place):
    """The suite's results in a folder, as {scenario: checks}."""
    results = {}
    for path in place.glob("*/checks.json"):
        scenario = re.sub(r"^server-(.*)-\d{4}-\d\d-\d\dT.*$", r"\1", path.parent.name)
        results[scenario] = json.loads(path.read_text())
    return results


def counted(checks, statuses):
    return Counter((check["id"], check["name"]) for check in checks if check["status"] in statuses)


class Scenario:
    """One scenario's checks beside those of the fixture alone."""

    def __init__(self, checks, measure):
        wanted = counted(measure, {"SUCCESS"})
        self.wanted = wanted.total()
        missing = wanted - counted(checks, GOOD)
        self.passed_checks = self.wanted - missing.total()
        self.faults = [f"{check['id']}: {check.get('errorMessage')}" for check in checks if check["status"] in BAD]
        unseen = missing - counted(checks, BAD)
        self.faults += [f"{identity}: not checked" for identity, _ in unseen]

    @property
    def passed(self):
        return self.wanted > 0 and not self.faults


class Judged:
    """A whole run: its figures, and what is otherwise than expected."""

    def __init__(self, results, measure, scored, allowed, is_part):
        names = [name for name in measure if name in scored] if is_part else sorted(scored)
        self.scored = self.beside(results, measure, names)
        # Of those without a score, only what the fixture alone passes can be asked for.
        others = self.beside(measure, measure, [name for name in measure if name not in scored])
        self.unscored = self.beside(results, measure, [name for name, alone in others.items() if alone.passed])
        self.allowed = {name: reason for name, reason in allowed.items() if not is_part or name in measure}

    @staticmethod
    def beside(results, measure, names):
        return {name: Scenario(results.get(name, []), measure.get(name, [])) for name in names}

    @property
    def wanted(self):
        return sum(scenario.wanted for scenario in self.scored.values())

    def summary(self):
        scenarios = self.scored.values()
        checks = f"{sum(each.passed_checks for each in scenarios)}/{self.wanted}"
        return f"{share(scenarios):>10} {checks:>9} {share(self.unscored.values()):>9}"

    def wrong(self):
        """A line for each scenario that fails and is not allowed to, or is allowed to and does not fail."""
        every = {**self.scored, **self.unscored}
        lines = []
        for name, scenario in every.items():
            if not scenario.passed and name not in self.allowed:
                faults = "; ".join(scenario.faults) or "nothing was checked"
                lines.append(f"{name} fails: {textwrap.shorten(faults, LINE)}")
        for name in self.allowed:
            if name not in every or every[name].passed:
                lines.append(f"{name} stands in expected.yaml and does not fail")
        return lines


def share(scenarios):
    return f"{sum(each.passed for each in scenarios)}/{len(scenarios)}"
