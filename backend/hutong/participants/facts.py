"""Events of the Participants contract become rows: each row is the whole state after the event."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from hutong.errors import FactInconsistent
from hutong.ledger.contracts import Event
from hutong.participants.store import Participant, participant, participant_facts, signer_facts


class ParticipantFacts:
    """Projection of Participants' events; see hutong.ledger.indexer.Projection."""

    contract = "Participants"
    tables = (participant_facts, signer_facts)

    def prepare(self, engine: Engine, events: Sequence[Event]) -> None:
        """Nothing: the events say it all."""

    def apply(self, connection: Connection, event: Event, time: int) -> None:  # noqa: ARG002
        """Stores one event. Raises FactInconsistent when it speaks of a participant never admitted."""
        args = event.args
        if event.name == "Admitted":
            name, roles, irregular = _text(args["name"]), args["roles"], args["irregular"]
            state = Participant(args["uscc"], name, roles, False, "", irregular, 0)
            self._add(connection, event, state)
        elif event.name == "SignerSet":
            connection.execute(
                signer_facts.insert().values(
                    block=event.block,
                    log_index=event.log_index,
                    uscc=args["uscc"],
                    account=args["account"],
                    epoch=args["epoch"],
                    roles=args["roles"],
                    expires=args["expires"],
                    cap=str(args["cap"]),
                )
            )
        elif event.name in ("RolesSet", "Suspended", "Reinstated", "Recovered"):
            before = participant(connection, args["uscc"])
            if before is None:
                raise FactInconsistent(f"{event.name} of {args['uscc']}, which was never admitted")
            after = {
                "RolesSet": lambda: before._replace(roles=args["roles"]),
                "Suspended": lambda: before._replace(suspended=True, reason=_text(args["reason"])),
                "Reinstated": lambda: before._replace(suspended=False, reason=""),
                "Recovered": lambda: before._replace(epoch=args["epoch"]),
            }[event.name]()
            self._add(connection, event, after)

    def rewind(self, connection: Connection, block: int) -> None:
        """Forgets everything after a block."""
        for table in self.tables:
            connection.execute(sa.delete(table).where(table.c.block > block))

    @staticmethod
    def _add(connection: Connection, event: Event, state: Participant) -> None:
        connection.execute(
            participant_facts.insert().values(
                block=event.block, log_index=event.log_index, **state._asdict()
            )
        )


def _text(text: str) -> str:
    """Text that every database keeps: PostgreSQL takes none with a zero in it."""
    return text.replace("\0", "\ufffd")
