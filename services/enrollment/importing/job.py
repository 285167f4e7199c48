"""The worker's part that takes imports in, one at a time, part by part.

Each part of a file is one transaction: its effects, its rejected rows and how far the import is; so is each part
of those who are missing in a complete one. So a worker that dies leaves nothing half done, and the next one goes
on with the next part. What three died over is given up, and so is what runs out of time three times.
"""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress

import msgspec
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError

from infra.actor import Actor
from infra.problems import Refused
from infra.storage.failures import may_pass
from infra.storage.leases import Lease

from ..context import PEOPLE, UNITS, Context, When
from ..domain.imports import Counts, Trouble, failure
from .columns import layout
from .completing import Completed, complete
from .kinds import Part, Row, rows_of
from .reading import Sheet, read
from .store import OPEN, Imports, StoredImport, TakenOver
from .taking import take_rows

log = logging.getLogger(__name__)

PART_ROWS = 2000
"""Rows in one transaction, or people who are missing: a second or so."""
LOOK_SECONDS = 0.25
REST_SECONDS = 5.0
"""After what ran out of time: while a part is tried, nobody else can change people and units."""
LEASE_SECONDS = 60.0
MOST_ATTEMPTS = 3


class _Stopped(Exception):
    """The worker is to end; the import stays open for the next one."""


