"""A reader of the embedded broker goes back for what it was not shown."""

from types import SimpleNamespace
from typing import Any, cast

from kafka import KafkaConsumer
from kafka.structs import TopicPartition

from infra.messaging.gaps import PATIENCE_SECONDS, Batches, Gaps

PLACE, OTHER = TopicPartition("t", 0), TopicPartition("t", 1)


class Reader:
    """A log of two partitions as it is seen at a moment, and who reads it."""

    def __init__(self) -> None:
        self.time = 0.0
        self.back: list[tuple[TopicPartition, int]] = []
        self._gaps = Gaps(lambda: self.time)

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.back.append((place, offset))

    def read(self, *offsets: int, other: tuple[int, ...] = ()) -> list[int]:
        """What is handled of these records in PLACE."""
        batches: dict[TopicPartition, list[Any]] = {PLACE: [SimpleNamespace(offset=each) for each in offsets]}
        if other:
            batches[OTHER] = [SimpleNamespace(offset=each) for each in other]
        whole: Batches = self._gaps.cut(cast("KafkaConsumer", self), batches)
        assert [record.offset for record in whole.get(OTHER, ())] == list(other)
        return [record.offset for record in whole.get(PLACE, ())]


def test_what_is_missing_is_gone_back_for_in_a_batch_and_between_two() -> None:
    reader = Reader()
    assert reader.read(7, 8, 10, 11, other=(0, 1)) == [7, 8]
    assert reader.back == [(PLACE, 9)]
    assert reader.read(10, 11) == []
    assert reader.back == [(PLACE, 9)] * 2
    assert reader.read(9, 10, 11) == [9, 10, 11]
    assert reader.read(12) == [12]
    assert len(reader.back) == 2


def test_what_never_comes_is_waited_for_and_passed() -> None:
    reader = Reader()
    assert reader.read(0, 2) == [0]
    reader.time = PATIENCE_SECONDS
    assert reader.read(2, 3) == [2, 3]
    assert reader.read(5) == []
    assert reader.back == [(PLACE, 1), (PLACE, 4)]


def test_what_is_tried_again_is_no_gap() -> None:
    reader = Reader()
    assert reader.read(0, 1, 2) == [0, 1, 2]
    assert reader.read(1, 2, 3) == [1, 2, 3]
    assert reader.back == []
