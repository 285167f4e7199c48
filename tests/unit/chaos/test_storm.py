"""The deck of faults: nothing is left to luck, and a storm that missed says so."""

import random
from collections import Counter
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chaos import storm
from chaos.storm import Storm
from chaos.verdict import Court
from chaos.ward import Ward

KINDS = "abcde"


@pytest.fixture
def dealt(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a storm of kinds a to e has done; c can't be done before everything else was."""
    done: list[str] = []

    def act(kind: str) -> Callable[[Any], str]:
        def work(_: Any) -> str:
            if kind == "c" and not {"a", "b", "d", "e"} <= set(done):
                return ""
            done.append(kind)
            return kind

        return work

    monkeypatch.setattr(storm, "FAULTS", {kind: act(kind) for kind in KINDS})
    return done


def blown(seed: int, seconds: float) -> Storm:
    made = Storm(cast("Any", None), cast("Any", None), seed, seconds, lambda _: None)
    made.blow(seconds)
    made.end()
    return made


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_is_dealt_however_short_the_storm(dealt: list[str], seed: int) -> None:
    """Each once before any comes again; one that can't be done at first comes later."""
    made = blown(seed, seconds=0.01)
    assert not made.never
    assert sorted(dealt[: len(KINDS)]) == sorted(KINDS)
    assert made.counts == Counter(dealt)


def test_the_same_seed_deals_the_same(dealt: list[str]) -> None:
    """Kinds in the same order."""
    blown(7, seconds=0.01)
    first, dealt[:] = list(dealt), []
    blown(7, seconds=0.01)
    both = min(len(first), len(dealt))
    assert first[:both] == dealt[:both]


def test_a_fault_lasts_until_its_effect_has_shown() -> None:
    """A cure that comes too early is tried again, and its target is not hurt by others until then."""
    told: list[str] = []
    ward = Ward(random.Random(1), told.append)
    shown: list[str] = []
    ward.later(0, lambda: "well again" if shown else None, "sessions worker", "sessions worker 2")
    ward.rest(0.01)
    assert (told, ward.free(["sessions worker", "sessions worker 2"])) == ([], None)
    shown.append("its effect")
    ward.heal_all()
    assert (told, ward.hurt) == (["well again"], set())


HIT = {"never": [], "lost": 3, "waited": [True], "overtaken": [True], "lasting": 1}


@pytest.mark.parametrize(
    ("missed", "good"),
    [
        ({}, True),
        ({"lasting": 0, "overtaken": []}, True),
        ({"never": ["broker killed"]}, False),
        ({"waited": []}, False),
        ({"lost": 0}, False),
        ({"overtaken": [False]}, False),
    ],
)
def test_a_storm_that_missed_shows_nothing(missed: dict[str, Any], good: bool) -> None:
    """A kind never dealt, or a fault that met nobody, is a failure."""
    met = {**HIT, **missed}
    faults = SimpleNamespace(lost=met["lost"], overtaken=met["overtaken"])
    blew = SimpleNamespace(
        never=met["never"], faults=faults, counts={"worker frozen past its lease": met["lasting"]}
    )
    nothing = cast("Any", None)
    poisoner = cast("Any", SimpleNamespace(waited=met["waited"]))
    court = Court(nothing, nothing, nothing, nothing, poisoner, nothing, cast("Any", blew), nothing)
    assert court._faults().holds is good
