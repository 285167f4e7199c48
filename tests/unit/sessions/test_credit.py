from datetime import UTC, date, datetime, timedelta
from random import Random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.sessions.domain.copies import Participation
from services.sessions.domain.credit import (
    DEFAULT_TABLE,
    Row,
    from_certificate,
    from_session,
    month_of,
    totals,
    worths,
)
from services.sessions.domain.session import Session
from tests.unit.sessions.makers import LEARNER, OTHER, START, session

NOW = START + timedelta(days=30)


def on(day: datetime, minutes: int = 60, number: int = 1) -> Session:
    return session(str(UUID(int=number)), now=max(NOW, day), started_at=day, minutes=minutes)


def rules(sessions: list[Session]) -> list[tuple[int, str | None]]:
    found = worths(sessions, DEFAULT_TABLE)
    return [(found[one.id].jp, found[one.id].rule) for one in sessions]


def test_two_activities_a_month_are_credited_in_the_order_of_their_start() -> None:
    days = [START + timedelta(days=number) for number in range(4)]
    posted = [on(days[2], number=1), on(days[0], number=2), on(days[3], number=3), on(days[1], number=4)]
    assert rules(posted) == [(0, "over-cap"), (2, None), (0, "over-cap"), (2, None)]


def test_what_is_too_short_takes_no_place_under_the_cap() -> None:
    posted = [on(START, 29, 1), on(START + timedelta(days=1), 30, 2), on(START + timedelta(days=2), 480, 3)]
    assert rules(posted) == [(0, "too-short"), (2, None), (2, None)]


def test_the_table_begins_in_2018_by_jakarta_days() -> None:
    last_of_2017 = datetime(2017, 12, 31, 16, 59, tzinfo=UTC)
    assert rules([on(last_of_2017)]) == [(0, "before-table")]
    assert rules([on(last_of_2017 + timedelta(minutes=1))]) == [(2, None)]


def test_months_are_those_of_jakarta() -> None:
    assert month_of(on(datetime(2026, 10, 31, 17, 0, tzinfo=UTC))) == "2026-11"


def test_after_the_last_row_nothing_is_credited_and_the_rule_says_after() -> None:
    table = [
        Row(
            kind="mentoring",
            jp=3,
            a_month=1,
            least_minutes=5,
            valid_from=date(2018, 1, 1),
            valid_to=date(2020, 12, 31),
            source="a regulation",
        )
    ]
    assert worths([on(START)], table)[str(UUID(int=1))].rule == "after-table"


@given(st.lists(st.tuples(st.integers(0, 27), st.integers(5, 120)), max_size=8), st.randoms())
def test_credit_does_not_depend_on_the_order_in_which_sessions_arrive(
    days: list[tuple[int, int]], random: Random
) -> None:
    posted = [
        on(datetime(2026, 10, 1, 2, tzinfo=UTC) + timedelta(days=day), minutes, number)
        for number, (day, minutes) in enumerate(days)
    ]
    shuffled = random.sample(posted, len(posted))
    found = worths(posted, DEFAULT_TABLE)
    assert found == worths(shuffled, DEFAULT_TABLE)
    assert sum(worth.jp for worth in found.values()) <= 4
    assert all((worth.jp == 0) == (worth.rule is not None and worth.why is not None) for worth in found.values())


def part(state: str = "certified") -> Participation:
    certified = datetime(2016, 5, 19, 17, 30, tzinfo=UTC)
    return Participation(id=OTHER, batch_id=OTHER, employee_id=LEARNER, state=state, certified_at=certified)


def test_a_certificate_earns_its_batchs_jp_although_no_table_was_valid() -> None:
    credit = from_certificate("c", part(), 32)
    assert credit is not None
    assert (credit.jp, credit.source, credit.on, credit.rule) == (
        32,
        "certification",
        date(2016, 5, 20),
        None,
    )


def test_a_certificate_that_was_taken_back_is_worth_nothing() -> None:
    credit = from_certificate("c", part("withdrawn"), 32)
    assert credit is not None
    assert (credit.jp, credit.rule, credit.stands) == (0, "not-certified", False)


def test_a_batch_without_jp_credits_nothing() -> None:
    assert from_certificate("c", part(), None) is None


def test_a_total_names_its_sources() -> None:
    one = on(START)
    earned = from_session("a", one, worths([one], DEFAULT_TABLE)[one.id])
    certificate = from_certificate("b", part(), 32)
    assert certificate is not None
    assert totals([earned, certificate]) == {"sessions": 2, "certification": 32, "imported": 0}
