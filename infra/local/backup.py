"""`make backup` and `make restore`: the databases of the system on this machine, to a directory and back."""

import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

from infra.clock import JAKARTA
from infra.local.environment import running_environment
from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.lock import HomeLock
from infra.local.mongod import Mongod
from infra.local.system import KEPT

SAVE = (sys.executable, "-m", "infra.operations.backup", "save")
LOAD = (sys.executable, "-m", "infra.operations.backup", "load")


def backup(home: Path, directory: Path | None) -> int:
    """Saves what the running copy has, while it runs; gives the exit code."""
    environment = running_environment(home)
    target = directory or home / "backups" / f"{datetime.now(JAKARTA):%Y-%m-%d-%H%M%S}"
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*SAVE, str(target)], env=environment, check=False)  # noqa: S603 - our own
    if done.returncode == 0:
        print(f"Saved in {target}. To bring it back: make down reset, then make restore FROM={target}")
    return done.returncode


def restore(home: Path, directory: Path) -> int:
    """Brings a backup into the empty databases of a copy that doesn't run; gives the exit code."""
    lock = HomeLock(home)
    lock.acquire()
    try:
        data = home / KEPT
        if data.exists() and any(data.iterdir()):
            raise CannotStart(f"{data} is not empty. `make reset` empties it; restore comes after that.")
        with Mongod(data / "mongodb") as mongod:
            environment = {
                **os.environ,
                "BINA_ENV": os.environ.get("BINA_ENV") or "development",
                "BINA_MONGODB_URI": mongod.address,
                # Asked for by the settings, though only databases are used.
                "BINA_KAFKA_BOOTSTRAP": "nobody:1",
                "BINA_JWKS": str(DevelopmentKeys(home).jwks),
            }
            done = subprocess.run([*LOAD, str(directory)], env=environment, check=False)  # noqa: S603 - our own
        if done.returncode:
            # Half of it would look like all of it at the next start.
            shutil.rmtree(data)
    finally:
        lock.release()
    if done.returncode == 0:
        print("Restored. `make up` starts on it, and fills the log and the figures from it by itself.")
    return done.returncode
