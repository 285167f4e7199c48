"""What grows, moves or is lost around the databases comes back from them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from infra.clock import system_clock
from infra.local.broker import EmbeddedBroker
from infra.messaging.consumer import Consumer
from infra.messaging.envelope import Event
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch, on
from infra.settings import PORTS, Settings
from infra.storage.copies import Copies
from infra.storage.mongo import connect
from services.sessions import app as sessions
from tests.component.infra.test_messaging import consumer
from tests.component.infra.things import NOON, Thing, Threads, change, things
from tests.component.sessions.world import World
from tests.conftest import SettingsFor, Tokens
from tests.e2e.conftest import system
from tests.e2e.office import MONTH, Office
from tests.processes import process_of
from tests.reliability.stored import event_ids, unsent
from tests.support import eventually, running

pytestmark = pytest.mark.timeout(600)


def test_an_empty_broker_and_an_empty_reporting_are_filled_by_the_services(
    settings_for: SettingsFor, tokens: Tokens, tmp_path: Path
) -> None:
    """The log is gone, and so are the figures: everything is sent again, every figure comes back, no mail."""
    settings = {name: settings_for(name, broker_profile="embedded") for name in PORTS}
    with EmbeddedBroker() as broker, system(_at(settings, broker), tokens, tmp_path / "mails") as bina:
        office = Office(bina)
        office.hold()
        office.confirm()
        bina.settle()
        eventually(lambda: bina.kpis(MONTH)[("sessions", "mentoring")][0] == 1)
        figures, inbox, mails = bina.kpis(MONTH), bina.inbox(office.learner), bina.mails()
    settings["reporting"] = settings_for("reporting", database=f"{settings['reporting'].database}_new")
    with EmbeddedBroker() as broker, system(_at(settings, broker), tokens, tmp_path / "mails") as bina:
        eventually(lambda: bina.kpis(MONTH) == figures, timeout=90)
        assert bina.inbox(office.learner) == inbox
        assert mails <= bina.mails()
        assert max(bina.mails().values()) == 1
    database = connect(settings["reporting"])
    database.client.drop_database(database.name)


def _at(settings: dict[str, Settings], broker: EmbeddedBroker) -> dict[str, Settings]:
    return {
        name: replace(each, kafka_bootstrap=broker.address, broker_profile="embedded")
        for name, each in settings.items()
    }


def test_empty_topics_are_filled_by_command(settings_for: SettingsFor, tokens: Tokens) -> None:
    """The cluster is the one it was, so nobody notices that its log is gone: `resend` sends all that is stored."""
    settings = settings_for("sessions")
    world = World(settings, tokens)
    guide, learner = world.employee(), world.employee()
    world.confirmed(guide, learner, world.pairing(guide, learner), assessed_level=3)
    aggregates = world.store.aggregates
    with running(sessions.worker(settings)):
        eventually(lambda: unsent(aggregates) == 0)
    empty = replace(settings, topic_prefix=f"{settings.topic_prefix}new.")
    published: list[Event] = []
    reader = Consumer(empty, "readers", ["sessions.events"], published.extend, system_clock)
    with running(process_of(empty, "worker"), Threads(reader)):
        command = process_of(empty, "resend")
        command.start()
        assert command.wait(60)
        assert command.exit_code == 0, command.tail()
        eventually(lambda: event_ids(aggregates) <= {event.id for event in published})
    assert {event.id for event in published} == event_ids(aggregates)


def test_what_was_written_while_a_clock_ran_ahead_is_published_at_once(settings_for: SettingsFor) -> None:
    """The clocks of an API and of the worker differ by minutes: the event doesn't wait for them to agree."""
    settings = settings_for("enrollment")
    database = connect(settings)
    got: list[Event] = []
    relay = Relay(settings, database, [things(database)], system_clock)
    with running(Threads(relay, consumer(settings, got.extend))):
        ahead = system_clock() + timedelta(minutes=5)
        things(database).insert(Thing(id="a", colour="red"), change("made", ahead))
        eventually(lambda: [event.subject for event in got] == ["a"])


class First(msgspec.Struct, frozen=True):
    colour: str


class Second(msgspec.Struct, frozen=True):
    colours: list[str]


def test_two_versions_of_an_event_are_one_event(settings_for: SettingsFor) -> None:
    """During an upgrade both are sent: the old reader passes `.v2` over, the new one reads both and counts one."""
    database = connect(settings_for("enrollment"))
    first = Event(
        id="1",
        source="enrollment",
        type="thing.made",
        version=1,
        subject="a",
        seq=1,
        time=NOON,
        effective_at=NOON,
        key="a",
        body=b'{"colour": "red"}',
    )
    second = msgspec.structs.replace(first, version=2, body=b'{"colours": ["red"]}')
    old, new = Copies(database["old"]), Copies(database["new"])

    def to_old(batch: list[tuple[Event, First]]) -> None:
        old.apply(batch, lambda _, seen: {"colours": [seen.colour]})

    def to_new(batch: list[tuple[Event, First]]) -> None:
        new.apply(batch, lambda _, seen: {"colours": [seen.colour]})

    def to_new_from_second(batch: list[tuple[Event, Second]]) -> None:
        new.apply(batch, lambda _, seen: {"colours": seen.colours})

    both = [on("thing", First, to_new), on("thing", Second, to_new_from_second, version=2)]
    for handle in (dispatch([on("thing", First, to_old)]), dispatch(both)):
        for events in ([first, second], [second, first], [second]):
            handle(events)
    assert list(database["old"].find()) == list(database["new"].find())
    assert database["new"].count_documents({"seq": 1, "colours": ["red"]}) == 1
