"""The resources: thin, one module a topic."""

from infra.clock import Clock
from infra.web.blueprint import Blueprint

from ..commands.changes import Changes
from ..commands.endorsements import Endorsements
from ..commands.sessions import Sessions
from ..commands.sync import Sync
from ..store import Store
from . import endorsements, people, sessions, sync
from .shown import Shown


def blueprints(store: Store, clock: Clock, commands: Sessions, decisions: Endorsements) -> list[Blueprint]:
    """All resources of this service."""
    shown = Shown(store)
    return [
        sessions.blueprint(store, commands, shown),
        sync.blueprint(Sync(store, clock, commands), Changes(store, clock), shown),
        endorsements.blueprint(store, decisions),
        people.employees(store, clock),
        people.me(store, clock),
    ]
