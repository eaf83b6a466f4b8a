"""The compiler settings of contracts/settings.json, and whether forge and Brownie say the same."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import yaml


def load(root: Path) -> dict[str, Any]:
    """Return {"compiler": version, "settings": what standard JSON takes as settings}."""
    settings: dict[str, Any] = json.loads((root / "contracts" / "settings.json").read_text("utf-8"))
    return settings


def differences(root: Path, settings: dict[str, Any]) -> list[str]:
    """One sentence for each key in which another tool's file disagrees with settings.json."""
    wanted = flat(settings)
    found = [
        ("foundry.toml", of_forge(root / "foundry.toml")),
        ("brownie-config.yaml", of_brownie(root / "brownie-config.yaml")),
        ("package-lock.json", of_npm(root / "package-lock.json")),
    ]
    return [
        f"{file}: {key} is {value!r}, but contracts/settings.json says {wanted[key]!r}"
        for file, values in found
        for key, value in values.items()
        if value != wanted[key]
    ]


def flat(settings: dict[str, Any]) -> dict[str, Any]:
    inner = settings["settings"]
    return {
        "solc": settings["compiler"],
        "evmVersion": inner["evmVersion"],
        "viaIR": inner["viaIR"],
        "optimizer.enabled": inner["optimizer"]["enabled"],
        "optimizer.runs": inner["optimizer"]["runs"],
        "remappings": sorted(inner["remappings"]),
        "metadata.bytecodeHash": inner["metadata"]["bytecodeHash"],
    }


def of_forge(path: Path) -> dict[str, Any]:
    """Forge's names for the same settings, or what forge takes when its file is silent."""
    profile = tomllib.loads(path.read_text("utf-8"))["profile"]["default"]
    return {
        "solc": Path(profile.get("solc", "")).name.removeprefix("solc-v"),
        "evmVersion": profile.get("evm_version"),
        "viaIR": profile.get("via_ir", False),
        "optimizer.enabled": profile.get("optimizer", False),
        "optimizer.runs": profile.get("optimizer_runs"),
        "remappings": sorted(profile.get("remappings", [])),
        "metadata.bytecodeHash": profile.get("bytecode_hash", "ipfs"),
    }


def of_brownie(path: Path) -> dict[str, Any]:
    """Brownie's names. It has no word for the metadata hash, which changes no behaviour."""
    both = yaml.safe_load(path.read_text("utf-8"))["compiler"]
    compiler = both["solc"]
    optimizer = compiler.get("optimizer", {})
    return {
        "solc": compiler.get("version"),
        "evmVersion": both.get("evm_version"),
        "viaIR": compiler.get("viaIR", False),
        "optimizer.enabled": optimizer.get("enabled"),
        "optimizer.runs": optimizer.get("runs"),
        "remappings": sorted(r.replace("=./", "=") for r in compiler.get("remappings", [])),
    }


def of_npm(path: Path) -> dict[str, Any]:
    packages = json.loads(path.read_text("utf-8"))["packages"]
    return {"solc": packages["node_modules/solc"]["version"]}
