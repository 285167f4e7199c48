"""Lots of events in Kafka for projections to work off: confirmed sessions, each of another fact."""

import random
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from bench.city import NEWS_FROM, NEWS_TO, instants, people, shard_of
from infra.messaging import kafka
from infra.messaging.envelope import derived_id, to_headers
from infra.messaging.topics import ensure_topics, full_name
from infra.settings import Settings


def fill(settings: Settings, count: int) -> list[int]:
    """Sends so many events, in the order in which the sessions were, to the topic of the settings' space.

    Gives how many went to each partition.
    """
    ensure_topics(settings)
    producer, topic = kafka.producer(settings), full_name(settings, "sessions.events")
    who, chance = list(people()), random.Random(count)
    counts = [0] * settings.partitions
    for moment in instants(count, NEWS_FROM, NEWS_TO):
        event, key = confirmed(who, chance, moment)
        headers = to_headers(event, source="sessions", subject=str(event["subject"]), key=key)
        producer.send(topic, value=event["body"], key=key, headers=headers)
        counts[shard_of(key.decode(), settings.partitions)] += 1
    producer.flush()
    producer.close()
    return counts


def confirmed(who: Sequence[str], chance: random.Random, moment: datetime) -> tuple[dict[str, object], bytes]:
    """`session.confirmed` of a new session, as its aggregate keeps it, and its key."""
    id_, learner, guide = str(uuid.uuid4()), chance.choice(who), chance.choice(who)
    started = moment - timedelta(microseconds=moment.microsecond)
    data = {
        "id": id_,
        "pairing_id": str(uuid.uuid4()),
        "guide_id": guide,
        "learner_id": learner,
        "kind": chance.choice(("coaching", "mentoring")),
        "competency": "menyusun-surat-dinas",
        "status": "confirmed",
        "started_at": started,
        "minutes": chance.choice((30, 45, 60, 90)),
        "assessed_level": 2,
        "recorded_at": started,
        "held_at": started,
        "confirmed_at": started,
        "ever_disputed": False,
    }
    event = {
        "id": derived_id("session", id_, "2"),
        "type": "session.confirmed",
        "subject": id_,
        "seq": 2,
        "time": started,
        "effective_at": started,
        "body": msgspec.json.encode(data),
    }
    return event, learner.encode()
