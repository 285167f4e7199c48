"""Phones that were offline for twelve weeks send all at once, out of order, and twice."""

import random
import uuid
from collections import Counter
from datetime import timedelta
from typing import Any

from infra.clock import day_of
from tests.e2e.conftest import Bina
from tests.e2e.office import STARTED_AT, Office

WEEKS = 12


def test_an_offline_queue_counts_once_however_it_arrives(bina: Bina) -> None:
    """Each session is stored, credited and told once; the figures are those that one counts by hand."""
    office = Office(bina, paired_days=WEEKS * 7 + 10)
    bina.settle()
    held = [
        office.session(STARTED_AT - timedelta(weeks=week)) | {"id": str(uuid.uuid4())} for week in range(WEEKS)
    ]
    random.Random(3).shuffle(held)
    guide = bina.by("sessions", office.guide, "employee")
    learner = bina.by("sessions", office.learner, "employee")
    confirmed = [{"id": session["id"], "to": "confirmed"} for session in held]
    for statuses in ({"stored"}, {"unchanged"}):
        assert (
            _statuses(guide.post("/v1/sync", {"sessions": held, "transitions": []}).expect(200).body) == statuses
        )
    bina.settle()
    for statuses in ({"stored"}, {"unchanged"}):
        body = {"sessions": [], "transitions": confirmed}
        assert _statuses(learner.post("/v1/sync", body).expect(200).body) == statuses
    bina.settle()

    by_month = Counter(day_of(STARTED_AT - timedelta(weeks=week)).isoformat()[:7] for week in range(WEEKS))
    for month, count in by_month.items():
        figures = bina.kpis(month)
        assert figures[("sessions", "mentoring")][1] == count
        assert figures[("jp_mean", None)][1] == 2 * min(count, 2)
        assert figures[("reach", None)][1] == 1
    assert bina.inbox(office.learner).count(("please_confirm", True)) == WEEKS
    asking = [mail for mail in bina.mails().elements() if "konfirmasi" in mail[1]]
    assert len(asking) <= WEEKS


def _statuses(answer: dict[str, Any]) -> set[str]:
    assert len(answer["results"]) == WEEKS
    return {result["status"] for result in answer["results"]}
