"""`python -m chaos [--seed N] [--minutes M]`: phones post while everything breaks; then it is recounted."""

import argparse
import os
import random
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chaos.rig import Rig
from chaos.trial import Outcome, try_out
from demo.play.callers import PlayError
from infra.local.errors import CannotStart
from infra.local.signals import interruptible

HOLDS, BROKEN, CANNOT_START = 0, 1, 2
MINUTES = 3.0


def main(arguments: Sequence[str] | None = None) -> int:
    """0: everything holds; 1: something doesn't, or Ctrl-C; 2: nothing could be started."""
    options = _arguments(arguments)
    try:
        with interruptible():
            return _run(options.seed, options.minutes, options.home)
    except KeyboardInterrupt:
        print("\nEverything is stopped; nothing was looked at.")
        return BROKEN
    except CannotStart as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    except PlayError as error:
        print(f"The services can't be asked: {error}", file=sys.stderr)
        return BROKEN


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats a storm")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long it lasts (3)")
    home = Path(os.environ.get("BINA_HOME") or ".bina") / "chaos"
    parser.add_argument("--home", type=Path, default=home, help="where logs and data go; emptied before")
    return parser.parse_args(arguments)


def _run(seed: int, minutes: float, home: Path) -> int:
    shutil.rmtree(home, ignore_errors=True)
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:7.1f}  {line}", flush=True)

    with Rig(home, os.environ, say) as rig:
        broker = "the embedded broker" if rig.embedded else "Apache Kafka"
        say(f"chaos on {broker}; the same storm again: SEED={seed} MINUTES={minutes:g}")
        outcome = try_out(rig, seed, minutes, say)
    _report(outcome)
    if not outcome.good:
        print(f"Logs and data: {home}")
    return HOLDS if outcome.good else BROKEN


def _report(outcome: Outcome) -> None:
    print("\nDone to it")
    for kind, count in sorted(outcome.storm.counts.items()):
        print(f"  {count:4}  {kind}")
    weather = outcome.weather
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(weather.answers.items()))
    print(f"  Phones were answered {answers}; {weather.unanswered} times not at all;")
    print(f"  the longest wait for an answer was {weather.longest:.1f} s")
    print("\nWhat must hold")
    for finding in outcome.findings:
        print(f"  {'holds ' if finding.holds else 'BROKEN'}  {finding.what}")
        if finding.figures:
            print(f"          {finding.figures}")


if __name__ == "__main__":
    sys.exit(main())
