"""One child process that can't outlive us: its own group, its output in a file, a clean end or a hard one."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.local.errors import CannotStart

_PR_SET_PDEATHSIG = 1
# Loaded here because nothing may be loaded between fork and exec.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _die_with_parent() -> None:
    """Runs in the child before exec: the kernel asks it to end when the thread that started it is gone."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A program started with `start` (from a thread that lasts as long as it shall), ended with `stop`.

    name: for messages. log: file that gets what it prints; None discards it. env: added to our own, together with
    the name (BINA_PROCESS).
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self._command = list(command)
        self._env = {**os.environ, **env, "BINA_PROCESS": name} if env is not None else None
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it in a process group of its own, so that Ctrl-C at the terminal reaches only us."""
        self.kill()
        output = self.log.open("ab") if self.log else None
        try:
            self._popen = subprocess.Popen(  # noqa: S603 - programs of our own
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output or subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                env=self._env,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, bound beforehand
            )
        except OSError as error:
            raise CannotStart(f"{self.name} can't be started: {error}") from error
        finally:
            if output:
                output.close()

    @property
    def pid(self) -> int | None:
        """Its process id, or None before the first start."""
        return self._popen.pid if self._popen else None

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or was never started); negative: the signal that ended it."""
        return self._popen.poll() if self._popen else None

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._popen is not None and self._popen.poll() is None

    def wait(self, seconds: float) -> bool:
        """Whether it ended within `seconds`."""
        return self._popen is None or _ended(self._popen, seconds)

    def terminate(self) -> None:
        """Ask the process itself to end (it knows how to end its children); returns at once."""
        if self._popen is not None:
            self._popen.terminate()

    def stop(self, seconds: float = 15) -> bool:
        """Ask it to end, kill it after `seconds`. Returns whether it ended when asked."""
        # Held here, since another thread may start the program anew as soon as this one has ended.
        stopping = self._popen
        if stopping is None:
            return True
        stopping.terminate()
        clean = _ended(stopping, seconds)
        _kill_group(stopping)
        return clean

    def kill(self) -> None:
        """End it and whatever is left of its group at once."""
        if self._popen is not None:
            _kill_group(self._popen)

    def tail(self, lines: int = 15) -> str:
        """The last lines that it printed, for a message about its end."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def _ended(popen: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        popen.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _kill_group(popen: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(popen.pid, signal.SIGKILL)
    _ended(popen, 10)


def wait_until(ready: Callable[[], bool], process: Process, seconds: float, interval: float = 0.02) -> bool:
    """Poll `ready` until it is true; False when `seconds` have passed or the process has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.exit_code is not None:
            return False
        if ready():
            return True
        time.sleep(interval)
    return False
