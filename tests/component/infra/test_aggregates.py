"""An aggregate carries its events; a change is saved once, or refused."""

import msgspec
import pytest
from pymongo import WriteConcern
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from infra.storage import aggregates
from infra.storage.aggregates import Exists, Record, Stale, Taken
from infra.storage.archive import KEPT_EVENTS, archive_events
from infra.storage.failures import may_pass
from infra.storage.guards import transaction
from infra.storage.mongo import Document, connect
from tests.component.infra.things import NOON, SOMEBODY, Thing, change, things
from tests.conftest import SettingsFor

TOO_MANY = WriteConcern(w=50)
"""More members than any replica set has."""


@pytest.fixture
def database(settings_for: SettingsFor) -> Database[Document]:
    return connect(settings_for("enrollment"))


def test_state_and_event_are_stored_together(database: Database[Document]) -> None:
    """One write leaves the state, its version, the event's wire form and the mark for the relay."""
    things(database).insert(Thing(id="a", colour="red", owner="o"), change("made"))
    document = database["things"].find_one({"_id": "a"})
    assert document is not None
    assert (document["version"], document["seq"], document["sent"]) == (1, 1, 0)
    assert document["unsent"] == {"lane": 0, "at": NOON}
    (event,) = document["events"]
    assert (event["type"], event["key"], event["actor"]) == ("thing.made", "o", SOMEBODY.sub)
    assert msgspec.json.decode(event["body"]) == {"id": "a", "colour": "red"}
    assert document["changed"].time > 0, "the server has put its own time in"


def test_what_is_read_is_what_was_written(database: Database[Document]) -> None:
    """State, version and derived fields come back; the events stay where they are."""
    repository = things(database)
    repository.insert(Thing(id="a", colour="red"), change("made"), extra={"shade": 7})
    stored = repository.get("a")
    assert stored is not None
    assert stored.state == Thing(id="a", colour="red")
    assert (stored.version, stored.effective_at, dict(stored.extra)) == (1, NOON, {"shade": 7})
    assert repository.get("b") is None


def test_a_change_counts_version_and_seq_without_holes(database: Database[Document]) -> None:
    """A change with a second record gives both a number of their own; the version grows by one."""
    repository = things(database)
    stored = repository.insert(Thing(id="a", colour="red"), change("made"))
    extra = (Record(type="person.changed", topic="enrollment.people", data={"name": "x"}),)
    after = repository.replace(
        stored, Thing(id="a", colour="blue"), msgspec.structs.replace(change("painted"), extra=extra)
    )
    assert (after.version, after.seq) == (2, 3)
    document = database["things"].find_one({"_id": "a"}) or {}
    assert [(event["seq"], event.get("topic")) for event in document["events"]] == [
        (1, None),
        (2, None),
        (3, "enrollment.people"),
    ]
    assert [row["what"] for row in repository.activity("a")] == ["thing.made", "thing.painted"]


def test_a_stale_change_is_refused(database: Database[Document]) -> None:
    """Two changes based on one version: the second one learns of it, and nothing is overwritten."""
    repository = things(database)
    stored = repository.insert(Thing(id="a", colour="red"), change("made"))
    repository.replace(stored, Thing(id="a", colour="blue"), change("painted"))
    with pytest.raises(Stale):
        repository.replace(stored, Thing(id="a", colour="green"), change("painted"))
    current = repository.get("a")
    assert current is not None
    assert current.state.colour == "blue"


def test_ids_and_unique_values_are_told_apart(database: Database[Document]) -> None:
    """A second document with the same id is Exists; with the same unique value it is Taken, with its field."""
    repository = things(database)
    database["things"].create_index("colour", unique=True)
    repository.insert(Thing(id="a", colour="red"), change("made"))
    with pytest.raises(Exists):
        repository.insert(Thing(id="a", colour="blue"), change("made"))
    with pytest.raises(Taken) as taken:
        repository.insert(Thing(id="b", colour="red"), change("made"))
    assert taken.value.fields == ("colour",)


