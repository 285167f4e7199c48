"""The demo's story: the same for the same day, in office hours, and worth looking at."""

from collections import Counter
from datetime import date, timedelta
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import pytest

import demo
from demo.story import words
from demo.story.days import WIB, Season, office_hours, starts, working
from demo.story.meetings import Meeting
from demo.story.tell import Story, tell
from demo.story.training import SEATS

DATA = Path(demo.__file__).parent / "data"
DAYS = [date(2026, 11, 23), date(2026, 11, 22), date(2026, 1, 4), date(2027, 2, 28)]


@cache
def told(end: date) -> Story:
    return tell(DATA, end)


@pytest.fixture(params=DAYS, ids=str)
def story(request: pytest.FixtureRequest) -> Story:
    day: date = request.param
    return told(day)


def test_the_same_day_gives_the_same_story() -> None:
    """Ids included: whoever repeats the demo sees the same sessions."""
    assert tell(DATA, DAYS[0]) == told(DAYS[0])


def test_43_are_nominated_for_40_seats_and_39_certified(story: Story) -> None:
    """One withdraws, one moves up, one fails, two stay on the waiting list."""
    outcomes = Counter(nominee.outcome for nominee in story.nominees)
    assert len(story.nominees) == 43 and len({n.unit for n in story.nominees}) == 43
    assert outcomes == {"certified": 39, "not_certified": 1, "withdrawn": 1, "declined": 2}
    assert story.nominees[SEATS].outcome == "certified"
    assert [n.at for n in story.nominees] == sorted(n.at for n in story.nominees)
    assert all((story.city.people[n.nip].echelon or "").startswith("IV.") for n in story.nominees)


def test_nobody_is_nominated_before_being_employed(story: Story) -> None:
    """The effective dates of 2016 lie after each one's appointment."""
    assert all(story.city.people[n.nip].since <= n.at.date() for n in story.nominees)


def test_sessions_are_in_office_hours_of_the_twelve_weeks(story: Story) -> None:
    """No session at 03:00, on a Sunday or during lunch."""
    for meeting in story.meetings:
        start = meeting.started_at.astimezone(WIB)
        end = (start + timedelta(minutes=meeting.minutes)).time()
        assert story.season.first <= start.date() <= story.season.end
        assert any(opens <= start.time() and end <= closes for opens, closes in office_hours(start.date()))


def test_nobody_is_in_two_meetings_at_once(story: Story) -> None:
    """What must be refused is told apart from what must be stored."""
    busy: dict[str, list[Meeting]] = {}
    for meeting in story.meetings:
        for who in (meeting.pair.guide, meeting.pair.learner):
            busy.setdefault(who, []).append(meeting)
    for meetings in busy.values():
        ordered = sorted(meetings, key=lambda m: m.started_at)
        assert all(a.started_at + timedelta(minutes=a.minutes) <= b.started_at for a, b in pairwise(ordered))


def test_guides_may_guide_and_nobody_has_too_many(story: Story) -> None:
    """At most five learners a guide, two guides a learner; nobody guides a supervisor."""
    assert max(Counter(pair.guide for pair in story.pairs).values()) <= 5
    assert max(Counter(pair.learner for pair in story.pairs).values()) <= 2
    trained = {n.nip: n.unit for n in story.nominees if n.outcome == "certified"}
    for pair in story.pairs:
        guide, learner = story.city.people[pair.guide], story.city.people[pair.learner]
        assert learner not in story.city.superiors(guide) and guide != learner
        if pair.ground == "representative":
            assert trained[guide.nip] in story.city.chain(learner.unit)
        if pair.ground == "supervisor":
            assert guide in story.city.superiors(learner)


def test_every_pair_is_of_a_different_matter(story: Story) -> None:
    """The same guide, learner and competency at once would be refused."""
    keys = [(pair.guide, pair.learner, pair.competency) for pair in story.pairs]
    assert len(keys) == len(set(keys))
    assert all((words.BY_CODE[p.competency].aspect == "attitude") == (p.kind == "coaching") for p in story.pairs)


def test_figures_will_look_real(story: Story) -> None:
    """Thousands of sessions in dozens of units, most confirmed, some too short, some never answered."""
    replies = Counter(meeting.reply for meeting in story.meetings)
    units = {story.city.people[pair.learner].unit for pair in story.pairs}
    assert 2_000 < len(story.meetings) < 4_500
    assert 45 <= len(units) <= 90
    assert replies["dispute"] == 1
    assert 0.75 < (replies["prompt"] + replies["late"]) / len(story.meetings) < 0.97
    assert any(meeting.minutes < 30 for meeting in story.meetings)
    assert len({meeting.summary for meeting in story.meetings}) > 300


