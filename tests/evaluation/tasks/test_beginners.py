"""The model that the methods of a task start from is trained once for each folder."""

from posttrain.evaluation.tasks.beginners import beginner


def test_a_beginner_is_trained_once(tmp_path):
    shown = [("ab=", "ab"), ("ba=", "ab")]
    folder = beginner(tmp_path / "model", shown, seed=1, steps=1)
    written = {f.name: f.stat().st_mtime_ns for f in folder.iterdir()}
    assert "config.json" in written
    assert beginner(folder, [("other", "texts")], seed=2, steps=9) == folder
    assert {f.name: f.stat().st_mtime_ns for f in folder.iterdir()} == written
