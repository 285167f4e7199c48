"""What became of events that were handed to the producer."""

import time

import pytest
from kafka.errors import KafkaTimeoutError

from infra.messaging.advancing import acknowledged


class Unfinished:
    """Never ends, as the promises of a producer that is dead."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def get(self, timeout: float) -> None:
        """Notes how long it would have been waited for."""
        self.waited.append(timeout)
        raise KafkaTimeoutError


def test_a_page_is_waited_for_so_long_and_not_each_document() -> None:
    """With a dead producer 2,000 documents took five hours, in which no lease was prolonged."""
    late, later = Unfinished(), Unfinished()
    give_up = time.monotonic() + 60
    with pytest.raises(KafkaTimeoutError):
        acknowledged([late], give_up)
    with pytest.raises(KafkaTimeoutError):
        acknowledged([later], give_up - 120)
    assert 0 < late.waited[0] <= 60
    assert later.waited == [0.0]
