"""Lists in pages: `limit` and an opaque `cursor` in, `{items, next}` out."""

import re
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from infra.problems import Text
from infra.web.bodies import Body, Strict
from infra.web.fields import QueryInteger, opt, wrong

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_CURSOR = re.compile(r"[A-Za-z0-9_=-]{1,1024}")
BAD_CURSOR = Text(
    "Cursor ini tidak dikenal; mulai lagi tanpa cursor.",
    "The cursor is not known; start without one.",
)


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
