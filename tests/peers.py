"""What the scripts that try real peers start, wait for, and stop: each process in a group of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

START_SECONDS = 30
STOP_SECONDS = 10


@contextmanager
def running(log, command, environment=None):
    """A process with its output in a log; stopped, group and all, at the end."""
    with open(log, "w") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        stop(process)


def stop(process):
    for sign in [signal.SIGTERM, signal.SIGKILL]:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(STOP_SECONDS)
            break
        except subprocess.TimeoutExpired:
            continue


def until(found, process, log):
    """What `found` returns once it returns something, while the process lives."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if answer := found():
            return answer
        time.sleep(0.05)
    sys.exit(f"{process.args[0]} did not start:\n{log.read_text()[-4000:]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    """Whether something answers HTTP there, whatever it answers."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
