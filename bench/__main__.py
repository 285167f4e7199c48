"""`python -m bench [figure...] [--repeats 3] [--quick]`: measures the figures, shows them and keeps them."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from bench import report
from bench.figures import footprint, imports, kpis, latency, peer, projection, put, relay, sync
from bench.outcome import Result
from bench.scale import FULL, QUICK, Scale
from bench.stage import Stage
from infra.local.errors import CannotStart
from infra.local.signals import interruptible

WIDTH = 160
"""Of the table where nobody's terminal says."""
RESULTS = Path(__file__).parent / "results"
FIGURES: Mapping[str, Callable[[Stage], list[Result]]] = {
    "put": put.run,
    "sync": sync.run,
    "relay": relay.run,
    "projection": projection.run,
    "latency": latency.run,
    "kpis": kpis.run,
    "imports": imports.run,
    "footprint": footprint.run,
    "peer": peer.run,
}


def main() -> int:
    """Runs the figures that were asked for; 1 when one could not be measured, 0 also where a goal is missed."""
    options = _options()
    scale = msgspec.structs.replace(QUICK if options.quick else FULL, repeats=options.repeats)
    console, failed = Console(), list[str]()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    try:
        with interruptible(), Stage(scale, console) as stage:
            run = _run(stage, options.figures or list(FIGURES), scale, failed)
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.")
        return 130
    report.show(console, run)
    # What was measured in a hurry is not worth keeping.
    if not options.quick and run.results:
        console.print(f"Kept in {report.keep(run, RESULTS)}")
    return 1 if failed else 0


def _run(stage: Stage, names: Sequence[str], scale: Scale, failed: list[str]) -> report.Run:
    results: list[Result] = []
    of = f"{report.commit()}, MongoDB {stage.client.server_info()['version']}"
    for name in names:
        at, load, started = datetime.now(UTC), os.getloadavg()[0], time.monotonic()
        stage.console.print(f"[bold]{name}[/] is measured")
        try:
            found = [msgspec.structs.replace(one, at=at, load=load, of=of) for one in FIGURES[name](stage)]
        except Exception as error:  # noqa: BLE001 - one that can't be measured must not cost the others
            stage.console.print(f"[red]{name} could not be measured:[/] {type(error).__name__}: {error}")
            failed.append(name)
            continue
        results += found
        for result in found:
            ratio = result.ratio
            said = f"{result.figure}: {ratio.median:.2f} ({ratio.min:.2f} to {ratio.max:.2f})"
            stage.console.print(f"{said}, {result.about}", highlight=False)
        stage.console.print(f"[dim]{name} took {time.monotonic() - started:.0f} s[/]", highlight=False)
    return report.Run(
        at=datetime.now(UTC),
        broker=stage.profile,
        machine=report.machine(),
        scale=scale,
        results=results,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="figure", choices=[[], *FIGURES], help=", ".join(FIGURES))
    parser.add_argument("--repeats", type=int, default=3, help="of each side, in turn (3)")
    parser.add_argument("--quick", action="store_true", help="only to see that it works; nothing is kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
