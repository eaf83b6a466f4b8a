"""Manifests and artifacts: what is read is what was written, and nothing else is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hutong.errors import FieldInvalid
from hutong.ledger.artifacts import Artifact, ArtifactInvalid
from hutong.ledger.manifest import Manifest, ManifestInvalid
from hutong.ledger.roles import PARTICIPANT_ROLES, parse_roles, role_names

MANIFEST = Manifest(
    20260, "0xabcd", 5, {"Invoices": "0x" + "11" * 20}, {"Invoices": "aa"}, {}, "old.json"
)


def test_manifest_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "manifest.json"
    MANIFEST.save(path)
    assert Manifest.load(path) == MANIFEST
    assert [p.name for p in path.parent.iterdir()] == ["manifest.json"]


def test_manifest_may_say_only_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(
        json.dumps({"chain_id": 1, "genesis": "0x00", "start_block": 0, "addresses": {}})
    )
    assert Manifest.load(tmp_path / "m.json").predecessor is None


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"chain_id": 1}', '{"chain_id": "x", "genesis": ""}']
)
def test_other_files_are_no_manifests(tmp_path: Path, content: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(content)
    with pytest.raises(ManifestInvalid, match=r"m\.json"):
        Manifest.load(path)
    with pytest.raises(ManifestInvalid, match="deploy first"):
        Manifest.load(tmp_path / "none.json")


def make_artifact(folder: Path) -> Artifact:
    content = {
        "abi": [{"type": "constructor", "inputs": [{"name": "x", "type": "uint256"}]}],
        "bytecode": "0x6000",
        "deployedBytecode": "0x" + "60" + "00" * 4 + "61" + "00" * 2,
        "immutableReferences": {"7": [{"start": 1, "length": 4}], "9": [{"start": 6, "length": 2}]},
    }
    (folder / "A.json").write_text(json.dumps(content))
    return Artifact.load(folder, "A")


def test_code_matches_whatever_its_immutables(tmp_path: Path) -> None:
    artifact = make_artifact(tmp_path)
    assert artifact.matches(bytes.fromhex("60deadbeef61cafe"))
    assert not artifact.matches(bytes.fromhex("61deadbeef61cafe"))
    assert not artifact.matches(bytes.fromhex("60deadbeef60cafe"))
    assert not artifact.matches(bytes.fromhex("60deadbeef61cafe00"))
    assert not artifact.matches(b"")
    assert artifact.creation(7) == b"\x60\x00" + (7).to_bytes(32, "big")


def test_other_files_are_no_artifacts(tmp_path: Path) -> None:
    (tmp_path / "B.json").write_text("{}")
    for name in ("B", "C"):
        with pytest.raises(ArtifactInvalid, match="make compile"):
            Artifact.load(tmp_path, name)


def test_roles_are_read_by_name() -> None:
    assert parse_roles("issuer, Debtor", PARTICIPANT_ROLES) == 0b1001
    assert parse_roles("issuer|reimburser", PARTICIPANT_ROLES) == 0b11
    assert role_names(0b1001, PARTICIPANT_ROLES) == "issuer, debtor"
    assert role_names(0, PARTICIPANT_ROLES) == "none"
    for text in ("", "king", "issuer,,x"):
        with pytest.raises(FieldInvalid, match="none of"):
            parse_roles(text, PARTICIPANT_ROLES)
