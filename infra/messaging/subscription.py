"""Which events a service listens to, each with the smaller type by which it reads them."""

import logging
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import msgspec
from prometheus_client import Counter

from infra.messaging.envelope import Event, Unreadable

log = logging.getLogger(__name__)

R = TypeVar("R")
BatchHandler = Callable[[list[Event]], None]
"""Takes events of one or more partitions, those of each in order. What it does must bear repetition."""

PASSED = Counter("bina_events_passed", "Events of a type or version that nobody here listens to", ["type"])


class Subscription(msgspec.Struct, frozen=True):
    """One kind of aggregate that is listened to. A tombstone comes with None for its data."""

    aggregate: str
    read: Callable[[Event], Any]
    handle: Callable[[list[tuple[Event, Any]]], None]
    version: int = 1


def on(
    aggregate: str, reader: type[R], handle: Callable[[list[tuple[Event, R]]], None], *, version: int = 1
) -> Subscription:
    """Listens to every event of the aggregate; unknown fields are ignored, missing ones make it unreadable."""
    decoder = msgspec.json.Decoder(reader)

    def read(event: Event) -> R | None:
        if event.body is None:
            return None
        try:
            return decoder.decode(event.body)
        except msgspec.DecodeError as error:
            raise Unreadable(reason_of(error)) from None

    return Subscription(aggregate, read, handle, version)


def dispatch(subscriptions: Sequence[Subscription]) -> BatchHandler:
    """A handler that gives each run of events of one aggregate to what is subscribed to it.

    Unknown types and versions are counted and passed over without a break. Who handles several versions gets them
    in one run.
    """
    known = {(each.aggregate, each.version): each for each in subscriptions}

    def handle(events: list[Event]) -> None:
        found = [(event, known.get((event.aggregate, event.version))) for event in events]
        for event, subscription in found:
            if subscription is None:
                PASSED.labels(event.type).inc()
        wanted = [(event, subscription) for event, subscription in found if subscription is not None]
        for (_, taken_by), run in groupby(wanted, key=lambda pair: (pair[0].aggregate, pair[1].handle)):
            taken_by([(event, subscription.read(event)) for event, subscription in run])

    return handle


def reason_of(error: msgspec.DecodeError) -> str:
    """Why the data doesn't fit, as far as it may be written down: the place, never the value."""
    # The last one: what stands before it may quote a value.
    _, found, place = str(error).rpartition(" - at ")
    return f"data does not fit the reader at {place.strip('`')}" if found else "data does not fit the reader"
