"""Sequences, against a plain set."""

from hypothesis import given
from hypothesis import strategies as st

from gotask.metrics.sequences import Sequences

NUMBERS = st.integers(1, 40)
STEPS = st.lists(st.tuples(st.sampled_from(["add", "add", "add", "raise", "cut"]), NUMBERS), max_size=60)


@given(STEPS)
def test_it_holds_what_a_set_would(steps: list[tuple[str, int]]) -> None:
    sequences, model = Sequences(), {0}
    for step, number in steps:
        if step == "add":
            assert sequences.add(number) == (number not in model)
            model.add(number)
        elif step == "raise":
            sequences.raise_to(number)
            model |= set(range(number + 1))
        else:
            sequences.cut_to(number)
            model = {each for each in model if each <= number}
        held = {each for first, last in sequences.ranges for each in range(first, last + 1)}
        assert held == model
        assert sequences.last == max(model)
        for (_, last), (first, _) in zip(sequences.ranges, sequences.ranges[1:], strict=False):
            assert last + 1 < first


def test_in_order_it_is_one_range() -> None:
    sequences = Sequences()
    for number in range(1, 10_001):
        sequences.add(number)
    assert sequences.ranges == [(0, 10_000)]
    assert Sequences(sequences.ranges).ranges == sequences.ranges