class Importer:
    """Part of a worker: works off the queue of imports; one worker at a time, by a lease."""

    name = "imports"

    def __init__(self, context: Context, part_rows: int = PART_ROWS) -> None:
        self._context = context
        self._imports = Imports(context.store)
        self._lease = Lease(context.store.database, "imports", LEASE_SECONDS)
        self._part_rows = part_rows
        self._tried: str | None = None
        self._timeouts: Counter[tuple[str, int]] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; trouble with MongoDB is waited out."""
        while not stop.is_set():
            pause = LOOK_SECONDS
            try:
                waiting = self._imports.oldest_open() is not None
                if waiting and self._lease.acquire() and self.run_next(stop):
                    pause = 0
            except PyMongoError as error:
                log.warning("imports wait for the database", extra={"reason": type(error).__name__})
                if error.timeout:
                    pause = REST_SECONDS
            stop.wait(pause)
        self._lease.release()

    def run_next(self, stop: threading.Event) -> bool:
        """Takes in the oldest open import; False when there is none, or another worker has it by now."""
        stored = self._imports.oldest_open()
        if stored is None:
            return False
        try:
            self._run(self._attempt(stored), stop)
        except _Stopped:
            return False
        except TakenOver:
            log.info("another worker has the import", extra={"import": stored.state.id})
            return False
        except Refused as refused:
            self._fail(stored, refused)
        except Exception as error:
            too_long = self._takes_too_long(stored.state.id, error)
            if may_pass(error) and not too_long:
                raise
            log.exception("import failed", extra={"import": stored.state.id})
            self._fail(stored, failure("gave-up", n=MOST_ATTEMPTS) if too_long else failure("internal"))
        return True

    def _takes_too_long(self, import_id: str, error: Exception) -> bool:
        """Whether the part at which the import stands has run out of time as often as it may.

        The lease is written to a majority, as the part is: while even that fails, the part is not to blame.
        """
        before, self._timeouts = self._timeouts, Counter()
        if not (isinstance(error, PyMongoError) and error.timeout and self._lease.acquire()):
            return False
        part = (import_id, self._imports.get(import_id).state.chunks)
        self._timeouts[part] = before[part] + 1
        return self._timeouts[part] >= MOST_ATTEMPTS

    def _fail(self, stored: StoredImport, refused: Refused) -> None:
        with suppress(TakenOver):
            self._hold()
            current = self._imports.get(stored.state.id)
            if current.state.state not in OPEN:
                return
            state = msgspec.structs.replace(current.state, state="failed", problem=Trouble.of(refused))
            now = self._context.clock()

            def work(session: ClientSession) -> None:
                self._imports.save(current, state, now, session=session, what="import.failed")
                self._imports.drop_file(state.id, session)

            self._context.alone([], work)

    def _hold(self) -> None:
        """Prolongs the lease. Raises TakenOver where another worker has it, since this one stood still."""
        if not self._lease.acquire():
            raise TakenOver

    def _attempt(self, stored: StoredImport) -> StoredImport:
        """Counts this worker before it looks into the file. Raises Refused (`gave-up`).

        Once: what it tries again after trouble with the database is no other attempt.
        """
        if self._tried == stored.state.id:
            return stored
        if stored.state.attempts >= MOST_ATTEMPTS:
            raise failure("gave-up", n=MOST_ATTEMPTS)
        state = msgspec.structs.replace(stored.state, attempts=stored.state.attempts + 1)
        counted = self._imports.save(stored, state, self._context.clock())
        self._tried = stored.state.id
        return counted

    def _run(self, stored: StoredImport, stop: threading.Event) -> None:
        def waiting() -> None:
            if stop.is_set():
                raise _Stopped
            self._hold()

        sheet = read(self._imports.content(stored.state.id), waiting)
        plan = layout(stored.state.kind, sheet.headings)
        rows = rows_of(stored.state.kind, sheet, plan)
        if stored.state.state == "queued":
            stored = self._begin(stored, sheet, len(rows), plan.ignored)
        # A dry run leaves nothing behind that a later part could build on: it is one part.
        size = len(rows) if stored.state.dry_run else self._part_rows
        parts = [rows[start : start + size] for start in range(0, len(rows), size or 1)]
        steps = len(parts) + stored.state.complete
        for number in range(stored.state.chunks, len(parts)):
            waiting()
            stored = self._take(stored, parts[number], share=(number + 1) / steps)
        while stored.state.state != "done":
            waiting()
            stored = self._finish(stored, rows)
        log.info("import done", extra={"import": stored.state.id, "rows": stored.state.counts.rows})

    def _begin(self, stored: StoredImport, sheet: Sheet, rows: int, ignored: tuple[str, ...]) -> StoredImport:
        state = msgspec.structs.replace(
            stored.state, state="running", counts=Counts(rows=rows), ignored_columns=ignored
        )
        fields: Mapping[str, object] = {"headings": list(sheet.headings), "delimiter": sheet.delimiter}
        return self._imports.save(stored, state, self._context.clock(), what="import.started", fields=fields)

    def _take(self, stored: StoredImport, rows: list[Row], share: float) -> StoredImport:
        """One part of the file, with all that it leaves, in one transaction."""
        rejected = self._imports.rejected_keys(stored.state.id)

        def work(session: ClientSession) -> StoredImport:
            part = self._part(stored, session, rejected)
            verdicts = take_rows(stored.state.kind, part, rows)
            refused = [verdict for verdict in verdicts if verdict.refused]
            self._imports.reject(stored.state.id, refused, part.when.now, session)
            state = msgspec.structs.replace(
                stored.state,
                chunks=stored.state.chunks + 1,
                attempts=0,
                progress=round(share, 4),
                counts=stored.state.counts.plus(Counter(verdict.outcome for verdict in verdicts)),
            )
            return self._imports.save(stored, state, part.when.now, session=session)

        return self._context.alone([PEOPLE, UNITS], work)

    def _finish(self, stored: StoredImport, rows: list[Row]) -> StoredImport:
        """Ends so many of those who are missing in a complete file, and the import with the last of them."""

        def work(session: ClientSession) -> StoredImport:
            part = self._part(stored, session, frozenset())
            ended = Completed()
            if stored.state.complete:
                ended = complete(stored.state.kind, part, rows, self._part_rows)
            counts = stored.state.counts.plus({"updated": ended.updated})
            state = msgspec.structs.replace(
                stored.state, chunks=stored.state.chunks + 1, attempts=0, counts=counts
            )
            if not ended.whole:
                return self._imports.save(stored, state, part.when.now, session=session)
            state = msgspec.structs.replace(state, state="done", progress=1.0, problem=ended.problem)
            self._imports.drop_file(state.id, session)
            return self._imports.save(stored, state, part.when.now, session=session, what="import.done")

        return self._context.alone([PEOPLE, UNITS], work)

    def _part(self, stored: StoredImport, session: ClientSession, rejected: frozenset[str]) -> Part:
        return Part(
            context=self._context,
            session=session,
            actor=Actor(stored.state.requested_by),
            when=When(self._context.clock(), stored.state.default_at, dated=stored.state.dated),
            rejected=rejected,
            write=not stored.state.dry_run,
        )
