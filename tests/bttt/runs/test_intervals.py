import pytest

from bttt.runs.intervals import wilson


@pytest.mark.parametrize(
    ("count", "total", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)],
)
def test_wilson_intervals_are_the_published_ones(count, total, low, high):
    """The last one is the example of Newcombe (1998), Statistics in Medicine 17, table I."""
    assert wilson(count / total, total) == pytest.approx((low, high), abs=5e-5)
