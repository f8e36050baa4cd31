"""One training run of each side that stamps the end of its steps. Both train the same SmolLM2 on the same rows, in
bf16 where the processor multiplies it fast, else in float32."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pairs import Stopwatch, fastest_dtype

os.environ.setdefault("HF_HUB_OFFLINE", "1")

# The fastest settings found for TRL on two cores.
TRL = {
    "use_cpu": True,
    "learning_rate": 1e-6,
    "optim": "adamw_torch_fused",
    "bf16": False,  # no autocast: the weights are bf16 already where that is fast
    "gradient_checkpointing": False,
    "report_to": [],
    "save_strategy": "no",
    "logging_strategy": "no",
    "disable_tqdm": True,
}


def posttrain_steps(
    method: str, rows: Sequence[Mapping[str, Any]], kind: str, content: Mapping[str, Any], folder: Path, **train: Any
) -> list[float]:
    """Seconds of each step of `method` on the rows; `content` are further sections of the run file."""
    from posttrain.config.load import load
    from posttrain.data.dataset import from_rows
    from posttrain.launch.run import open_session
    from posttrain.viewer.display import Display

    watch = Stopwatch()

    class Marks(Display):
        def step(self, step: int, metrics: object) -> None:  # noqa: ARG002
            watch.mark()

    base = {"model": "smollm2", "method": method, "data": "arithmetic", "output": str(folder)}
    run = load({**base, **content, "train": {"learning_rate": 1e-6, **content["train"]}})
    with open_session(run, display=Marks(), write=False) as session:
        assert run.method is not None
        watch.mark()
        session.train(run.method.path, from_rows(rows, kind), settings=run.method.settings, **train)
    return watch.steps[1:]


def trl_steps(
    trainer: type, config: type, rows: Sequence[Mapping[str, Any]], folder: Path, **settings: Any
) -> list[float]:
    """Seconds of each step of a TRL trainer; `settings` are those of its config, and `trainer_settings`."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

    from posttrain.models.loading import gguf

    watch = Stopwatch()

    class Marks(TrainerCallback):
        def on_step_end(self, *_: object, **__: object) -> None:
            watch.mark()

    source = gguf.converted(gguf.smollm2())
    own = settings.pop("trainer_settings", {})
    loader = settings.pop("loader", AutoModelForCausalLM)
    made = trainer(
        model=loader.from_pretrained(
            source, dtype=getattr(torch, fastest_dtype()), **settings.pop("model_settings", {})
        ),
        args=config(output_dir=str(folder), **TRL, **settings),
        train_dataset=Dataset.from_list([dict(row) for row in rows]),
        processing_class=AutoTokenizer.from_pretrained(source),
        callbacks=[Marks()],
        **own,
    )
    watch.mark()
    made.train()
    return watch.steps[1:]


def useful_tokens(conversations: Sequence[Sequence[Mapping[str, str]]]) -> int:
    """Tokens of whole conversations, padding not counted."""
    from transformers import AutoTokenizer

    from posttrain.models.loading import gguf

    tokenizer = AutoTokenizer.from_pretrained(gguf.converted(gguf.smollm2()))
    return sum(len(tokenizer.apply_chat_template(list(turns), return_dict=False)) for turns in conversations)
