"""How many tokens a tree costs whose prefixes are read once, against its paths apart.

    python benchmarks/tree_prefixes.py [--branching 4] [--depth 6] [--tokens 2]

A whole tree is grown depth first on the embedded model: at most `tokens` tokens a step, 64 slots. Counted are the
tokens that go through the model. `apart` reads the prompt and draws every token of each path; `prompt_shared` draws
every token of each path behind a prompt that is read once. Steps with the same text are one node, so that some nodes
have fewer children.
"""

import argparse
import json
from collections import Counter

from posttrain.config.load import load
from posttrain.launch.run import open_session
from posttrain.records import Prompt
from posttrain.sampling.scheduler import Scheduler
from posttrain.sampling.slots import Slots
from posttrain.search.search import Search
from posttrain.search.strategies.tree_of_thoughts import tree_of_thoughts
from posttrain.training.searching import Cut

PROMPT = Prompt(0, "0+1= and some more words")


def counting(counted: Counter[str]) -> None:
    """Count what is read and what is drawn from now on."""
    read, advance = Slots._run, Scheduler.advance

    def counted_read(self, batch, **how):
        counted["read"] += sum(len(p.new) for p in batch)
        return read(self, batch, **how)

    def counted_advance(self):
        counted["drawn"] += len(self)
        return advance(self)

    Slots._run, Scheduler.advance = counted_read, counted_advance


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in (("branching", 4), ("depth", 6), ("tokens", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    counted: Counter[str] = Counter()
    counting(counted)
    shape = {"order": "depth", "branching": asked.branching, "depth": asked.depth, "budget": 10**9}
    file = {"model": "tiny", "seed": 1, "sampling": {"max_tokens": asked.depth * asked.tokens, "slots": 64}}
    with open_session(load(file, complete=False), write=False) as session:
        whole = Search("tree_of_thoughts", tree_of_thoughts, tuple(shape.items()))
        nothing = lambda _, nodes: [0.0] * len(nodes)  # noqa: E731
        (found,) = session.search("whole", [PROMPT], whole, nothing, session.sampling(), cut=Cut("\n", asked.tokens))
    paths = [len(found.tree.answer(n).tokens) for n in found.tree.finished()]
    prompt, own = len(found.asked) - 1, sum(counted.values())
    apart, shared = sum(paths) + prompt * len(paths), sum(paths) + prompt
    print(
        json.dumps(
            {
                **vars(asked), "nodes": len(found.tree.nodes), "paths": len(paths), **counted, "apart": apart,
                "prompt_shared": shared, "apart/tree": apart / own, "prompt_shared/tree": shared / own,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
