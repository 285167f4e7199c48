"""The whole worker: events on a real broker, mails at a real mail server."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.clock import system_clock
from infra.local.mailsink import MailSink
from infra.local.ports import free_port
from infra.messaging import deadletters, kafka
from infra.messaging.envelope import to_headers
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings
from infra.storage.mongo import connect
from infra.worker import Worker
from services.notifications import app
from services.notifications.settings import MailSettings
from services.notifications.store import Store
from tests.component.infra.things import patient_producer
from tests.support import eventually, running
from tests.unit.notifications import happenings as told
from tests.unit.notifications.happenings import NAMES, Happening


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    """A mail server that is not started yet."""
    sink = MailSink(tmp_path / "mails", free_port(), free_port())
    yield sink
    sink.stop()


def worker(settings: Settings, sink: MailSink) -> Worker:
    mail = MailSettings(
        url=sink.smtp_url,
        sender=Address("Bina", addr_spec="bina@example.go.id"),
        window=timedelta(seconds=0.3),
    )
    return app.worker(settings, system_clock, mail)


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def publish(settings: Settings, happenings: Sequence[Happening], *rubbish: bytes) -> None:
    """As the relays of the other services do it; rubbish goes first."""
    ensure_topics(settings)
    producer = patient_producer(settings)
    for raw in rubbish:
        producer.send(full_name(settings, "sessions.events"), value=raw, key=b"x")
    for event, _ in happenings:
        document = {name: getattr(event, name) for name in ("id", "type", "time", "effective_at", "seq")}
        producer.send(
            full_name(settings, event.topic),
            value=event.body,
            key=event.key.encode(),
            headers=to_headers(document, source=event.source, subject=event.subject, key=event.key.encode()),
        )
    producer.flush()
    producer.close()


def states(settings: Settings) -> list[str]:
    return sorted(each.state.state for each in Store(connect(settings)).deliveries.find({}))


def test_from_the_topic_to_the_letter_box_once(settings: Settings, sink: MailSink) -> None:
    """While the mail server is away nothing is lost, and afterwards nothing is doubled, replays included."""
    story = [told.session(time=now()), told.pairing(time=now())]
    with running(worker(settings, sink)):
        publish(settings, [*story, *NAMES])
        eventually(lambda: states(settings) == ["waiting"] * 3)
        eventually(lambda: Store(connect(settings)).deliveries.find({"attempts": {"$gte": 1}}))
        sink.start()
        eventually(lambda: states(settings) == ["sent"] * 3)
        assert len(sink.mailbox) == 3
        publish(settings, [*NAMES, *story, told.participant("participant.certified", "certified", time=now())])
        eventually(lambda: states(settings) == ["sent"] * 4)
    assert len(sink.mailbox) == 4
    (confirm,) = sink.mailbox.find("konfirmasi")
    mail = sink.mailbox.get(confirm.number)
    assert mail is not None
    assert confirm.to == ("warji@example.go.id",)
    assert "Oliva Situmorang" in str(mail.text)
    assert "Oliva Situmorang" in str(mail.html)
    sent = [each for each in Store(connect(settings)).deliveries.find({}) if each.state.kind == "please_confirm"]
    assert confirm.message_id == f"<{sent[0].state.id}@example.go.id>"


def test_what_cannot_be_read_goes_to_the_dead_letters_and_the_next_one_is_handled(
    settings: Settings, sink: MailSink
) -> None:
    """Rubbish, an event without what this service needs, an unknown kind: none stands in the way."""
    event, seen = told.session(time=now())
    lacking = msgspec.structs.replace(event, body=b'{"id": "Warji", "status": 7}')
    strange = msgspec.structs.replace(event, type="sunrise.seen")
    sink.start()
    with running(worker(settings, sink)):
        publish(settings, [(lacking, None), (strange, None), *NAMES, (event, seen)], b"\xff{", b"")
        eventually(lambda: len(sink.mailbox) == 1)
        # Other partitions may come later than that of the mail.
        eventually(lambda: len(list(deadletters.read_all(settings, app.SERVICE))) >= 3)
    letters = list(deadletters.read_all(settings, app.SERVICE))
    assert len(letters) == 3
    assert not any("Warji" in letter.reason for letter in letters)


def test_how_mails_fared_is_published_in_ids_only(settings: Settings, sink: MailSink) -> None:
    """Nothing personal is in the topic that is kept for ever."""
    sink.start()
    with running(worker(settings, sink)):
        publish(settings, [*NAMES, told.session(time=now())])
        eventually(lambda: states(settings) == ["sent"])
        store = Store(connect(settings))
        eventually(lambda: store.deliveries.collection.count_documents({"unsent": {"$exists": False}}) == 1)
    consumer = kafka.consumer(settings, None)
    consumer.subscribe([full_name(settings, "notifications.events")])
    records: list[Any] = []

    def read() -> bool:
        records.extend(record for batch in consumer.poll(timeout_ms=200).values() for record in batch)
        return len(records) >= 2

    eventually(read)
    consumer.close()
    types = [dict(record.headers)["ce_type"].decode() for record in records]
    assert [name.split("bina.")[1] for name in types] == ["delivery.queued.v1", "delivery.sent.v1"]
    assert not any(
        word in bytes(record.value) for record in records for word in (b"Warji", b"example.go.id", b"surat")
    )
