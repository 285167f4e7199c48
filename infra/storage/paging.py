"""Lists in pages: by position after the last item, so that a page costs the same wherever it stands."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import bson
from pymongo.collection import Collection

from infra.problems import FieldError, Refused, Text, invalid
from infra.storage.mongo import Document

Row = TypeVar("Row")

BAD_CURSOR = Text(
    "Cursor ini tidak dikenal; mulai lagi tanpa cursor.",
    "The cursor is not known; start without one.",
)
PLAIN = (str, int, datetime, bson.Timestamp, type(None))


def page(
    collection: Collection[Document],
    query: Mapping[str, Any],
    *,
    sort: Sequence[tuple[str, int]],
    limit: int,
    cursor: str | None,
    projection: Mapping[str, Any] | None = None,
) -> tuple[list[Document], str | None]:
    """One page of what matches, and the cursor of the next page (None at the end).

    sort: fields with 1 or -1, the last one unique (`_id` is added when it isn't among them); every field must be
    in every document. Raises Refused (422, `?cursor`) for a cursor that isn't one of this list's.
    """
    order = list(sort) if any(name == "_id" for name, _ in sort) else [*sort, ("_id", 1)]
    conditions: list[Mapping[str, Any]] = [query]
    if cursor is not None:
        conditions.append(_after(order, decode(cursor, *[object] * len(order))))
    documents = list(
        collection.find({"$and": conditions}, projection or {"events": 0}).sort(order).limit(limit + 1)
    )
    if len(documents) <= limit:
        return documents, None
    documents = documents[:limit]
    return documents, encode([_value(documents[-1], name) for name, _ in order])


def encode(values: Sequence[Any]) -> str:
    """The position as a string that clients hand back without looking into it."""
    return base64.urlsafe_b64encode(bson.encode({"v": list(values)})).decode().rstrip("=")


def decode(cursor: str, *types: type) -> list[Any]:
    """The values of a cursor; raises Refused (422) when it isn't one with values of these types.

    What compares them itself says which types they must have; MongoDB compares everything with everything.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values: Any = bson.decode(raw, codec_options=bson.codec_options.CodecOptions(tz_aware=True))["v"]
    except (ValueError, KeyError, binascii.Error, bson.errors.BSONError):
        raise _bad_cursor() from None
    if not isinstance(values, list) or len(values) != len(types):
        raise _bad_cursor()
    if not all(
        isinstance(value, PLAIN) and isinstance(value, kind) for value, kind in zip(values, types, strict=True)
    ):
        raise _bad_cursor()
    return values


def _after(order: Sequence[tuple[str, int]], values: Sequence[Any]) -> Mapping[str, Any]:
    """What sorts behind the position: later in the first field, or equal there and later in the next."""
    branches = []
    for place, ((name, direction), value) in enumerate(zip(order, values, strict=True)):
        equal = {order[i][0]: {"$eq": values[i]} for i in range(place)}
        branches.append({**equal, name: {"$gt" if direction > 0 else "$lt": value}})
    return {"$or": branches}


def _value(document: Mapping[str, Any], name: str) -> Any:
    value: Any = document
    for part in name.split("."):
        value = value[part]
    return value


def _bad_cursor() -> Refused:
    return invalid(
        FieldError(
            "?cursor",
            Text(
                "Bukan penanda halaman dari daftar ini; pakai nilai `next` atau mulai tanpa `cursor`.",
                "This is no cursor of this list; use the value of `next`, or start without `cursor`.",
            ),
        )
    )
