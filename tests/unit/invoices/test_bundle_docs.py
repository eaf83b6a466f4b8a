"""docs/bundle.md: its example is a true bundle, and its code computes what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hutong import merkle
from hutong.invoices.bundle import bundle_schema, parse_bundle
from hutong.invoices.document import leaf_of
from tests.unit.invoices.builders import BUYER, PAYMENT, batch_of, bundle_of, make_draft

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "bundle.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def run(bundle: dict[str, Any]) -> dict[str, Any]:
    """What the page's code computes for a bundle."""
    names: dict[str, Any] = {"bundle": bundle}
    exec(compile(block("python"), "docs/bundle.md", "exec"), names)
    return names


def test_the_example_is_the_bundle_of_a_draft() -> None:
    documents = batch_of(3, make_draft(buyer=BUYER, payment=PAYMENT))
    assert json.loads(block("json")) == bundle_of(documents, 2, block=17)


def test_the_code_computes_the_leaf_and_the_root_that_the_page_names() -> None:
    names = run(json.loads(block("json")))
    bundle = parse_bundle(block("json"))
    assert names["leaf"] == leaf_of(bundle.summary)
    assert names["root"] == merkle.fold(names["leaf"], 2, 3, bundle.siblings)
    assert f"leaf is `0x{names['leaf'].hex()}`" in PAGE
    assert f"root of its batch `0x{names['root'].hex()}`" in PAGE


@pytest.mark.parametrize("index", range(5))
def test_the_code_is_right_for_every_place(index: int) -> None:
    documents = batch_of(5)
    names = run(bundle_of(documents, index))
    assert names["root"] == merkle.root([document.leaf for document in documents])


def test_the_page_names_every_field_of_the_schema() -> None:
    schema = bundle_schema()["properties"]
    for name, part in schema.items():
        assert f"`{name}" in PAGE
        for inner in part.get("properties", ()):
            assert f".{inner}`" in PAGE, f"{name}.{inner}"
