"""Small numbers of people are not told to those outside (Programme rules, Withheld)."""

from collections.abc import Sequence

import msgspec

SMALL = range(1, 5)


class Amounts(msgspec.Struct, frozen=True):
    """Numerator and denominator of a figure, each None unless it counts people.

    part_of_it: the numerator's people are some of the denominator's, so that the difference is people, too.
    """

    numerator: int | None
    denominator: int | None
    part_of_it: bool = False


def is_small(amounts: Amounts) -> bool:
    """Whether the figure speaks of 1-4 people."""
    told = [amounts.numerator, amounts.denominator]
    if amounts.part_of_it and amounts.numerator is not None and amounts.denominator is not None:
        told.append(amounts.denominator - amounts.numerator)
    return any(people in SMALL for people in told if people is not None)


def withheld(siblings: Sequence[Amounts]) -> list[bool]:
    """Which of the siblings are withheld: the small ones and, where that is just one, the next smallest too.

    Without the second one the first could be found by subtraction. A sibling of 0 hides nothing, so it goes
    only when there is no other.
    """
    hidden = [is_small(each) for each in siblings]
    if hidden.count(True) == 1:
        others = [number for number, small in enumerate(hidden) if not small]
        if others:
            hidden[min(others, key=lambda number: _size(siblings[number]))] = True
    return hidden


def _size(amounts: Amounts) -> tuple[bool, int]:
    people = amounts.numerator if amounts.numerator is not None else amounts.denominator or 0
    return people == 0, people
