"""The models of a run as text roles, and what cannot be one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from posttrain.errors import ModelError
from posttrain.records import Record, Turns
from posttrain.roles.model import ModelRole

if TYPE_CHECKING:
    from posttrain.core.plan import Plan
    from posttrain.training.run import Run


def check_token_roles(run: Run, planned: Plan) -> None:
    """Raise ModelError if a method reads the tokens of a model that takes part only as text."""
    for role in planned.loaded:
        if role in run.text_roles:
            raise ModelError(
                f"models.{role}: {_why_text(run, role)}, and {planned.method.name} reads it token by token; token ids "
                "of one model mean nothing to the other: give a language model with the policy's tokenizer"
            )


def _why_text(run: Run, role: str) -> str:
    entry, model = run.file.models[role], run.text_roles[role]
    if entry.endpoint is not None:
        return f"{entry.endpoint.get('model')} is behind an endpoint"
    if isinstance(model, ModelRole) and not model.writes:
        return f"{entry.path} has no last layer of a language model (to train a classifier, set model: {entry.path})"
    return f"{entry.path} has another tokenizer than the policy {run.file.model.path}"


def turns(prompts: Sequence[Record | Turns]) -> list[Turns]:
    """Return prompts, or the prompts of records, as conversations or plain text."""
    return [p.prompt if isinstance(p, Record) else p for p in prompts]
