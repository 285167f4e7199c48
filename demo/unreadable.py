"""Two messages that nobody can read, so that the search for personal data has dead letters to look at."""

import time
import uuid
from typing import Any

import msgspec

from demo.play.callers import PlayError
from demo.story.city import Person
from infra.clock import system_clock
from infra.messaging import deadletters, kafka
from infra.messaging.envelope import to_headers
from infra.messaging.topics import full_name
from infra.settings import Settings

GROUPS = {"person": ("sessions", "notifications"), "session": ("notifications", "reporting-1")}
"""The consumer groups that read each kind, on a fresh system."""

_SECONDS = 120.0


def plant(settings: Settings, somebody: Person) -> None:
    """Sends a person whose name is no text, and a session that is none; returns when both are set aside.

    Raises PlayError when they are not within two minutes.
    """
    person, session = str(uuid.uuid4()), str(uuid.uuid4())
    producer = kafka.producer(settings)
    data = {"id": person, "name": [somebody.name], "email": somebody.email}
    _send(settings, producer, "enrollment.people", "person.changed", person, data)
    _send(settings, producer, "sessions.events", "session.held", session, {"id": 7})
    producer.close()
    until = time.monotonic() + _SECONDS
    wanted = {(group, key) for kind, key in (("person", person), ("session", session)) for group in GROUPS[kind]}
    while missing := wanted - _keys(settings):
        if time.monotonic() > until:
            raise PlayError(f"an unreadable message is not in the dead letters of {min(missing)[0]}")


def _send(settings: Settings, producer: Any, topic: str, type_: str, id_: str, data: dict[str, Any]) -> None:
    now = system_clock()
    event = {"id": str(uuid.uuid4()), "type": type_, "time": now, "effective_at": now, "seq": 1}
    headers = to_headers(event, source="demo", subject=id_, key=id_.encode())
    producer.send(full_name(settings, topic), value=msgspec.json.encode(data), key=id_.encode(), headers=headers)


def _keys(settings: Settings) -> set[tuple[str, str]]:
    """The groups and keys of all dead letters that are there."""
    groups = {group for kind in GROUPS.values() for group in kind}
    return {
        (group, letter.key.decode())
        for group in groups
        for letter in deadletters.read_all(settings, group)
        if letter.key
    }
