"""What stands between a sampled turn and the next: tokens against plain transformers, over all templates."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from posttrain.data.chat.continuation import RewrittenError, continued, followed
from posttrain.errors import DataError
from tests.border.conversations import cases
from tests.border.encoders import encoder_of
from tests.border.families import BY_NAME, FAMILIES
from tests.border.messages import TOOL, calls, result, says, user
from tests.border.reference import expected_rows, render, tokens_of
from tests.border.test_joint import LIMITS
from tests.border.tokenizers import KINDS

PLACES = [(family, kind) for i, family in enumerate(FAMILIES) for kind in (KINDS[i % 4],)]
places = pytest.mark.parametrize(("family", "kind"), PLACES, ids=[f"{f.name}-{k}" for f, k in PLACES])


def turns(case):
    """The place of each turn of the assistant with messages behind it, and where the next one begins."""
    own = [i for i, m in enumerate(case.messages) if m["role"] == "assistant"]
    ends = [*own[1:], len(case.messages)]
    return [(i, j) for i, j in zip(own, ends, strict=True) if j > i + 1]


@places
def test_prompt_turn_and_continuation_are_the_whole_conversation(family, kind):
    """Wherever the template leaves what came before as it was; elsewhere there is an error that says so."""
    encoder = encoder_of(family, kind)
    tokenizer = encoder.tokenizer

    @LIMITS
    @given(case=cases(family), cut=st.integers(0, 2))
    def holds(case, cut):
        messages = [{k: v for k, v in m.items() if k != "trained"} for m in case.messages]
        for i, j in turns(case):
            conversation, follows = messages[: i + 1], messages[i + 1 : j]
            (*_, row) = expected_rows(tokenizer, family, conversation, i, case.arguments)
            asked, said = row.text[: row.spans[0][0]], row.text[slice(*row.spans[0])]
            said = said if cut == 0 else said.removesuffix(family.end)
            whole = render(tokenizer, messages[:j], case.arguments, asks=True)
            read = tokens_of(tokenizer, asked)
            both = tokens_of(tokenizer, asked + said)
            sampled = both[len(read) :] if both[: len(read)] == read else encoder.control.continued(said)
            if cut == 2:  # in other tokens than the tokenizer's own
                assume(kind != "sentencepiece" and not family.swallows)  # where spaces come and go behind marks
                sampled = [t for c in said for t in encoder.control.continued(c)]
                assume(tokenizer.decode(sampled) == said)
            if not whole.startswith(asked + said):
                with pytest.raises(RewrittenError, match="otherwise once messages follow"):
                    continued(encoder, conversation, follows, case.arguments, sampled=sampled)
                continue
            tokens = [*read, *sampled, *continued(encoder, conversation, follows, case.arguments, sampled=sampled)]
            assert tokenizer.decode(tokens) == tokenizer.decode(tokens_of(tokenizer, whole))
            if both == [*read, *sampled]:
                assert tokens == tokens_of(tokenizer, whole)

    holds()


TALK = (user("Weather?"), says("<tool_call>\n{}\n</tool_call>"))


def test_what_ends_the_turn_is_written_once():
    """By the policy, or in front of the messages where it was cut."""
    encoder = encoder_of("qwen2.5")
    said = encoder.control.encode(TALK[1]["content"])
    end = tokens_of(encoder.tokenizer, "<|im_end|>")
    ended = continued(encoder, TALK, [result("18 C")], sampled=[*said, *end])
    assert encoder.tokenizer.decode(ended) == (
        "\n<|im_start|>user\n<tool_response>\n18 C\n</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )
    assert continued(encoder, TALK, [result("18 C")], sampled=said) == (*end, *ended)


@places
def test_observations_never_mark_turns(family, kind):
    """They are read, spelled out; the special tokens are those of a harmless observation."""
    encoder = encoder_of(family, kind)
    tokenizer = encoder.tokenizer
    asked = (user("Weather?"),)
    if "results" in family.writes and "tools" in family.writes:
        turn, answers = calls({}), lambda text: [result(text), result(text)]
    else:
        turn, answers = says(family.thought + "What do you see?"), lambda text: [user(text)]
    arguments = {"tools": [TOOL]} if "tools" in family.writes else {}
    (row,) = expected_rows(tokenizer, family, (*asked, turn), 1, arguments)
    sampled = encoder.control.continued(row.text[slice(*row.spans[0])])
    forged = "7" + "".join(t for t in family.control if t in encoder.template.marks.tokens) + "8"

    def special(text):
        tokens = continued(encoder, (*asked, turn), answers(text), arguments, sampled=sampled)
        return [t for t in tokens if t in encoder.control.ids], tokens

    if family.opens or family.name in ("olmo2", "harmony", "qwen3"):
        with pytest.raises(RewrittenError):
            special("7")
        return
    assert special(forged)[0] == special("78")[0]
    if kind in ("bytes", "greedy", "metaspace") and "▁" not in forged:
        assert forged in tokenizer.decode(special(forged)[1])


def test_marks_around_results_mark_turns_too():
    encoder = encoder_of("mistral3")
    assert {"[TOOL_RESULTS]", "[/TOOL_RESULTS]"} <= encoder.template.marks.tokens
    assert "[TOOL_CALLS]" not in encoder.template.marks.tokens


@pytest.mark.parametrize(
    ("name", "said", "what"),
    [
        ("qwen3", "<think>\nhm\n</think>\n\nRome<|im_end|>", "thought"),
        ("r1", "hm\n</think>\n\nRome<｜end▁of▁sentence｜>", "history"),
        ("olmo2", "Rome<|endoftext|>", "end"),
        ("llama3", " Rome<|eot_id|>", "answer"),
        ("qwen2.5", "Rome<|endoftext|>", "end"),
    ],
)
def test_what_the_template_changes_is_named(name, said, what):
    encoder = encoder_of(name)
    talk = (user("Capital?"), says(said.removesuffix(encoder.template.marks.end).removesuffix("<|endoftext|>")))
    with pytest.raises(RewrittenError) as error:
        continued(encoder, talk, [user("Sure?")], sampled=encoder.control.encode(said))
    assert error.value.what == what


def test_a_prefilled_turn_is_continued():
    encoder = encoder_of("chatml")
    prompt = (user("Capital?"), says("It is"))
    sampled = encoder.control.encode(" Rome.<|im_end|>")
    tokens = continued(encoder, (*prompt, says(" Rome.")), [user("Sure?")], sampled=sampled)
    assert encoder.tokenizer.decode(tokens) == "\n<|im_start|>user\nSure?<|im_end|>\n<|im_start|>assistant\n"


def test_the_form_that_the_template_writes_as_sampled_is_chosen():
    """All the text where that is exact, as with Qwen; text and calls apart where only they are, as with Mistral."""
    apart = calls({"city": "Rom"})
    for name, text in (
        ("qwen2.5", '<tool_call>\n{"name":"weather","arguments":{}}\n</tool_call>'),
        ("mistral3", '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rom"}, "id": "call00000"}]'),
    ):
        encoder = encoder_of(name)
        sampled = encoder.control.encode(text + BY_NAME[name].end)
        found = followed(encoder, [user("?")], [says(text), apart], [result("18")], sampled=sampled)
        assert found.message == (says(text) if name == "qwen2.5" else apart)
        assert found.tokens
    found = followed(encoder, [user("?")], [says("no"), apart], [result("18")], sampled=sampled[3:])
    assert (found.tokens, found.message) == (None, apart)
    assert isinstance(found.why, RewrittenError)
    with pytest.raises(DataError, match="Roles"):
        followed(encoder_of("gemma3"), [user("?")], [says("a")], [result("18")], sampled=[5])
