"""The acceptor: one thread gives numbers, makes documents, signs promises and commits, for many requests at once."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from hutong.database import write
from hutong.errors import Busy, HutongError
from hutong.invoices.acceptance import Accepted, Group, Item, Submission
from hutong.invoices.register import Register
from hutong.invoices.signing import Cashiers, Promiser

log = logging.getLogger(__name__)

#: Most invoices in one transaction: large enough to share its cost, small enough to let others in.
_GROUP = 1_000
#: Submissions waiting at most; beyond it the gateway says that it is busy.
_BACKLOG = 4_000
_WAIT = 30.0


class Acceptor:
    """Takes submissions from many threads and commits them in groups. What it answers is stored durably."""

    def __init__(
        self, engine: Engine, cashiers: Cashiers, promiser: Promiser, *, promise_seconds: int
    ) -> None:
        self._engine, self._cashiers, self._promiser = engine, cashiers, promiser
        self._promise_seconds = promise_seconds
        self._register = Register()
        self._queue: queue.Queue[Submission] = queue.Queue(_BACKLOG)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def submit(
        self,
        issuer: str,
        items: Sequence[Item],
        book: str | None = None,
        *,
        apart: bool = False,
    ) -> list[Accepted | HutongError]:
        """Accepts or refuses each item, in order; `apart`: under a promise that holds no other request's leaves.

        Raises Busy when nothing was accepted for want of time or room.
        """
        submission = Submission(issuer, book, list(items), apart, Future())
        self._start()
        try:
            self._queue.put_nowait(submission)
        except queue.Full:
            raise Busy("too many requests are waiting; nothing was accepted") from None
        try:
            return submission.result.result(_WAIT)
        except TimeoutError:
            # It may still be committed: the same request with the same key finds out.
            raise Busy("not answered in time; repeat the request with the same key") from None

    def _start(self) -> None:
        """Starts the thread on first use: after the server has forked its workers."""
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="acceptor", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            submissions = [self._queue.get()]
            size = len(submissions[0].items)
            while size < _GROUP:
                try:
                    submissions.append(self._queue.get_nowait())
                except queue.Empty:
                    break
                size += len(submissions[-1].items)
            self._commit(submissions)

    def _commit(self, submissions: list[Submission]) -> None:
        """Commits a group; one that cannot be committed whole is tried submission by submission."""
        try:
            answers = self._attempt(submissions)
        except HutongError as error:
            for submission in submissions:
                submission.result.set_exception(error)
            return
        except Exception as error:
            if len(submissions) > 1:
                for submission in submissions:
                    self._commit([submission])
                return
            log.exception("a submission could not be committed")
            submissions[0].result.set_exception(error)
            return
        for submission, answer in zip(submissions, answers, strict=True):
            submission.result.set_result(answer)

    def _attempt(self, submissions: list[Submission]) -> list[list[Accepted | HutongError]]:
        for last in (False, False, True):
            try:
                with write(self._engine) as connection:
                    group = Group(
                        connection,
                        self._cashiers,
                        self._promiser,
                        now=time.time(),
                        promise_seconds=self._promise_seconds,
                        register=self._register,
                    )
                    return group.accept(submissions)
            except sa.exc.IntegrityError:
                # Another gateway stored the same key or payment meanwhile: the next attempt sees it.
                if last:
                    raise
        raise AssertionError("unreachable")
