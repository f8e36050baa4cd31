"""Do GLAM and TWOSOME find the best way through a gridworld, that of value iteration?

    python benchmarks/gridworld.py [--method online/twosome] [--rounds 12] [--output FOLDER]

The tiny model chooses among directions by the mean log-prob of their tokens, in 16 episodes a round. Its likeliest
directions at the end are compared with the best ones.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from statistics import fmean

import torch

from posttrain.config.load import load
from posttrain.data.dataset import Dataset
from posttrain.environments.bundled.gridworld_text import GridworldText
from posttrain.launch.run import open_session
from posttrain.records import Prompt

MAP = "S.#\nO.G"
EPISODES = 16
SETTINGS = {"normalise": "token", "gamma": 0.95}


def best_way(prompt: Prompt) -> list[str]:
    """Follow value iteration from the start to the goal."""
    world, way = GridworldText(), list[str]()
    world.begin(prompt, 0)
    while True:
        way.append(world.optimal()[0])
        if world.play(way[-1]).done:
            return way


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--method", default="online/twosome")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--output", default=tempfile.gettempdir())
    a = parser.parse_args()
    torch.set_num_threads(1)
    prompt = Prompt(1, f"Walk.\n{MAP}", {"map": MAP})
    run = {
        "model": "tiny",
        "models": {"critic": {"path": "tiny"}},
        "environment": {"path": "gridworld_text", "max_turns": 5, "workers": 1},
        "method": "online/ppo",
        "train": {"learning_rate": 2e-3},
        "output": a.output,
    }
    returns = []
    with open_session(load(run)) as session:
        for n in range(a.rounds):
            made = session.act(f"round-{n}", [prompt], samples=EPISODES, by="token")
            returns.append(fmean([d.reward for d in made]) * len(made) / EPISODES)
            data = Dataset(tuple(made), f"round {n}")
            session.train(a.method, data, rewards=(), steps=1, prompts_per_step=len(made), settings=SETTINGS)
        way = [d.choices[d.chosen] for d in session.act("end", [prompt], by="token", greedy=True)]
    result = {"returns": returns, "way": way, "best": best_way(prompt)}
    print(f"RESULT {json.dumps(result)}")


if __name__ == "__main__":
    main()
