"""Versions of an event, sent beside each other while its readers move from one to the next.

They are one event: the same id and `seq`, so that nobody counts both. A document keeps the data in one form only,
the first; the other versions are made of it when they are sent. So an event that was stored before a version was
thought of is sent in that version, too, and a release that knows nothing of it can still send what was stored
after. Whatever a later version needs is first added to the stored form, as a field that old readers ignore.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

Remake = Callable[[dict[str, Any]], Mapping[str, Any]]
Versions = Mapping[int, Remake | None]
"""Every version that is sent, with what makes its data of the stored data; None: as they are stored."""

FIRST: Versions = {1: None}


def bodies(stored: bytes | None, versions: Versions) -> Iterator[tuple[int, bytes | None]]:
    """The data of one event in each version, as JSON; a tombstone (None) is one in all of them."""
    for number, remake in versions.items():
        if stored is None or remake is None:
            yield number, stored
        else:
            yield number, msgspec.json.encode(remake(msgspec.json.decode(stored)))
