"""How the generations stand, for `status`."""

from infra.operations.status import Row, Table, table
from infra.settings import Settings
from services.reporting.generations import Generations, group_of
from services.reporting.rebuild import WHAT_TO_DO, LogCut, places_of_log

HEADS = ("generation", "shape", "group", "state")


def standing(settings: Settings, generations: Generations) -> Table:
    """All generations; and why this release's own can't be counted, where the log has lost its beginning."""

    def rows() -> list[Row]:
        return [
            (str(each.number), str(each.shape), group_of(each.number), each.state)
            for each in generations.standing()
        ]

    def looked_at() -> list[Row]:
        if generations.own() is None and not generations.is_empty():
            places_of_log(settings)
        return rows()

    try:
        return table("generations", HEADS, looked_at)
    except LogCut as cut:
        return Table("generations", HEADS, rows(), f"{cut}; {WHAT_TO_DO}")
