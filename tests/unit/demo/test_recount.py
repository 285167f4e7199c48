"""The recount against a city small enough to count on one's fingers."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from demo.ledger import (
    BatchFact,
    Ledger,
    MasteryFact,
    NeedFact,
    ParticipantFact,
    PersonFact,
    Refusal,
    SessionFact,
    SkillFact,
    UnitFact,
)
from demo.recount.books import Books
from demo.recount.figures import Figure, recount, rounded
from demo.recount.periods import Period, period

TODAY = date(2026, 11, 24)
EARLY = date(2016, 1, 1)
SEEN = datetime(2026, 9, 1, tzinfo=UTC)


def session(number: int, learner: str, day: int, minutes: int = 60, status: str = "confirmed") -> SessionFact:
    started = datetime(2026, 10, day, 2, tzinfo=UTC)
    return SessionFact(f"s{number}", "p1", learner, "mentoring", started, minutes, status)


@pytest.fixture
def books() -> Books:
    ledger = Ledger(
        units={
            "city": UnitFact("city", "city", None),
            "district": UnitFact("district", "district", "city"),
            "village": UnitFact("village", "village", "district"),
            "agency": UnitFact("agency", "agency", "city"),
        },
        people={
            "guide": PersonFact("guide", [(EARLY, "district")]),
            "ani": PersonFact("ani", [(EARLY, "village")]),
            "budi": PersonFact("budi", [(EARLY, "agency"), (date(2026, 10, 10), "village")]),
            "cici": PersonFact("cici", [(date(2026, 12, 1), "agency")]),
        },
        batches=[BatchFact("b", date(2016, 5, 16), 32)],
        participants={
            "1": ParticipantFact("1", "guide", "district", "certified", datetime(2016, 5, 19, 9, tzinfo=UTC)),
            "2": ParticipantFact("2", "budi", "agency", "declined"),
        },
        skills=[SkillFact("ani", "letters", 1, SEEN)],
        needs=[NeedFact("village", "letters", 2, 3, SEEN)],
        masteries=[MasteryFact("e1", "ani", "letters", 3, datetime(2026, 10, 7, 2, tzinfo=UTC))],
        sessions={
            fact.id: fact
            for fact in (
                session(1, "ani", 5),
                session(2, "ani", 6, minutes=20),
                session(3, "ani", 7),
                session(4, "ani", 8),
                session(5, "budi", 9),
                session(6, "budi", 12),
                session(7, "budi", 13, status="held"),
                session(8, "budi", 14, status="cancelled"),
            )
        },
    )
    return Books(ledger)


def year(books: Books, unit: str = "city", name: str = "2026") -> dict[tuple[str, str | None], Figure]:
    return recount(books, unit, period(name, TODAY))


def test_sessions_count_where_the_learner_was_on_that_day(books: Books) -> None:
    """Budi moved between two sessions: one counts here, the other there."""
    assert year(books)["sessions", None].numerator == 6
    assert year(books, "agency")["sessions", None].numerator == 1
    assert year(books, "village")["sessions", "mentoring"].numerator == 5
    assert year(books)["sessions", "coaching"].numerator == 0


def test_hours_are_minutes_divided_once(books: Books) -> None:
    """Five hours and twenty minutes, behind which stand six sessions."""
    hours = year(books)["hours", None]
    assert (hours.numerator, hours.denominator, hours.evidence) == (320, 60, 6)
    assert hours.value == Decimal("5.3333")


def test_people_are_counted_once_and_in_each_unit_they_were_in(books: Books) -> None:
    """Two reached in the city; both in the village, one of them in the agency, too."""
    assert year(books)["reach", None] == Figure(2, 3, 2)
    assert year(books, "village")["reach", None] == Figure(2, 2, 2)
    assert year(books, "agency")["reach", None] == Figure(1, 1, 1)


def test_who_begins_later_is_not_active_yet(books: Books) -> None:
    """Cici comes in December, and the year is counted until today."""
    assert year(books, "agency")["jp_mean", None].denominator == 1


def test_jp_by_the_table(books: Books) -> None:
    """Too short brings nothing, nor does the third in a month; Ani has two activities of 2 JP."""
    credited = [credit for credit in books.credits if credit.person == "ani"]
    assert sorted(credit.day.day for credit in credited) == [5, 7]
    assert year(books)["jp_mean", None] == Figure(8, 3, 4)
    assert year(books, name="2016")["jp_mean", None].numerator == 32


def test_who_has_20_jp_since_january(books: Books) -> None:
    """The certificate alone brings 32 in 2016."""
    assert year(books, name="2016")["jp_20_share", None] == Figure(1, 3, 1)
    assert year(books, name="2016-04")["jp_20_share", None].numerator == 0
    assert year(books, name="2016-12")["jp_20_share", None].numerator == 1


def test_coverage_is_of_the_nearest_unit_only(books: Books) -> None:
    """A representative of the district does not cover its village."""
    assert year(books)["unit_coverage", None] == Figure(1, 3, 1)
    assert year(books, "village")["unit_coverage", None] == Figure(0, 1, 0)
    assert year(books, name="2016-04")["unit_coverage", None].numerator == 0


def test_funnel_counts_the_batches_that_start_in_the_period(books: Books) -> None:
    """Nominated are all, the declined one included."""
    funnel = {part: figure.numerator for (kpi, part), figure in year(books, name="2016-Q2").items() if part}
    assert {part: funnel[part] for part in ("nominated", "accepted", "certified")} == {
        "nominated": 2,
        "accepted": 1,
        "certified": 1,
    }
    assert year(books)["training_funnel", "nominated"].numerator == 0


def test_a_mastery_closes_a_gap_where_the_unit_needs_it(books: Books) -> None:
    """Two are needed, one mastered it: one is missing; before that two were."""
    assert year(books, "village")["gaps_open", None].numerator == 1
    assert year(books, name="2026-09")["gaps_open", None].numerator == 2
    assert year(books)["gaps_closed", None].numerator == 1
    assert year(books, "agency")["gaps_closed", None].numerator == 0


def test_confirmation_rate_leaves_out_planned_and_cancelled(books: Books) -> None:
    """Six of seven."""
    assert year(books)["confirmation_rate", None] == Figure(6, 7, 6)


def test_rounding_is_half_up() -> None:
    """From the exact fraction, four places; nothing over nothing is no figure."""
    assert rounded(Fraction(1, 16)) == Decimal("0.0625")
    assert rounded(Fraction(12345, 100000)) == Decimal("0.1235")
    assert rounded(Fraction(2, 3)) == Decimal("0.6667")
    assert Figure(0, 0, 0).value is None


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2016", date(2016, 1, 1), date(2016, 12, 31)),
        ("2016-Q2", date(2016, 4, 1), date(2016, 6, 30)),
        ("2016-02", date(2016, 2, 1), date(2016, 2, 29)),
        ("2026-Q4", date(2026, 10, 1), TODAY),
    ],
)
def test_periods(name: str, first: date, last: date) -> None:
    """A period that is not over ends today."""
    assert period(name, TODAY) == Period(name, first, last)


def test_surprises_are_refusals_by_another_rule() -> None:
    """The demo fails when something is refused for a reason that it did not foresee."""
    ledger = Ledger(refusals=[Refusal("phone", "x", "stale", "stale"), Refusal("phone", "y", "stale", "200")])
    assert [refusal.what for refusal in ledger.surprises()] == ["y"]
    assert ledger.refused_by_rule() == {"stale": 1, "200": 1}
