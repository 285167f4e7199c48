"""What operators see: the tables of `status`, the commands on dead letters, the samples of `/metrics`."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from infra.cli import main, parser
from infra.clock import Clock, system_clock
from infra.messaging import kafka
from infra.messaging.consumer import Consumer
from infra.messaging.lag import places_of
from infra.messaging.relay import Relay
from infra.messaging.subscription import dispatch
from infra.messaging.topics import ensure_topics, full_name
from infra.messaging.unsent import POSTPONED_LANE
from infra.operations.status import Table
from infra.settings import Settings
from infra.storage.aggregates import LANES, Aggregates
from infra.storage.leases import Lease
from infra.storage.mongo import connect
from infra.storage.timers import Timers, TimersLoop
from infra.telemetry import logs
from infra.web.health import serve_health
from infra.worker import Worker
from tests.component.infra.things import Thing, change, patient_producer, things
from tests.conftest import SettingsFor
from tests.support import eventually, fetch, running

GROUP = "desk"
DOCS = Path(__file__).parents[3] / "docs"


class Desk:
    """A service of things, as the commands see it. Its worker reads its own topic."""

    def groups(self, settings: Settings) -> Sequence[str]:
        """One."""
        return (GROUP,)

    def aggregates(self, settings: Settings) -> Sequence[Aggregates[Any]]:
        """One kind."""
        return (things(connect(settings)),)

    def tables(self, settings: Settings) -> Sequence[Table]:
        """None of its own."""
        return ()

    def worker(self, settings: Settings, clock: Clock = system_clock) -> Worker:
        """All parts that there are."""
        database = connect(settings)
        parts = (
            Relay(settings, database, self.aggregates(settings), clock),
            Consumer(settings, GROUP, ["enrollment.events"], dispatch([]), clock),
            TimersLoop(Timers(database), {}, clock),
        )
        return Worker(settings, parts, {})


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    """With one partition, so that what is handled and what is not can be foretold."""
    return settings_for("enrollment", partitions=1)


def command(settings: Settings, *arguments: str) -> int:
    options = parser("things").parse_args(arguments)
    code: int = options.run(Desk(), settings, options)
    return code


def tables(told: str) -> dict[str, list[list[str]]]:
    """The rows of each table by its title, without the heads; cells stand two blanks apart."""
    found: dict[str, list[list[str]]] = {}
    for line in told.splitlines()[1:]:
        if not line.startswith("    "):
            rows = found.setdefault(line.strip(), [])
        else:
            rows.append(re.split(r"  +", line.strip()))
    return {title: rows[1:] for title, rows in found.items()}


def put_rubbish(settings: Settings, *values: bytes) -> None:
    ensure_topics(settings, (GROUP,))
    producer = patient_producer(settings)
    for value in values:
        producer.send(
            full_name(settings, "enrollment.events"), value=value, key=b"k", headers=[("ce_type", b"odd")]
        )
    producer.flush()
    producer.close()


def set_aside(settings: Settings, *values: bytes) -> None:
    """Has the worker read them, which makes nothing of them, and sends a thing meanwhile."""
    put_rubbish(settings, *values)
    repository = things(connect(settings))
    with running(Desk().worker(settings)):
        repository.insert(Thing(id="sent", colour="red"), change("made"))
        eventually(lambda: not repository.collection.find_one({"unsent": {"$exists": True}}))
        eventually(lambda: [place.committed for place in places_of(settings, GROUP)] == [len(values) + 1])


def leave_undone(settings: Settings) -> None:
    """Two live changes, one of an import, one postponed; a timer that is late by an hour and one of tomorrow."""
    database = connect(settings)
    for id_, lane in (("a", 0), ("b", 0), ("c", LANES["bulk"]), ("d", POSTPONED_LANE)):
        things(database).insert(Thing(id=id_, colour="red"), change("made"))
        unsent = {"lane": lane, "at": system_clock() + timedelta(days=1)}
        database["things"].update_one({"_id": id_}, {"$set": {"unsent": unsent}})
    Timers(database).set("remind", "late", system_clock() - timedelta(hours=1))
    Timers(database).set("remind", "later", system_clock() + timedelta(days=1))


def test_status_tells_leases_backlog_lag_dead_letters_and_timers(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of what was handled, what was not, who holds what, and what is late."""
    set_aside(settings, b"one", b"two")
    put_rubbish(settings, b"three")
    leave_undone(settings)
    lease = Lease(connect(settings), "imports", 600)
    assert lease.acquire()
    assert command(settings, "status") == 0
    told = tables(capsys.readouterr().out)
    held = told.pop("leases")
    assert [row[:2] for row in held] == [["imports", lease.owner], ["relay", "nobody"]]
    assert 500 < int(held[0][2].removesuffix(" s")) <= 600
    late = told["timers"][0].pop()
    assert 3600 <= int(late.removesuffix(" s late")) < 3700
    assert told == {
        "waiting to be published": [
            ["things", "live", "2"],
            ["things", "imports and replays", "1"],
            ["things", "postponed", "1"],
        ],
        "consumers": [[GROUP, "enrollment.events", "0", "3", "4", "1"]],
        "dead letters": [[GROUP, "2"]],
        "timers": [["remind", "1", "1"]],
    }


