"""Numbers in what people read."""

import pytest

from infra.wording import counted


@pytest.mark.parametrize(("count", "said"), [(0, "0 documents"), (1, "1 document"), (2, "2 documents")])
def test_one_is_not_many(count: int, said: str) -> None:
    """None and several are plural, one is not."""
    assert counted(count, "document") == said
