"""An auditor: compares the chain, the database and the answers that merchants got; trusts none of them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong import merkle
from hutong.database import read
from hutong.invoices.store import batch_facts, invoices
from hutong.ledger.consents import promise_digest, recover
from tests.integration.city import City


def audit(
    city: City, engine: Engine, issuer: str, answered: Iterable[tuple[str, bytes]] | None = None
) -> int:
    """Every invoice accepted is on the chain exactly once, numbers without gaps, sums equal; returns how many.

    `answered`: (number, leaf) of every invoice that the issuer was told is accepted.
    """
    with read(engine) as connection:
        stored = {
            int(row.number): (bytes(row.leaf), row.gross)
            for row in connection.execute(
                sa.select(invoices.c.number, invoices.c.leaf, invoices.c.gross).where(
                    invoices.c.issuer == issuer
                )
            )
        }
        payments = connection.execute(
            sa.select(invoices.c.payment).where(
                invoices.c.issuer == issuer, invoices.c.payment.is_not(None)
            )
        ).scalars()
        paid = [bytes(payment) for payment in payments]
        facts = {
            int(row.first): (row.count, bytes(row.root), int(row.bound))
            for row in connection.execute(
                sa.select(batch_facts).where(batch_facts.c.issuer == issuer)
            )
        }
    assert len(set(paid)) == len(paid)

    on_chain: dict[int, tuple[bytes, int]] = {}
    batches: dict[int, tuple[int, bytes, int]] = {}
    for index in range(city.call("Invoices", "bookCount", issuer)):
        first = city.call("Invoices", "bookAt", issuer, index)
        book = city.call("Invoices", "bookOf", first)
        following = first
        for place in range(city.call("Invoices", "batchCount", first)):
            batch = city.call("Invoices", "batchAt", first, place)
            assert batch.first == following, "the chain's batches follow one another"
            following += batch.count
            batches[batch.first] = (batch.count, batch.root, batch.bound)
            numbers = range(batch.first, following)
            assert set(numbers) <= stored.keys(), "the chain has a number that was never promised"
            leaves = [stored[number][0] for number in numbers]
            assert merkle.root(leaves) == batch.root
            assert sum(stored[number][1] for number in numbers) == batch.bound
            on_chain.update((number, stored[number]) for number in numbers)
        assert book.next == following
    assert on_chain == stored, "what was promised is on the chain, and nothing else"
    assert facts == batches, "the facts are the chain's"
    assert city.call("Invoices", "quotaOf", issuer, "CNY").spent == sum(
        gross for _, gross in stored.values()
    )
    if answered is not None:
        answers = list(answered)
        assert len({number for number, _ in answers}) == len(answers), "a number was given twice"
        for number, leaf in answers:
            assert on_chain[int(number)][0] == leaf
    return len(stored)


def assert_signed(
    city: City, root: bytes, count: int, before: int, signer: str, signature: bytes
) -> None:
    """A promise is the gateway's."""
    manifest = city.manifest
    digest = promise_digest(manifest.chain_id, manifest.addresses["Invoices"], root, count, before)
    assert recover(digest, signature) == signer
