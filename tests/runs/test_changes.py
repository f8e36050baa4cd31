"""Settings in which two runs differ, by their paths."""

from posttrain.runs.changes import changes, told


def test_what_differs_is_named_by_its_path() -> None:
    before = {"train": {"steps": 3, "betas": (0.9, 0.95)}, "seed": 0, "rewards": ["a"]}
    now = {"train": {"steps": 5, "betas": [0.9, 0.95]}, "seed": 0, "model": {"lora": {"rank": 8}}}
    assert changes(before, now) == {
        "model.lora.rank": (None, 8),
        "rewards": (["a"], None),
        "train.steps": (3, 5),
    }
    assert changes(before, before) == {}


def test_a_section_that_comes_or_goes_is_one_line() -> None:
    without = {"train": {"steps": 3}, "evaluate": None}
    with_one = {"train": {"steps": 5}, "evaluate": {"every": 2, "data": {"path": "a"}}, "new": None}
    assert told(without, with_one) == ["evaluate: added", "train.steps: 5, was 3"]
    assert told(with_one, without) == ["evaluate: removed", "train.steps: 3, was 5"]
    assert told(without, without) == []
