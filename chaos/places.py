"""Whether the caps of pairings and the seats of batches were kept, and every step of HR was as it was answered."""

from collections import Counter
from collections.abc import Mapping

from chaos.hr import GUIDE_CAP, LEARNER_CAP, SEATS, SEATS_PER_UNIT
from chaos.rig import Rig
from infra.storage.mongo import Document, connect


def pairings(rig: Rig) -> list[Document]:
    """Those of the database."""
    return list(connect(rig.settings("enrollment"))["pairings"].find({}, {"events": 0}))


def participants(rig: Rig, batches: list[str]) -> list[Document]:
    """Those of these batches."""
    return list(
        connect(rig.settings("enrollment"))["participants"].find({"batch_id": {"$in": batches}}, {"events": 0})
    )


def too_many_pairings(found: list[Document]) -> int:
    """People with more active pairings than they may have."""
    active = [each for each in found if each["state"] == "active"]
    guides = Counter(each["guide_id"] for each in active)
    learners = Counter(each["learner_id"] for each in active)
    return sum(count > GUIDE_CAP for count in guides.values()) + sum(
        count > LEARNER_CAP for count in learners.values()
    )


def wrong_batches(found: list[Document]) -> int:
    """Batches with more accepted than seats, or with somebody who waits although there is a seat for them."""
    by_batch: dict[str, list[Document]] = {}
    for each in found:
        by_batch.setdefault(each["batch_id"], []).append(each)
    return sum(_is_wrong(people) for people in by_batch.values())


def _is_wrong(people: list[Document]) -> bool:
    units = Counter(each["unit"] for each in people if each["state"] == "accepted")
    full = units.total() >= SEATS
    waits_in_vain = any(
        not full and units[each["unit"]] < SEATS_PER_UNIT for each in people if each["state"] == "waitlisted"
    )
    return units.total() > SEATS or any(count > SEATS_PER_UNIT for count in units.values()) or waits_in_vain


def otherwise(found: list[Document], answered: Mapping[str, str]) -> int:
    """Records that nobody was told of, that are missing, or in another state than was answered last.

    Who was put on the waiting list may have moved up since.
    """
    stored = {each["_id"]: each["state"] for each in found}
    differ = [id_ for id_ in stored.keys() & answered.keys() if stored[id_] != answered[id_]]
    moved_up = [id_ for id_ in differ if (answered[id_], stored[id_]) == ("waitlisted", "accepted")]
    return len(stored.keys() ^ answered.keys()) + len(differ) - len(moved_up)
