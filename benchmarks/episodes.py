"""64 episodes of `python_tool`, 4 turns each, on SmolLM2-135M: episodes a second, against a loop over `generate`.

    python benchmarks/episodes.py [--episodes 64] [--turns 4] [--tokens 32] [--rounds 2]

Both sides: the same weights (bf16 where the processor has it, else float32), tasks, sandbox and two tools at a time,
temperature 1, the whole vocabulary, turns of at most --tokens. A turn of the untrained model seldom is a call, so each
turn runs a cell of its task's number, whatever the model wrote, and the episode is over after --turns. The peer is what
one writes with transformers alone: render all conversations, `generate` for all of them as one left-padded batch, run
the tools, append what they say, and again. Ours keeps keys and values from turn to turn, and records tokens and
log-probs; that the peer would have to tokenise its text again to train on it is not measured.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

from pairs import fastest_dtype, in_turn

from posttrain.environments.bundled.python_tool import PythonTool
from posttrain.environments.environment import Action, Environment, Outcome
from posttrain.records import Message, Prompt

WARM_UP = 4  # episodes
WORKERS = 2


class Cells(Environment):
    """Runs a cell of `python_tool` in every turn, and is over after `turns` of them."""

    def __init__(self, *, turns: int = 4) -> None:
        self.tool, self.turns, self.cells = PythonTool(), turns, 0

    @classmethod
    def tasks(cls, count: int, seed: int) -> Sequence[Mapping[str, Any]]:
        return PythonTool.tasks(count, seed)

    def reset(self, prompt: Prompt, seed: int) -> Sequence[Message]:
        self.cells = 0
        return super().reset(prompt, seed)

    def step(self, action: Action) -> Outcome:  # noqa: ARG002
        self.cells += 1
        said = self.tool.python(f"x = {self.cells}\nsum(k * x for k in range(1000))")
        message = {"role": "user", "content": f"The tool says: {said}"}
        return Outcome((message,), 0.0, done=self.cells == self.turns)


def ours(options: argparse.Namespace, _: Path) -> list[float]:
    from posttrain.config.load import load
    from posttrain.core.method import Sampling
    from posttrain.launch.run import open_session

    content = {
        "model": {"path": "smollm2", "dtype": fastest_dtype()},
        "environment": {"path": f"{__file__}:Cells", "turns": options.turns, "workers": WORKERS},
        "sampling": {"max_tokens": options.tokens, "slots": options.episodes},
        "data": {"path": "environment", "size": options.episodes},
    }
    with open_session(load(content, complete=False), write=False) as session:
        prompts = list(session.dataset(session.run.file.data["main"], "prompts"))
        session.sample(prompts[:WARM_UP], Sampling(), names=("warm up",))
        begin = time.perf_counter()
        played = session.sample(prompts, Sampling(), names=("episodes",))
        seconds = time.perf_counter() - begin
    assert all(not e.error and len(e.conversation) >= 2 * options.turns for e in played)
    return [len(played) / seconds]


def generate(options: argparse.Namespace, _: Path) -> list[float]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from posttrain.models.loading import gguf

    path = str(gguf.converted(gguf.smollm2()))
    tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, fastest_dtype())).eval()

    def play(count: int) -> float:
        begin = time.perf_counter()
        tasks = Cells.tasks(count, 0)
        cells = [Cells(turns=options.turns) for _ in tasks]
        conversations = [[{"role": "user", "content": t["prompt"]}] for t in tasks]
        with ThreadPoolExecutor(WORKERS) as pool:
            for _ in range(options.turns):
                texts = tokenizer.apply_chat_template(conversations, add_generation_prompt=True, tokenize=False)
                asked = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
                with torch.no_grad():
                    made = model.generate(
                        **asked,
                        do_sample=True,
                        temperature=1.0,
                        top_k=0,
                        top_p=1.0,
                        max_new_tokens=options.tokens,
                        pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id,
                    )
                said = tokenizer.batch_decode(made[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
                outcomes = list(pool.map(lambda c, text: c.step(Action(text, content=text)), cells, said))
                for conversation, text, outcome in zip(conversations, said, outcomes, strict=True):
                    conversation += [{"role": "assistant", "content": text}, *map(dict, outcome.messages)]
        return count / (time.perf_counter() - begin)

    play(WARM_UP)
    return [play(options.episodes)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("episodes", 64), ("turns", 4), ("tokens", 32)):
        parser.add_argument(f"--{name}", type=int, default=default)
    in_turn(
        parser,
        {"ours": ours, "generate": generate},
        "episodes/s",
        more_is_better=True,
        peer="transformers generate",
    )


if __name__ == "__main__":
    main()
