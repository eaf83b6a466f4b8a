"""One tree of errors: a class's name is the `code` that people, pages and other systems see."""

from collections.abc import Mapping
from typing import ClassVar


class HutongError(Exception):
    """Something that the caller must be told. The docstrings below are the rules that were broken.

    `detail` is a sentence for people, `field` the JSON path of the input at fault
    (`lines[3].rate`), `values` the offending values, JSON-able. `status` is the HTTP status.
    """

    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, field: str | None = None, **values: object) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.values: dict[str, object] = values

    @property
    def code(self) -> str:
        return type(self).__name__


# --- kinds: what the caller can do about it --------------------------------------------------


class BadInput(HutongError):
    """The content breaks a rule; the same content will break it again."""

    status = 422


class Malformed(BadInput):
    """The request cannot be read at all."""

    status = 400


class TooLarge(HutongError):
    """The request is larger than what is taken."""

    status = 413


class Unauthorized(HutongError):
    """Nobody has proven who is asking."""

    status = 401


class Forbidden(HutongError):
    """Who is asking may not do this."""

    status = 403


class NotFound(HutongError):
    """There is no such thing, or it is not for the one who asks."""

    status = 404


class Conflict(HutongError):
    """The state of things stands against it."""

    status = 409


class Limited(HutongError):
    """Too much at once; try again later."""

    status = 429


class Unavailable(HutongError):
    """Something needed does not answer; try again later."""

    status = 503


# --- requests --------------------------------------------------------------------------------


class BodyMalformed(Malformed):
    """The body is JSON (UTF-8) of the kind that the path asks for."""


class BodyTooLarge(TooLarge):
    """The body is at most as large as the path allows."""


class IdempotencyKeyMissing(Malformed):
    """Every POST carries an Idempotency-Key."""


class IdempotencyKeyReused(Conflict):
    """An idempotency key stands for one content."""


class KeyUnknown(Unauthorized):
    """The API key exists and is not revoked."""


class SignatureInvalid(Unauthorized):
    """The signature is by a signer of the participant, over exactly this text."""


class SignatureStale(Unauthorized):
    """The signature's deadline has not passed."""


class ScopeMissing(Forbidden):
    """The API key is allowed to do this."""


class AttemptsExceeded(Limited):
    """An address that keeps showing wrong keys or signatures waits before it tries again."""


class PathUnknown(NotFound):
    """The path is one that /openapi.json names."""


class MethodUnknown(HutongError):
    """The path takes this method."""

    status = 405


class MediaTypeUnsupported(HutongError):
    """The body has the media type that the path asks for."""

    status = 415


class Internal(HutongError):
    """Every request gets an answer that says what to do; this is our fault, and it is logged."""


class Busy(Unavailable):
    """There is more work than fits; nothing was accepted."""


# --- fields ----------------------------------------------------------------------------------


class FieldMissing(BadInput):
    """A required field is there."""


class FieldInvalid(BadInput):
    """A field has the type, length and form that its description says."""


class FieldUnknown(BadInput):
    """Every field is one that the description names."""


class UsccInvalid(BadInput):
    """A USCC has 18 characters of GB 32100's alphabet and the right check digit."""


class AmountInvalid(BadInput):
    """An amount is a decimal string with at most the currency's decimals and within its range."""


# --- what an API key's holder sets up ---------------------------------------------------------


class ApiKeyUnknown(NotFound):
    """The API key is one of the participant's."""


class ChargingPointUnknown(NotFound):
    """The charging point is one of the participant's."""


class WebhookUnknown(NotFound):
    """The webhook, or its delivery, is one of the participant's."""


class WebhookUrlRefused(BadInput):
    """A webhook's address is public and speaks HTTPS."""


class TooMany(Conflict):
    """A participant has at most as many of these as the description says."""


# --- invoices --------------------------------------------------------------------------------


class LineInvalid(BadInput):
    """A line agrees with itself and with the line it discounts."""


class RateInvalid(BadInput):
    """A rate is one that the law knows on the day of the invoice."""


class TotalsMismatch(BadInput):
    """Totals are the sums of the lines, to the fen."""


class TimeInFuture(BadInput):
    """A payment has happened before it is invoiced."""


class BundleInvalid(BadInput):
    """A bundle follows the schema hutong-bundle/1."""


class InvoiceUnknown(NotFound):
    """The invoice exists and the one who asks may see it."""


class BatchUnknown(NotFound):
    """The batch exists."""


class BookUnknown(NotFound):
    """The book exists and is the participant's."""


class NotYetOnChain(Conflict):
    """The invoice has landed on the chain."""


class PaymentAlreadyInvoiced(Conflict):
    """A payment is invoiced once by its issuer."""


class NumberTaken(Conflict):
    """A number belongs to one invoice."""


class BookExhausted(Conflict):
    """The book has room for the invoice."""


class QuotaExceeded(Conflict):
    """The month's quota suffices for the invoice."""


# --- participants ----------------------------------------------------------------------------


class ParticipantUnknown(NotFound):
    """The participant is admitted."""


class ParticipantSuspended(Forbidden):
    """The participant is not suspended."""


class ParticipantRoleMissing(Forbidden):
    """The participant is admitted for what it wants to do."""


class SignerMissing(Conflict):
    """This gateway holds a key that may sign for the participant."""


class SignerCapExceeded(Conflict):
    """The amount is within what the signer may sign for."""


# --- the installation ------------------------------------------------------------------------


class SettingInvalid(BadInput):
    """A setting has the form that its description says."""


class SchemaMismatch(HutongError):
    """The database was made by this version of the tables."""


class ChainMismatch(HutongError):
    """The node carries the chain that the database and the manifest speak of."""


class FactInconsistent(HutongError):
    """An event of the chain fits what is known."""


class LeaseLost(HutongError):
    """The work is this worker's own; another one has taken over."""


# --- the node --------------------------------------------------------------------------------


class NodeUnavailable(Unavailable):
    """The node answers."""


class NodeError(HutongError):
    """The node carries out what it is asked.

    `rpc_code` is the JSON-RPC error code, `data` what a reverted call returned; None where the node
    gave none.
    """

    status = 502

    def __init__(
        self, detail: str, *, rpc_code: int | None = None, data: bytes | None = None
    ) -> None:
        super().__init__(
            detail, rpc_code=rpc_code, data=None if data is None else "0x" + data.hex()
        )
        self.rpc_code = rpc_code
        self.data = data


class ContractRefusal(Conflict):
    """A contract reverted. `code` is its custom error's name, `values` are its arguments."""

    def __init__(
        self, name: str, values: Mapping[str, object] | None = None, *, detail: str | None = None
    ) -> None:
        arguments = dict(values or {})
        text = ", ".join(f"{key} {value}" for key, value in arguments.items())
        super().__init__(detail or f"the contract answers {name}" + (f": {text}" if text else ""))
        self.values = arguments
        self._name = name

    @property
    def code(self) -> str:
        return self._name
