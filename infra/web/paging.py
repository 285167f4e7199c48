"""Lists in pages: `limit` and an opaque `cursor` in, `{items, next}` out."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from infra.problems import FieldError, invalid
from infra.storage.paging import BAD_CURSOR, decode, encode
from infra.web.bodies import Body, Strict
from infra.web.fields import QueryInteger, opt, wrong

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CURSOR = re.compile(r"[A-Za-z0-9_=-]{1,1024}")


class Cursor(Strict, fields.String):
    """A place in a list, only ever taken from `next`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"pattern": f"^{_CURSOR.pattern}$", **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def read(self, value: Any) -> str:
        """As it is; the list that made it looks inside."""
        if not isinstance(value, str) or not _CURSOR.fullmatch(value):
            raise wrong(BAD_CURSOR)
        return value


class PageArgs(Body):
    """Base of every list's query schema: `limit` 1-200 (50) and `cursor`."""

    limit = QueryInteger(load_default=DEFAULT_LIMIT, least=1, most=MAX_LIMIT)
    cursor = opt(Cursor())


@cache
def list_of(schema: type[Schema]) -> Schema:
    """Schema of `{items: T[], next: string or null}`."""
    name = schema.__name__.removesuffix("Schema").removesuffix("Out") + "List"
    members = {
        "items": fields.List(fields.Nested(schema()), required=True),
        "next": fields.String(required=True, allow_none=True),
    }
    made: type[Schema] = type(name, (Body,), members)
    return made()


def piece(whole: Sequence[Any], query: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a list that was made whole; raises Refused (422, `?cursor`) for a cursor of another list."""
    start = decode(query["cursor"], int)[0] if query["cursor"] else 0
    if start < 0:
        raise invalid(FieldError("?cursor", BAD_CURSOR))
    end = start + query["limit"]
    return {"items": whole[start:end], "next": encode([end]) if end < len(whole) else None}
