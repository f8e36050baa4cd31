"""What a run warns of is counted in its run.json, beside the rows that it leaves out."""

import json

from posttrain.launch.train import train

ROWS = [
    {"prompt": "1+1=", "completion": "2", "teller": "a"},
    {"prompt": "1+2= ", "completion": "3", "teller": "b"},
    {"prompt": "1+3=", "completion": ""},
]


def test_warnings_and_dropped_rows_are_listed(tmp_path):
    file = tmp_path / "a.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    result = train(
        "tiny",
        "imitation/sft",
        {"path": str(file), "invalid": "drop", "chat": False},
        train={"steps": 1, "prompts_per_step": 2, "save_minutes": 0, "warmup": 4},
        output=str(tmp_path / "runs"),
        display=None,
    )
    facts = json.loads((result.directory / "run.json").read_text())
    (read,) = facts["warnings"][str(file)]
    assert read.startswith("the column 'teller' is not read (2 rows, the first ")
    (encoded,) = facts["warnings"][f"{file}, encoded"]
    assert encoded.startswith("the prompt ends with a space")
    assert encoded.endswith(f"(1 row, the first {file}:2)")
    assert facts["dropped"][str(file)] == [f"{file}:3: 'completion' is empty"]
    (warmed,) = facts["warnings"]["train.warmup"]
    assert "ends at 25% of its peak" in warmed
