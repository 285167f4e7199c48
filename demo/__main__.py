"""`python -m demo [--once] [--against ADDRESS]`: the whole programme on a fresh system, its figures recounted."""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console

from demo.elsewhere import Elsewhere
from demo.evening import closing, nothing_leaked
from demo.ledger import Ledger
from demo.play.callers import PlayError, Services
from demo.play.cast import Cast
from demo.play.programme import play
from demo.show import handout
from demo.show.stage import Stage
from demo.story.days import WIB
from demo.story.tell import tell
from demo.trial import try_out
from infra.local.errors import CannotStart
from infra.local.signals import interruptible, wait_for_the_end
from infra.local.system import System

DATA = Path(__file__).parent / "data"
WIDTH = 120
AGREES, DIFFERS, CANNOT_START = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every figure agrees, or Ctrl-C; 1: one differs, or it broke off; 2: nothing could be started."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the recount instead of staying up")
    parser.add_argument("--against", metavar="ADDRESS", help="play on the empty system behind this gateway")
    parser.add_argument("--key", type=Path, default=Path(".secrets"), help="where `make secrets` put its key")
    parser.add_argument("--mails", metavar="ADDRESS", default="", help="where that system's mails can be seen")
    given = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        with interruptible():
            return _run(console, _place(console, given), once=given.once)
    except KeyboardInterrupt:
        console.print("\nEverything is stopped.")
        # Whoever asked for one run asked for its verdict, which there is none of.
        return DIFFERS if given.once else AGREES
    except CannotStart as error:
        console.print(str(error), markup=False, highlight=False, style="red", soft_wrap=True)
        return CANNOT_START
    except PlayError as error:
        console.print(f"The play broke off: {error}", markup=False, highlight=False, style="red", soft_wrap=True)
        return DIFFERS


def _place(console: Console, given: argparse.Namespace) -> System | Elsewhere:
    """Where the story is played: on a fresh system of its own, unless one is named."""
    if given.against:
        return Elsewhere(given.against, given.key, given.mails)
    home = Path(os.environ.get("BINA_HOME") or ".bina")
    return System(home, fresh=True, echo=lambda line: console.print(f"  {line}", style="dim"))


def _run(console: Console, place: System | Elsewhere, *, once: bool) -> int:
    began = time.monotonic()
    story = tell(DATA, datetime.now(WIB).date() - timedelta(days=1))
    with place as system:
        services = Services(system.urls, system.issue_token)
        try:
            cast = Cast(story, services, Ledger(), Stage(console))
            play(cast)
            good = closing(console, cast, system.mail_url)
            paper = handout.prepare(cast)
            if once:
                console.print(f"The three commands work: {try_out(paper)}.", highlight=False)
                good = nothing_leaked(console, cast, place) and good
            handout.hand_over(console, cast, paper, system.mail_url)
            console.print(f"READY after {time.monotonic() - began:.0f} seconds", highlight=False)
            if not once:
                console.print("Ctrl-C stops everything.")
                wait_for_the_end()
        finally:
            services.close()
    return AGREES if good else DIFFERS


if __name__ == "__main__":
    sys.exit(main())
