"""What `posttrain doctor` finds."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from posttrain.cli import doctor, main

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def found(**changes: Any) -> dict[str, Any]:
    return {"packages": {"torch": "2.6"}, "disk": {"folder": "/x", "free_gb": 100.0}, **changes}


def test_extras_are_those_of_pyproject() -> None:
    declared = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    for extra in ("test", "check"):
        del declared[extra]
    names = {extra: {r.split("=")[0].rstrip("<>") for r in needed} for extra, needed in declared.items()}
    assert {extra: set(needed) for extra, needed in doctor.EXTRAS.items()} == names


def test_packages_are_required_ones() -> None:
    required = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    assert set(doctor.PACKAGES) <= {r.split("=")[0].rstrip("<>") for r in required}


@pytest.mark.parametrize(
    ("flags", "kind"),
    [
        ({"avx512_bf16", "amx_bf16"}, "amx"),
        ({"avx512_bf16", "avx2"}, "avx512"),
        ({"bf16", "asimd"}, "arm"),
        ({"avx2"}, "emulated"),
        (set(), "emulated"),
    ],
)
def test_bfloat16_of_the_processor(flags: set[str], kind: str) -> None:
    assert doctor.cpu_bf16(flags) == kind


def test_problems_name_the_remedy() -> None:
    assert doctor.problems(found()) == []
    (missing,) = doctor.problems(found(packages={"torch": "2.6", "peft": None}))
    assert missing == "peft is not installed: pip install peft"
    (full,) = doctor.problems(found(disk={"folder": "/x", "free_gb": 0.5}))
    assert "only 0.5 GB are free in /x" in full


def test_json_and_text_say_the_same(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    examined = doctor.examine()
    monkeypatch.setattr(doctor, "examine", lambda: examined)
    for arguments in (["doctor", "--json"], ["doctor"]):
        with pytest.raises(SystemExit) as caught:
            main.main(arguments)
        assert caught.value.code == (1 if examined["problems"] else 0)
    as_json, _, text = capsys.readouterr().out.partition("}\n")
    assert json.loads(as_json + "}") == examined
    assert examined["packages"]["torch"] in text
    assert f"{examined['torch']['threads']}" in text
    names = [f"sandbox {name}" for name in examined["sandboxes"]]
    assert all(f"\n{name} " in text for name in names)


def test_a_missing_extra_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: None if name == "pyarrow" else real(name))
    with pytest.raises(SystemExit):
        main.main(["doctor"])
    assert "pip install 'posttrain[data]'  (lacks pyarrow)" in capsys.readouterr().out


def test_runs_are_examined_instead(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, dead in (("well", 0.1), ("ill", 0.9)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.json").write_text("{}")
        rows = [json.dumps({"step": n, "frac_reward_zero_std": dead}) + "\n" for n in range(1, 31)]
        (folder / "metrics.jsonl").write_text("".join(rows))
    for arguments, code in (([str(tmp_path / "well")], 0), ([str(tmp_path)], 1)):
        with pytest.raises(SystemExit) as end:
            main.main(["doctor", *arguments])
        assert end.value.code == code
        said = capsys.readouterr().out
        assert "well: no findings" in said
    assert "ill: 1 finding\n  dead groups: in 90% of the groups" in said
    assert "try: the prompts are too hard or too easy" in said
    with pytest.raises(SystemExit):
        main.main(["doctor", "--json", str(tmp_path)])
    assert json.loads(capsys.readouterr().out)["ill"][0]["metric"] == "frac_reward_zero_std"
    with pytest.raises(SystemExit):
        main.main(["show", str(tmp_path / "ill")])
    assert "dead groups" in capsys.readouterr().out
