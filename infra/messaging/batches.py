"""What kafka-python can't decode, made into records: one of them would stop all partitions of a reader for ever.

kafka-python 3.0.12 raises inside `poll`, without telling where, when the name of a header is not UTF-8 or a batch
can't be unpacked, and gives nothing behind it, however often it is asked. Brokers let such records in.
"""

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecord

from infra.messaging.envelope import Missing


def read_whatever_comes(consumer: KafkaConsumer) -> None:
    """Has the consumer give every record: names of headers as far as they are UTF-8, or one with `Missing`."""
    # Public means reach keys and values only, and these come after the headers.
    consumer._fetcher.PartitionRecords = _records


def _records(offset: int, place: Any, batches: Any, **options: Any) -> Fetcher.PartitionRecords:
    return Fetcher.PartitionRecords(offset, place, _Batches(batches), **options)


class _Batches:
    """The batches of one answer, as the fetcher takes them."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        # Older formats have no headers, and Kafka writes them no more.
        return batch if batch is None or batch.magic < 2 else _Batch(batch)


class _Batch:
    """A batch that gives a record for what is wrong in it. Its checksum was right, so it can be believed."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not hold up what comes behind
            if isinstance(error.__context__, UnicodeDecodeError):
                # The batch goes on with the record at which it stopped.
                self._batch._buffer = _AnyName(self._batch._buffer)
                yield from self
            else:
                yield self._missing(type(error).__name__)

    def _missing(self, why: str) -> DefaultRecord:
        batch = self._batch
        text = f"the batch of offsets {batch.base_offset} to {batch.last_offset} can't be unpacked: {why}"
        value = Missing(text.encode())
        return DefaultRecord(0, batch.last_offset, batch.max_timestamp, batch.timestamp_type, None, value, [])


class _AnyName(bytearray):
    """Bytes of which a part can be decoded, whatever it is: in a batch nothing but names is decoded."""

    def __getitem__(self, index: Any) -> Any:
        found = super().__getitem__(index)
        return _AnyName(found) if isinstance(index, slice) else found

    def decode(self, *_: str) -> str:
        return super().decode(errors="replace")
