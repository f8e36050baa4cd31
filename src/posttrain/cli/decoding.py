"""The options of `sample` and `eval` that say how answers are drawn and chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from posttrain.core.choice import Choice
    from posttrain.core.decoder import Decoder
    from posttrain.rewards.reward import Reward
    from posttrain.runs.decoder import SavedDecoder
    from posttrain.search.search import Search
    from posttrain.training.estimates import Estimate

T = TypeVar("T")
ALONE = "none"
DecoderSpec = Annotated[
    str | None,
    typer.Option(
        "--decoder", help="How tokens are drawn: NAME or NAME:key=value, e.g. dera:lam=0.5; none: by the model alone."
    ),
]
Roles = Annotated[
    list[str] | None, typer.Option("--role", help="A model that is read: reference=FOLDER, reward=FOLDER; repeatable.")
]
ChoiceSpec = Annotated[
    str | None, typer.Option("--choose", help="Give one of n answers: best_of_n:n=8, rejection:n=8,beta=0.5, mbr:n=8.")
]
By = Annotated[
    str | None,
    typer.Option(
        "--choose-by", help="Reward that --choose reads: NAME or NAME:key=value; default: --role reward, or MODEL."
    ),
]
Begin = Annotated[
    str, typer.Option("--begin", help="Words that every answer begins with; the model goes on behind them.")
]
SearchSpec = Annotated[
    str | None,
    typer.Option("--search", help="Search answers step by step: beam:width=3, mcts, self_consistency:n=16."),
]
SearchBy = Annotated[
    str | None,
    typer.Option("--search-by", help="What says how good steps are: value (of MODEL or --role critic) or reward."),
]


@dataclass(frozen=True)
class Answering:
    """How a model answers: by which decoder, which of several answers is given, and the models that are read.

    `search`: a strategy, and what it asks for values. `begin`: the words that every answer begins with.
    """

    decoder: Decoder | None = None
    choice: Choice | None = None
    by: Reward | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    search: tuple[Search, Estimate] | None = None
    begin: str = ""

    @property
    def how(self) -> dict[str, Any]:
        """The arguments of `training.evaluation.evaluate`."""
        return {"decoder": self.decoder, "choice": self.choice, "by": self.by, "search": self.search}

    @property
    def scorers(self) -> list[Reward]:
        """The rewards that read columns of the data to choose an answer; what compares answers reads none."""
        return [] if self.by is None or self.choice is None or self.choice.compares else [self.by]

    @property
    def drawn(self) -> int:
        """Answers that are drawn for each one that is given."""
        return 1 if self.choice is None else self.choice.n


def answering(
    model: str,
    decoder: str | None,
    roles: Sequence[str] | None,
    choose: str | None,
    by: str | None,
    search: str | None,
    search_by: str | None,
    temperature: float,
) -> Answering:
    """Read the options for one model. Without a decoder it is the one that was saved with the model, if any."""
    if search is not None or search_by is not None:
        return searching(search, search_by, temperature, roles, decoder, choose, by)
    from posttrain.catalogue.index import load_choice, load_decoder
    from posttrain.runs.decoder import decoder_in

    saved = None if decoder == ALONE else decoder_in(model)
    made = load_saved(saved) if decoder is None and saved is not None else None
    parts = saved.parts if saved is not None else {}
    made = loaded(decoder, partial(load_decoder, parts=parts)) if decoder not in (None, ALONE) else made
    choice = loaded(choose, load_choice)
    check_choice(choice, by, temperature)
    if decoder is None and saved is not None:
        typer.echo(
            f"{model}: decoded with {saved.name}, which it was saved with (--decoder {ALONE}: without)", err=True
        )
    if choice is not None:
        bound = f"at most {choice.kl_bound:.3g} nats of KL from it"
        typer.echo(f"{model}: {choice.name} gives one of {choice.n} answers, {bound}", err=True)
    scored = choice is not None and by is None
    folders = {role: str(folder) for role, folder in saved.models.items()} if saved is not None else {}
    models = models_of(roles, made, folders | ({"reward": "policy"} if scored else {}), read=("reward",) * scored)
    return Answering(made, choice, None if by is None else reward_of(by), models)


def searching(
    spec: str | None, by: str | None, temperature: float, roles: Sequence[str] | None, *others: str | None
) -> Answering:
    """Read the options of a search. Raises ConfigError for what does not go together with it."""
    from posttrain.catalogue.index import load_strategy
    from posttrain.errors import ConfigError
    from posttrain.search.search import Search

    if spec is None:
        raise ConfigError(f"--search-by {by}: only a search reads it; add --search beam")
    if any(others):
        raise ConfigError(f"--search {spec}: it chooses between answers by itself; leave out --decoder and --choose")
    if temperature == 0:
        raise ConfigError(f"--search {spec}: greedy steps are all the same; add --temperature 1")
    search = loaded(spec, lambda name, settings: Search(Path(name).stem, *load_strategy(name, settings)))
    assert search is not None
    if search.name == "self_consistency" and by is None:
        return Answering(search=(search, lambda _, nodes: [None] * len(nodes)), models=models_of(roles, None, {}))
    estimate, role = estimates(by or "value")
    models = models_of(roles, None, {role: "policy"}, read=(role,))
    return Answering(search=(search, estimate), models=models)


def estimates(by: str) -> tuple[Estimate, str]:
    """Return what says how good steps are, and the role of the model that it reads. Raises ConfigError."""
    from posttrain.errors import ConfigError
    from posttrain.procedures.searching import VALUE
    from posttrain.training.estimates import Modelled
    from posttrain.training.role_rewards import model_score

    known = {"value": (VALUE, "critic"), "reward": (Modelled(model_score), "reward")}
    if by not in known:
        raise ConfigError(f"--search-by {by}: write value, the value head, or reward, a reward model")
    return known[by]


def check_choice(choice: Choice | None, by: str | None, temperature: float) -> None:
    """Raise ConfigError for a choice that has nothing to choose from or by."""
    from posttrain.errors import ConfigError

    if choice is None and by is not None:
        raise ConfigError(f"--choose-by {by}: only a choice reads it; add --choose best_of_n")
    if choice is not None and choice.n > 1 and temperature == 0:
        raise ConfigError(f"--choose {choice.name}: greedy answers are all the same; add --temperature 1")
    if choice is not None and choice.compares and by is None:
        raise ConfigError(
            f"--choose {choice.name} compares answers by a reward; add --choose-by translation:metric=chrf"
        )


def load_saved(saved: SavedDecoder) -> Decoder:
    """Load the decoder that was saved with a model."""
    from posttrain.catalogue.index import load_decoder

    return load_decoder(saved.name, saved.settings, parts=saved.parts)


def loaded(spec: str | None, load: Callable[[str, Mapping[str, Any]], T]) -> T | None:
    """Load what `NAME`, `./mine.py` or either with settings names: `NAME:key=value,key=value`."""
    from posttrain.data.sources import parse_spec
    from posttrain.evaluation.compare.contender import value

    if spec is None:
        return None
    name, settings = parse_spec(spec)
    return load(name, {key: value(text) for key, text in settings.items()})


def reward_of(spec: str) -> Reward:
    """Return the reward of `NAME`, `FILE:FUNCTION` or either with settings: `NAME:key=value,key=value`."""
    from posttrain.data.sources import parse_spec
    from posttrain.evaluation.compare.contender import value
    from posttrain.rewards.reward import resolve

    path, colon, tail = spec.rpartition(":")
    if not colon or "=" not in tail:
        return resolve(spec)
    settings = {k: value(text) for k, text in parse_spec(f"reward:{tail}")[1].items()}
    return resolve({"path": path, **settings})


def models_of(
    given: Sequence[str] | None, decoder: Decoder | None, others: Mapping[str, str], *, read: Sequence[str] = ()
) -> dict[str, str]:
    """Return the models of `ROLE=MODEL`, else of `others`. `read`: roles that are read besides those of the decoder.

    Raises ConfigError for one that nothing reads, or that is lacking.
    """
    from posttrain.errors import ConfigError, suggestion

    pairs = [text.partition("=") for text in given or ()]
    if bad := next((role + sign for role, sign, model in pairs if not (role and sign and model)), None):
        raise ConfigError(f"--role {bad}: write ROLE=MODEL, such as --role reference=FOLDER")
    models = {role: model for role, _, model in pairs}
    wanted = [role for role in decoder.roles if role != "policy"] if decoder is not None else []
    wanted += [role for role in read if role not in wanted]
    if unread := next((role for role in models if role not in wanted), None):
        known = ", ".join(wanted) or "none is; add --decoder NAME or --search NAME"
        raise ConfigError(f"--role {unread}: it is not read{suggestion(unread, wanted)}; what is read: {known}")
    models = {role: others[role] for role in wanted if role in others} | models
    if missing := next((role for role in wanted if role not in models), None):
        assert decoder is not None
        raise ConfigError(f"--decoder {decoder.name} reads the model {missing!r}; add --role {missing}=MODEL")
    return models
