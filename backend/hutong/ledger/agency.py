"""What the tax bureau and the recovery agency decide, each as a step that looks at the chain first."""

from __future__ import annotations

from typing import Any

from hutong import money, uscc
from hutong.errors import ContractRefusal, FieldInvalid
from hutong.ledger.client import Node
from hutong.ledger.coding import checksum
from hutong.ledger.contracts import Contracts, call
from hutong.ledger.roles import PARTICIPANT_ROLES, SIGNER_ROLES, role_names
from hutong.ledger.steps import Step


class Agency:
    """Steps of agencies. Reads only; `steps.carry_out` does them. Amounts are in minor units."""

    def __init__(self, node: Node, contracts: Contracts) -> None:
        self._node, self._contracts = node, contracts

    def admit(
        self,
        code: str,
        name: str,
        roles: int,
        admin: str,
        *,
        irregular: bool = False,
        replace_roles: bool = False,
    ) -> Step:
        """Admits an organisation with its administrator. `irregular`: although its check digit is wrong.

        Admitted already: nothing, if in the same roles; other roles with `replace_roles`, else
        ContractRefusal ParticipantExists. Raises UsccInvalid, FieldInvalid.
        """
        code = uscc.normalise(code) if irregular else uscc.check(code, "uscc")
        uscc.to_bytes(code)
        admin = _address(admin, "admin")
        if not name.strip():
            raise FieldInvalid("an organisation has a name", field="name")
        known = self._participant(code)
        named = role_names(roles, PARTICIPANT_ROLES)
        if not known.roles:
            args = (code, name.strip(), roles, admin, irregular)
            return Step(code, f"admitted as {named}", "Participants", "admit", args)
        if known.roles == roles:
            return Step(code, f"admitted before as {named}")
        if replace_roles:
            return Step(code, f"roles are now {named}", "Participants", "setRoles", (code, roles))
        raise ContractRefusal(
            "ParticipantExists",
            {"uscc": code},
            detail=f"{code} is admitted as {role_names(known.roles, PARTICIPANT_ROLES)};"
            " other roles need --replace-roles",
        )

    def suspend(self, code: str, reason: str) -> Step:
        """Suspends: none of its consents counts until reinstated."""
        code = _code(code)
        if self._participant(code).suspended:
            return Step(code, "suspended before")
        return Step(code, "suspended", "Participants", "suspend", (code, reason))

    def reinstate(self, code: str) -> Step:
        """Ends a suspension."""
        code = _code(code)
        known = self._participant(code)
        if known.roles and not known.suspended:
            return Step(code, "not suspended")
        return Step(code, "reinstated", "Participants", "reinstate", (code,))

    def recover(self, code: str, admin: str, reason: str, *, again: bool = False) -> Step:
        """Voids all signers and names one administrator.

        Nothing, if the last recovery named the same: doing it twice would void the signers that the
        administrator has named since. `again` does it nevertheless.
        """
        code, admin = _code(code), _address(admin, "admin")
        epoch = self._participant(code).epoch
        if epoch and not again:
            signer = self._call("Participants", "signerOf", code, admin)
            if signer.roles & SIGNER_ROLES["admin"]:
                return Step(code, f"recovered before ({epoch} times): {admin} is administrator")
        args = (code, admin, reason)
        return Step(code, f"recovered: only {admin} signs", "Participants", "recover", args)

    def open_book(self, issuer: str, first: int, count: int, currency: str = "CNY") -> Step:
        """Opens the numbers first .. first + count - 1. Nothing, if just this book is open."""
        issuer, currency = _code(issuer, "issuer"), _currency(currency)
        book = self._book(first)
        text = f"{first:020d} .. {first + count - 1:020d} of {issuer} in {currency}"
        if (
            book is not None
            and (book.issuer, book.currency) == (issuer, currency)
            and book.last == first + count - 1
        ):
            return Step(issuer, f"opened before: {text}, next {book.next}")
        args = (issuer, first, count, currency)
        return Step(issuer, f"opened: {text}", "Invoices", "openBook", args)

    def close_book(self, first: int) -> Step:
        """Ends a book where it stands."""
        book = self._book(first)
        subject = f"{first:020d}"
        if book is not None and book.last == book.next - 1:
            return Step(subject, f"ended before at {book.last}")
        return Step(subject, "closed", "Invoices", "closeBook", (first,))

    def set_quota(self, issuer: str, amount: int, currency: str = "CNY") -> Step:
        """Sets what the issuer may issue a month."""
        issuer, currency = _code(issuer, "issuer"), _currency(currency)
        text = f"{money.format_minor(amount, money.exponent_of(currency))} {currency} a month"
        quota = self._call("Invoices", "quotaOf", issuer, currency)
        # An amount of 0 may also mean that none was ever set: then the contract decides.
        if quota.amount == amount and amount:
            return Step(issuer, f"quota was {text} before")
        return Step(issuer, f"quota is {text}", "Invoices", "setQuota", (issuer, currency, amount))

    def _participant(self, code: str) -> Any:
        return self._call("Participants", "participantOf", code)

    def _book(self, first: int) -> Any:
        try:
            return self._call("Invoices", "bookOf", first)
        except ContractRefusal as refusal:
            if refusal.code != "BookUnknown":
                raise
            return None

    def _call(self, contract: str, function: str, *args: object) -> Any:
        return call(self._node, self._contracts, contract, function, *args)


def _code(code: str, field: str = "uscc") -> str:
    """A code as written; its check digit was looked at when it was admitted."""
    code = uscc.normalise(code)
    if not uscc.is_well_formed(code):
        uscc.check(code, field)  # says what is wrong with it
    return code


def _address(text: str, field: str) -> str:
    try:
        return checksum(text)
    except ValueError as error:
        raise FieldInvalid(str(error), field=field) from error


def _currency(text: str) -> str:
    code = text.strip().upper()
    if len(code) != 3 or not code.isascii() or not code.isalpha():
        raise FieldInvalid(f"{text!r} is no ISO 4217 currency", field="currency")
    return code
