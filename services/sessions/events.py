"""What this service publishes: sessions, credits and endorsements, each with its whole public state.

No names and no words that people wrote: no summary, note, reason or comment.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from marshmallow import Schema
from msgspec import Struct

from infra.messaging.asyncapi import Published
from infra.messaging.versions import Versions
from infra.problems import Text
from infra.web.fields import Boolean, Code, Day, Instant, Integer, Level, OneOf, String, UuidStr, opt

from .domain.credit import Credit
from .domain.endorsement import Endorsement
from .domain.session import Session

TOPIC = "sessions.events"
CONSUMED = ("enrollment.events", "enrollment.people")

SESSION_FIELDS = (
    "id",
    "pairing_id",
    "guide_id",
    "learner_id",
    "kind",
    "competency",
    "status",
    "started_at",
    "minutes",
    "assessed_level",
    "recorded_at",
    "held_at",
    "confirmed_at",
    "ever_disputed",
)
ENDORSEMENT_FIELDS = (
    "id",
    "pairing_id",
    "session_id",
    "learner_id",
    "endorser_id",
    "competency",
    "level",
    "state",
    "at",
    "opened_at",
    "decided_at",
)
CREDIT_FIELDS = ("id", "learner_id", "source", "session_id", "batch_id", "kind", "on", "jp", "rule")


_of_session = attrgetter(*SESSION_FIELDS)


def session_data(session: Session) -> Mapping[str, Any]:
    """The public state of a session."""
    return dict(zip(SESSION_FIELDS, _of_session(session), strict=True))


def credit_data(credit: Credit) -> Mapping[str, Any]:
    """The public state of a credit; `why` in the programme's own language."""
    why = credit.why.id if credit.why else None
    return {name: getattr(credit, name) for name in CREDIT_FIELDS} | {"why": why}


def endorsement_data(endorsement: Endorsement) -> Mapping[str, Any]:
    """The public state of an endorsement, as version 1 has it; nobody learns why one was declined."""
    return {name: getattr(endorsement, name) for name in ENDORSEMENT_FIELDS}


def endorsement_second(first: dict[str, Any]) -> Mapping[str, Any]:
    """The same as version 2 has it: elsewhere `at` is when something happened, here it never was."""
    assessed_at = first.pop("at")
    return {**first, "assessed_at": assessed_at}


ENDORSEMENT_VERSIONS: Versions = {1: None, 2: endorsement_second}


def learner(state: Session | Credit | Endorsement) -> str:
    """The record key: all that concerns one learner goes to one partition."""
    return state.learner_id


class SessionData(Schema):
    """One meeting of a pairing. held_at: last became held; recorded_at: first stored."""

    id = UuidStr(required=True)
    pairing_id = UuidStr(required=True)
    guide_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    kind = OneOf("coaching", "mentoring", required=True)
    competency = Code(required=True)
    status = OneOf("planned", "held", "confirmed", "disputed", "cancelled", required=True)
    started_at = Instant(required=True)
    minutes = Integer(least=5, most=480, required=True)
    assessed_level = opt(Level())
    recorded_at = Instant(required=True)
    held_at = opt(Instant())
    confirmed_at = opt(Instant())
    ever_disputed = Boolean(required=True)


class CreditData(Schema):
    """JP of a learner; with jp 0 the rule that gave none, and why."""

    id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    source = OneOf("sessions", "certification", "imported", required=True)
    session_id = opt(UuidStr())
    batch_id = opt(UuidStr())
    kind = opt(OneOf("coaching", "mentoring"))
    on = Day(required=True)
    jp = Integer(least=0, required=True)
    rule = opt(String())
    why = opt(String())


class _Endorsement(Schema):
    """What both versions say. endorser_id null: HR decides."""

    id = UuidStr(required=True)
    pairing_id = UuidStr(required=True)
    session_id = UuidStr(required=True)
    learner_id = UuidStr(required=True)
    endorser_id = opt(UuidStr())
    competency = Code(required=True)
    level = Level(required=True)
    state = OneOf("open", "endorsed", "declined", "withdrawn", required=True)
    opened_at = Instant(required=True)
    decided_at = opt(Instant())


class EndorsementData(_Endorsement):
    """A supervisor's word on a level. at: start of the assessed session."""

    at = Instant(required=True)


class EndorsementDataV2(_Endorsement):
    """A supervisor's word on a level. assessed_at: start of the assessed session."""

    assessed_at = Instant(required=True)


_SESSION, _CREDIT = SessionData(), CreditData()
_ENDORSEMENT = {1: EndorsementData(), 2: EndorsementDataV2()}


def _published(type_: str, schema: Schema, indonesian: str, english: str) -> Published:
    return Published(type_, TOPIC, schema, Text(indonesian, english))


def _endorsement(what: str, indonesian: str, english: str) -> list[Published]:
    """One kind of event in every version that is sent."""
    about = Text(indonesian, english)
    return [
        Published(f"endorsement.{what}", TOPIC, _ENDORSEMENT[version], about, version)
        for version in ENDORSEMENT_VERSIONS
    ]


PUBLISHED: tuple[Published, ...] = (
    _published("session.planned", _SESSION, "Sesi direncanakan.", "A session was planned."),
    _published(
        "session.held",
        _SESSION,
        "Sesi berlangsung, atau menunggu konfirmasi lagi.",
        "A session was held, or waits for its confirmation again.",
    ),
    _published("session.confirmed", _SESSION, "Sesi dikonfirmasi.", "The learner confirmed a session."),
    _published("session.disputed", _SESSION, "Sesi disanggah.", "The learner disputed a session."),
    _published("session.cancelled", _SESSION, "Sesi dibatalkan.", "A session was cancelled."),
    _published("session.changed", _SESSION, "Isi sesi berubah.", "A session's content changed."),
    _published("credit.granted", _CREDIT, "JP dicatat.", "A credit was recorded, perhaps of 0 JP."),
    _published("credit.changed", _CREDIT, "JP berubah.", "A credit changed."),
    *_endorsement(
        "opened",
        "Pengesahan diminta, atau diminta dari atasan lain.",
        "An endorsement was asked for, or is asked of another supervisor now.",
    ),
    *_endorsement("endorsed", "Penguasaan disahkan.", "A mastery was endorsed."),
    *_endorsement("declined", "Pengesahan ditolak.", "An endorsement was declined."),
    *_endorsement("withdrawn", "Permintaan ditarik.", "The question was withdrawn."),
)


class BatchSeen(Struct, frozen=True, kw_only=True):
    """Of enrollment's batches: what a certificate earns, in JP. The others are read as domain.copies has them."""

    id: str
    jp: int | None = None


class PersonSeen(Struct, frozen=True, kw_only=True):
    """Of enrollment's people: a name, for lists that people read."""

    id: str
    name: str
