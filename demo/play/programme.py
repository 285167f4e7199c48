"""The order of events: everything that is played before the figures are looked at."""

import time

from demo.play import answers, guidance, mishaps, phones, portal, training
from demo.play.callers import wait_for
from demo.play.cast import Cast
from demo.story.meetings import STRETCHES


def play(cast: Cast) -> None:
    """From the first import to the last confirmation."""
    cast.stage.chapter("1  The HR portal")
    portal.enter_people(cast)
    portal.try_bad_file(cast)
    portal.declare_competencies(cast)
    portal.state_skills_and_needs(cast)
    cast.stage.chapter("2  The first batch, Sawangan, Depok, 16-19 May 2016")
    training.train_representatives(cast)
    cast.stage.chapter("3  Pairings")
    guidance.pair_up(cast)
    portal.be_refused(cast)
    cast.stage.chapter(f"4  Twelve weeks, {cast.story.season.first:%d %B} to {cast.story.season.end:%d %B %Y}")
    _meet_people(cast)
    for stretch, weeks in enumerate(STRETCHES):
        _stretch(cast, stretch, f"weeks {weeks[0] + 1} to {weeks[-1] + 1}")
    answers.confirm_last(cast, len(STRETCHES) - 1)


def _stretch(cast: Cast, stretch: int, weeks: str) -> None:
    phones.post_sessions(cast, stretch, f"Guides' phones, {weeks}")
    if stretch == 0:
        answers.call_off(cast)
    answers.confirm(cast, stretch, f"Learners' phones, {weeks}")
    if stretch == 0:
        answers.settle_dispute(cast)
    answers.endorse(cast, stretch)
    if stretch == 0:
        guidance.make_a_guide(cast)
        mishaps.meet_refusals(cast)
    if stretch == 1:
        portal.transfer(cast)


def _meet_people(cast: Cast) -> None:
    """Waits until sessions knows everybody, the one imported last included: supervisors are asked by it later."""
    with cast.stage.step("The phones log in") as step:
        started = time.monotonic()
        nips = [*cast.story.city.people][-3:]
        for nip in nips:
            wait_for("a phone's first /me", lambda nip=nip: _known(cast, nip))  # type: ignore[misc]
        step.say(f"everybody is known there after {time.monotonic() - started:.1f} s")


def _known(cast: Cast, nip: str) -> bool | None:
    answer = cast.employee(nip).ask("sessions", "GET", "/me")
    return True if answer.status == 200 and answer.body["name"] else None
