"""The HR portal: units and people, competencies, skills and needs; and what enrollment makes of a bad file."""

import csv
import io
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from demo.ledger import NeedFact, PersonFact, Refusal, SkillFact, UnitFact
from demo.play.callers import PlayError, spread, wait_for
from demo.play.cast import Cast, wire
from demo.story import words
from demo.story.city import BEGINNING, employees_upload
from demo.story.days import at

_BEGINNING = at(BEGINNING, 0)


def enter_people(cast: Cast) -> None:
    """Imports units and employees, dated back to the beginning, and learns everybody's id."""
    story = cast.story
    with cast.stage.step("HR portal imports units and employees") as step:
        units = (story.folder / "units.csv").read_text(encoding="utf-8-sig")
        _import(cast, "units", "units.csv", units, rows=len(story.city.units), effective_at=wire(_BEGINNING))
        people = employees_upload(story.folder)
        _import(cast, "employees", "employees.csv", people, rows=len(story.city.people))
        for unit in story.city.units.values():
            cast.ledger.units[unit.code] = UnitFact(unit.code, unit.kind, unit.parent)
        for item in cast.hr.pages("enrollment", "/employees"):
            _enter(cast, item)
        step.say(f"{len(story.city.units)} units, {len(cast.ledger.people):,} people")
    if len(cast.ledger.people) != len(story.city.people):
        raise PlayError(f"{len(cast.ledger.people)} employees are listed, {len(story.city.people)} were imported")


def _enter(cast: Cast, item: Any) -> None:
    person = cast.story.city.people[item["nip"]]
    cast.ledger.ids[person.nip] = item["id"]
    cast.ledger.people[item["id"]] = PersonFact(item["id"], [(person.since, person.unit)])


def try_bad_file(cast: Cast) -> None:
    """Lets enrollment check, without entering anything, a file in which most rows are wrong."""
    folder = cast.story.folder
    expected = list(csv.DictReader(io.StringIO((folder / "employees_broken.expected.csv").read_text())))
    wrong = [row for row in expected if row["outcome"] == "rejected"]
    with cast.stage.step("HR portal tries a file full of mistakes (dry run)") as step:
        bad = (folder / "employees_broken.csv").read_text(encoding="utf-8-sig")
        done = _run(cast, "employees", "employees_broken.csv", bad, dry_run="true")
        step.say(f"{done['counts']['rejected']} of {done['counts']['rows']} rows rejected, each with a reason")
    if done["counts"]["rejected"] != len(wrong):
        raise PlayError(f"{len(wrong)} rows had to be rejected: {done}")


def declare_competencies(cast: Cast) -> None:
    """The seven attitudes of BerAKHLAK, and the techniques."""
    with cast.stage.step("HR portal declares competencies") as step:
        for competency in words.COMPETENCIES:
            body = {
                "name": competency.name,
                "name_en": competency.name_en,
                "aspect": competency.aspect,
                "description": competency.description,
                "effective_at": wire(_BEGINNING),
            }
            cast.hr.put("enrollment", f"/competencies/{competency.code}", body)
        step.say(f"{len(words.ATTITUDES)} attitudes, {len(words.TECHNIQUES)} techniques")


def state_skills_and_needs(cast: Cast) -> None:
    """Imports levels, states each unit's needs through its officer; gaps appear."""
    story, ledger = cast.story, cast.ledger
    known = {key: level for key, level in story.levels.items() if level}
    with cast.stage.step("HR portal imports skills, officers state needs") as step:
        rows = "".join(f"{nip};{code};{level}\r\n" for (nip, code), level in known.items())
        content = f"NIP;KOMPETENSI;TINGKAT\r\n{rows}"
        _import(cast, "skills", "skills.csv", content, rows=len(known), effective_at=wire(story.levels_from))
        ledger.skills += [
            SkillFact(cast.id(nip), code, level, story.levels_from) for (nip, code), level in known.items()
        ]
        step.total(len(story.needs))
        ledger.needs += spread(lambda need: _state(cast, need), story.needs, step.advance)
        gaps = list(cast.hr.pages("enrollment", "/gaps", unit="36.71"))
        missing = sum(gap["missing"] for gap in gaps)
        step.say(
            f"{len(known):,} levels, {len(story.needs)} needs; {missing} people are missing in {len(gaps)} gaps"
        )


