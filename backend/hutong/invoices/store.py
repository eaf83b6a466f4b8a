"""Tables of invoices: what was promised here (intent), and what the chain says (facts)."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from hutong.database import Number, Octets, Serial, Uscc, metadata

# --- intent: written by the acceptor and the batcher --------------------------------------------------

invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("number", Number, primary_key=True),
    sa.Column("issuer", Uscc, nullable=False),
    sa.Column("book", Number, nullable=False),
    # First 16 bytes of SHA-256(issuer, idempotency key), and SHA-256 of the octets received under it.
    sa.Column("request", Octets, nullable=False, unique=True),
    sa.Column("content", Octets, nullable=False),
    sa.Column("original", Number),
    sa.Column("gross", sa.BigInteger, nullable=False),
    sa.Column("tax", sa.BigInteger, nullable=False),
    sa.Column("buyer", Octets),
    sa.Column("payment", Octets),
    sa.Column("document", Octets, nullable=False),
    sa.Column("leaf", Octets, nullable=False),
    sa.Column("payload", Octets, nullable=False),
    sa.Column("disclosures", Octets, nullable=False),
    sa.Column("promise", sa.BigInteger, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("accepted_at", sa.BigInteger, nullable=False),
    sa.Index("invoices_content", "content"),
    sa.Index("invoices_payment", "payment", "issuer", unique=True),
    sa.Index("invoices_promise", "promise", "position"),
)

#: One signature over all invoices that were accepted together: a BatchTree of their leaves.
promises = sa.Table(
    "promises",
    metadata,
    sa.Column("id", Serial, primary_key=True, autoincrement=True),
    sa.Column("root", Octets, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("before", sa.BigInteger, nullable=False),
    sa.Column("signer", sa.String(42), nullable=False),
    sa.Column("signature", Octets, nullable=False),
)

#: How far this gateway has promised numbers of a book (`next`, `promised` = their sum), how far they are cut into
#: batches (`batched`, `batched_sum`), and why the book stands still, if it does.
allocations = sa.Table(
    "allocations",
    metadata,
    sa.Column("book", Number, primary_key=True),
    sa.Column("issuer", Uscc, nullable=False, index=True),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("next", Number, nullable=False),
    sa.Column("promised", sa.Numeric(30, 0).with_variant(sa.BigInteger, "sqlite"), nullable=False),
    sa.Column("batched", Number, nullable=False),
    sa.Column(
        "batched_sum", sa.Numeric(30, 0).with_variant(sa.BigInteger, "sqlite"), nullable=False
    ),
    sa.Column("stalled", sa.JSON(none_as_null=True)),
    sa.Column("probe_at", sa.BigInteger, nullable=False, server_default="0"),
)

#: A batch once cut never changes: only how it is being sent does.
batches = sa.Table(
    "batches",
    metadata,
    sa.Column("first", Number, primary_key=True),
    sa.Column("book", Number, nullable=False),
    sa.Column("issuer", Uscc, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("root", Octets, nullable=False),
    sa.Column("bound", sa.BigInteger, nullable=False),
    # Sum promised in the book up to and with this batch: what is pending is promised minus this.
    sa.Column("through", sa.Numeric(30, 0).with_variant(sa.BigInteger, "sqlite"), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),  # cut, sent
    sa.Column("alone", sa.Boolean, nullable=False, default=False),
    sa.Column("outbox", sa.BigInteger),
    sa.Column("cut_at", sa.BigInteger, nullable=False),
    sa.Index("batches_state", "state", "book", "first"),
    sa.Index("batches_book", "book", "first"),
    sa.Index("batches_outbox", "outbox"),
)

# --- facts: written by the indexer alone ---------------------------------------------------------------


def _fact_columns() -> tuple[sa.Column[Any], sa.Column[Any]]:
    return (
        sa.Column("block", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("log_index", sa.Integer, primary_key=True, autoincrement=False),
    )


book_facts = sa.Table(
    "book_facts",
    metadata,
    *_fact_columns(),
    sa.Column("first", Number, nullable=False),
    sa.Column("issuer", Uscc, nullable=False),
    sa.Column("last", Number, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("closed", sa.Boolean, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Index("book_facts_first", "first", "block", "log_index"),
    sa.Index("book_facts_issuer", "issuer", "first"),
)

quota_facts = sa.Table(
    "quota_facts",
    metadata,
    *_fact_columns(),
    sa.Column("issuer", Uscc, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", sa.Numeric(30, 0).with_variant(sa.Text, "sqlite"), nullable=False),
    sa.Index("quota_facts_issuer", "issuer", "currency", "block", "log_index"),
)

batch_facts = sa.Table(
    "batch_facts",
    metadata,
    *_fact_columns(),
    sa.Column("book", Number, nullable=False),
    sa.Column("first", Number, nullable=False, unique=True),
    sa.Column("last", Number, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("issuer", Uscc, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("root", Octets, nullable=False),
    sa.Column("bound", sa.Numeric(20, 0).with_variant(sa.Text, "sqlite"), nullable=False),
    sa.Column("spent", sa.Numeric(30, 0).with_variant(sa.Text, "sqlite"), nullable=False),
    sa.Column("period", sa.Integer, nullable=False),
    sa.Column("signer", sa.String(42), nullable=False),
    sa.Column("transaction", sa.String(66), nullable=False),
    sa.Column("block_hash", Octets, nullable=False),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Index("batch_facts_book", "book", "first"),
    sa.Index("batch_facts_issuer", "issuer", "currency", "block", "log_index"),
)

#: Leaves of batches that were not cut from this database, read back from their transactions.
foreign_leaves = sa.Table(
    "foreign_leaves",
    metadata,
    sa.Column("first", Number, primary_key=True),
    sa.Column("block", sa.BigInteger, nullable=False),
    sa.Column("leaves", Octets, nullable=False),
)
