"""A real Prometheus that scrapes a gateway, and what it says when it is asked."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager

from peers import free_port, running, until

# Short: what is looked at is what arrives, not how it looks after a day.
CONFIGURATION = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: gateway
    static_configs: [{{targets: ["{target}"]}}]
"""


@contextmanager
def scraping(target, rules, folder, features):
    """A Prometheus with its own empty store; it ends with the block."""
    folder.mkdir(parents=True)
    configuration = folder / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(target=target, rules=rules))
    url = f"http://127.0.0.1:{free_port()}"
    command = [
        "prometheus",
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        f"--enable-feature={features}",
    ]
    log = folder / "log"
    with running(log, command) as process:
        until(lambda: is_ready(url), process, log)
        yield Prometheus(url, process, log)


def is_ready(url):
    """Before that it answers, but with 503."""
    try:
        urllib.request.urlopen(f"{url}/-/ready", timeout=2).close()
        return True
    except OSError:
        return False


class Prometheus:
    """One that runs."""

    def __init__(self, url, process, log):
        self.url, self.process, self.log = url, process, log

    def ask(self, path, **arguments):
        query = urllib.parse.urlencode(arguments)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            sys.exit(f"Prometheus does not take {arguments}: {error.read().decode()}")

    def query(self, expression):
        """The series that an expression has now; an expression that cannot be read is an error of HTTP."""
        return self.ask("query", query=expression)["result"]

    def awaited(self, expression):
        """Its numbers, once there are any."""

        def numbers():
            return [one for one in self.query(expression) if one["value"][1] != "NaN"]

        return until(numbers, self.process, self.log)

    def scrapes_well(self):
        """Waits for a few whole scrapes; says why where there are none."""
        return until(lambda: self.query('count_over_time((up{job="gateway"} == 1)[1m:500ms]) >= 4'), self.process, self.log)

    def alerts(self):
        """The name and the query of each alert, as it has read them."""
        groups = self.ask("rules")["groups"]
        return [(rule["name"], rule["query"]) for group in groups for rule in group["rules"]]

    def last_error(self):
        return self.ask("targets")["activeTargets"][0]["lastError"]

    def exemplars(self, series):
        """The exemplars of the last minutes."""
        found = self.ask("query_exemplars", query=series, start="2000-01-01T00:00:00Z", end="2100-01-01T00:00:00Z")
        return [exemplar for one in found for exemplar in one["exemplars"]]
