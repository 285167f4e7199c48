"""`python -m infra.local up|down|reset|status|ops|backup|restore|token`: the system without Docker."""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from infra.local.backup import backup, restore
from infra.local.environment import running_environment
from infra.local.errors import CannotStart
from infra.local.keys import DevelopmentKeys
from infra.local.lock import HomeLock
from infra.local.signals import interruptible, wait_for_the_end
from infra.local.system import FRESH, KEPT, System
from infra.settings import PORTS

_STOP_SECONDS = 120


def up(home: Path) -> int:
    """Run until Ctrl-C or `down`."""
    started = time.monotonic()
    try:
        with interruptible(), System(home, echo=_say) as system:
            for service, url in system.urls.items():
                _say(f"  {service:<14} {url}/docs")
            _say(f"  {'dashboard':<14} {system.urls['reporting']}/dashboard")
            if system.mail_url:
                _say(f"  {'mails':<14} {system.mail_url}")
            _say("A token: make -s token ROLES=hr SUB=someone")
            _say(f"The data are in {home} and stay. Ctrl-C or `make down` stops everything.")
            _say(f"READY after {time.monotonic() - started:.1f} s")
            wait_for_the_end()
    except KeyboardInterrupt:
        _say("Stopped.")
    return 0


def down(home: Path) -> int:
    """Stop the copy that runs on this home, if there is one, and return when it has ended."""
    lock = HomeLock(home)
    owner = lock.owner()
    if owner is None:
        _say(f"Nothing runs on {home}.")
        return 0
    os.kill(owner, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while lock.owner() is not None:
        if time.monotonic() > deadline:
            raise CannotStart(f"Process {owner} did not end within {_STOP_SECONDS} s.")
        time.sleep(0.1)
    _say("Stopped.")
    return 0


def reset(home: Path) -> int:
    """Remove databases, mails and logs, after stopping what uses them; the key stays, so tokens stay good."""
    down(home)
    for name in (KEPT, FRESH, "logs"):
        shutil.rmtree(home / name, ignore_errors=True)
    _say(f"The data in {home} are gone.")
    return 0


def status(home: Path) -> int:
    """Say whether a copy runs."""
    owner = HomeLock(home).owner()
    _say(f"Process {owner} runs on {home}." if owner else f"Nothing runs on {home}.")
    return 0


def ops(home: Path) -> int:
    """Show how each service of the running copy stands: leases, backlog, lag, dead letters, timers."""
    environment = running_environment(home)
    commands = [[sys.executable, "-m", f"services.{service}", "status"] for service in PORTS]
    return max(_quietly(command, environment) for command in commands)


def _quietly(command: list[str], environment: dict[str, str]) -> int:
    """Runs it without what the clients of database and broker log about themselves; gives the exit code."""
    done = subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False)  # noqa: S603 - our own
    return done.returncode


def token(home: Path, roles: str, sub: str, unit: str) -> int:
    """Print one token and nothing else."""
    wanted = [role.strip() for role in roles.split(",") if role.strip()]
    if not wanted or not sub:
        raise CannotStart(
            "Say whose token: make -s token ROLES=hr,employee SUB=<id> UNIT=<code> (UNIT may be left out)"
        )
    _say(DevelopmentKeys(home).token(sub, wanted, unit or None))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for function in (up, down, reset, status, ops):
        commands.add_parser(function.__name__, help=function.__doc__)
    saving = commands.add_parser("backup", help=backup.__doc__)
    saving.add_argument("directory", type=Path, nargs="?")
    loading = commands.add_parser("restore", help=restore.__doc__)
    loading.add_argument("directory", type=Path)
    tokens = commands.add_parser("token", help=token.__doc__)
    for name in ("--roles", "--sub", "--unit"):
        tokens.add_argument(name, default="")
    return parser.parse_args()


def main() -> int:
    """Run one command; its exit code."""
    arguments = _arguments()
    home = Path(os.environ.get("BINA_HOME") or ".bina")
    try:
        if arguments.command == "token":
            return token(home, arguments.roles, arguments.sub, arguments.unit)
        if arguments.command in ("backup", "restore"):
            return {"backup": backup, "restore": restore}[arguments.command](home, arguments.directory)
        plain = {"up": up, "down": down, "reset": reset, "status": status, "ops": ops}
        return plain[arguments.command](home)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
