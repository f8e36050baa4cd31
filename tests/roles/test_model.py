"""A model in this process as a text role, against plain transformers on the joint rendering."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from posttrain.backends.local.learner import LocalLearner
from posttrain.backends.local.sampler import LocalSampler
from posttrain.data.chat.encode import Encoder
from posttrain.errors import ConfigError, DataError, ModelError
from posttrain.models.loading.load import load
from posttrain.roles.model import ModelRole
from tests.roles.folders import classifier, language_model

TALK = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Is it so?"},
    {"role": "assistant", "content": "Maybe."},
    {"role": "user", "content": "yes or no?"},
)
ASKED = [TALK, "yes or no?", ({"role": "user", "content": "1, 2 or 10?"},)]
OPTIONS = [("yes", "no", "it is"), ("no", "yes"), ("1", "2", "10")]


def role_of(folder: Path, **settings: Any) -> ModelRole:
    """The text role of a saved model."""
    loaded = load(str(folder))
    learner = LocalLearner({"judge": loaded.network}, tokens_per_device=200)
    sampler = LocalSampler({"judge": loaded.network}, loaded.stop, slots=4)
    encoder = Encoder(loaded.tokenizer, loaded.network.context)
    return ModelRole("judge", encoder, learner.forward, sampler.generate, **settings)


def messages(turns: Any) -> list[Any]:
    return [{"role": "user", "content": turns}] if isinstance(turns, str) else list(turns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("other")


@pytest.fixture(scope="module")
def plain(folder: Path) -> tuple[Any, Any]:
    """The model and the tokenizer of transformers."""
    return language_model(folder)


@pytest.fixture(scope="module")
def judge(plain: tuple[Any, Any], folder: Path) -> Any:  # noqa: ARG001
    role = role_of(folder)
    yield role
    role.close()


def joint_probabilities(plain: tuple[Any, Any], turns: Any, options: tuple[str, ...]) -> torch.Tensor:
    """softmax of log p(option | rendered conversation), with the text of both tokenised in one piece."""
    model, tokenizer = plain
    text = tokenizer.apply_chat_template(messages(turns), tokenize=False, add_generation_prompt=True)
    start = len(tokenizer(text, add_special_tokens=False)["input_ids"])
    sums = []
    for option in options:
        ids = torch.tensor(tokenizer(text + option, add_special_tokens=False)["input_ids"])
        with torch.no_grad():
            logp = model(ids[None]).logits[0].log_softmax(-1)
        sums.append(logp[start - 1 : -1].gather(1, ids[start:, None]).sum())
    return torch.stack(sums).softmax(0)


# ---- choosing


def test_probabilities_are_those_of_plain_transformers(judge: ModelRole, plain: tuple[Any, Any]) -> None:
    for turns, options, actual in zip(ASKED, OPTIONS, judge.choose(ASKED, OPTIONS), strict=True):
        expected = joint_probabilities(plain, turns, options)
        torch.testing.assert_close(torch.tensor(actual), expected, rtol=1e-4, atol=1e-6)


def test_a_conversation_is_read_once_for_all_its_options(
    judge: ModelRole, plain: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from posttrain.models.network import Network

    read: list[int] = []
    states = Network.states
    monkeypatch.setattr(Network, "states", lambda self, x, *how: read.append(len(x)) or states(self, x, *how))
    (made,) = judge.choices([TALK], OPTIONS[0])
    prompt, own = len(judge._prompt(TALK, room=1)), [len(logp) for logp in made.logp]
    assert sum(read) == prompt + sum(own)  # of prompt + own for each of them
    torch.testing.assert_close(
        torch.tensor(made.probabilities()), joint_probabilities(plain, TALK, OPTIONS[0]), rtol=1e-4, atol=1e-6
    )


def test_probabilities_sum_to_one_and_follow_a_permutation(judge: ModelRole) -> None:
    (straight,) = judge.choose([TALK], ["yes", "no", "it is"])
    (turned,) = judge.choose([TALK], ["it is", "yes", "no"])
    assert sum(straight) == pytest.approx(1.0, abs=1e-12)
    assert turned == pytest.approx([straight[2], straight[0], straight[1]], rel=1e-5)


def test_one_list_of_options_is_for_all_conversations(judge: ModelRole) -> None:
    assert judge.choose(ASKED, ["yes", "no"]) == judge.choose(ASKED, [["yes", "no"]] * 3)
    assert judge.choose([], ["yes", "no"]) == []


def test_an_option_that_begins_another_is_at_least_as_probable(judge: ModelRole) -> None:
    (probabilities,) = judge.choose([TALK], ["1", "10"])
    assert probabilities[0] >= probabilities[1]


def test_data_that_spells_a_control_token_stays_text(judge: ModelRole) -> None:
    hostile = "<|im_end|>"
    tokens, read = judge.encoder.followed(({"role": "user", "content": "Is it?"},), hostile)
    assert judge.encoder.tokenizer.convert_tokens_to_ids(hostile) not in tokens[read:]
    assert len(judge.choose([f"yes{hostile}"], ["yes", hostile])[0]) == 2


@pytest.mark.parametrize("options", [[], ["yes", "yes"], ["yes", ""], [["yes"], ["no"]]])
def test_options_that_cannot_be_told_apart_are_an_error(judge: ModelRole, options: Any) -> None:
    with pytest.raises(ConfigError, match="choose: "):
        judge.choose([TALK], options)


def test_options_need_room_in_the_context(judge: ModelRole) -> None:
    with pytest.raises(DataError, match="does not fit into max_length 128"):
        judge.choose(["x" * 60], ["yes", "n" * 60])


# ---- asking


def test_replies_are_those_of_greedy_decoding_in_transformers(judge: ModelRole, plain: tuple[Any, Any]) -> None:
    model, tokenizer = plain
    replies = judge.ask(ASKED, max_tokens=6, temperature=0)
    for turns, (reply,) in zip(ASKED, replies, strict=True):
        text = tokenizer.apply_chat_template(messages(turns), tokenize=False, add_generation_prompt=True)
        ids = torch.tensor([tokenizer(text, add_special_tokens=False)["input_ids"]])
        made = model.generate(ids, max_new_tokens=6, do_sample=False, pad_token_id=0)[0, ids.shape[1] :]
        assert reply == tokenizer.decode(made, skip_special_tokens=True)


def test_replies_depend_on_the_seed_and_their_own_conversation(judge: ModelRole) -> None:
    one = judge.ask(ASKED, samples=2, max_tokens=8, seed=5)
    assert one == judge.ask(ASKED, samples=2, max_tokens=8, seed=5)
    assert one[1:] == judge.ask(ASKED[1:], samples=2, max_tokens=8, seed=5)
    assert one != judge.ask(ASKED, samples=2, max_tokens=8, seed=6)
    assert [len(replies) for replies in one] == [2, 2, 2]
    assert len({text for replies in one for text in replies}) > 3
    twice = judge.ask([TALK, TALK], max_tokens=8, seed=5)
    assert [reply for (reply,) in twice] == one[0]


# ---- scoring


ANSWERED = [(*TALK, {"role": "assistant", "content": text}) for text in ("yes", "no, it is not", "yes")]


def classified(plain: tuple[Any, Any], conversation: Any) -> float:
    model, tokenizer = plain
    text = tokenizer.apply_chat_template(messages(conversation), tokenize=False)
    with torch.no_grad():
        return float(model(**tokenizer(text, add_special_tokens=False, return_tensors="pt")).logits)


@pytest.mark.parametrize("tied", [True, False])
def test_scores_are_those_of_a_classifier_of_transformers(tmp_path: Path, tied: bool) -> None:
    theirs = classifier(tmp_path, tied=tied)
    role = role_of(tmp_path)
    short = ({"role": "user", "content": "?"}, {"role": "assistant", "content": "!"})
    conversations = [*ANSWERED, short]
    expected = [classified(theirs, c) for c in conversations]
    assert role.score(conversations) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert len(set(expected)) == 3
    role.close()


def test_padding_at_the_end_is_not_read_where_transformers_do_not_read_it(tmp_path: Path) -> None:
    theirs, tokenizer = classifier(tmp_path)
    tokenizer.chat_template = "{% for m in messages %}{{ m['content'] + '<|im_end|>' }}{% endfor %}"
    tokenizer.save_pretrained(tmp_path)
    expected = [classified((theirs, tokenizer), c) for c in ANSWERED]
    role = role_of(tmp_path, padding=tokenizer.pad_token_id)
    assert role.score(ANSWERED) == pytest.approx(expected, rel=1e-4, abs=1e-5)
    assert role_of(tmp_path).score(ANSWERED) != pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_conversation_that_cannot_be_read_fails_alone(judge: ModelRole) -> None:
    long = ({"role": "user", "content": "x" * 200}, {"role": "assistant", "content": "yes"})
    fine, fails, odd = judge.score([ANSWERED[0], long, TALK])
    assert isinstance(fine, float)
    assert isinstance(fails, DataError)
    assert "does not fit" in str(fails)
    assert isinstance(odd, DataError)
    assert "the assistant's answer" in str(odd)
    assert judge.score([]) == []


def test_a_model_without_a_score_head_cannot_score(folder: Path, plain: tuple[Any, Any]) -> None:  # noqa: ARG001
    with pytest.raises(ConfigError, match="models.judge has no score head, .*; give a reward model"):
        role_of(folder, scores=False).score(ANSWERED)


def test_a_classifier_that_writes_nothing_can_neither_be_asked_nor_choose(tmp_path: Path) -> None:
    classifier(tmp_path)
    assert not load(str(tmp_path)).network.writes
    role = role_of(tmp_path, writes=False)
    for use in (lambda: role.ask([TALK], max_tokens=1), lambda: role.choose([TALK], ["yes", "no"])):
        with pytest.raises(ConfigError, match="models.judge is a classifier without the last layer"):
            use()


# ---- without a chat template


def test_without_a_template_one_question_is_plain_text(tmp_path: Path) -> None:
    model, tokenizer = language_model(tmp_path, template=False)
    role = role_of(tmp_path)
    (actual,) = role.choose(["so: "], ["yes", "no"])
    assert role.choose([({"role": "user", "content": "so: "},)], ["yes", "no"]) == [actual]
    sums = []
    for option in ("yes", "no"):
        ids = torch.tensor(tokenizer("so: " + option)["input_ids"])
        with torch.no_grad():
            logp = model(ids[None]).logits[0].log_softmax(-1)
        sums.append(float(logp[3:-1].gather(1, ids[4:, None]).sum()))
    torch.testing.assert_close(torch.tensor(actual), torch.tensor(sums).softmax(0), rtol=1e-4, atol=1e-6)
    assert isinstance(
        role.score([({"role": "user", "content": "so: "}, {"role": "assistant", "content": "yes"})])[0], float
    )
    with pytest.raises(ModelError, match=r"models.judge: .* set models.judge.chat_template"):
        role.choose([TALK], ["yes", "no"])
