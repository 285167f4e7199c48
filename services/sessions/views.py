"""Resources as they go out: JSON-ready, and only what the caller may see."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from infra.actor import Actor
from infra.clock import day_of, to_wire
from infra.problems import Language
from infra.storage.aggregates import Stored
from infra.storage.mongo import Document

from .domain.copies import Pairing
from .domain.credit import Credit, Why
from .domain.endorsement import Endorsement
from .domain.session import Session
from .events import ENDORSEMENT_FIELDS

View = dict[str, Any]

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
    "place",
    "summary",
    "private_note",
    "assessed_level",
    "actions",
    "dispute_reason",
    "feedback",
)
SHOWN_OF_ENDORSEMENT = tuple(name for name in ENDORSEMENT_FIELDS if name not in ("at", "opened_at", "decided_at"))
PAIRING_FIELDS = (
    "id",
    "kind",
    "guide_id",
    "learner_id",
    "competency",
    "target_level",
    "due_on",
    "state",
    "guide_accepted",
    "learner_accepted",
    "active_at",
    "ended_at",
)


def wire(value: Any) -> Any:
    """A struct, or a value in one, as JSON has it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, datetime):
        return to_wire(value)
    return msgspec.to_builtins(value)


def _picked(struct: msgspec.Struct, names: Iterable[str]) -> View:
    plain = msgspec.to_builtins(struct, builtin_types=(datetime,))
    return {name: to_wire(value) if type(value := plain[name]) is datetime else value for name in names}


def _versioned(version: int, effective_at: datetime, updated_at: datetime) -> View:
    return {"version": version, "effective_at": to_wire(effective_at), "updated_at": to_wire(updated_at)}


def session_view(stored: Stored[Session], credit: Credit | None, actor: Actor, say: Language) -> View:
    """A session: the private note for its guide alone, feedback for the learner and those who read all.

    A guide doesn't see single feedback, whatever other roles they have.
    """
    session = stored.state
    view = _picked(session, SESSION_FIELDS)
    if actor.sub != session.guide_id:
        view["private_note"] = None
    if actor.sub == session.guide_id or not (actor.sub == session.learner_id or actor.has("hr", "auditor")):
        view["feedback"] = None
    earned = session.status == "confirmed" and credit is not None
    view["credit"] = _worth(credit, say) if earned and credit else None
    return view | _versioned(stored.version, stored.effective_at, stored.updated_at)


def _worth(credit: Credit, say: Language) -> View:
    return {"jp": credit.jp, "rule": credit.rule, "why": _said(credit.why, say)}


def _said(why: Why | None, say: Language) -> str | None:
    if why is None:
        return None
    return why.en if say == "en" else why.id


def credit_item(credit: Credit, say: Language) -> View:
    """A credit as an entry of a person's JP."""
    names = ("on", "source", "session_id", "batch_id", "kind")
    return _picked(credit, names) | _worth(credit, say)


def credit_view(stored: Stored[Credit], say: Language) -> View:
    """A credit as a resource, for sync."""
    own = {"id": stored.state.id, "learner_id": stored.state.learner_id}
    times = _versioned(stored.version, stored.effective_at, stored.updated_at)
    return own | credit_item(stored.state, say) | times


def endorsement_view(stored: Stored[Endorsement]) -> View:
    """An endorsement."""
    times = _versioned(stored.version, stored.effective_at, stored.updated_at)
    return _picked(stored.state, SHOWN_OF_ENDORSEMENT) | times


def pairing_view(document: Document, pairing: Pairing, names: Mapping[str, str], now: datetime) -> View:
    """A pairing from its copy, with the names that are known here; its goal is prose and stays with enrollment."""
    more = {
        "overdue": pairing.is_overdue(day_of(now)),
        "guide_name": names.get(pairing.guide_id),
        "learner_name": names.get(pairing.learner_id),
    }
    times = _versioned(document["seq"], document["effective_at"], document["updated_at"])
    return _picked(pairing, PAIRING_FIELDS) | more | times


def activity_view(entries: Iterable[Mapping[str, Any]], *, notes: bool) -> list[View]:
    """An activity; notes: whether the caller may read the reasons that people gave."""
    return [
        {name: wire(value) for name, value in entry.items() if name != "note"}
        | {"note": entry["note"] if notes else None}
        for entry in entries
    ]
