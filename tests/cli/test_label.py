"""`posttrain label`: pairs in, a feedback file out, that is continued and that a run reads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from posttrain.cli import main as cli
from posttrain.data.dataset import load
from posttrain.judges.labelling import Labeller
from posttrain.records import Pair
from tests.cli.test_model import say
from tests.endpoint.server import Server, answer, send

ROWS = [{"prompt": f"{i}?", "chosen": "yes" * i, "rejected": "no"} for i in (1, 2, 3)]


class Longer:
    """Prefers the longer answer by 0.3 and the first place by 0.1; knows nothing of equal lengths."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, conversations: Any, *, max_tokens: int) -> list[list[str]]:
        return [[f"because, in {max_tokens}"] for _ in conversations]

    def choose(self, conversations: Any, options: Any) -> list[list[float]]:
        self.asked = [turns[0]["content"] for turns in conversations]
        wins = []
        for text in self.asked:
            one, other = text.splitlines()[0].split("|")
            wins.append(0.6 + 0.3 * (len(one) > len(other)) - 0.3 * (len(one) < len(other)))
        return [[p, 1 - p] for p in wins]


def test_an_act_says_who_what_how_probable_and_why() -> None:
    labeller = Labeller("ann", Longer(), "{first}|{second}", reason="Why?", abstain=0.1, max_tokens=9)
    good, bad, even = labeller.acts([Pair(0, "q", "longer", "short"), Pair(1, "q", "a", "bb"), Pair(2, "q", "a", "b")])
    assert good["judgement"] == {"type": "preference", "preferred": 0, "confidence": pytest.approx(0.8)}
    assert good["columns"] == {"shown_first": pytest.approx(0.9), "shown_second": pytest.approx(0.7)}
    assert bad["judgement"] == {"type": "preference", "preferred": 1, "confidence": pytest.approx(0.8)}
    assert even["judgement"]["type"] == "skip"
    assert (good["annotator"], good["reason"], good["shown"]) == ("ann", "because, in 9", [0, 1])
    assert [a["text"] for a in bad["answers"]] == ["a", "bb"]


def likes_yes(handler: Any, body: dict[str, Any]) -> None:
    first = body["messages"][0]["content"].split("<answer_A>\n")[1]
    top = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.0}]
    if not first.startswith("yes"):
        top = [{"token": "B", "logprob": -0.1}, {"token": "A", "logprob": -2.0}]
    reply = answer(body, "A")
    reply["choices"][0]["logprobs"] = {"content": [{**top[0], "top_logprobs": top}]}
    send(handler, json.dumps(reply).encode())


def test_a_file_is_continued_and_read_as_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    out = tmp_path / "new" / "labels.jsonl"
    with Server(likes_yes) as server:
        asked = (
            "label",
            str(tmp_path / "pairs.jsonl"),
            "--judge",
            "fake-judge",
            "--url",
            server.url,
            "--out",
            str(out),
        )
        assert "2 new labels by fake-judge, 0 known, 2 of 2 prefer the first" in say(capsys, *asked, "--size", "2")
        assert "1 new labels by fake-judge, 2 known" in say(capsys, *asked)
        assert len(server.bodies) == 6
        assert "0 new labels" in say(capsys, *asked)
    pairs = load(str(out), "pairs")
    assert [p.chosen for p in pairs if isinstance(p, Pair)] == ["yes", "yesyes", "yesyesyes"]
    assert all(p.columns["agreement"] == pytest.approx(0.8699, abs=1e-4) for p in pairs if isinstance(p, Pair))
    assert {p.columns["annotator"] for p in pairs if isinstance(p, Pair)} == {"fake-judge"}


def test_a_model_here_judges_and_a_file_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pairs.jsonl").write_text(json.dumps(ROWS[0]) + "\n")
    (tmp_path / "ask.txt").write_text("{first}{second}?")
    asked = ("label", str(tmp_path / "pairs.jsonl"), "--judge", "tiny", "--question", str(tmp_path / "ask.txt"))
    assert "1 new labels by tiny" in say(capsys, *asked, "--out", str(tmp_path / "out.jsonl"))
    (act,) = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    win = (act["columns"]["shown_first"] + act["columns"]["shown_second"]) / 2
    assert act["judgement"]["confidence"] == pytest.approx(max(win, 1 - win))
    with pytest.raises(SystemExit):
        cli.main([*asked, "--out", str(tmp_path / "pairs.jsonl")])
    assert "no act of feedback" in " ".join(capsys.readouterr().err.split())
