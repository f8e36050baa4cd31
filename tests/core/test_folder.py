"""Names of the files of a package, over all folders of its path."""

from posttrain.core.folder import file_names


def test_every_module_of_every_folder_once_and_in_order(tmp_path):
    for name in ("a/b.py", "a/__init__.py", "a/note.txt", "c/a.py", "c/b.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert file_names([str(tmp_path / "a")]) == ("b",)
    assert file_names([str(tmp_path / "a"), str(tmp_path / "c")]) == ("a", "b")
