"""`python -m infra.deploy.rehearsal probe|figures`: looks at the containers of infra/deploy/rehearse."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from infra.clock import day_of, system_clock
from infra.deploy.rehearsal import NotSo, figures, gateway
from infra.deploy.rehearsal.compose import output
from infra.deploy.rehearsal.containers import containers, image
from infra.deploy.rehearsal.users import users

SIDE_BY_SIDE = 3
FIRST_YEAR = "2016"
TOKENS = Path(__file__).parents[1] / "make-token"


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line for each claim; 1 when one of them does not hold."""
    parser = argparse.ArgumentParser(prog="python -m infra.deploy.rehearsal", description=__doc__)
    parser.add_argument("command", choices=("probe", "balancer", "figures"))
    parser.add_argument("gateway", help="its address")
    parser.add_argument("path", type=Path, help="the directory of the secrets; for figures, the file to keep them")
    given = parser.parse_args(arguments)
    probes = {"probe": _probes, "balancer": _balancer, "figures": _figures}[given.command](
        given.gateway, given.path
    )
    with ThreadPoolExecutor(SIDE_BY_SIDE) as together:
        good = [_say(*answer) for answer in together.map(_tried, probes)]
    return 0 if all(good) else 1


def _probes(address: str, secrets: Path) -> list[Callable[[], str]]:
    asks = (gateway.dripped, gateway.too_large, gateway.unknown, gateway.believes_nobody)
    asked = [partial(ask, address) for ask in asks]
    return [
        *asked,
        users,
        partial(containers, secrets),
        partial(image, os.environ.get("BINA_IMAGE", "bina:local")),
    ]


def _balancer(address: str, _: Path) -> list[Callable[[], str]]:
    return [partial(gateway.believes_the_balancer, address)]


def _figures(address: str, file: Path) -> list[Callable[[], str]]:
    token = output("env", "ROLES=hr", "SUB=hr-portal", str(TOKENS)).strip()
    periods = [FIRST_YEAR, str(day_of(system_clock()).year)]
    return [partial(figures.agree, file, partial(figures.read, address, token, periods))]


def _tried(probe: Callable[[], str]) -> tuple[bool, str]:
    try:
        return True, probe()
    except NotSo as fault:
        return False, str(fault)
    except subprocess.CalledProcessError as error:
        return False, f"{' '.join(error.cmd)}: {error.stderr.strip()}"


def _say(good: bool, text: str) -> bool:  # noqa: FBT001 - what was tried
    print(f"  {'✓' if good else '✗'} {text}")
    return good


if __name__ == "__main__":
    sys.exit(main())
