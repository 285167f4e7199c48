"""Where imports, their files and rejected rows are kept; the latter two hold personal data and go away."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, get_args

import msgspec
from bson import Binary
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from infra.problems import Text, check_same_request, unknown
from infra.storage.guards import transaction
from infra.storage.mongo import Document
from infra.storage.paging import page

from ..commands.saving import Post
from ..context import When
from ..domain.imports import Import, ImportKind
from ..store import Store
from ..words import IMPORT
from .kinds import Verdict

OPEN = ("queued", "running")
WITHOUT_ACTIVITY = {"activity": 0}
KNOWN: Mapping[str, Any] = {"kind": {"$in": list(get_args(ImportKind))}}
"""What this release can read: a later one that was here before may have left other kinds, to be done by it."""


class TakenOver(Exception):
    """Another worker has gone on with the import meanwhile."""


class StoredImport(msgspec.Struct, frozen=True, kw_only=True):
    """An import as it is kept. request: hash of the request that made it, where it had an Idempotency-Key."""

    state: Import
    version: int
    effective_at: datetime
    updated_at: datetime
    request: str | None = None


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A rejected row as it stood in the file, with the field to blame and the reason in both languages."""

    row: int
    cells: tuple[str, ...]
    field: str
    reason: tuple[str, str]


class Rejects(msgspec.Struct, frozen=True, kw_only=True):
    """All rejected rows of a file, with its headings and what stands between its cells."""

    headings: tuple[str, ...]
    delimiter: str
    rows: tuple[Reject, ...]


