"""Counts everything anew from the log, beside the figures that are shown, and swaps when it has caught up."""

import logging
import threading

from kafka.structs import TopicPartition

from infra.clock import Clock, system_clock
from infra.garbage import collect_rarely
from infra.messaging import kafka
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings
from infra.storage.mongo import connect
from services.reporting.events import CONSUMED
from services.reporting.generations import Generations, Running, group_of, parts_of
from services.reporting.store import Store

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
WHAT_TO_DO = "the log can't be counted anew: docs/operations.md, 'Figures of another shape', says what to do"


class LogCut(Exception):
    """The log does not begin at 0: what was deleted from it could not be counted again."""


def rebuild(settings: Settings, clock: Clock = system_clock) -> None:
    """Fills the next generation from the whole log and shows it. Raises LogCut; nothing is changed then."""
    collect_rarely()
    places = places_of_log(settings)
    generations = Generations(connect(settings))
    store = generations.next()
    log.info("rebuild begins", extra={"generation": store.generation, "group": group_of(store.generation)})
    with Running(parts_of(settings, store, clock)) as running:
        waited = threading.Event()
        while not caught_up(store, places):
            waited.wait(LOOK_SECONDS)
            running.check()
    generations.activate(store.generation)
    log.info("rebuild done", extra={"generation": store.generation})


def caught_up(store: Store, places: int) -> bool:
    """Whether every partition of every topic was read to its end, and everybody is placed by the newest tree.

    places: how many partitions there were when it began; more may have come.
    """
    behind = [each["behind"] for each in store["progress"].find({}, {"behind": 1})]
    return len(behind) >= places and not any(behind) and not store.people_behind(store.tree_version(), 1)


def places_of_log(settings: Settings) -> int:
    """How many partitions there are to read. Raises LogCut when one of them has lost its beginning."""
    ensure_topics(settings, needed=CONSUMED)
    consumer = kafka.consumer(settings, None)
    try:
        places = [
            TopicPartition(name, partition)
            for name in (full_name(settings, topic) for topic in CONSUMED)
            for partition in consumer.partitions_for_topic(name) or ()
        ]
        cut = [place for place, first in consumer.beginning_offsets(places).items() if first != 0]
    finally:
        consumer.close()
    if cut:
        raise LogCut(f"these do not begin at 0: {', '.join(f'{place.topic}/{place.partition}' for place in cut)}")
    return len(places)
