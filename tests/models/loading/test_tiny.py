import torch

from posttrain.core.rows import Rows
from posttrain.models.loading.probe import probe
from posttrain.models.loading.tiny import tiny_model


def test_the_same_seed_gives_the_same_bits_and_the_global_generator_is_left_alone():
    before = torch.get_rng_state()
    (first, _), (same, _), (other, _) = tiny_model(0), tiny_model(0), tiny_model(1)
    assert torch.equal(before, torch.get_rng_state())
    pairs = list(zip(first.parameters(), same.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert any(not torch.equal(a, c) for a, _, c in pairs)
    probe(first)


def test_every_text_survives_encoding_and_specials_are_distinct():
    net, tokenizer = tiny_model()
    text = "7+5=12\n naïve 漢字 🙂\t\0 <|end"
    tokens = tokenizer.encode(text)
    assert len(tokens) == len(text.encode())
    assert tokenizer.decode(tokens) == text
    specials = [tokenizer.pad_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id]
    assert len({*specials, *range(256)}) == 259
    assert max(tokenizer.get_vocab().values()) + 1 == len(tokenizer) == net.vocab_size
    assert tokenizer.encode("a<|end|>") == [*tokenizer.encode("a"), tokenizer.eos_token_id]
    assert tokenizer.eos_token_id not in tokenizer.encode("a<|end|>", split_special_tokens=True)


def test_the_template_only_ever_appends():
    _, tokenizer = tiny_model()
    talk = [
        {"role": "system", "content": "Add."},
        {"role": "user", "content": "7+5="},
        {"role": "assistant", "content": "12"},
        {"role": "user", "content": "1+1="},
    ]
    texts = [tokenizer.apply_chat_template(talk[:n], tokenize=False) for n in range(1, 5)]
    assert all(later.startswith(earlier) for earlier, later in zip(texts, texts[1:], strict=False))
    prompt = tokenizer.apply_chat_template(talk[:2], tokenize=False, add_generation_prompt=True)
    assert texts[2] == prompt + "12<|end|>"


def test_it_learns_to_add_quickly():
    """Forty steps on sums of two digits below five make the tokens of the answer probable."""
    net, tokenizer = tiny_model()
    sums = [(a, b) for a in range(5) for b in range(5)]
    prompts = [tokenizer.encode(f"<|user|>{a}+{b}=<|end|><|assistant|>") for a, b in sums]
    answers = [tokenizer.encode(f"{a + b}<|end|>") for a, b in sums]
    tokens = torch.tensor([t for p, a in zip(prompts, answers, strict=True) for t in p + a])
    mask = torch.tensor([m for p, a in zip(prompts, answers, strict=True) for m in [False] * len(p) + [True] * len(a)])
    sizes = torch.tensor([len(p + a) for p, a in zip(prompts, answers, strict=True)])
    rows = Rows(torch.arange(25).repeat_interleave(sizes), mask, 25)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for _ in range(40):
        optimiser.zero_grad()
        loss = -net.outputs(tokens, rows, ["logp"])["logp"].sum() / mask.sum()
        loss.backward()
        optimiser.step()
    assert loss < 0.3  # an untrained model: ln 263 = 5.6
