"""The other side: the sd-jwt library reads our payload and disclosures as they are."""

from typing import Any

import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.verifier import SDJWTVerifier

from hutong.invoices.claims import read_claims
from hutong.invoices.document import Document
from tests.unit.invoices.builders import BUYER, PAYMENT, document_of, full_draft


@pytest.fixture(scope="module")
def key() -> JWK:
    return JWK.generate(kty="EC", crv="P-256")


def signed(document: Document, key: JWK) -> str:
    """A JWS over the payload's very octets."""
    jws = JWS(document.payload)
    jws.add_signature(key, alg="ES256", protected='{"alg":"ES256","typ":"dc+sd-jwt"}')
    compact: str = jws.serialize(compact=True)
    return compact


def read(document: Document, disclosures: list[str], key: JWK) -> dict[str, Any]:
    presentation = "~".join([signed(document, key), *disclosures, ""])
    verifier = SDJWTVerifier(presentation, lambda _issuer, _header: key)
    payload: dict[str, Any] = verifier.get_verified_payload()
    return payload


def test_the_library_rebuilds_the_claims_that_we_rebuild(key: JWK) -> None:
    document = document_of(full_draft())
    claims = read(document, document.disclosures, key)
    assert claims == read_claims(document.payload, document.disclosures).claims
    assert claims["buyer"]["uscc"] == BUYER["uscc"]
    assert claims["payment"] == PAYMENT
    assert [line["name"] for line in claims["lines"]] == ["*餐饮服务*餐费", "停车费"]


@pytest.mark.parametrize("shown", [[], [0], [1, 2], [2], [3, 4, 5], [0, 1, 2, 3, 5]])
def test_the_library_leaves_out_what_is_withheld(key: JWK, shown: list[int]) -> None:
    document = document_of(full_draft())
    disclosures = [document.disclosures[i] for i in shown]
    claims = read(document, disclosures, key)
    assert claims == read_claims(document.payload, disclosures).claims
    assert ("buyer" in claims) == (2 in shown)
    assert len(claims["lines"]) == len({0, 1} & set(shown))


def test_the_library_refuses_a_payload_changed_after_signing(key: JWK) -> None:
    document = document_of(full_draft())
    header, _, signature = signed(document, key).split(".")
    _, other, _ = signed(document_of(full_draft(), seed="other"), key).split(".")
    with pytest.raises(Exception, match=r"(?i)signature|verification"):
        SDJWTVerifier(f"{header}.{other}.{signature}~", lambda _issuer, _header: key)
