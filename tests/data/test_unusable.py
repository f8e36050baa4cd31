"""The error about rows that cannot be used."""

from posttrain.data.unusable import UnusableError
from posttrain.errors import DataError

ERRORS = [DataError(f"a:{n}: bad") for n in (1, 4, 9)]


def test_it_names_the_first_and_counts_the_others():
    error = UnusableError(ERRORS, usable=1)
    assert error.messages == ("a:1: bad", "a:4: bad", "a:9: bad")
    assert str(error).splitlines() == [
        "a:1: bad",
        "2 more rows cannot be used, the next: a:4: bad",
        "1 row can be used; to leave such rows out, set invalid: drop for this data",
    ]
    assert str(UnusableError(ERRORS[:1], usable=0)) == "a:1: bad"
