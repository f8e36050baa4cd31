"""A reward of one's own with GRPO: eight lines. Run: python examples/own_reward.py"""

import posttrain


def brevity(prompts, completions, **columns):
    return [-len(completion) / 10 for completion in completions]


if __name__ == "__main__":
    posttrain.train(
        "tiny", "online/grpo", "arithmetic:chat=false", [brevity], train={"steps": 20, "learning_rate": 1e-3}
    )
