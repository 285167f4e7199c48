"""The worker over a real broker: events out, endorsements in, timers, imports."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from infra.messaging import kafka
from infra.messaging.envelope import Event, decode, derived_id, to_headers
from infra.messaging.topics import ensure_topics, full_name, partitions_of
from infra.settings import Settings
from services.enrollment import app
from services.enrollment.events import PEOPLE, PUBLISHED, TOPIC
from tests.component.enrollment.programme import Programme, TestClock
from tests.component.infra.things import patient_producer
from tests.support import eventually, running

SKILL = "menyusun-surat-dinas"
PHONE = "081234567890"
# Of the digits enough to be in no id by chance.
PERSONAL = ("Budi", "19860926", "@example.go.id", PHONE, "Surat tanpa salah", "Kurang cocok", "Berpotensi")


class Log:
    """All that was published so far."""

    def __init__(self, settings: Settings) -> None:
        ensure_topics(settings)
        self._settings = settings
        self._consumer = kafka.consumer(settings, None)
        places = partitions_of(settings, TOPIC, PEOPLE)
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        self.events: list[Event] = []

    def read(self) -> list[Event]:
        """What there is by now, in order of arrival."""
        for records in self._consumer.poll(timeout_ms=200).values():
            for record in records:
                topic = record.topic.removeprefix(self._settings.topic_prefix)
                self.events.append(decode(record.headers, record.key, record.value, topic=topic))
        return self.events

    def close(self) -> None:
        """Lets go of the broker."""
        self._consumer.close()


@pytest.fixture
def log(settings: Settings) -> Iterator[Log]:
    made = Log(settings)
    yield made
    made.close()


def send_endorsement(settings: Settings, pairing: str, learner: str, at: datetime) -> None:
    """What sessions publishes when a supervisor endorses."""
    id_ = derived_id("endorsement", pairing)
    data = {
        "id": id_,
        "pairing_id": pairing,
        "session_id": id_,
        "learner_id": learner,
        "endorser_id": None,
        "competency": SKILL,
        "level": 3,
        "state": "endorsed",
        "at": (at - timedelta(days=1)).isoformat(),
        "opened_at": at.isoformat(),
        "decided_at": at.isoformat(),
    }
    event = {"id": id_, "type": "endorsement.endorsed", "seq": 2, "time": at, "effective_at": at}
    producer = patient_producer(settings)
    headers = to_headers(event, source="sessions", subject=id_, key=learner.encode())
    for _ in range(2):
        producer.send(
            full_name(settings, "sessions.events"),
            value=json.dumps(data).encode(),
            key=learner.encode(),
            headers=headers,
        )
    producer.flush()
    producer.close()


def test_what_happens_is_published_without_anything_personal(
    programme: Programme, settings: Settings, clock: TestClock, log: Log
) -> None:
    """Every kind of event that the story brings, keyed and counted, and names only in their own topic."""
    with running(app.worker(settings, clock)):
        programme.city()
        programme.competency()
        programme.hr.put(f"/v1/units/DISDIK/needs/{SKILL}", {"people": 2, "level": 3}).expect(201)
        boss = programme.nip()
        guide = programme.person(nip=boss, email="budi@example.go.id", phone=PHONE)
        learner = programme.person(boss=boss)
        programme.certified(guide)
        pairing = programme.propose(guide, learner, goal="Surat tanpa salah")
        programme.move("pairings", pairing, "accepted", by=programme.by(guide))
        programme.move("pairings", pairing, "accepted", by=programme.by(learner))
        eventually(lambda: any(e.type == "pairing.activated" for e in log.read()))
        other = programme.propose(guide, learner)
        programme.move("pairings", other, "ended", reason="Kurang cocok")
        # What different aggregates tell comes in any order.
        expected = {
            "unit.created",
            "employee.created",
            "person.changed",
            "participant.certified",
            "batch.started",
            "pairing.ended",
        }
        eventually(lambda: expected <= {event.type for event in log.read()})
        eventually(lambda: {guide, learner} <= {event.subject for event in log.read() if event.topic == PEOPLE})
    assert {event.type for event in log.events} <= {each.type for each in PUBLISHED}
    told = b"".join(event.body or b"" for event in log.events if event.topic == TOPIC).decode()
    assert [word for word in PERSONAL if word in told] == []
    names = [event.data for event in log.events if event.topic == PEOPLE]
    assert {"id": guide, "name": "Budi Santoso", "email": "budi@example.go.id"} in names
    assert {event.key for event in log.events if event.aggregate == "pairing"} == {learner}
    published = {each.type: each.schema for each in PUBLISHED}
    assert [e.type for e in log.events if published[e.type].validate(e.data)] == []


def test_an_endorsement_that_arrives_twice_counts_once(
    programme: Programme, settings: Settings, clock: TestClock
) -> None:
    """From the topic to the level and the completed pairing."""
    programme.city()
    programme.competency()
    boss = programme.nip()
    guide = programme.person(nip=boss)
    learner = programme.person(boss=boss)
    pairing = programme.propose(guide, learner)
    programme.move("pairings", pairing, "active")
    ensure_topics(settings)
    with running(app.worker(settings, clock)):
        send_endorsement(settings, pairing, learner, clock.now)
        eventually(lambda: programme.hr.get(f"/v1/pairings/{pairing}").body["state"] == "completed")
    skills = programme.hr.get(f"/v1/employees/{learner}").body["skills"]
    assert [(skill["level"], skill["source"], skill["since"]) for skill in skills] == [
        (3, "mastery", "2026-11-23T02:00:00Z")
    ]


def test_the_worker_takes_files_in_and_remembers_silence(
    programme: Programme, settings: Settings, clock: TestClock
) -> None:
    """Imports are worked off, and a proposal of last week goes to HR."""
    programme.city()
    programme.competency()
    pairing = programme.propose(programme.person(), programme.person())
    clock.forward(days=7, seconds=1)
    made = programme.upload("units", b"kode;nama;jenis;induk\nBARU;Unit Baru;dinas;CITY\n").expect(202)
    with running(app.worker(settings, clock)):
        path = f"/v1/imports/{made.body['id']}"
        eventually(lambda: programme.hr.get(path).body["state"] == "done")
        eventually(lambda: programme.hr.get(f"/v1/pairings/{pairing}").body["overdue"])
    programme.hr.get("/v1/units/BARU").expect(200)
