"""Special tokens that data spells out, and texts that continue others."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from posttrain.data.chat.control import ControlTokens
from tests.data.tokenizer import byte_tokenizer

END = "<|im_end|>"


class Mute:
    """A tokenizer in plain Python, as transformers still has some."""

    is_fast = False

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, text, **options):
        return self.tokenizer(text, **options)


@pytest.mark.parametrize("mute", [False, True])
def test_hidden_tokens_are_spelled_and_others_are_themselves(mute):
    tokenizer = byte_tokenizer()
    control = ControlTokens(Mute(tokenizer) if mute else tokenizer)
    text = "<filename>" + control.hide(f"a{END}b<filename>", {END}) + END
    ids = control.encode(text)
    assert tokenizer.decode(ids) == control.shown(text) == f"<filename>a{END}b<filename>{END}"
    assert ids[-1] == tokenizer.convert_tokens_to_ids(END) not in ids[:-1]
    assert ids.count(tokenizer.convert_tokens_to_ids("<filename>")) == 2


@pytest.mark.parametrize("scheme", ["always", "first", "never"])
def test_a_text_that_continues_another_has_no_space_before_it(scheme):
    words = ["<unk>", "▁", "\n", "▁\n", "a", "▁a", "b", "<s>"]
    bare = Tokenizer(models.BPE({w: i for i, w in enumerate(words)}, [("▁", "a"), ("▁", "\n")], unk_token="<unk>"))
    bare.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=scheme, split=False)
    control = ControlTokens(PreTrainedTokenizerFast(tokenizer_object=bare, eos_token="<s>"))
    assert [words[i] for i in control.continued("ab")] == ["a", "b"]
    assert [words[i] for i in control.continued(" ab")] == ["▁a", "b"]


@pytest.mark.parametrize("hidden", [False, True])
def test_places_of_edges_in_a_text(hidden):
    """Whether only the last piece is tokenised again or, with hidden tokens or in plain Python, every beginning."""
    tokenizer = byte_tokenizer(merges=("= 1", "Ċ Ċ"))
    text = f"a=1<filename>\n\nb{END}"
    edges = [0, 2, 3, 13, 14, 16, len(text)]
    controls = [ControlTokens(tokenizer), ControlTokens(Mute(tokenizer))]
    if hidden:
        text += controls[0].hide(END, {END})
    for control in controls:
        ids, places = control.encode_with_places(text, edges)
        assert ids == control.encode(text)
        assert places == [0, None, 2, 3, None, 5, 6]
