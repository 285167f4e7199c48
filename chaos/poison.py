"""A message that nobody can read, and what becomes of it where it may not even be set aside."""

import uuid
from dataclasses import dataclass

from kafka.errors import KafkaError

from chaos.rig import Rig
from infra.clock import system_clock
from infra.messaging import deadletters, kafka
from infra.messaging.envelope import to_headers
from infra.messaging.lag import places_of
from infra.messaging.topics import dead_letters_of, full_name

TOPIC = "sessions.events"
READERS = {"notifications": "notifications", "reporting": "reporting-1"}
"""The consumer groups that can't make anything of it, by their services."""

REFUSED = ".dead-letters"


@dataclass(frozen=True)
class Poison:
    """Where it lies. id: of the event; cluster: the broker's identity then. With another one now, it is gone."""

    id: str
    cluster: str
    partition: int
    offset: int


class Poisoner:
    """Sends them, and knows where each of them has to end."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._sent: list[Poison] = []
        self.waited: list[bool] = []

    def send(self) -> Poison | None:
        """Puts one among the sessions' events; None when the broker can't take it now."""
        settings = self._rig.settings("sessions")
        now, key = system_clock(), str(uuid.uuid4())
        event = {"id": key, "type": "session.held", "time": now, "effective_at": now, "seq": 1}
        headers = to_headers(event, source="chaos", subject=key, key=key.encode())
        try:
            cluster = kafka.cluster_id(settings)
            producer = kafka.producer(settings)
            try:
                name = full_name(settings, TOPIC)
                sent = producer.send(name, value=b'{"poison": true}', key=key.encode(), headers=headers).get(10)
            finally:
                producer.close(timeout=1, null_logger=True)
        except (KafkaError, OSError):
            return None
        poison = Poison(key, cluster, sent.partition, sent.offset)
        self._sent.append(poison)
        return poison

    def look(self, poison: Poison) -> str | None:
        """While the dead letters are refused: whether every reader waits before it, in words.

        None where that can't be said yet: some have not tried to set it aside, or the broker doesn't answer.
        """
        settings = self._rig.settings("sessions")
        if (
            not {full_name(settings, dead_letters_of(group)) for group in READERS.values()}
            <= self._rig.kafka.refused
        ):
            return None
        try:
            if kafka.cluster_id(settings) != poison.cluster:
                return "the broker was replaced meanwhile"
            passed = [group for service, group in READERS.items() if self._has_passed(service, group, poison)]
        except (KafkaError, OSError):
            return None
        self.waited.append(not passed)
        return f"{' and '.join(passed)} went on without it" if passed else "its partition waits"

    def _has_passed(self, service: str, group: str, poison: Poison) -> bool:
        return any(
            place.committed > poison.offset
            for place in places_of(self._rig.settings(service), group)
            if (place.topic, place.partition) == (TOPIC, poison.partition)
        )

    def sent(self) -> tuple[set[str], set[str]]:
        """The ids of those that must be in the dead letters of each reader now, and of those that may.

        The latter were sent to a broker before this one: a reader that still had one of them in its hands may have
        set it aside on this one.
        """
        cluster = kafka.cluster_id(self._rig.settings("sessions"))
        must = {each.id for each in self._sent if each.cluster == cluster}
        return must, {each.id for each in self._sent} - must

    def found(self, service: str, group: str) -> set[str]:
        """What is in the dead letters of a group: the ids of the events, or where one without an id came from."""
        letters = deadletters.read_all(self._rig.settings(service), group)
        return {
            dict(each.headers).get("ce_id", f"{each.topic}/{each.offset}".encode()).decode() for each in letters
        }
