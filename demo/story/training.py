"""The first batch: 16-19 May 2016, Sawangan, Depok. 43 nominated, 40 seats, one a unit."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random

from demo.story.city import City, Person
from demo.story.days import at
from demo.story.words import POTENTIAL

SEATS = 40
JP = 32
CREATED = at(date(2016, 4, 1), 9)
OPENED = at(date(2016, 4, 4), 8)
CLOSED = at(date(2016, 4, 22), 16)
DECIDED = at(date(2016, 4, 25), 9)
WITHDREW = at(date(2016, 5, 9), 10)
STARTED = at(date(2016, 5, 16), 8)
ATTENDED = at(date(2016, 5, 19), 15)
CERTIFIED = at(date(2016, 5, 19), 16)
FINISHED = at(date(2016, 5, 19), 17)

_WITHDRAWN, _NOT_CERTIFIED = 17, 29


@dataclass(frozen=True)
class Nominee:
    """Whom a unit's officer nominates, when and why, and how it ends: the participant's last state."""

    nip: str
    unit: str
    officer: str
    reason: str
    at: datetime
    outcome: str


def batch_body() -> dict[str, object]:
    """What the HR portal posts to create the batch."""
    return {
        "name": "Angkatan I: Coaching dan Mentoring bagi Pejabat Eselon IV",
        "starts_on": "2016-05-16",
        "ends_on": "2016-05-19",
        "venue": "PPPPTK Bisnis dan Pariwisata, Sawangan, Depok",
        "seats": SEATS,
        "seats_per_unit": 1,
        "echelons": ["IV.a", "IV.b"],
        "partners": ["Swiss-German University", "PT Abipraya"],
        "jp": JP,
        "effective_at": CREATED.astimezone(UTC).isoformat(),
    }


def nominate(city: City, rng: Random) -> list[Nominee]:
    """One echelon-IV officer of each agency and district, in the order in which their officers write."""
    units = [unit.code for unit in city.units.values() if unit.kind in ("agency", "district")]
    rng.shuffle(units)
    nominees = []
    for place, unit in enumerate(units):
        person = _most_promising(city, unit, rng)
        nominated = at(OPENED.date() + timedelta(days=1 + place // 12), 8 + place % 12 // 2, 5 * (place % 12))
        reason = rng.choice(POTENTIAL)
        nominees.append(
            Nominee(person.nip, unit, city.head(unit).nip, reason, nominated, _outcome(place, len(units)))
        )
    return nominees


def certified(nominees: list[Nominee]) -> list[Nominee]:
    """Those who may guide afterwards."""
    return [n for n in nominees if n.outcome == "certified"]


def _most_promising(city: City, unit: str, rng: Random) -> Person:
    return rng.choice([p for p in city.staff(unit) if (p.echelon or "").startswith("IV.")])


def _outcome(place: int, nominated: int) -> str:
    if place == _WITHDRAWN:
        return "withdrawn"
    if place == _NOT_CERTIFIED:
        return "not_certified"
    # Of those beyond the seats only the first moves up, when the one who withdraws frees a seat.
    return "declined" if SEATS < place < nominated else "certified"
