"""What clients of Kafka leave behind when there is no broker."""

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from kafka.errors import KafkaError

from infra.local.ports import LOOPBACK, free_port
from infra.messaging import kafka
from infra.settings import Settings
from tests.support import eventually

ATTEMPTS = 10
OF_THE_LAST = 4
"""So many files of the last attempt may be open as long as somebody holds its exception."""


@pytest.fixture
def _nobody_searches_for_garbage() -> Iterator[None]:
    """As in a worker that handles large batches, between one search and the next (`infra.garbage`)."""
    gc.collect()
    gc.disable()
    # What is logged is kept until the test ends, with the exceptions in it.
    logging.disable()
    yield
    logging.disable(logging.NOTSET)
    gc.enable()


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
@pytest.mark.usefixtures("_nobody_searches_for_garbage")
@pytest.mark.parametrize(
    "connect",
    [
        kafka.cluster_id,
        lambda settings: kafka.consumer(settings, "readers"),
        lambda settings: kafka.producer(settings, bootstrap_timeout_ms=kafka.REACH_MS),
    ],
    ids=["admin", "consumer", "producer"],
)
def test_who_reaches_no_broker_leaves_nothing_behind(
    connect: Callable[[Settings], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker tries for as long as Kafka is away: threads and files that stay would use up what it may have."""
    monkeypatch.setattr(kafka, "REACH_MS", 50)
    address = f"{LOOPBACK}:{free_port()}"
    given = SimpleNamespace(broker_profile="kafka", kafka_bootstrap=address, service="things")
    before = held()
    for _ in range(ATTEMPTS):
        with pytest.raises(KafkaError):
            connect(cast("Settings", given))
    most = (before[0], before[1] + OF_THE_LAST)
    eventually(lambda: all(now <= limit for now, limit in zip(held(), most, strict=True)))


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(list(Path("/proc/self/fd").iterdir()))
