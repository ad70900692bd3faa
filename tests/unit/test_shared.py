"""What is worked out once for a list that is shared, and for which lists."""

from __future__ import annotations

import pytest

from redoit.shared import Once


@pytest.mark.parametrize(("length", "times"), [(3, 2), (20, 1)])
def test_a_long_list_is_worked_through_once(length: int, times: int) -> None:
    seen: list[tuple[int, ...]] = []

    def total(items: tuple[int, ...], more: tuple[int, ...] = ()) -> int:
        seen.append(items)
        return sum(items) + sum(more)

    once = Once(total)
    items = tuple(range(length))
    assert once(items) == once(items) == sum(items)
    assert len(seen) == times
    assert once(items, (5,)) == sum(items) + 5


def test_another_list_in_the_place_of_one_that_is_gone_is_another() -> None:
    once = Once(sum)
    for number in range(100):
        # Each tuple is dropped at once, so that the next could have its identity.
        assert once(tuple(range(number, number + 20))) == sum(range(number, number + 20))
