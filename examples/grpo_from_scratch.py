"""GRPO from scratch, to read: a transformer, a sampler, a verifier and the update, in plain torch and one file.

A character-level model learns to reverse words. First it imitates some solved ones, badly; then it samples eight
answers to each, a verifier marks them right or wrong, and every token of an answer is pushed by how much better that
answer was than its siblings. The library version is `posttrain demo tiny`. Run: python examples/grpo_from_scratch.py

Legend: P prompts, G answers per prompt, B = P * G rows, L length, D width, V vocabulary.
"""

import argparse
import random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CHARACTERS = "abcdefghijklmnop=."  # "=" asks, "." ends an answer
VOCABULARY, END = len(CHARACTERS), CHARACTERS.index(".")
LETTERS, WORD = CHARACTERS[:-2], 5
WIDTH, LAYERS, HEADS, CONTEXT, ANSWER = 64, 2, 4, 12, WORD + 1


def encode(text: str) -> list[int]:
    return [CHARACTERS.index(c) for c in text]


def decode(tokens: list[int]) -> str:
    return "".join(CHARACTERS[t] for t in tokens)


# ---- the model: a pre-norm transformer with learnt positions


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, -1).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(mixed.transpose(1, 2).reshape(b, n, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, L] -> logits [B, L, V]; entry t predicts token t + 1."""
        x = self.token(tokens) + self.place.weight[: tokens.shape[1]]
        return self.head(self.norm(self.blocks(x)))


def log_probs(model: Model, tokens: Tensor) -> Tensor:
    """Log-prob of every token given those before it: [B, L] -> [B, L], 0 for the first."""
    logp = model(tokens[:, :-1]).log_softmax(-1)
    return F.pad(logp.gather(-1, tokens[:, 1:, None])[..., 0], (1, 0))


# ---- the task: reverse a word; a word is in the test half if the letters it starts and ends with say so


def problem(rng: random.Random, test: bool) -> tuple[str, str]:
    while True:
        word = "".join(rng.choices(LETTERS, k=WORD))
        if ((ord(word[0]) + ord(word[-1])) % 5 == 0) == test:
            return f"{word}=", word[::-1]


def problems(rng: random.Random, count: int, test: bool = False) -> list[tuple[str, str]]:
    return [problem(rng, test) for _ in range(count)]


def verify(completion: str, answer: str) -> float:
    """The reward: 1 for exactly the right answer, ended by a full stop."""
    return float(completion == f"{answer}.")


# ---- sampling


@torch.no_grad()
def sample(model: Model, prompts: Tensor, generator: torch.Generator | None) -> tuple[Tensor, Tensor]:
    """Answers to prompts [B, L]: all tokens [B, L + ANSWER] and the mask of what the model wrote. Greedy without
    a generator. After the end an answer is padded with ends, which the mask leaves out."""
    tokens, alive, mask = prompts, torch.ones(len(prompts), dtype=torch.bool), []
    for _ in range(ANSWER):
        logits = model(tokens)[:, -1]
        if generator is None:
            chosen = logits.argmax(-1)
        else:
            chosen = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
        chosen = torch.where(alive, chosen, END)
        mask.append(alive)
        tokens, alive = torch.cat([tokens, chosen[:, None]], 1), alive & (chosen != END)
    written = torch.cat([torch.zeros_like(prompts, dtype=torch.bool), torch.stack(mask, 1)], 1)
    return tokens, written


def answers(tokens: Tensor, written: Tensor) -> list[str]:
    return [decode(row[mask].tolist()) for row, mask in zip(tokens, written, strict=True)]


def accuracy(model: Model, held_out: list[tuple[str, str]]) -> float:
    prompts = torch.tensor([encode(q) for q, _ in held_out])
    said = answers(*sample(model, prompts, None))
    return sum(verify(s, a) for s, (_, a) in zip(said, held_out, strict=True)) / len(held_out)


# ---- stage 1: imitation, just enough that some answers are right


def imitate(model: Model, rng: random.Random, steps: int, count: int = 64) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(steps):
        texts = [f"{q}{a}." for q, a in problems(rng, count)]
        tokens = torch.tensor([encode(t) for t in texts])
        written = torch.zeros_like(tokens, dtype=torch.bool)
        written[:, WORD + 1 :] = True
        loss = -log_probs(model, tokens)[written].mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


# ---- stage 2: GRPO


def advantages(rewards: Tensor) -> Tensor:
    """[P, G] -> [P, G]: standardised within the group; 0 where all answers earned the same."""
    spread = rewards.std(1, keepdim=True)
    return torch.where(spread > 0, (rewards - rewards.mean(1, keepdim=True)) / (spread + 1e-6), 0.0)


def grpo_loss(logp: Tensor, old_logp: Tensor, advantage: Tensor, written: Tensor, clip: float = 0.2) -> Tensor:
    """Mean over answers of 1/|y| sum_t -min(ratio A, clip(ratio) A).

    `advantage` [B] is the same for every token of an answer. With one update per batch the ratio is 1 and nothing is
    clipped; the clip matters from the second update on the same answers.
    """
    ratio, a = (logp - old_logp).exp(), advantage[:, None]
    per_token = -torch.minimum(ratio * a, ratio.clamp(1 - clip, 1 + clip) * a)
    return ((per_token * written).sum(1) / written.sum(1)).mean()


def reinforce(model: Model, rng: random.Random, generator: torch.Generator, steps: int, count: int, group: int) -> None:
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(steps):
        batch = problems(rng, count)
        prompts = torch.tensor([encode(q) for q, _ in batch]).repeat_interleave(group, 0)
        tokens, written = sample(model, prompts, generator)
        golds = [a for _, a in batch for _ in range(group)]
        said = answers(tokens, written)
        rewards = torch.tensor([verify(s, a) for s, a in zip(said, golds, strict=True)]).view(count, group)
        advantage = advantages(rewards).flatten()
        old_logp = log_probs(model, tokens).detach()
        for _ in range(2):
            loss = grpo_loss(log_probs(model, tokens), old_logp, advantage, written)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        if step % 10 == 0 or step == steps - 1:
            mixed = rewards.std(1).gt(0).float().mean()
            print(f"step {step:3d}  reward {rewards.mean():.3f}  groups with contrast {mixed:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imitation-steps", type=int, default=20)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--answers", type=int, default=8)
    options = parser.parse_args()
    torch.manual_seed(0)
    rng, generator, model = random.Random(0), torch.Generator().manual_seed(0), Model()
    held_out = problems(random.Random(1), 200, test=True)
    imitate(model, rng, options.imitation_steps)
    print(f"after imitation: {accuracy(model, held_out):.1%} of 200 held-out words")
    reinforce(model, rng, generator, options.steps, options.prompts, options.answers)
    print(f"after GRPO:      {accuracy(model, held_out):.1%}")


if __name__ == "__main__":
    main()
