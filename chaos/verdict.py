"""What must hold after every storm, each with the figures that show it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chaos import places
from chaos.calm import GROUPS
from chaos.city import AGENCIES, CITY, DAYS, City
from chaos.crowd import Crowd
from chaos.faults import LEASE_FAULT
from chaos.line import Weather
from chaos.notebook import Notebook
from chaos.poison import READERS, Poisoner
from chaos.records import Kept, mails, overlaps, published_events, stored_events, stored_sessions
from chaos.rig import Rig
from chaos.storm import Storm
from demo.play.callers import Caller
from demo.recount.books import Books
from demo.recount.compare import Line, Question, compare, credits_agree
from infra.clock import day_of
from infra.wording import counted


@dataclass(frozen=True)
class Finding:
    """One thing that must hold: whether it does, and the figures."""

    what: str
    holds: bool
    figures: str


@dataclass(frozen=True)
class Court:
    """Everything that is looked at."""

    rig: Rig
    city: City
    notebook: Notebook
    weather: Weather
    poisoner: Poisoner
    reader: Caller
    storm: Storm
    crowd: Crowd

    def findings(self) -> Iterator[Finding]:
        """All of them, one by one."""
        yield self._faults()
        yield self._answers()
        yield from self._sessions()
        yield from self._enrollment()
        yield from (self._log(service) for service in ("enrollment", "sessions"))
        yield self._mails()
        yield from self._kpis()
        yield self._dead_letters()

    def _faults(self) -> Finding:
        """A storm that missed shows nothing."""
        storm, faults, waited = self.storm, self.storm.faults, self.poisoner.waited
        lasting = storm.counts.get(LEASE_FAULT, 0)
        hit = bool(waited) and faults.lost > 0 and (any(faults.overtaken) or not lasting)
        told = f"dead letters refused to readers: {len(waited)} times; answers lost on their way: {faults.lost}"
        if lasting:
            told += f"; frozen workers whose lease another one took: {sum(faults.overtaken)} of {lasting}"
        if storm.never:
            told = f"never: {', '.join(storm.never)}; {told}"
        return Finding("every kind of fault was dealt, and hit", hit and not storm.never, told)

    def _answers(self) -> Finding:
        broken, answers = self.notebook.broken, self.weather.answers
        refused = ", ".join(f"{count} {rule}" for rule, count in sorted(self.notebook.refused.items())) or "none"
        said = f"refused as they must be: {refused}; repeats that changed nothing: {self.notebook.repeated}"
        faulty = sum(count for status, count in answers.items() if status >= 500 and status != 503)
        if broken or faulty:
            said = f"{counted(faulty, 'answer')} of 500 or more; {counted(len(broken), 'promise')} broken: "
            said += "; ".join(broken[:5])
        return Finding("every phone got the answers it was promised", not broken and not faulty, said)

    def _sessions(self) -> Iterator[Finding]:
        stored = stored_sessions(self.rig)
        kept = {each["_id"]: Kept(each["status"], each["minutes"], each["version"]) for each in stored}
        versions = self.notebook.versions
        accepted = {
            fact.id: Kept(fact.status, fact.minutes, versions[fact.id])
            for fact in self.notebook.ledger.sessions.values()
        }
        lost, foreign = accepted.keys() - kept.keys(), kept.keys() - accepted.keys()
        differ = sum(kept[id_] != accepted[id_] for id_ in accepted.keys() & kept.keys())
        in_figures = self._counted()
        mine = sum(fact.status != "cancelled" for fact in accepted.values())
        yield Finding(
            "sessions accepted = stored = counted; none lost, none doubled",
            not lost and not foreign and not differ and in_figures == mine,
            f"{len(accepted)} accepted, {len(kept)} stored, {in_figures} counted; {len(lost)} lost, "
            f"{len(foreign)} that nobody was told of, {differ} otherwise than answered last",
        )
        both = overlaps(stored)
        yield Finding("no two sessions of one person overlap", not both, counted(both, "overlap"))

    def _years(self) -> list[str]:
        first = (self.city.today - timedelta(days=DAYS + 15)).year
        return [str(year) for year in range(first, self.city.today.year + 1)]

    def _counted(self) -> int:
        total = 0
        for year in self._years():
            rows = self.reader.get("reporting", "/kpis", unit=CITY, period=year)["items"]
            total += next(row["denominator"] for row in rows if row["id"] == "confirmation_rate")
        return total

    def _enrollment(self) -> Iterator[Finding]:
        pairing_desk, batch_desk, refused = self.crowd.pairings, self.crowd.batches, self.notebook.refused
        before = {pair.id for pair in self.city.pairs}
        found = places.pairings(self.rig)
        many = places.too_many_pairings(found)
        differ = places.otherwise([each for each in found if each["_id"] not in before], pairing_desk.states)
        full = refused["guide-full"], refused["learner-full"]
        yield Finding(
            "no guide has more than five pairings at a time, no learner more than two",
            not many and not differ and all(full),
            f"{len(pairing_desk.states)} proposed, {full[0]} refused for the guide's sake, {full[1]} for the "
            f"learner's; {many} people with too many, {differ} pairings otherwise than answered last",
        )
        people = places.participants(self.rig, batch_desk.batches)
        wrong = places.wrong_batches(people)
        answered = {id_: state for id_, state in batch_desk.states.items() if id_ not in batch_desk.batches}
        differ, promoted = places.otherwise(people, answered), sum(each["promoted"] for each in people)
        yield Finding(
            "never more accepted than seats, and nobody waits beside an empty one",
            not wrong and not differ and promoted > 0,
            f"{len(batch_desk.batches)} batches, {len(people)} nominated, {promoted} moved up; {wrong} batches "
            f"wrong, {differ} people otherwise than answered last",
        )

    def _log(self, service: str) -> Finding:
        stored, published = stored_events(self.rig, service), published_events(self.rig, service)
        missing, ghosts = stored - published.keys(), published.keys() - stored
        again = published.total() - len(published)
        return Finding(
            f"every event that {service} has stored is published, and no other",
            not missing and not ghosts,
            f"{len(stored)} events; {len(missing)} missing, {len(ghosts)} of nothing stored, {again} repetitions",
        )

    def _mails(self) -> Finding:
        found = mails(self.rig)
        return Finding(
            "no mail is doubled beyond a repeat under the same Message-ID",
            not (found.foreign or found.missing or found.doubled),
            f"{found.sent} mails, {found.repeats} repeated under the same Message-ID; {found.doubled} doubled, "
            f"{found.missing} missing, {found.foreign} of no delivery",
        )

    def _kpis(self) -> Iterator[Finding]:
        books, today = Books(self.notebook.ledger), day_of(datetime.now(UTC))
        month = f"{self.city.today - timedelta(days=1):%Y-%m}"
        asked = [Question(CITY, "2016"), *(Question(CITY, year) for year in self._years())]
        asked += [Question(unit, month) for unit in (CITY, *AGENCIES)]
        lines = [line for question in asked for line in compare(self.reader, books, question, today)]
        wrong = [line for line in lines if not line.agrees]
        told = f"{len(lines)} figures, {len(wrong)} differ{_some(wrong)}"
        yield Finding("every KPI equals its recount", not wrong, told)
        right = [credits_agree(self.reader, books, int(year)) for year in self._years()]
        agree, people = sum(each[0] for each in right), sum(each[1] for each in right)
        yield Finding("everybody's JP equals its recount", agree == people, f"{agree} of {people} years of people")

    def _dead_letters(self) -> Finding:
        (expected, earlier), said, good = self.poisoner.sent(), [], True
        for service, group in GROUPS.items():
            found = self.poisoner.found(service, group)
            wanted, late = (expected, found & earlier) if service in READERS else (set[str](), set[str]())
            good = good and found - late == wanted
            more = f" and {len(late)} of a broker before" if late else ""
            said.append(f"{group} {len(found - late)} of {len(wanted)}{more}")
        waited = self.poisoner.waited
        good = good and bool(waited) and all(waited) and bool(expected)
        told = f"{', '.join(said)}; while refused, the partition waited {sum(waited)} times of {len(waited)}"
        return Finding("the dead letters hold what was put there, and nothing else", good, told)


def _some(wrong: list[Line]) -> str:
    """The first few of them, in words."""
    return "".join(
        f"; {line.id} {line.part or ''} {line.unit} {line.period}: {line.told} instead of {line.mine}"
        for line in wrong[:6]
    )
