"""Time: instants in UTC with milliseconds (what MongoDB keeps), days of Asia/Jakarta."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson

Clock = Callable[[], datetime]
"""Gives the present instant, aware, UTC. Passed in everywhere, so that rules never read the time themselves."""

JAKARTA = ZoneInfo("Asia/Jakarta")


def trim(instant: datetime) -> datetime:
    """The instant in UTC, cut to the milliseconds that MongoDB keeps."""
    utc = instant.astimezone(UTC)
    beyond = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - beyond) if beyond else utc


def _offset_file() -> Path | None:
    """Where a rehearsal of faults says how wrong this process's clock is; nowhere but in development."""
    folder, process = os.environ.get("BINA_CLOCK_OFFSETS"), os.environ.get("BINA_PROCESS")
    known = folder and process and os.environ.get("BINA_ENV") == "development"
    return Path(str(folder), str(process)) if known else None


_OFFSET_FILE = _offset_file()


def system_clock() -> datetime:
    """The present, by this machine's clock."""
    now = datetime.now(UTC)
    if _OFFSET_FILE is not None and _OFFSET_FILE.exists():
        now += timedelta(seconds=float(_OFFSET_FILE.read_text()))
    return trim(now)


def day_of(instant: datetime) -> date:
    """The calendar day in Asia/Jakarta on which the instant falls."""
    return instant.astimezone(JAKARTA).date()


def start_of(day: date) -> datetime:
    """The instant at which the day begins in Asia/Jakarta."""
    return datetime.combine(day, time.min, JAKARTA).astimezone(UTC)


def to_wire(instant: datetime) -> str:
    """RFC 3339 in UTC with a `Z`: `2026-05-16T01:00:00.000Z`, without `.000` when the milliseconds are zero."""
    text = orjson.dumps(instant.astimezone(UTC), option=orjson.OPT_UTC_Z).decode()
    return f"{text[1:24]}Z" if instant.microsecond >= 1000 else f"{text[1:20]}Z"


def from_wire(text: str) -> datetime:
    """Reads RFC 3339 with any offset. Raises ValueError for anything else, a missing offset included."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("an instant needs an offset")
    return trim(instant)