class Imports:
    """Imports are no aggregates: nobody outside hears of them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, state: Import, content: bytes, post: Post, when: When) -> StoredImport:
        """Keeps a new import with its file; the first answer, when the request is a repeat.

        Raises Refused (422) where the same Idempotency-Key came with another file.
        """
        document = {
            **_document(state),
            "_id": state.id,
            "version": 1,
            "effective_at": state.default_at,
            "created_at": when.now,
            "updated_at": when.now,
            "activity": [_entry("import.queued", state.requested_by, when.now, state.default_at, 1)],
            **post.extra,
        }
        file = {"_id": state.id, "content": Binary(content)}

        def work(session: ClientSession) -> None:
            self._store.import_files.insert_one(file, session=session)
            self._store.imports.insert_one(document, session=session)

        with suppress(DuplicateKeyError):
            transaction(self._store.database, [], work)
        stored = self.get(state.id)
        check_same_request(stored.request, post.request)
        return stored

    def get(self, import_id: str) -> StoredImport:
        """The import; 404 when there is none."""
        stored = self.known(import_id)
        if stored is None:
            raise unknown(IMPORT)
        return stored

    def known(self, import_id: str) -> StoredImport | None:
        """The import, None when there is none."""
        document = self._store.imports.find_one({"_id": import_id, **KNOWN}, WITHOUT_ACTIVITY)
        return read(document) if document else None

    def page(self, limit: int, cursor: str | None) -> tuple[list[StoredImport], str | None]:
        """All imports, latest first."""
        order = [("created_at", -1), ("_id", 1)]
        found, after = page(
            self._store.imports, KNOWN, sort=order, limit=limit, cursor=cursor, projection=WITHOUT_ACTIVITY
        )
        return [read(document) for document in found], after

    def activity(self, import_id: str) -> list[dict[str, Any]]:
        """Who did what, oldest first; 404 when there is no such import."""
        document = self._store.imports.find_one({"_id": import_id}, {"activity": 1})
        if document is None:
            raise unknown(IMPORT)
        entries: list[dict[str, Any]] = document["activity"]
        return entries

    def oldest_open(self) -> StoredImport | None:
        """The import that is next to be worked on."""
        query = {"state": {"$in": list(OPEN)}, **KNOWN}
        document = self._store.imports.find_one(query, WITHOUT_ACTIVITY, sort=[("created_at", 1)])
        return read(document) if document else None

    def content(self, import_id: str) -> bytes:
        """The file."""
        document = self._store.import_files.find_one({"_id": import_id})
        return bytes(document["content"]) if document else b""

    def save(
        self,
        stored: StoredImport,
        state: Import,
        now: datetime,
        *,
        session: ClientSession | None = None,
        what: str | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> StoredImport:
        """Keeps the next state. what: the entry in its activity, if the step is worth one.

        Raises TakenOver.
        """
        version = stored.version + 1
        update: Document = {"$set": {**_document(state), **(fields or {}), "version": version, "updated_at": now}}
        if what:
            update["$push"] = {"activity": _entry(what, "system:enrollment", now, stored.effective_at, version)}
        seen = {"_id": state.id, "version": stored.version}
        if not self._store.imports.update_one(seen, update, session=session).matched_count:
            raise TakenOver
        return msgspec.structs.replace(stored, state=state, version=version, updated_at=now)

    def drop_file(self, import_id: str, session: ClientSession) -> None:
        """Forgets the file: it is full of personal data, and what it said is recorded."""
        self._store.import_files.delete_one({"_id": import_id}, session=session)

    # --- rejected rows

    def reject(
        self, import_id: str, verdicts: Sequence[Verdict], now: datetime, session: ClientSession | None
    ) -> None:
        """Keeps the rejected rows for those who will correct them."""
        documents = [
            {
                "_id": f"{import_id}:{verdict.row.number}",
                "import_id": import_id,
                "row": verdict.row.number,
                "key": verdict.row.key if verdict.row.first else None,
                "cells": list(verdict.row.cells),
                "field": field,
                "reason": list(reason),
                "at": now,
            }
            for verdict in verdicts
            for field, reason in [_blame(verdict)]
        ]
        if documents:
            self._store.rejects.insert_many(documents, ordered=False, session=session)

    def rejected_keys(self, import_id: str) -> frozenset[str]:
        """What identifies the rows that were rejected so far."""
        rows = self._store.rejects.find({"import_id": import_id, "key": {"$ne": None}}, {"key": 1})
        return frozenset(row["key"] for row in rows)

    def rejects(self, import_id: str) -> Rejects:
        """The rejected rows, in the order of the file."""
        document = self._store.imports.find_one({"_id": import_id}, {"headings": 1, "delimiter": 1}) or {}
        rows = self._store.rejects.find({"import_id": import_id}).sort("row", 1)
        found = [
            Reject(row=row["row"], cells=tuple(row["cells"]), field=row["field"], reason=tuple(row["reason"]))
            for row in rows
        ]
        headings = tuple(document.get("headings", ()))
        return Rejects(headings=headings, delimiter=document.get("delimiter", ";"), rows=tuple(found))


def read(document: Mapping[str, Any]) -> StoredImport:
    """Turns a document into the import."""
    state = {name: document[name] for name in Import.__struct_fields__ if name in document}
    return StoredImport(
        state=msgspec.convert({"id": document["_id"], **state}, Import, builtin_types=(datetime,)),
        version=document["version"],
        effective_at=document["effective_at"],
        updated_at=document["updated_at"],
        request=document.get("request"),
    )


def _document(state: Import) -> Document:
    document: Document = msgspec.to_builtins(state, builtin_types=(datetime,))
    del document["id"]
    return document


def _entry(what: str, who: str, when: datetime, effective_at: datetime, version: int) -> Document:
    return {"who": who, "what": what, "when": when, "effective_at": effective_at, "version": version}


def _blame(verdict: Verdict) -> tuple[str, Text]:
    """The field and the reason: the first fault, by the name that the column has here."""
    if verdict.refused is None or not verdict.refused.errors:
        return "row", Text("Baris ini ditolak.", "This row was refused.")
    error = verdict.refused.errors[0]
    field = error.pointer.strip("/").removesuffix("_nip")
    dated = verdict.row.input is not None and verdict.row.input.effective_at is not None
    return "tmt" if field == "effective_at" and dated else field, error.detail
