"""What views have in common: sessions with their credit, outdated changes, the log of what auditors read."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from infra.actor import Actor
from infra.problems import Refused, needs_version, stale
from infra.storage.aggregates import Stored
from infra.web.context import language
from infra.web.paging import piece

from ..commands.access import Outdated
from ..domain.session import Session
from ..store import Store
from ..views import View, activity_view, session_view

log = logging.getLogger("bina.audit")


class Shown:
    """Shows sessions as one caller may see them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def session(self, stored: Stored[Session], actor: Actor) -> View:
        """One session with its credit."""
        return self.sessions([stored], actor)[0]

    def sessions(self, many: Sequence[Stored[Session]], actor: Actor) -> list[View]:
        """Several sessions with their credits, read at once."""
        granted = self._store.credits_by_session(stored.state for stored in many)
        say = language()
        return [session_view(stored, granted.get(stored.state.id), actor, say) for stored in many]

    def refusal(self, outdated: Outdated, actor: Actor) -> Refused:
        """The refusal of a change that isn't based on what is stored, with that."""
        current = self.session(outdated.stored, actor)
        return needs_version(current) if outdated.based_on is None else stale(current)


def activity_page(entries: Sequence[Mapping[str, Any]], query: Mapping[str, Any], *, notes: bool) -> View:
    """A page of an activity, oldest first. notes: whether the caller may read the reasons that were given."""
    return piece(activity_view(entries, notes=notes), query)


def note_reading(actor: Actor, what: str, ids: Iterable[str]) -> None:
    """Logs what an auditor reads; ids only."""
    if actor.has("auditor"):
        log.info("an auditor reads", extra={"who": actor.sub, "what": what, "ids": list(ids)})
