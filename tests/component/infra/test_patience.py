"""What goes through whole collections has more time than a call that somebody waits for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import create_autospec

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import ServerSelectionTimeoutError
from pymongo.monitoring import CommandListener

from infra.settings import Settings
from infra.storage import mongo
from infra.storage.mongo import Document, connect
from services.enrollment.store import Store as Enrollment
from services.notifications.store import Store as Notifications
from services.reporting.store import Store as Reporting
from services.sessions.store import Store as Sessions
from tests.component.infra.things import Thing, change, things
from tests.conftest import SettingsFor

STORES: dict[str, Callable[[Database[Document]], Any]] = {
    "enrollment": Enrollment,
    "sessions": Sessions,
    "notifications": Notifications,
    "reporting": lambda database: Reporting(database, 1),
}
HOUR_MS = 3_600_000


@contextmanager
def deadlines(settings: Settings, command: str) -> Iterator[tuple[Database[Document], list[int]]]:
    """A database as a service has it, and the time that MongoDB is given for each such command."""
    listener, given = create_autospec(CommandListener, instance=True), list[int]()
    with MongoClient[Document](
        settings.mongodb_uri, timeoutMS=mongo.TIMEOUT_MS, event_listeners=[listener]
    ) as client:
        yield client[settings.database], given
    events = [call.args[0] for call in listener.started.call_args_list]
    given.extend(event.command["maxTimeMS"] for event in events if event.command_name == command)


@pytest.mark.parametrize("service", STORES)
def test_indexes_have_all_the_time_they_need(settings_for: SettingsFor, service: str) -> None:
    """After a restore, or with a new release, a large collection is gone through; every service bears that."""
    with deadlines(settings_for(service), "createIndexes") as (database, given):
        STORES[service](database).ensure_indexes()
    assert min(given) > HOUR_MS


def test_an_index_that_takes_longer_than_a_call_may_is_made(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB makes none while a transaction has the collection: that is as long as wanted, with few documents."""
    settings = settings_for("enrollment")
    monkeypatch.setattr(mongo, "TIMEOUT_MS", 2_000)
    database = connect(settings)
    with MongoClient[Document](settings.mongodb_uri) as other, other.start_session() as session:
        plain = other[settings.database]
        plain.create_collection("things")
        session.start_transaction()
        plain["things"].insert_one({}, session=session)
        ending = threading.Timer(3.0, session.abort_transaction)
        ending.start()
        try:
            things(database)
        finally:
            ending.join()
    assert "unsent" in database["things"].index_information()


def test_filling_has_all_the_time_it_needs(settings_for: SettingsFor) -> None:
    """It, too, goes through all documents of a kind."""
    with deadlines(settings_for("enrollment"), "update") as (database, given):
        repository = things(database)
        repository.insert(Thing(id="a", colour="red"), change("made"))
        repository.fill()
    assert min(given) > HOUR_MS


def test_a_database_that_is_away_is_not_waited_for(
    settings_for: SettingsFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who starts a process hears of it in the time that any call has."""
    monkeypatch.setattr(mongo, "TIMEOUT_MS", 200)
    database = connect(settings_for("enrollment", mongodb_uri="mongodb://127.0.0.1:1/"))
    with pytest.raises(ServerSelectionTimeoutError):
        things(database)
