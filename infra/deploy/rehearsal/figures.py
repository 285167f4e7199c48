"""The figures of a system, to be held against those after a loss."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec

from infra.deploy.rehearsal import NotSo

PATIENCE_SECONDS = 300.0
PAGE = 200
Figures = dict[str, list[Any]]
"""By unit, period, figure and part: value, numerator, denominator."""


def read(gateway: str, token: str, periods: list[str]) -> Figures:
    """All figures of the city and of all that is right below it. token: of hr, who sees all."""
    with httpx.Client(base_url=gateway, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        units = _items(client, "/enrollment/v1/units", {"limit": PAGE})
        city = next(unit["code"] for unit in units if unit["parent"] is None)
        below = [unit["code"] for unit in units if unit["parent"] == city]
        return {
            f"{unit} {period} {row['id']} {row['part'] or ''}".rstrip(): [
                row["value"], row["numerator"], row["denominator"]
            ]
            for unit in (city, *below)
            for period in periods
            for row in _items(client, "/reporting/v1/kpis", {"unit": unit, "period": period})
        }  # fmt: skip


def _items(client: httpx.Client, path: str, query: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.get(path, params=query)
    answer.raise_for_status()
    return list(answer.json()["items"])


def agree(file: Path, look: Callable[[], Figures], patience: float = PATIENCE_SECONDS) -> str:
    """Keeps the figures in a file when it is not there yet; else waits until they are the same again.

    Raises NotSo when some still differ after `patience` seconds.
    """
    if not file.exists():
        figures = look()
        file.write_bytes(msgspec.json.encode(figures))
        filled = sum(bool(row[1]) for row in figures.values())
        return f"Figures: {len(figures)} are kept, {filled} of them are not zero"
    before: Figures = msgspec.json.decode(file.read_bytes())
    began = time.monotonic()
    while different := _different(before, look):
        if time.monotonic() - began > patience:
            raise NotSo(f"{len(different)} of {len(before)} figures are others than before: {different[0]}")
        time.sleep(0.5)
    return f"Figures: all {len(before)} are the same as before"


def _different(before: Figures, look: Callable[[], Figures]) -> list[str]:
    try:
        now = look()
    except (httpx.HTTPError, StopIteration):
        return ["none could be read"]
    return [key for key in sorted(before.keys() | now.keys()) if before.get(key) != now.get(key)]
