"""A worker ends with the first of its parts."""

import signal
import threading

import pytest

from infra.settings import Settings
from infra.worker import Worker
from tests.support import PATIENCE_SECONDS


class Ends:
    """A part that ends before it is told to."""

    name = "ends"

    def __init__(self, how: type[BaseException] | None) -> None:
        self._how = how

    def run(self, stop: threading.Event) -> None:
        """Dies, or returns."""
        if self._how:
            raise self._how


@pytest.mark.parametrize("how", [ZeroDivisionError, SystemExit, None])
def test_a_part_that_ends_takes_the_worker_down(
    how: type[BaseException] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it died of: a worker that went on without it would look well and do nothing."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    environment = {
        "BINA_ENV": "development",
        "BINA_MONGODB_URI": "mongodb://127.0.0.1:1",
        "BINA_KAFKA_BOOTSTRAP": "127.0.0.1:1",
        "BINA_JWKS": "https://127.0.0.1:1/jwks",
        "BINA_SESSIONS_WORKER_PORT": "0",
    }
    worker = Worker(Settings.from_env("sessions", environment), [Ends(how)], {})
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(worker.run()), daemon=True)
    thread.start()
    thread.join(PATIENCE_SECONDS)
    assert codes == [1]
