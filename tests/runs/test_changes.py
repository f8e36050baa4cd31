"""Settings in which two runs differ, by their paths."""

from posttrain.runs.changes import changes


def test_what_differs_is_named_by_its_path() -> None:
    before = {"train": {"steps": 3, "betas": (0.9, 0.95)}, "seed": 0, "rewards": ["a"]}
    now = {"train": {"steps": 5, "betas": [0.9, 0.95]}, "seed": 0, "model": {"lora": {"rank": 8}}}
    assert changes(before, now) == {
        "model.lora.rank": (None, 8),
        "rewards": (["a"], None),
        "train.steps": (3, 5),
    }
    assert changes(before, before) == {}