def test_status_tells_the_rest_where_something_is_down(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be looked at says so, and the exit code is 1."""
    monkeypatch.setattr(kafka, "REACH_MS", 500)
    leave_undone(settings)
    assert command(replace(settings, kafka_bootstrap="127.0.0.1:1"), "status") == 1
    told = capsys.readouterr().out
    assert "consumers\n    can't be told: " in told
    assert tables(told)["timers"][0][:2] == ["remind", "1"]


def test_a_broker_that_is_away_is_said_in_one_line(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs a command can do nothing with a stack trace."""
    monkeypatch.setattr(kafka, "REACH_MS", 500)
    monkeypatch.setattr(logs, "configure", lambda _: None)
    monkeypatch.setattr(Settings, "from_env", lambda _: replace(settings, kafka_bootstrap="127.0.0.1:1"))
    assert main("enrollment", ["dead-letters", "list"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "Kafka or MongoDB gives no answer: KafkaTimeoutError. Try again.\n")


def test_dead_letters_are_listed_shown_and_sent(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """By their numbers; the body only on request; what was sent lies in its topic again, and stays a letter."""
    set_aside(settings, b"one", b"two")
    capsys.readouterr()
    assert command(settings, "dead-letters", "list") == 0
    listed = capsys.readouterr()
    rows = [line.split("\t") for line in listed.out.splitlines()]
    topic = full_name(settings, "enrollment.events")
    assert [(row[0], *row[2:]) for row in rows] == [
        (str(number), "odd", f"{topic}/0@{number}", "1", "specversion is not 1.0") for number in (0, 1)
    ]
    assert listed.err == "2 dead letters\n"
    assert command(settings, "dead-letters", "show", "1") == 0
    assert capsys.readouterr().out == "ce_type: odd\nkey: k\nreason: specversion is not 1.0\n"
    assert command(settings, "dead-letters", "show", "1", "--body") == 0
    assert capsys.readouterr().out.endswith("\ntwo\n")
    assert command(settings, "dead-letters", "show", "7") == 1
    assert command(settings, "dead-letters", "send") == 2
    capsys.readouterr()
    place = TopicPartition(topic, 0)
    before = len(list(kafka.records(settings, place)))
    for arguments, said in ((["1"], "1 sent again\n"), (["--all"], "2 sent again\n"), (["7"], "0 sent again\n")):
        assert command(settings, "dead-letters", "send", *arguments) == 0
        assert capsys.readouterr().out == said
    sent = list(kafka.records(settings, place))[before:]
    assert [(each.key, each.value, each.headers) for each in sent] == [
        (b"k", value, [("ce_type", b"odd")]) for value in (b"two", b"one", b"two")
    ]
    assert command(settings, "dead-letters", "list", "--group", GROUP) == 0
    assert capsys.readouterr().err == "2 dead letters\n"


def test_a_resend_is_of_all_or_of_those_that_are_named(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Behind live changes: in the lane of imports and replays."""
    database = connect(settings)
    for id_ in "abc":
        things(database).insert(Thing(id=id_, colour="red"), change("made"))
    database["things"].update_many({}, {"$set": {"sent": 1}, "$unset": {"unsent": ""}})
    for ids, count, said in ((["b"], 1, "1 aggregate"), ([], 3, "3 aggregates")):
        assert command(settings, "resend", *ids) == 0
        assert capsys.readouterr().out == f"{said} will be sent again by the worker\n"
        assert database["things"].count_documents({"unsent.lane": LANES["bulk"], "sent": 0}) == count


def test_metrics_of_a_worker_have_the_same_for_alarms(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the broker can be read and not be written: nothing goes out, and a letter can't be set aside."""
    set_aside(settings, b"one", b"two")
    put_rubbish(settings, b"three")
    leave_undone(settings)
    monkeypatch.setattr(kafka, "producer", unwritable)
    database = settings.database
    wanted = {
        ("bina_lease_held", database, "relay"): 1,
        ("bina_relay_backlog", "live", "enrollment"): 2,
        ("bina_relay_backlog", "bulk", "enrollment"): 1,
        ("bina_relay_backlog", "postponed", "enrollment"): 1,
        ("bina_consumer_lag", GROUP, "enrollment.events"): 1,
        ("bina_dead_letters_kept", GROUP): 2,
        ("bina_timers_due", database): 1,
    }
    close = serve_health(settings.worker_port, "things", lambda: True, {})
    try:
        with running(Desk().worker(settings)):
            found = eventually(partial(watched, settings, wanted), interval=0.2)
    finally:
        close()
    assert found["bina_events_sent_total", "enrollment"] >= 1
    assert found["bina_events_handled_total", GROUP, full_name(settings, "enrollment.events")] == 1
    assert found["bina_dead_letters_total", GROUP, full_name(settings, "enrollment.events")] == 2
    assert found["bina_events_retried_total", GROUP] >= 1


def unwritable(_: Settings) -> Any:
    raise KafkaTimeoutError


def watched(settings: Settings, wanted: Mapping[tuple[str, ...], float]) -> dict[tuple[str, ...], float]:
    """All samples, once those that are wanted are among them."""
    found = metrics(settings)
    assert {name: found.get(name) for name in wanted} == wanted
    return found


def metrics(settings: Settings) -> dict[tuple[str, ...], float]:
    """The samples by name and labels (these by the alphabet of their names), as whoever watches reads them."""
    text = fetch(f"http://127.0.0.1:{settings.worker_port}/metrics").text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_operators_are_told_to_watch_is_there() -> None:
    """Every sample that docs/operations.md names is one that is counted."""
    named = set(re.findall(r"`(bina_\w+)`", (DOCS / "operations.md").read_text()))
    counted = {
        f"{family.name}_total" if family.type == "counter" else family.name for family in REGISTRY.collect()
    }
    assert len(named) > 10
    assert named <= counted
