"""A small city for the phones: four agencies, eight guides with a certificate, forty learners, forty pairings."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from demo.ledger import BatchFact, Ledger, NeedFact, ParticipantFact, PersonFact, UnitFact
from demo.play.callers import Caller, Services, spread
from infra.clock import JAKARTA, day_of, to_wire

CITY = "KOTA"
AGENCIES = ("DINAS-1", "DINAS-2", "DINAS-3", "DINAS-4")
CHIEFS, STAFF = 2, 5
ATTITUDE, TECHNIQUE = "kolaboratif", "menyusun-surat-dinas"
TARGET = 3
JP = 32
DAYS = 1_500
"""For so many days before today pairings have been active: the past in which sessions have room."""

_BEGINNING = date(2016, 1, 1)


@dataclass(frozen=True)
class Pair:
    """One pairing of a chief and one of the own staff. boss: who endorses what the learner has reached."""

    id: str
    kind: str
    guide: str
    learner: str
    boss: str


@dataclass(frozen=True)
class City:
    """Everything that phones and recount need to know. today: the day on which everything was entered."""

    ledger: Ledger
    pairs: list[Pair]
    bosses: list[str]
    today: date

    def of_guide(self) -> dict[str, list[Pair]]:
        """The pairings of each guide."""
        found: dict[str, list[Pair]] = {}
        for pair in self.pairs:
            found.setdefault(pair.guide, []).append(pair)
        return found


def build(services: Services) -> City:
    """Enters it all through the HR portal, over HTTP, dated back."""
    hr = services.caller("hr-portal", "hr")
    city = City(Ledger(), [], [], day_of(datetime.now(UTC)))
    _units_and_competencies(hr, city.ledger)
    _people(hr, city)
    _needs(hr, city)
    _batch(hr, city)
    _pairings(hr, services, city)
    return city


def _at(day: date, hour: int = 8) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=JAKARTA)


def _dated(day: date, hour: int = 8) -> dict[str, str]:
    return {"effective_at": to_wire(_at(day, hour))}


def _units_and_competencies(hr: Caller, ledger: Ledger) -> None:
    units = [(CITY, "city", None), *((code, "agency", CITY) for code in AGENCIES)]
    for code, kind, parent in units:
        body = {"name": f"Unit {code}", "kind": kind, "parent": parent, **_dated(_BEGINNING, 0)}
        hr.put("enrollment", f"/units/{code}", body)
        ledger.units[code] = UnitFact(code, kind, parent)
    for code, aspect in ((ATTITUDE, "attitude"), (TECHNIQUE, "technique")):
        names = {"name": code.capitalize(), "aspect": aspect}
        hr.put("enrollment", f"/competencies/{code}", {**names, **_dated(_BEGINNING)})


def _people(hr: Caller, city: City) -> None:
    rows = list(_rows())
    answers = hr.put("enrollment", "/employees", rows)["items"]
    for row, answer in zip(rows, answers, strict=True):
        if answer["outcome"] != "created":
            raise AssertionError(f"not entered: {row} {answer}")
        city.ledger.ids[row["nip"]] = answer["id"]
        city.ledger.people[answer["id"]] = PersonFact(answer["id"], [(_BEGINNING, row["unit"])])
        if row["echelon"] == "II.b":
            city.bosses.append(answer["id"])


def _rows() -> Iterator[dict[str, Any]]:
    """Everybody, superiors first."""
    yield _row(CITY, 0, "II.a", None)
    for code in AGENCIES:
        head = _row(code, 0, "II.b", nip_of(CITY, 0))
        yield head
        for chief in range(1, CHIEFS + 1):
            yield _row(code, chief, "IV.a", head["nip"])
            for number in range(STAFF):
                yield _row(code, chief * 10 + number, None, nip_of(code, chief))


def _row(unit: str, number: int, echelon: str | None, supervisor: str | None) -> dict[str, Any]:
    nip = nip_of(unit, number)
    return {
        "nip": nip,
        "name": f"Pegawai {unit} {number}",
        "status": "pns",
        "unit": unit,
        "position": "Pegawai",
        "position_kind": "structural" if echelon else "operational",
        "echelon": echelon,
        "supervisor_nip": supervisor,
        "email": f"{nip}@example.go.id",
        **_dated(_BEGINNING, 0),
    }


def nip_of(unit: str, number: int) -> str:
    """A NIP that nobody has, one for each place in the city."""
    place = [CITY, *AGENCIES].index(unit)
    return f"198{place}0101200503{1 + number % 2}{number + 1:03d}"


def _needs(hr: Caller, city: City) -> None:
    since = city.today - timedelta(days=DAYS + 30)
    for unit in AGENCIES:
        for competency in (ATTITUDE, TECHNIQUE):
            body = {"people": 6, "level": TARGET, **_dated(since)}
            hr.put("enrollment", f"/units/{unit}/needs/{competency}", body)
            city.ledger.needs.append(NeedFact(unit, competency, 6, TARGET, _at(since)))


def _batch(hr: Caller, city: City) -> None:
    """All chiefs are trained and certified in May 2016."""
    body = {
        "name": "Angkatan I",
        "starts_on": "2016-05-16",
        "ends_on": "2016-05-19",
        "venue": "Sawangan, Depok",
        "seats": 40,
        "seats_per_unit": CHIEFS,
        "echelons": ["IV.a"],
        "partners": [],
        "jp": JP,
        **_dated(date(2016, 4, 1)),
    }
    batch = hr.post("enrollment", "/batches", body)["id"]
    city.ledger.batches.append(BatchFact(batch, date(2016, 5, 16), JP))
    _move(hr, f"/batches/{batch}", "open", date(2016, 4, 4))
    chiefs = [nip_of(unit, number) for unit in AGENCIES for number in range(1, CHIEFS + 1)]
    for nip in chiefs:
        nomination = {"employee_id": city.ledger.ids[nip], "reason": "Berpotensi.", **_dated(date(2016, 4, 5))}
        answer = hr.post("enrollment", f"/batches/{batch}/participants", nomination)
        fact = ParticipantFact(answer["id"], city.ledger.ids[nip], answer["unit"], answer["state"])
        city.ledger.participants[nip] = fact
        fact.state = _move(hr, f"/participants/{fact.id}", "accepted", date(2016, 4, 6))
    _move(hr, f"/batches/{batch}", "closed", date(2016, 4, 22))
    _move(hr, f"/batches/{batch}", "running", date(2016, 5, 16))
    for fact in city.ledger.participants.values():
        _move(hr, f"/participants/{fact.id}", "attended", date(2016, 5, 18))
        fact.state = _move(hr, f"/participants/{fact.id}", "certified", date(2016, 5, 19))
        fact.certified_at = _at(date(2016, 5, 19))


def _move(caller: Caller, path: str, to: str, day: date) -> str:
    return str(caller.post("enrollment", f"{path}/transitions", {"to": to, **_dated(day)})["state"])


def _pairings(hr: Caller, services: Services, city: City) -> None:
    wanted: list[tuple[str, int, str, int]] = []
    for unit in AGENCIES:
        for chief in range(1, CHIEFS + 1):
            for number in range(STAFF):
                learner = city.ledger.ids[nip_of(unit, chief * 10 + number)]
                wanted.append((unit, chief, learner, number))
    city.pairs.extend(spread(lambda who: _pair(hr, services, city, who), wanted, lambda: None))


def _pair(hr: Caller, services: Services, city: City, who: tuple[str, int, str, int]) -> Pair:
    unit, chief, learner, number = who
    guide = city.ledger.ids[nip_of(unit, chief)]
    kind, competency = ("coaching", ATTITUDE) if number % 2 else ("mentoring", TECHNIQUE)
    since = city.today - timedelta(days=DAYS + 10)
    body = {
        "kind": kind,
        "guide_id": guide,
        "learner_id": learner,
        "competency": competency,
        "target_level": TARGET,
        "due_on": (city.today + timedelta(days=90)).isoformat(),
        **_dated(since),
    }
    pairing = hr.post("enrollment", "/pairings", body)["id"]
    for side in (guide, learner):
        _move(services.caller(side, "employee"), f"/pairings/{pairing}", "accepted", since + timedelta(days=1))
    return Pair(pairing, kind, guide, learner, city.ledger.ids[nip_of(unit, 0)])