def _state(cast: Cast, need: Any) -> NeedFact:
    body = {"people": need.people, "level": need.level, "effective_at": wire(cast.story.needs_from)}
    officer = cast.officer(cast.story.city.head(need.unit).nip, need.unit)
    officer.put("enrollment", f"/units/{quote(need.unit)}/needs/{need.competency}", body)
    return NeedFact(need.unit, need.competency, need.people, need.level, cast.story.needs_from)


def transfer(cast: Cast) -> None:
    """Moves one person to another unit in mid-season."""
    move = cast.story.move
    person = move.person
    body = {
        "nip": person.nip,
        "name": person.name,
        "status": person.status,
        "unit": move.unit,
        "position": person.position,
        "position_kind": person.position_kind,
        "supervisor_nip": move.supervisor,
        "email": person.email,
        "phone": person.phone,
        "effective_at": wire(move.at),
    }
    with cast.stage.step("HR portal enters a transfer") as step:
        answer = cast.hr.put("enrollment", "/employees", body)
        if answer["items"][0]["outcome"] != "updated":
            raise PlayError(f"the transfer was not taken: {answer}")
        cast.ledger.people[cast.id(person.nip)].units.append((move.at.date(), move.unit))
        units = cast.story.city.units
        step.say(f"{units[person.unit].name} to {units[move.unit].name}, since {move.at:%d %B}")


def be_refused(cast: Cast) -> None:
    """What enrollment must not let pass, whoever asks."""
    story, hr = cast.story, cast.hr
    office, guide = story.office, cast.id(story.office.guide.nip)
    stranger = cast.id(story.office.learners[1].nip)
    pairing = {"competency": words.LETTERS, "target_level": 3, "due_on": story.season.end + timedelta(days=30)}
    pairing["due_on"] = str(pairing["due_on"])
    requests: list[tuple[str, str, str, dict[str, object]]] = [
        ("unit-in-use", "close a unit with people", f"/units/{office.unit}/transitions", {"to": "closed"}),
        (
            "self-guidance",
            "guide oneself",
            "/pairings",
            {"kind": "mentoring", "guide_id": guide, "learner_id": guide, **pairing},
        ),
        (
            "aspect",
            "coach a technique",
            "/pairings",
            {"kind": "coaching", "guide_id": guide, "learner_id": stranger, **pairing},
        ),
        (
            "not-mastered",
            "approve somebody who has not mastered it",
            f"/employees/{stranger}/guide-approvals",
            {"competency": words.LETTERS},
        ),
    ]
    for rule, what, path, body in requests:
        answer = hr.ask("enrollment", "POST", path, json=body)
        cast.ledger.refusals.append(Refusal("HR portal", what, rule, answer.rule))


def _import(cast: Cast, kind: str, name: str, content: str, *, rows: int, **params: str) -> None:
    done = _run(cast, kind, name, content, **params)
    if done["counts"]["rows"] != rows or done["counts"]["rejected"]:
        raise PlayError(f"the import of {rows} {kind} went wrong: {done}")


def _run(cast: Cast, kind: str, name: str, content: str, **params: str) -> Any:
    queued = cast.hr.upload("enrollment", "/imports", name, content, kind=kind, **params)

    def finished() -> Any:
        state = cast.hr.get("enrollment", f"/imports/{queued['id']}")
        return state if state["state"] in ("done", "failed") else None

    done = wait_for(f"the import of {name}", finished)
    if done["state"] == "failed":
        raise PlayError(f"the import of {name} failed: {done}")
    return done
