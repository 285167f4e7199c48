"""One running copy per BINA_HOME: whoever holds `lock` is it, and writes there which process it is."""

import fcntl
import os
from pathlib import Path
from typing import IO

from infra.local.errors import CannotStart


class HomeLock:
    """Held from `acquire` until `release`, or until the process ends, however it ends."""

    def __init__(self, home: Path) -> None:
        self._path = home / "lock"
        self._home = home
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take it. Raises CannotStart when another copy has it."""
        self._home.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip()
            file.close()
            raise CannotStart(
                f"A copy is already running on {self._home} (process {owner or 'unknown'}). "
                "Stop it with `make down`, or run this one beside it with another BINA_HOME "
                "and other BINA_<SERVICE>_PORT."
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let others run."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def owner(self) -> int | None:
        """The process that holds it now, or None."""
        try:
            with self._path.open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    return int(file.read().strip() or 0) or None
                return None
        except FileNotFoundError:
            return None
