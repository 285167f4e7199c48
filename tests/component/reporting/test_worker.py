"""The worker over a real broker: from the log to the figures, past what can't be read, and from the log anew."""

import time
from typing import Any

import pytest
from kafka import KafkaConsumer
from kafka.structs import TopicPartition
from pymongo.database import Database

from infra.messaging import kafka
from infra.messaging.deadletters import read_all
from infra.messaging.envelope import Event, to_headers
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings
from infra.storage.mongo import Document
from services.reporting.app import api, rebuild, worker
from services.reporting.domain.periods import known
from services.reporting.generations import Generations
from services.reporting.kpis import KPIS
from services.reporting.store import Store
from tests.component.infra.things import patient_producer
from tests.component.reporting.test_projection import expected, numbers
from tests.conftest import Tokens
from tests.support import Client, eventually, running
from tests.unit.reporting.recount import Recount
from tests.unit.reporting.world import KINDS, World, city, shuffled

TOPICS = {"session": "sessions.events", "credit": "sessions.events"}
YEARS = [known("2016"), known("2017")]
LATE_SECONDS = 3.0
"""Longer than it takes to tell of the progress, and to look at what was told."""


def send(settings: Settings, events: list[Event]) -> None:
    ensure_topics(settings)
    producer = patient_producer(settings)
    for event in events:
        told: dict[str, Any] = {
            "id": event.id,
            "type": event.type,
            "time": event.time,
            "effective_at": event.effective_at,
            "seq": event.seq,
        }
        headers = to_headers(told, source="test", subject=event.subject, key=event.key.encode())
        topic = full_name(settings, TOPICS.get(event.aggregate, "enrollment.events"))
        producer.send(topic, value=event.body, key=event.key.encode(), headers=headers)
    producer.flush()
    producer.close()


def agrees(generations: Generations, world: World) -> bool:
    return is_counted(generations.store(), world)


def is_counted(store: Store, world: World) -> bool:
    recount = Recount(world)
    return all(numbers(store, unit, YEARS) == expected(recount, unit, YEARS) for unit in KINDS)


def log_of(world: World) -> list[Event]:
    return [event for batch in shuffled(world, 5) for event in batch]


def test_from_the_log_to_the_figures(settings: Settings, database: Database[Document], tokens: Tokens) -> None:
    """What stands in the topics is counted, an unreadable event is put aside, and freshness says so."""
    world = city(7)
    events = log_of(world)
    broken = Event(**{name: getattr(events[0], name) for name in Event.__struct_fields__} | {"body": b'{"x": 1}'})
    send(settings, [*events[:50], broken, *events[50:]])
    with running(worker(settings)):
        assert eventually(lambda: agrees(Generations(database), world), interval=0.5)
        client = Client(api(settings), tokens("x", "admin"))

        def is_fresh() -> bool:
            items: list[dict[str, Any]] = client.get("/v1/freshness").expect(200).body["items"]
            assert all(item["last_event_at"] for item in items)
            assert {(item["behind_events"], item["behind_seconds"]) for item in items} == {(0, 0)}
            return True

        eventually(is_fresh)
        letters = eventually(lambda: list(read_all(settings, "reporting-1")))
        assert [letter.type for letter in letters] == [f"id.go.tangerangkota.bina.{broken.type}.v1"]


def test_a_rebuild_counts_the_log_anew_and_changes_over(settings: Settings, database: Database[Document]) -> None:
    """The next generation gives the same figures; the worker goes on with it."""
    world = city(8)
    events = log_of(world)
    generations = Generations(database)
    send(settings, events[:100])
    with running(worker(settings)):
        eventually(generations.own)
        rebuild(settings)
        assert generations.active() == 2
        send(settings, events[100:])
        assert eventually(lambda: agrees(generations, world), interval=0.5)
        assert generations.store().generation == 2


def test_a_rebuild_shows_nothing_before_all_is_counted(
    settings: Settings, database: Database[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the broker's first answers come: what is shown when it returns is whole."""
    world = city(9)
    send(settings, log_of(world))
    poll, highwater = kafka.poll, KafkaConsumer.highwater
    joined: list[float] = []

    def answers() -> bool:
        return bool(joined) and time.monotonic() > joined[0] + LATE_SECONDS

    def late_poll(consumer: KafkaConsumer, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        batches = poll(consumer, timeout_ms)
        if consumer.assignment():
            joined.append(time.monotonic())
        if answers():
            return batches
        for place, records in batches.items():
            consumer.seek(place, records[0].offset)
        return {}

    def late_highwater(consumer: KafkaConsumer, place: TopicPartition) -> Any:
        return highwater(consumer, place) if answers() else None

    monkeypatch.setattr(kafka, "poll", late_poll)
    monkeypatch.setattr(KafkaConsumer, "highwater", late_highwater)
    generations = Generations(database)
    generations.begin()
    rebuild(settings)
    assert generations.active() == 2
    assert agrees(generations, world)


def test_the_page_and_its_parts_are_served_to_anybody(settings: Settings) -> None:
    """The shell holds no figure; what it is made of comes from here alone."""
    client = Client(api(settings))
    page = client.get("/dashboard").expect(200)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "style=" not in page.body
    client.get("/dashboard/../app.py").expect(404)


@pytest.mark.parametrize("kpi", KPIS)
def test_every_figure_has_a_name_in_both_languages(kpi: str) -> None:
    """Nobody reads a code."""
    assert KPIS[kpi].name.id
    assert KPIS[kpi].name.en
