"""The demonstration of tools: a tiny model from scratch learns to let a calculator answer, by GRPO over its episodes.

It is taught to call the tool, and then to guess instead three times in four, wrongly. Nothing but the reward of whole
episodes says that calling is better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from posttrain.core.method import MAIN
from posttrain.data.dataset import Dataset, from_rows, load
from posttrain.environments.tools.calculator import calculate
from posttrain.environments.tools.schema import name_of, schemas_of
from posttrain.records import Message, Prompt
from posttrain.training.session import Session

TOOLS: dict[str, Any] = {
    "model": {"path": "tiny", "chat_template": str(Path(__file__).parent / "tools.jinja")},
    "method": {"path": "online/grpo", "kl.weight": 0},
    "environment": {"path": "arithmetic_tool", "max_turns": 2},
    "data": "arithmetic:level=3,chat=false,size=1600",
    "sampling": {"max_tokens": 48, "samples": 8, "slots": 256},
    "train": {"steps": 25, "prompts_per_step": 16, "learning_rate": 5.0e-4, "max_seconds": 420},
    "evaluate": {"data": "arithmetic:level=3,chat=false,split=test,size=200"},
}
CALLS: dict[str, Any] = {"steps": 120, "prompts_per_step": 64, "learning_rate": 3.0e-3}
GUESSES: dict[str, Any] = {"steps": 15, "prompts_per_step": 64, "learning_rate": 1.0e-3}
ERRORS = (1, -1, 2, -2, 10)  # of guesses


def teach(session: Session, report: Callable[[str], None]) -> None:
    """Imitate episodes that call the tool, and then such of which three in four guess."""
    report("teach    supervised fine-tuning from random weights: calls of a tool, then guesses in their place")
    problems = [p for p in load(session.run.file.data[MAIN].path, "prompts") if isinstance(p, Prompt)]
    session.train("imitation/sft", demonstrations(problems, guesses=0), rewards=(), **CALLS)
    session.train("imitation/sft", demonstrations(problems, guesses=3), rewards=(), **GUESSES)


def demonstrations(problems: Sequence[Prompt], *, guesses: int) -> Dataset:
    """Make an episode of each problem. `guesses`: of four in a row, those that answer at once, and wrongly."""
    tools = schemas_of([calculate])
    rows = []
    for i, p in enumerate(problems):
        asked, result = str(p.prompt), str(p.columns["answer"])
        guess = {"role": "assistant", "content": str(int(result) + ERRORS[i % len(ERRORS)])}
        said = [guess] if i % 4 < guesses else _called(asked.rstrip("="), result, name_of(tools[0]))
        rows.append({"prompt": [{"role": "user", "content": asked}], "completion": said, "tools": tools})
    return from_rows(rows, "demonstrations", name=f"episodes with {guesses} guesses in 4")


def _called(expression: str, result: str, tool: str) -> list[Message]:
    """A call of the tool, its result, and the same number as the answer."""
    call = {"name": tool, "arguments": {"expression": expression}}
    return [
        {"role": "assistant", "content": "", "tool_calls": [{"type": "function", "function": call}]},
        {"role": "tool", "content": result},
        {"role": "assistant", "content": result},
    ]
