"""What the visitor gets at the end: addresses, tokens, and three commands that work when pasted."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from rich.console import Console

from demo.play.cast import HR_PORTAL, Cast, wire
from demo.story.days import WIB

CITY = "36.71"
MINUTES = 45
FIGURE = "sessions"


@dataclass(frozen=True)
class Command:
    """A line for the shell, and what it does."""

    does: str
    line: str


@dataclass(frozen=True)
class Handout:
    """Commands and what they are about: `unit` is the office, `session` the one that they post."""

    unit: str
    session: str
    commands: tuple[Command, Command, Command]


def prepare(cast: Cast, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Handout:
    """Three commands about the youngest pairing of the office: it has not met today, so nothing is in the way."""
    office = cast.story.office
    pair = cast.story.office_pairs[2]
    started = now().replace(microsecond=0) - timedelta(minutes=MINUTES + 15)
    session, period = str(uuid4()), f"{started.astimezone(WIB):%Y}"
    body = {
        "pairing_id": cast.pairing(pair.key),
        "status": "held",
        "started_at": wire(started),
        "minutes": MINUTES,
        "place": "in_person",
        "summary": "Kami memeriksa konsep nota dinas bersama.",
    }
    sessions, reporting = cast.services.urls["sessions"], cast.services.urls["reporting"]
    at = f"{sessions}/v1/sessions/{session}"
    leader = _token(cast, office.head.nip, "leader", office.unit)
    asked = f"period={period}&unit={office.unit}"
    post = _curl(_token(cast, pair.guide, "employee"), ["-X", "PUT", at], body)
    confirm = {"to": "confirmed", "feedback": {"rating": 5}}
    say_yes = _curl(_token(cast, pair.learner, "employee"), ["-X", "POST", f"{at}/transitions"], confirm)
    urls = [f"{reporting}/v1/kpis?{asked}", f"{reporting}/v1/kpis/{FIGURE}/evidence?{asked}&limit=200"]
    # Of all figures and records only the two that matter here.
    show = f"{_curl(leader, urls)} | {shlex.join(['grep', '-oE', _objects_with(FIGURE, session)])}"
    return Handout(
        office.unit,
        session,
        (
            Command("a guide's phone posts a session", post),
            Command("the learner confirms it", say_yes),
            Command("the office's figure that moved, and the record behind it", show),
        ),
    )


def _objects_with(*ids: str) -> str:
    """A pattern for the JSON objects that have one of these ids, and no part."""
    return r'\{[^{}]*"id":"(' + "|".join(ids) + r')"(,"part":null|,"at")[^{}]*\}'


def _curl(token: str, arguments: list[str], body: object = None) -> str:
    line = ["curl", "-sS", "-w", r"\n", "-H", f"Authorization: Bearer {token}", *arguments]
    if body is not None:
        line += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
    return shlex.join(line)


def _token(cast: Cast, nip: str, role: str, unit: str | None = None) -> str:
    return cast.services.caller(cast.id(nip), role, unit=unit).token


def tokens(cast: Cast) -> dict[str, str]:
    """One for each role, all of people of the story."""
    office = cast.story.office
    secretary = next(person.nip for person in cast.story.city.staff(CITY))
    services = cast.services
    return {
        "hr": services.caller(HR_PORTAL, "hr").token,
        f"officer of {office.unit}": _token(cast, office.head.nip, "officer", office.unit),
        f"employee, a guide ({office.guide.name})": _token(cast, office.guide.nip, "employee"),
        f"employee, a learner ({office.next_learner.name})": _token(cast, office.next_learner.nip, "employee"),
        f"employee, a supervisor ({office.head.name})": _token(cast, office.head.nip, "employee"),
        "leader of the city": _token(cast, secretary, "leader", CITY),
        "kpi_reader": services.caller("city-dashboard", "kpi_reader").token,
        "auditor": services.caller("inspectorate", "auditor").token,
        "admin": services.caller("operations", "admin").token,
    }


def hand_over(console: Console, cast: Cast, handout: Handout, mail_url: str) -> None:
    """Prints all of it; long lines are left whole, so that they can be copied."""
    given = tokens(cast)

    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    line("\nAddresses")
    for name, url in cast.services.urls.items():
        line(f"  {name:<14} {url}/docs")
    line(f"  {'dashboard':<14} {cast.services.urls['reporting']}/dashboard#token={given['leader of the city']}")
    line(f"  {'mails':<14} {mail_url or '(BINA_SMTP_URL)'}")
    line("\nTokens, valid for 12 hours")
    for whose, token in given.items():
        line(f"  {whose}\n    {token}")
    line("\nThree commands to paste")
    for number, command in enumerate(handout.commands, 1):
        line(f"\n  {number}. {command.does}\n{command.line}")
    line("")
