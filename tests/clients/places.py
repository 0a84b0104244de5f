"""Where do the clients and servers lie that are tried here, and how do they get there?"""

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / ".ci" / "work" / "clients"
NODE = WORK / "typescript"
MODULES = NODE / "node_modules"
VENV = WORK / "venv"
FIXTURE = NODE / "fixture"


def install():
    """The pinned packages, in folders that git does not see."""
    NODE.mkdir(parents=True, exist_ok=True)
    for name in ["package.json", "package-lock.json", ".npmrc"]:
        shutil.copy(HERE / "typescript" / name, NODE / name)
    subprocess.run(["npm", "ci", "--loglevel=error"], cwd=NODE, check=True, stdin=subprocess.DEVNULL)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    requirements = HERE / "python" / "requirements.txt"
    subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements], check=True)


def place_scripts():
    """What Node runs, beside the packages, so that it finds them from there."""
    for script in (HERE / "typescript").glob("*.mjs"):
        shutil.copy(script, NODE / script.name)
    shutil.rmtree(FIXTURE, ignore_errors=True)
    shutil.copytree(HERE.parent / "conformance" / "fixture", FIXTURE)
