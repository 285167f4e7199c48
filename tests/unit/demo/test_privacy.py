"""The demo's search for personal data finds what is planted, and nothing else."""

from datetime import date
from pathlib import Path

import pytest

from demo.privacy import Search, Secrets, look_at_log, look_at_record, main
from demo.story.city import Person
from demo.story.words import NOTES

SITI = Person(
    nip="198609262010012003",
    name="Siti Aminah, S.Kom",
    status="pns",
    unit="DISDIK",
    position="Arsiparis",
    position_kind="functional",
    echelon=None,
    supervisor=None,
    email="siti.aminah@example.go.id",
    phone="081234567890",
    since=date(2016, 1, 1),
)
ULI = Person(**{**vars(SITI), "name": "Uli"})
SECRETS = Secrets([SITI, ULI])
HARMLESS = (
    '{"time":"2026-11-24T17:02:11.712+00:00","sub":"33333333-3333-4333-8333-333333333333","path":"/v1/units/36.71",'
    '"name":"Kelurahan Uli Indah","ms":1986,"id":"19860926-2010-4120-8000-198609262010"}'
)


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("no employee 198609262010012003", "NIP"),
        ("no employee 197001011995121007, whom nobody knows", "NIP"),
        ("mail to SITI  AMINAH failed", "name"),
        ('{"name":"Uli"}', "name"),
        ("550 somebody@example.go.id unknown", "mail address"),
        ("called 081234567890", "phone"),
        ("Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2lnbmF0dXJl", "token"),
        (f'{{"private_note":"{NOTES[0]}"}}', "free text"),
    ],
)
def test_what_is_planted_is_found(planted: str, kind: str) -> None:
    """In a log, in an event's key, value and headers, and in a dead letter; told by kind and place, not quoted."""
    result = Search()
    look_at_log(SECRETS, "sessions-api.log", [HARMLESS, planted], result)
    for part in ("key", "value", "headers"):
        look_at_record(SECRETS, "sessions.events", {part: planted}, result)
    look_at_record(SECRETS, "reporting.dead-letters", {"headers": planted}, result)
    places = ["sessions-api.log", *(f"{part} in sessions.events" for part in ("key", "value", "headers"))]
    assert result.found == {(place, kind): 1 for place in (*places, "headers in reporting.dead-letters")}
    assert (result.lines, result.events, result.letters) == (2, 3, 1)
    assert f"{kind} in sessions-api.log 1x" in result.told()
    assert "siti" not in result.told().lower()


def test_what_is_harmless_is_passed() -> None:
    """Ids, times and places are no personal data, even where they look a little like them."""
    assert SECRETS.found_in(HARMLESS) == set()


def test_the_topic_of_people_may_hold_names_and_addresses_and_nothing_else() -> None:
    """In its values; a NIP there, or a name in a key, is found."""
    result = Search()
    person = '{"id":"1","name":"Siti Aminah","email":"siti.aminah@example.go.id"}'
    look_at_record(SECRETS, "enrollment.people", {"key": "1", "value": person}, result)
    assert not result.found
    look_at_record(SECRETS, "enrollment.people", {"key": "Siti Aminah", "value": SITI.nip}, result)
    assert set(result.found) == {("key in enrollment.people", "name"), ("value in enrollment.people", "NIP")}


@pytest.mark.parametrize(
    ("line", "code"), [("nothing of note\n", 0), ("no employee 198609262010012003\n", 1), ("", 1)]
)
def test_logs_of_another_system_are_searched_too(tmp_path: Path, line: str, code: int) -> None:
    """Exit 1 when something is found, and when there was nothing to look at."""
    (tmp_path / "sessions-api.log").write_text(line)
    assert main(tmp_path) == code
