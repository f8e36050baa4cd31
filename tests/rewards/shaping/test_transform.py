"""What a transform may take, and the errors of one that cannot be."""

from __future__ import annotations

import pytest

from posttrain.errors import ConfigError
from posttrain.rewards.shaping.transform import Transform, shipped, transform, transforms


def test_every_name_that_ships_resolves_and_says_what_it_does():
    assert {"clip", "contrastive", "preference", "whiten"} <= set(shipped())
    assert {"weighted_sum", "gate", "worst"} <= set(shipped("combine"))
    for kind, needs in (("transform", {}), ("combine", {"gate": {"by": "x"}})):
        for name in shipped(kind):
            assert str(transform({"path": name, **needs.get(name, {})}, kind)).startswith(name)


def test_a_name_a_mapping_a_function_and_a_file(tmp_path):
    def double(score):
        return 2 * score

    (tmp_path / "own.py").write_text("def half(score, *, by: float = 2.0):\n    return score / by\n")
    made = transforms(["clip", {"path": "clip", "low": 0}, double, f"{tmp_path}/own.py:half"])
    assert [t(3.0) for t in made] == [1.0, 1.0, 6.0, 1.5]
    assert [str(t) for t in made] == ["clip", "clip(low=0)", "double", "half"]
    assert transform(made[0]) is made[0]


@pytest.mark.parametrize(
    ("spec", "kind", "said"),
    [
        ("clp", "transform", "no transform 'clp' .did you mean 'clip'"),
        ("wurst", "combine", "no combine 'wurst' .did you mean 'worst'.*those that ship: first, gate"),
        ({"path": "clip", "lo": 1}, "transform", "clip.lo: unknown setting .did you mean 'low'"),
        ({"path": "clip", "low": "x"}, "transform", "clip.low: 'x': Input should be a valid number"),
        ("gate", "combine", "combine 'gate' needs 'by': {path: gate, by: ...}"),
        ({"low": 1}, "transform", "has no path"),
        (lambda answers: 0, "transform", r"takes \(answers\); it may take: score; score, baseline"),
        (lambda score, group: 0, "transform", r"takes \(score, group\)"),
    ],
)
def test_what_cannot_be_says_why(spec, kind, said):
    with pytest.raises(ConfigError, match=said):
        transform(spec, kind)


def test_settings_do_not_enter_the_hash():
    one = Transform("f", abs_of, {"by": [1]})
    assert hash(one) == hash(Transform("f", abs_of, {"by": [2]}))
    assert one != Transform("f", abs_of, {"by": [2]})


def abs_of(score, *, by: list = []):  # noqa: B006
    return abs(score)
