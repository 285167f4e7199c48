"""Lists in pages: everything comes once, and a cursor of somewhere else is refused."""

import pytest

from infra.problems import Refused
from infra.storage.mongo import connect
from infra.storage.paging import encode, page
from tests.conftest import SettingsFor


def test_every_item_comes_once_in_order(settings_for: SettingsFor) -> None:
    """Equal values in the sorted field don't make the pages lose or repeat an item."""
    collection = connect(settings_for("enrollment"))["items"]
    collection.insert_many([{"_id": number, "rank": number % 3} for number in range(25)])
    got: list[int] = []
    cursor = None
    pages = 0
    while pages == 0 or cursor:
        documents, cursor = page(collection, {}, sort=[("rank", -1)], limit=7, cursor=cursor)
        got += [document["_id"] for document in documents]
        pages += 1
    assert got == sorted(range(25), key=lambda number: (-(number % 3), number))
    assert pages == 4


def test_the_last_page_has_no_cursor(settings_for: SettingsFor) -> None:
    """A page that is exactly full is the last one when nothing follows."""
    collection = connect(settings_for("enrollment"))["items"]
    collection.insert_many([{"_id": number} for number in range(4)])
    documents, cursor = page(collection, {}, sort=[], limit=4, cursor=None)
    assert len(documents) == 4
    assert cursor is None


@pytest.mark.parametrize("cursor", ["", "x", "////", encode([1, 2, 3]), encode([{"$gt": 1}, 2])])
def test_a_cursor_of_somewhere_else_is_refused(settings_for: SettingsFor, cursor: str) -> None:
    """It is named as the wrong input, and nothing in it reaches the query."""
    collection = connect(settings_for("enrollment"))["items"]
    with pytest.raises(Refused) as refused:
        page(collection, {}, sort=[("rank", 1)], limit=4, cursor=cursor)
    assert refused.value.status == 422
    assert refused.value.errors[0].pointer == "?cursor"
