"""One storm from the beginning to the findings."""

from collections.abc import Callable
from dataclasses import dataclass

from chaos.calm import Calm
from chaos.city import CITY, build
from chaos.crowd import Crowd
from chaos.line import Line, Weather
from chaos.notebook import Notebook
from chaos.poison import Poisoner
from chaos.rig import Rig
from chaos.storm import Storm
from chaos.verdict import Court, Finding
from demo.play.callers import Services

PATIENCE_SECONDS = 240.0
_TOKEN_HOURS = 12.0


@dataclass(frozen=True)
class Outcome:
    """What was done, what the phones met, and what was found afterwards."""

    storm: Storm
    weather: Weather
    findings: list[Finding]

    @property
    def good(self) -> bool:
        """Whether everything holds."""
        return all(finding.holds for finding in self.findings)


def try_out(rig: Rig, seed: int, minutes: float, said: Callable[[str], None]) -> Outcome:
    """Enters a city, lets phones post for so long while the storm blows, and looks at what is left."""
    hours = _TOKEN_HOURS + minutes / 60
    services = Services(rig.system.urls, lambda sub, roles, unit: rig.system.issue_token(sub, roles, unit, hours))
    weather, calm, poisoner = Weather(), Calm(rig, said), Poisoner(rig)

    def dial(service: str, sub: str, role: str = "employee") -> Line:
        token = rig.system.issue_token(sub, [role], None, hours)
        return Line(f"http://{rig.doors[service].address}", token, weather, PATIENCE_SECONDS)

    try:
        city = build(services)
        calm.settle(PATIENCE_SECONDS)
        said(
            f"the city is entered; {len(city.of_guide())} guides, {len(city.pairs)} learners take up their phones"
        )
        notebook = Notebook(city.ledger)
        crowd = Crowd(city, notebook, dial, seed, minutes * 60)
        storm = Storm(rig, poisoner, seed, minutes * 60, said)
        first = _rage(storm, crowd, rig, minutes, said)
        poisoner.send()
        busy = calm.settle(PATIENCE_SECONDS)
        said(f"it does not get quiet: {', '.join(busy)}" if busy else "everything is quiet")
        _set_clocks(rig, 0)
        rest = Finding("the system came to rest, and everything sent was handled", not busy, ", ".join(busy))
        reader = services.caller("chaos", "hr", "leader", unit=CITY)
        court = Court(rig, city, notebook, weather, poisoner, reader, storm, crowd)
        findings = [first, rest, *court.findings()]
        return Outcome(storm, weather, findings)
    finally:
        services.close()


def _rage(storm: Storm, crowd: Crowd, rig: Rig, minutes: float, said: Callable[[str], None]) -> Finding:
    """The storm itself; half way through, learners are assessed."""
    crowd.start()
    storm.blow(minutes * 30)
    crowd.assess()
    storm.blow(minutes * 30)
    storm.end()
    # What was written by the clock that ran ahead most is due at once: none goes back behind it until all is done.
    _set_clocks(rig, storm.faults.furthest)
    said(f"the storm is over after {sum(storm.counts.values())} faults; phones finish what they have begun")
    hanging = crowd.finish(PATIENCE_SECONDS)
    return Finding("all phones got rid of everything", not hanging, f"{len(hanging)} of them did not")


def _set_clocks(rig: Rig, offset: float) -> None:
    for name in rig.clocks():
        rig.set_clock(name, offset)
