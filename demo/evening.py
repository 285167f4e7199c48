"""After the play: figures are read, recounted and shown."""

from datetime import datetime

from rich.console import Console

from demo.elsewhere import Elsewhere
from demo.play.callers import PlayError
from demo.play.cast import Cast
from demo.play.mails import read_post
from demo.privacy import Secrets, search
from demo.recount.books import Books
from demo.recount.compare import Line, Question, compare, credits_agree, settled
from demo.show import report
from demo.show.handout import CITY
from demo.story.days import WIB
from demo.unreadable import plant
from infra.local.system import System
from infra.settings import Settings


def closing(console: Console, cast: Cast, mail_url: str) -> bool:
    """Shows everything; whether every figure agrees with the recount and nothing unforeseen was answered."""
    cast.stage.chapter("5  Figures")
    lines, people = _recount(cast)
    cast.stage.chapter("6  Mails and inboxes")
    post = read_post(cast)
    year = cast.story.season.end.year
    secretary = cast.story.city.staff(CITY)[0].nip
    leader = cast.services.caller(cast.id(secretary), "leader", unit=CITY)
    periods = ("2016", str(year))
    rows = [(name, leader.get("reporting", "/kpis", period=name, unit=CITY)["items"]) for name in periods]
    report.figures(console, rows, cast.services.urls["reporting"])
    report.office(console, cast, leader, str(year))
    report.refusals(console, cast.ledger)
    report.mails(console, post, mail_url)
    report.city_lines(console, [line for line in lines if line.unit == CITY and line.period in periods])
    good = report.verdict(console, lines, people)
    return good and not cast.ledger.surprises()


def nothing_leaked(console: Console, cast: Cast, place: System | Elsewhere) -> bool:
    """Says whether personal data were found in logs, topics or dead letters; true where these are out of reach.

    Nothing that people do in the story makes a dead letter, so two unreadable messages are sent first.
    """
    if isinstance(place, Elsewhere):
        console.print("Logs and topics are not within reach here, so they are not searched for personal data.")
        return True
    settings = Settings.from_env("reporting", place.environment)
    people = cast.story.city.people.values()
    plant(settings, next(person for person in people if person.email))
    result = search(Secrets(people), place.home / "logs", settings)
    style = "red" if result.found else "green"
    console.print(f"[bold {style}]{result.told()}[/]", highlight=False, soft_wrap=True)
    return not result.found


def _recount(cast: Cast) -> tuple[list[Line], tuple[int, int]]:
    secretary = cast.story.city.staff(CITY)[0].nip
    leader = cast.services.caller(cast.id(secretary), "leader", unit=CITY)
    books = Books(cast.ledger)
    questions = questions_about(cast)
    with cast.stage.step("Every figure is recounted from what was posted") as step:
        step.total(len(questions))
        if not settled(cast.hr):
            raise PlayError("reporting has not caught up with what was posted")
        lines: list[Line] = []
        for question in questions:
            lines += compare(leader, books, question, datetime.now(WIB).date())
            step.advance()
        people = credits_agree(cast.hr, books, cast.story.season.end.year)
        step.say(f"{len(lines)} figures in {len(questions)} places and periods")
    return lines, people


def questions_about(cast: Cast) -> list[Question]:
    """The city by year, quarter and month; districts, agencies and villages where it matters.

    Records are counted for the city's years and for the smaller places: quarters and months repeat the city's.
    """
    story = cast.story
    end = story.season.end
    year, quarter, month = str(end.year), f"{end.year}-Q{(end.month + 2) // 3}", f"{end:%Y-%m}"
    begun = f"{story.season.first:%Y-%m}"
    district = story.city.units[story.office.unit].parent or CITY
    places = [district, story.office.unit, "DISDIK", "BKPSDM", story.move.person.unit, story.move.unit]
    return [
        Question(CITY, "2016"),
        Question(CITY, year),
        *(Question(CITY, period, records=False) for period in ("2016-Q2", quarter, begun, month)),
        *(Question(unit, year) for unit in places),
        Question(district, "2016"),
        Question(story.office.unit, month),
        Question(story.move.unit, quarter),
    ]