def test_levels_rise_and_reach_the_target_only_where_it_is_mastered(story: Story) -> None:
    """A target out of the blue would ask a supervisor too early."""
    by_pair: dict[str, list[Meeting]] = {}
    for meeting in story.meetings:
        by_pair.setdefault(meeting.pair.key, []).append(meeting)
    for meetings in by_pair.values():
        asking = [meeting for meeting in meetings if meeting.asks]
        pair = meetings[0].pair
        assert len(asking) <= (2 if pair.ending == "declined" else 1)
        assert not asking or asking[-1] is meetings[-1]
        if pair.ending in ("nearly", "slow"):
            assert not asking
        if pair.ending != "declined":
            levels = [m.level for m in meetings if m.level is not None]
            assert levels == sorted(levels)


def test_in_the_office_nobody_can_draft_a_letter_and_two_learn_it(story: Story) -> None:
    """Seven staff; the first to master it guides the next one afterwards."""
    office = story.office
    staff = story.city.staff(office.unit)
    assert len(staff) == 7
    assert all(story.levels.get((p.nip, words.LETTERS), 0) < 3 for p in staff)
    early, late, cascade = story.office_pairs
    mastered = [m.started_at for pair in (early, late) for m in story.meetings if m.pair == pair and m.asks]
    assert len(mastered) == 2
    assert mastered[0] < cascade.proposed
    assert cascade.guide == early.learner
    assert any(m.pair == cascade for m in story.meetings)


def test_one_request_is_declined_and_asked_again(story: Story) -> None:
    """The guidance goes on until a later session asks again."""
    asked = [m for m in story.meetings if m.pair.ending == "declined" and m.asks]
    assert [m.stretch for m in asked].index(0) == 0 and len(asked) == 2


def test_queues_hold_every_session_once_and_some_are_out_of_order(story: Story) -> None:
    """Bulk and one by one, some shuffled, some sent twice."""
    ids = [meeting.id for queue in story.queues for meeting in queue.meetings]
    assert sorted(ids) == sorted(meeting.id for meeting in story.meetings)
    assert {queue.way for queue in story.queues} == {"sync", "put"}
    assert any(queue.twice for queue in story.queues)
    times = [[m.started_at for m in queue.meetings] for queue in story.queues]
    assert any(queue != sorted(queue) for queue in times)


def test_each_mishap_breaks_a_rule_both_ways(story: Story) -> None:
    """Ten rules say no; both to phones that put and to phones that sync."""
    rules = Counter(mishap.rule for mishap in story.mishaps)
    assert len(rules) == 10
    assert {mishap.way for mishap in story.mishaps} == {"put", "sync"}
    stored = {meeting.id for meeting in story.meetings}
    assert all((mishap.meeting.id in stored) == (mishap.act != "post") for mishap in story.mishaps)


def test_overlaps_really_overlap(story: Story) -> None:
    """Each one meets another session of the same guide, which the ledger keeps."""
    for mishap in story.mishaps:
        if mishap.rule == "session-overlap":
            start = mishap.meeting.started_at
            end = start + timedelta(minutes=mishap.meeting.minutes)
            assert any(
                m.pair.guide == mishap.meeting.pair.guide
                and m.reply != "cancelled"
                and m.started_at + timedelta(minutes=5) <= end
                and start + timedelta(minutes=5) <= m.started_at + timedelta(minutes=m.minutes)
                for m in story.meetings
            )


def test_each_competency_has_forty_summaries_and_more() -> None:
    """Varied enough to read through a page of sessions."""
    for competency in words.COMPETENCIES:
        assert len(competency.doings) * 24 >= 40
        assert all(a != b for a, b in combinations(competency.doings, 2))


def test_offices_are_closed_on_holidays_and_weekends() -> None:
    """17 August is Independence Day; Fridays end earlier."""
    assert not working(date(2026, 8, 17)) and not list(starts(date(2026, 8, 17), 30))
    assert not working(date(2026, 11, 22))
    assert max(starts(date(2026, 11, 20), 30)).hour == 14
    assert Season(date(2026, 11, 23)).first == date(2026, 9, 1)
