"""What became of events that were handed to the producer."""

import time

from kafka.errors import KafkaTimeoutError

from infra.messaging.advancing import failure_of


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
    assert isinstance(failure_of([late], give_up), KafkaTimeoutError)
    assert isinstance(failure_of([later], give_up - 120), KafkaTimeoutError)
    assert 0 < late.waited[0] <= 60
    assert later.waited == [0.0]
