"""Compile the contracts and write what deployment and the Python package need of them.

Reads contracts/settings.json. Writes build/contracts-hutong/<Name>.json (bytecode and all) and
backend/hutong/abi/<Name>.json (the ABI alone, committed) for every concrete contract in
contracts/*.sol. Does nothing when neither sources nor settings have changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import solcx
import tool_settings

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = ROOT / "contracts"
BUILD = ROOT / "build" / "contracts-hutong"
ABI = ROOT / "backend" / "hutong" / "abi"
STAMP = BUILD / ".hash"
CODE_LIMIT = 24_576  # EIP-170; nodes refuse to deploy more
OUTPUT = [
    "abi",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
]


def sources() -> dict[str, str]:
    """Every contract source but forge's tests, by its path inside the project."""
    paths = [p for p in CONTRACTS.rglob("*.sol") if CONTRACTS / "test" not in p.parents]
    return {p.relative_to(ROOT).as_posix(): p.read_text("utf-8") for p in sorted(paths)}


def content_hash(texts: dict[str, str], settings: dict[str, Any]) -> str:
    """Of all that the outputs depend on: sources, libraries' version, settings, this script."""
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    library = lock["node_modules/@openzeppelin/contracts"]["version"]
    this = Path(__file__).read_text("utf-8")
    parts = json.dumps([texts, library, settings, this], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()


def solc_binary(version: str) -> Path:
    folder = Path(os.environ.get("SOLCX_BINARY_PATH") or ROOT / "var" / "solc")
    binary = folder / f"solc-v{version}"
    if not binary.exists():
        sys.exit(f"{binary.name} is not in {folder}: run `make setup` first")
    return binary


def compile_all(texts: dict[str, str], settings: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Compile and return the artifact of every concrete contract that stands in contracts/*.sol."""
    request = {
        "language": "Solidity",
        "sources": {name: {"content": text} for name, text in texts.items()},
        "settings": {**settings["settings"], "outputSelection": {"*": {"*": OUTPUT}}},
    }
    os.chdir(ROOT)  # imports are found from here, as in forge and Brownie
    try:
        output = solcx.compile_standard(request, solc_binary=solc_binary(settings["compiler"]))
    except solcx.exceptions.SolcError as error:
        sys.exit(error.message.strip())
    for problem in output.get("errors", []):
        print(problem["formattedMessage"], file=sys.stderr)

    artifacts = {}
    for source, contracts in sorted(output["contracts"].items()):
        if Path(source).parent.as_posix() != "contracts":
            continue
        for name, made in sorted(contracts.items()):
            if not made["evm"]["bytecode"]["object"]:  # an interface or an abstract contract
                continue
            if name in artifacts:
                sys.exit(f"two contracts are called {name}; the second is in {source}")
            artifacts[name] = artifact(name, source, texts[source], made, settings)
    return artifacts


def artifact(
    name: str, source: str, text: str, made: dict[str, Any], settings: dict[str, Any]
) -> dict[str, Any]:
    evm = made["evm"]
    return {
        "contractName": name,
        "sourcePath": source,
        "sourceHash": hashlib.sha256(text.encode()).hexdigest(),
        "compiler": settings,
        "abi": ordered(made["abi"]),
        "bytecode": "0x" + evm["bytecode"]["object"],
        "deployedBytecode": "0x" + evm["deployedBytecode"]["object"],
        "immutableReferences": evm["deployedBytecode"].get("immutableReferences", {}),
    }


def ordered(abi: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By kind, name and arguments, so that moving a function in its file changes nothing here."""

    def key(entry: dict[str, Any]) -> tuple[str, str, list[str]]:
        return entry["type"], entry.get("name", ""), [i["type"] for i in entry.get("inputs", [])]

    return sorted(abi, key=key)


def pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def too_large(artifacts: dict[str, dict[str, Any]]) -> list[str]:
    sizes = {name: len(made["deployedBytecode"]) // 2 - 1 for name, made in artifacts.items()}
    return [
        f"{name} has {size:,} bytes of code, more than the {CODE_LIMIT:,} that a node accepts"
        for name, size in sizes.items()
        if size > CODE_LIMIT
    ]


def stale_abis(artifacts: dict[str, dict[str, Any]]) -> list[str]:
    """How the committed ABIs differ from what the sources give."""
    expected = {f"{name}.json": pretty(made["abi"]) for name, made in artifacts.items()}
    present = {path.name: path.read_text("utf-8") for path in ABI.glob("*.json")}
    return [
        f"backend/hutong/abi/{name} is not what contracts/ compiles to: run scripts/compile.py"
        for name in sorted(expected.keys() | present.keys())
        if expected.get(name) != present.get(name)
    ]


def write(folder: Path, texts: dict[str, str]) -> None:
    """Write the files, each in one step, and remove those of contracts that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        target = folder / f"{name}.json"
        if not target.exists() or target.read_text("utf-8") != text:
            part = folder / f".{name}.{os.getpid()}"
            part.write_text(text, "utf-8")
            part.replace(target)
    for path in folder.glob("*.json"):
        if path.stem not in texts:
            path.unlink()


def up_to_date(digest: str) -> bool:
    if not STAMP.exists() or STAMP.read_text("utf-8") != digest:
        return False
    built = {path.name for path in BUILD.glob("*.json")}
    return bool(built) and built == {path.name for path in ABI.glob("*.json")}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--force", action="store_true", help="compile even if nothing has changed")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail if the settings of forge or Brownie, or a committed ABI, differ",
    )
    options = parser.parse_args()

    settings = tool_settings.load(ROOT)
    texts = sources()
    digest = content_hash(texts, settings)
    if options.check:
        artifacts = compile_all(texts, settings)
        problems = tool_settings.differences(ROOT, settings)
        problems += stale_abis(artifacts) + too_large(artifacts)
        for problem in problems:
            print(f"error: {problem}", file=sys.stderr)
        print(f"  check     {len(artifacts)} contracts, {len(problems)} problems")
        return 1 if problems else 0

    if not options.force and up_to_date(digest):
        print("  compile   contracts are up to date")
        return 0
    print(f"  compile   {len(texts)} sources with solc {settings['compiler']}", flush=True)
    artifacts = compile_all(texts, settings)
    for problem in too_large(artifacts):
        print(f"warning: {problem}", file=sys.stderr)
    STAMP.unlink(missing_ok=True)
    write(BUILD, {name: pretty(made) for name, made in artifacts.items()})
    write(ABI, {name: pretty(made["abi"]) for name, made in artifacts.items()})
    STAMP.write_text(digest, "utf-8")
    for name, made in artifacts.items():
        print(f"            {name}: {len(made['deployedBytecode']) // 2 - 1:,} bytes of code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
