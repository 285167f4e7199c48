"""Guides, learners and their pairings, as sessions knows them from enrollment, and what their phones send."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from bson import Timestamp
from pymongo.database import Database

from bench.stage import Stage
from infra.clock import to_wire
from infra.storage.mongo import Document, connect

BEGUN = datetime(2018, 1, 1, tzinfo=UTC)
FIRST_SESSION = datetime(2018, 6, 1, tzinfo=UTC)
MINUTES = 45
SUMMARY = (
    "Menyusun surat dinas bersama: susunan naskah, pilihan kata, dan tata letak. "
    "Draf pertama dibahas kalimat demi kalimat; yang kedua disusun sendiri."
)


class Pair:
    """One pairing. Its sessions follow each other hour by hour, so that none overlaps."""

    def __init__(self, guide: str, learner: str, token: str) -> None:
        self.id, self.guide, self.learner, self.token = str(uuid.uuid4()), guide, learner, token
        self._sessions = 0

    def session(self) -> dict[str, Any]:
        """The body of the next session, as a phone has it."""
        started_at = FIRST_SESSION + timedelta(hours=self._sessions)
        self._sessions += 1
        return {
            "pairing_id": self.id,
            "status": "held",
            "started_at": to_wire(started_at),
            "minutes": MINUTES,
            "place": "in_person",
            "summary": SUMMARY,
            "private_note": None,
            "assessed_level": 2,
            "actions": [{"text": "Menyusun undangan rapat sendiri", "due_on": "2018-09-01", "done": False}],
        }

    def copy(self) -> Document:
        """The pairing as sessions keeps it: active since 2018."""
        step = {"state": "active", "at": BEGUN}
        return {
            "_id": self.id,
            "seq": 3,
            "kind": "mentoring",
            "guide_id": self.guide,
            "learner_id": self.learner,
            "competency": "menyusun-surat-dinas",
            "target_level": 3,
            "state": "active",
            "due_on": "2030-12-31",
            "active_at": BEGUN,
            "ended_at": None,
            "history": [step],
            "people": [self.guide, self.learner],
            "changed": Timestamp(0, 0),
            "effective_at": BEGUN,
            "updated_at": BEGUN,
        }


class Cast:
    """Many pairs, each of two people of their own, so that no two phones stand in each other's way."""

    def __init__(self, stage: Stage, people: Sequence[str]) -> None:
        guides, learners = people[: len(people) // 2], people[len(people) // 2 :]
        self.pairs = [
            Pair(guide, learner, stage.keys.token(guide, ["employee"]))
            for guide, learner in zip(guides, learners, strict=False)
        ]

    @classmethod
    def of(cls, stage: Stage, pairs: int) -> "Cast":
        """So many pairs of people whom nobody knows."""
        return cls(stage, [str(uuid.uuid4()) for _ in range(2 * pairs)])

    def move_in(self, database: Database[Document]) -> None:
        """Makes the pairings known to a service."""
        database["pairings"].insert_many([pair.copy() for pair in self.pairs])

    def puts(self, count: int) -> list[bytes]:
        """So many requests, each with a new session; pairs in turn."""
        return [
            request("PUT", f"/v1/sessions/{uuid.uuid4()}", pair.token, pair.session())
            for pair, _ in zip(self._in_turn(), range(count), strict=False)
        ]

    def _in_turn(self) -> Iterator[Pair]:
        while True:
            yield from self.pairs


def request(method: str, path: str, token: str, body: Any = None) -> bytes:
    """One HTTP request, ready to be sent."""
    content = b"" if body is None else orjson.dumps(body)
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return head.encode() + b"\r\n" + content


def stored_like(stage: Stage, space: str) -> Document:
    """A session as our service has stored it, for floors that write the same document."""
    found = connect(stage.settings("sessions", space))["sessions"].find_one()
    if found is None:
        raise LookupError("no session is stored yet")
    return found
