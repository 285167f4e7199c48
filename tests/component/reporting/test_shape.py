"""What is stored looks as the number of its shape says: who changes the one is led here to change the other."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.reporting.documents import SHAPE, Document
from services.reporting.projections import Projection
from services.reporting.store import Store
from tests.component.reporting.telling import settle, tell
from tests.unit.reporting.world import city, shuffled

STORED: Mapping[int, Mapping[str, str]] = {
    3: {
        "units": (
            "_id str, history[][0] str, history[][1] str, history[][2] str, history[][3] NoneType, "
            "history[][3] str, history[][4] bool, seq int"
        ),
        "needs": (
            "_id str, competency str, history[][0] str, history[][1] datetime, history[][2] int, history[][3] "
            "int, seq int, unit str"
        ),
        "batches": "_id str, seq int, starts_on str",
        "participants": (
            "_id str, batch_id str, certified_at NoneType, certified_at datetime, certified_day NoneType, "
            "certified_day str, history[][0] str, history[][1] datetime, person str, seq int, state str, unit "
            "str"
        ),
        "people": (
            "_id str, history[][0] str, history[][1] str, history[][2] bool, jp.<year>[][0] str, "
            "jp.<year>[][1] int, places[][0] str, places[][1] str, places[][2] bool, reached.<year>[][0] str, "
            "reached.<year>[][1] str, reached.<year>[][2] int, seq int, shard int, skills[][0] str, "
            "skills[][1] str, skills[][2] int, skills[][3] str, skills[][4] str, skills[][5] str, tree int"
        ),
        "sessions": (
            "_id str, active bool, at datetime, day str, kind str, minutes int, path NoneType, path str, "
            "person str, seq int, shard int, status str"
        ),
        "credits": (
            "_id str, active bool, day str, jp int, path NoneType, path str, person str, seq int, shard int"
        ),
        "masteries": (
            "_id str, at str, before int, codes[] str, competency str, day str, level int, path str, person "
            "str, shard int, unit str"
        ),
        "counters": (
            "_id str, codes[] str, metric str, n.coaching int, n.coaching_minutes int, n.confirmed int, "
            "n.disputed int, n.held int, n.jp int, n.jp20 int, n.mentoring int, n.mentoring_minutes int, "
            "n.people int, n.reached int, period str, shard int"
        ),
        "stocks": "_id str, competency str, day str, level int, n int, shard int, unit str",
        "metrics": "active_month, active_quarter, active_year, flow",
    }
}
"""By shape, all that is stored: the fields with their types, of rows by column. What changes is another shape."""


def test_what_is_stored_has_the_shape_that_its_number_says(store: Store) -> None:
    """Else workers of the next release would go on in documents that they can't read."""
    projection = Projection(store)
    tell(projection, shuffled(city(3, people=12, sessions=60), 1))
    settle(projection)
    wanted = STORED[SHAPE]
    found = {name: _fields(store[name].find()) for name in wanted if name != "metrics"}
    metrics = ", ".join(sorted(store["counters"].distinct("metric")))
    assert found | {"metrics": metrics} == wanted


def _fields(documents: Iterable[Document]) -> str:
    return ", ".join(sorted({field for document in documents for field in _flat(document)}))


def _flat(value: Any, where: str = "") -> Iterable[str]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _flat(each, f"{where}.{'<year>' if name.isdigit() else name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _flat(each, f"{where}[{number}]" if where.endswith("[]") else f"{where}[]")
    else:
        yield f"{where[1:]} {type(value).__name__}"
