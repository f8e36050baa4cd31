"""A reward of one's own with GRPO, on rows of one's own. Run: python examples/own_reward.py"""

import posttrain


def brevity(prompts, completions, **columns):
    return [-len(completion) / 10 for completion in completions]


if __name__ == "__main__":
    rows = [{"prompt": f"{a}+{b}=", "answer": str(a + b)} for a in range(5) for b in range(5)]
    result = posttrain.train(
        "tiny", "online/grpo", rows, brevity, sampling={"max_tokens": 16}, train={"steps": 20, "learning_rate": 1e-3}
    )
    print(result)