def test_many_are_stored_each_on_its_own(database: Database[Document]) -> None:
    """One that can't be stored never takes the others with it."""
    repository = things(database)
    repository.insert(Thing(id="b", colour="red"), change("made"))
    results = repository.insert_many(
        [(Thing(id=id_, colour="red"), change("made"), None) for id_ in ("a", "b", "c")]
    )
    assert [type(each).__name__ for each in results] == ["Stored", "Exists", "Stored"]


def test_what_no_majority_has_is_not_called_stored(database: Database[Document]) -> None:
    """A failover may roll it back: the caller hears that it may pass, also where one of them is there already."""
    repository = things(database)
    repository.insert(Thing(id="a", colour="red"), change("made"))
    repository.collection = repository.collection.with_options(write_concern=TOO_MANY)
    for ids in (["b"], ["a", "c"]):
        with pytest.raises(BulkWriteError) as unsure:
            repository.insert_many([(Thing(id=id_, colour="red"), change("made"), None) for id_ in ids])
        assert may_pass(unsure.value)


@pytest.mark.parametrize("at_a_time", [1, 200])
def test_in_a_transaction_all_are_stored_or_none(
    database: Database[Document], monkeypatch: pytest.MonkeyPatch, at_a_time: int
) -> None:
    """And nothing is asked of the server where there is nothing to store."""
    monkeypatch.setattr(aggregates, "AT_A_TIME", at_a_time)
    repository = things(database)
    repository.insert(Thing(id="b", colour="red"), change("made"))
    items = [(Thing(id=id_, colour="blue"), change("made"), {"shade": 7}) for id_ in ("a", "b", "c")]
    with pytest.raises(BulkWriteError):
        transaction(database, [], lambda session: repository.insert_all(iter(items), session))
    assert [one.state.id for one in repository.find({})] == ["b"]
    transaction(database, [], lambda session: repository.insert_all(items[::2], session))
    transaction(database, [], lambda session: repository.insert_all([], session))
    assert {one.state.id: dict(one.extra) for one in repository.find({"shade": 7})} == {
        "a": {"shade": 7},
        "c": {"shade": 7},
    }


def test_many_changes_say_which_were_saved(database: Database[Document]) -> None:
    """Of two changes in one go, the stale one is False."""
    repository = things(database)
    a = repository.insert(Thing(id="a", colour="red"), change("made"))
    b = repository.insert(Thing(id="b", colour="red"), change("made"))
    repository.replace(a, Thing(id="a", colour="blue"), change("painted"))
    saved = repository.replace_many(
        [(one, Thing(id=one.state.id, colour="green"), change("painted"), None) for one in (a, b)]
    )
    assert saved == [False, True]


def test_old_events_move_to_the_archive_and_stay_in_the_activity(database: Database[Document]) -> None:
    """A busy document doesn't grow for ever, and its history stays whole."""
    repository = things(database)
    stored = repository.insert(Thing(id="a", colour="0"), change("made"))
    for number in range(1, KEPT_EVENTS + 20):
        stored = repository.replace(stored, Thing(id="a", colour=str(number)), change("painted"))
    database["things"].update_one({"_id": "a"}, {"$set": {"sent": stored.seq}})
    archive_events(repository, "a")
    archive_events(repository, "a")
    document = database["things"].find_one({"_id": "a"}) or {}
    assert len(document["events"]) == KEPT_EVENTS // 2
    assert len(repository.activity("a")) == KEPT_EVENTS + 20


def test_a_field_that_came_with_a_release_is_borne_and_filled(database: Database[Document]) -> None:
    """Older documents are read with its default at once; once filled, queries find it. Nothing has happened."""
    repository = things(database)
    stored = repository.insert(Thing(id="a", colour="red"), change("made"))
    repository.insert(Thing(id="b", colour="red", owner="o"), change("made"))
    database["things"].update_one({"_id": "a"}, {"$unset": {"owner": ""}})
    known = repository.get("a")
    assert known is not None
    assert known.state.owner == "nobody"
    repository.replace(stored, Thing(id="a", colour="blue"), change("painted"))
    assert repository.find({"owner": "nobody"}) == []
    assert (repository.fill(), repository.fill()) == (1, 0)
    (found,) = repository.find({"owner": "nobody"})
    assert (found.state.colour, found.version) == ("blue", 2)
    owned = repository.get("b")
    assert owned is not None
    assert owned.state.owner == "o"
