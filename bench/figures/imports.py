"""Figure 7: rows a second of an import of the city's 1,200 employees, over reading the file and one `bulk_write`.

Measured: the worker's import of the HR portal's own file, from taking it up to its last commit: every row read and
checked (NIP, unit, supervisor and no circle of supervisors), each employee with two events (one of them personal)
in one transaction with the counts. Into a database that knows the units, as at the first import.

Floor: the same bytes read by Python's csv module, and the rows inserted as they are by one `bulk_write` with the
same write concern. Nothing is checked, and nobody hears of it.
"""

import csv
import io
import os
import threading
import time
import uuid
from collections.abc import Callable

from pymongo import InsertOne

from bench.city import DATA
from bench.outcome import Goal, Result, alternate
from bench.stage import Stage
from bench.watch import profiled_pid
from infra.clock import system_clock
from infra.storage.mongo import connect
from services.enrollment.app import context_of
from services.enrollment.commands.saving import Post
from services.enrollment.context import Context
from services.enrollment.domain.imports import Import, ImportKind
from services.enrollment.importing.job import Importer
from services.enrollment.importing.store import Imports

SPACE = "import"
GOAL = Goal("at least", 0.3)


class Office:
    """An enrollment of its own, and files that are imported into it."""

    def __init__(self, stage: Stage, name: str) -> None:
        self._context: Context = context_of(stage.settings("enrollment", name), system_clock)
        self._context.store.ensure_indexes()
        self._imports, self._importer = Imports(self._context.store), Importer(self._context)
        self.take_in("units", "units.csv")

    def take_in(self, kind: ImportKind, file: str) -> float:
        """Imports a file; rows a second, without the waiting in the queue. Raises when a row is rejected."""
        when = self._context.when()
        import_id = str(uuid.uuid4())
        state = Import(
            id=import_id,
            kind=kind,
            dry_run=False,
            complete=False,
            default_at=when.effective_at,
            requested_by="bench",
        )
        self._imports.add(state, (DATA / file).read_bytes(), Post(import_id), when)
        began = time.perf_counter()
        self._importer.run_next(threading.Event())
        took = time.perf_counter() - began
        done = self._imports.get(import_id).state
        if done.state != "done" or done.counts.rejected:
            raise RuntimeError(f"{file} was not taken in: {done}")
        return done.counts.rows / took


def bare(stage: Stage, name: str) -> float:
    """Reads the file and writes its rows; rows a second."""
    collection = connect(stage.settings("floor", SPACE))[name]
    began = time.perf_counter()
    content = (DATA / "employees.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    collection.bulk_write([InsertOne(dict(row)) for row in rows], ordered=False)
    return len(rows) / (time.perf_counter() - began)


def run(stage: Stage) -> list[Result]:
    """Measures it."""
    rounds = iter(range(100))

    def ours(_: int) -> float:
        return Office(stage, f"{SPACE}{next(rounds)}").take_in("employees", "employees.csv")

    bare(stage, "warm")
    mine, floor = alternate(stage.scale.repeats, ours, lambda n: bare(stage, f"rows{n}"))
    limits = {"profile of ours": _profile(lambda: ours(0))} if stage.scale.profiles else {}
    stage.drop(SPACE, *(f"{SPACE}{number}" for number in range(next(rounds))))
    return [
        Result(
            figure="7 (import)",
            about="import of the 1,200 employees, over reading the file and bulk_write",
            unit="rows/s",
            ours=mine,
            floor=floor,
            goal=GOAL,
            limits=limits,
        )
    ]


def _profile(work: Callable[[], object]) -> dict[str, float]:
    return profiled_pid(os.getpid(), work)
