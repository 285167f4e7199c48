"""What phones and HR write down: answers may come late, and out of order."""

import threading
from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos import phones
from chaos.city import City, Pair
from chaos.hr import GUIDE_CAP, Places
from chaos.line import Answer
from chaos.notebook import Notebook
from chaos.phones import GuidesPhone, Office
from chaos.places import otherwise, too_many_pairings, wrong_batches
from demo.ledger import Ledger

PAIR = Pair("p", "coaching", "g", "l", "b")


def body(minutes: int) -> dict[str, Any]:
    return {"started_at": "2026-05-16T01:00:00Z", "minutes": minutes}


@pytest.mark.parametrize("version", [3, 4], ids=["the first answer came late", "the repeat was answered"])
def test_a_correction_is_known_though_the_learner_was_answered_first(version: int) -> None:
    """The guide's answer was lost or late, and the learner has confirmed meanwhile: both are true."""
    book = Notebook(Ledger())
    book.stored(PAIR, "s", body(30), 1, "held")
    book.moved("s", 4, "confirmed")
    book.stored(PAIR, "s", body(25), version, "confirmed" if version == 4 else "held")
    known = book.ledger.sessions["s"]
    assert (known.minutes, known.status, book.versions["s"]) == (25, "confirmed", 4)
    assert book.confirm.qsize() == 1


def test_an_older_content_is_not_taken_for_the_present_one() -> None:
    """Of two answers the one with the higher version counts, whichever comes last."""
    book = Notebook(Ledger())
    book.stored(PAIR, "s", body(25), 2, "held")
    book.stored(PAIR, "s", body(30), 1, "held")
    assert book.ledger.sessions["s"].minutes == 25


def test_a_guide_without_a_free_half_hour_is_no_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that ends before the storm is a finding."""
    monkeypatch.setattr(phones, "ROOM", 0)
    book = Notebook(Ledger())
    taken = Answer(201, {"version": 1, "status": "held"}, 1)
    dial = cast("Any", lambda *_: SimpleNamespace(close=lambda: None, ask=lambda *_: taken))
    city = City(Ledger(), [], [], date(2026, 1, 1))
    phone = GuidesPhone(Office(city, book, dial, threading.Event()), [PAIR], "1", 0.0)
    phone.run(threading.Event())
    assert len(book.broken) == 1


def test_what_is_taken_at_one_time_is_counted() -> None:
    """One too many is a broken promise; who left before is none."""
    broken: list[str] = []
    places = Places(broken.append)
    for _ in range(GUIDE_CAP):
        places.take("pairings", "g", GUIDE_CAP)
    places.leave("g")
    places.take("pairings", "g", GUIDE_CAP)
    assert not broken
    places.take("pairings", "g", GUIDE_CAP)
    assert len(broken) == 1


def participant(number: int, unit: str, state: str) -> dict[str, Any]:
    return {"_id": str(number), "batch_id": "b", "unit": unit, "state": state}


@pytest.mark.parametrize(
    ("accepted", "waiting", "wrong"),
    [
        ("AABBC", "ABC", 0),
        ("AABBCD", "", 1),
        ("AAA", "", 1),
        ("AAB", "A", 0),
        ("AAB", "B", 1),
    ],
)
def test_seats_are_neither_exceeded_nor_left_empty(accepted: str, waiting: str, wrong: int) -> None:
    """Five in all, two a unit; nobody waits for a unit that has room in a batch that has room."""
    people = [participant(number, unit, "accepted") for number, unit in enumerate(accepted)]
    people += [participant(10 + number, unit, "waitlisted") for number, unit in enumerate(waiting)]
    assert wrong_batches(people) == wrong


def test_people_with_too_many_pairings_are_found() -> None:
    """Five for a guide, two for a learner; what has ended doesn't count."""
    found = [{"guide_id": "g", "learner_id": str(number), "state": "active"} for number in range(5)]
    found += [{"guide_id": f"h{number}", "learner_id": "0", "state": "ended"} for number in range(3)]
    assert too_many_pairings(found) == 0
    found += [{"guide_id": "g", "learner_id": "9", "state": "active"}]
    assert too_many_pairings(found) == 1
    found += [{"guide_id": f"i{number}", "learner_id": "0", "state": "active"} for number in range(2)]
    assert too_many_pairings(found) == 2


@pytest.mark.parametrize(
    ("stored", "answered", "count"),
    [
        ({"a": "accepted"}, {"a": "accepted"}, 0),
        ({"a": "accepted"}, {"a": "waitlisted"}, 0),
        ({"a": "waitlisted"}, {"a": "accepted"}, 1),
        ({"a": "accepted", "twin": "nominated"}, {"a": "accepted"}, 1),
        ({}, {"a": "accepted"}, 1),
    ],
)
def test_records_are_as_they_were_answered(stored: dict[str, str], answered: dict[str, str], count: int) -> None:
    """None lost, none doubled, none in another state; who waited may have moved up."""
    found = [{"_id": id_, "state": state} for id_, state in stored.items()]
    assert otherwise(found, answered) == count
