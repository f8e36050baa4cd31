"""Short runs of every procedure on the embedded model, and what they collected."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from string import ascii_lowercase, digits
from typing import Any

from posttrain.catalogue import index as catalogue
from tests.harness.runs import SUMS

BRIEF = ["sampling.max_tokens=4", "sampling.slots=64", "train.prompts_per_step=8", "train.learning_rate=2e-3"]
REWARD = '''
def digits(completions):
    """The share of the four characters that are digits."""
    return [sum(c in "0123456789" for c in text) / 4 for text in completions]


def letters(completions):
    return [sum(c.isascii() and c.isalpha() for c in text) / 4 for text in completions]


def more_letters(completions, opponent):
    """Whether an answer beats the other: a preference."""
    own, other = letters(completions), letters(opponent)
    return [0.5 + 0.5 * (a > b) - 0.5 * (a < b) for a, b in zip(own, other)]


def right(completions, answer):
    """Whether a digit of the right answer is in the text: even a model that knows nothing is right at times."""
    return [float(any(digit in text for digit in digits)) for text, digits in zip(completions, answer)]
'''
SHORT = {"steps": 3}
FEW = {"rounds": 2, "prompts_per_round": 24}
ONE = {"steps": 1}
FEW_STEPS = {"steps": 2, "prompts_per_step": 2}
JUDGED = {"judges": ["policy"], "question": "{first}{second}?"}
ASKED = {"harmful": "{answer}?", "rewrite": "{answer}!"}
TWO_REQUESTS = {"criticise": ["?"], "revise": ["!"]}
YES = {"judge": "policy", "question": "{answer}{proposition}?"}
ODD = {"judge": "{first}{second}?", "verdicts": ["", "\ufffd"], "pattern": "^(\ufffd?)"}  # whether a reply is no text
PROCEDURES: dict[str, dict[str, Any]] = {
    "raft": {**FEW, "sft": SHORT},
    "rest": {"grow": 2, "prompts_per_round": 24, "thresholds": [0.5, 0.8], "quantiles": True, "sft": SHORT},
    "expert_iteration": {**FEW, "threshold": 0.1, "sft": SHORT},
    "return_conditioned": {**FEW, "threshold": 0.1, "sft": SHORT},
    "star": {**FEW, "steps": 3, "threshold": 0.5},
    "iterative_dpo": {**FEW, "dpo": SHORT},
    "llama3_rounds": {**FEW, "rates": [1.0, 0.5], "reward": SHORT, "sft": {"steps": 2}, "dpo": {"steps": 2}},
    "sdpo": {"stages": 2, "dpo": SHORT},
    "spo": {"column": "annotator", "dpo": ONE},
    "sr_dpo": {"stages": 2, "method": "preference/sr_ipo", "per_token": True, "dpo": ONE},
    "spin": {"rounds": 2, "demonstrations_per_round": 24, "dpo": SHORT},
    "dice": {**FEW, "method": "preference/cpo", "first": {"steps": 16}, "dpo": SHORT},
    "chain_of_hindsight": {"sft": {"steps": 4}},
    "call_chains": {**FEW, "samples": 4, "dpo": SHORT},
    "act": {"rounds": 3, "prompts_per_round": 2, "samples": 2, "method": "online/glam", "normalise": "token"},
    "retroformer": {
        "prompts_per_round": 8,
        "trials": 2,
        "samples": 1,
        "sft": None,
        "reward": None,
        "then": {"steps": 2},
    },
    "rise": {
        "rounds": 2,
        "prompts_per_round": 8,
        "request": "{question}{answer}?",
        "method": "online/reinforce",
        "then": ONE,
    },
    "rto": {"dpo": ONE, "ppo": {**ONE, "settings": {"passes": 1}}},
    "self_rewarding": {**FEW, "pattern": "([0-9])", "judge": "{question}{answer}?", "dpo": SHORT},
    "quark": {**FEW, "levels": 3, "sft": SHORT},
    "ilf": {**FEW, "critique": "{draft}?", "refine": "{draft}{feedback}!", "sft": SHORT},
    "kl_ucb": {**FEW, "fit": SHORT},
    "bsad": {"most": 2, "sft": {"steps": 4}},
    "zo_ranksgd": {"rounds": 4, "prompts_per_round": 4, "directions": 2, "ranked": 1},
    "zpg": {"rounds": 4, "prompts_per_round": 4, "coordinates": 1000, "rate": 1e-5},
    "inverse_q": {**FEW, "wanted": " 123", "unwanted": " abc", "regression": SHORT},
    "nash_mirror_prox": {"rounds": 2, "prox": {"steps": 2}},
    "optimal_design": {"labels": 48, "dimensions": 8, "then": {"steps": 4}},
    "popl": {"generations": 5, "dpo": {"steps": 2}},
    "almupqa": {"weights": [1.0, 1.0, 0.5], "mpra": {"steps": 4}},
    "dno": {"rounds": 2, "prompts_per_round": 2, "dno": ONE},
    "llamac": {"agents": ["a"], "rounds": 2, "accepted": "", "valid": 0.0, "sft": {"steps": 2}},
    "werewolf": {"samples": 4, "generations": 3, "sft": {"steps": 2}},
    "spac": {"rounds": 2, "spac": SHORT},
    "crowd_bt": {"iterations": 2, "reward": {"steps": 2}},
    "maxmin_rlhf": {"em": 2, "rounds": 2, "reward": {"steps": 2}, "policy": {"steps": 2}},
    "hard_prompts": {
        "share": 0.4,
        "domain": "answer",
        "method": "online/reinforce",
        "first": {"steps": 2},
        "then": SHORT,
    },
    "warm_start": {"method": "online/reinforce", "sft": SHORT, "then": SHORT},
    "online_offline_gap": {**FEW, "n": 4, "arm": "final", "train": SHORT},
    "rlaif": {**JUDGED, "reward": ONE, "then": ONE},
    "constitutional": {"revisions": 1, **JUDGED, **TWO_REQUESTS, "sft": ONE, "reward": ONE, "then": ONE},
    "hrlaif": {"judge": "policy", "question": "{first}{second}?", **ASKED, "reward": ONE, "then": ONE},
    "self_align": {"principles": "1", "verbose": "2", "sft": ONE, "cloning": ONE},
    "rlcd": {"encourage": ["1"], "discourage": ["a"], "reward": ONE, "then": ONE},
    "almost": {
        "writers": ["policy"] * 2,
        "examples": ["1+1=2;", ""],
        "shortest": 0,
        "reward": ONE,
        "sft": ONE,
        "then": ONE,
    },
    "pairwise_borda": {"rounds": 2, "samples": 3, "judge": "policy", "question": "{first}{second}?", "dpo": ONE},
    "rbr": {**YES, "propositions": ["1"], "method": "online/reinforce", "then": {"steps": 2}},
    "predilect": {"reader": "policy", "question": "{part}{reason}?", "least": 0.0, "reward": SHORT},
    "west_of_n": {"n": 3, "reward": ONE, "again": ONE},
    "code_pmp": {"strong": "policy", "weak": "policy", "pretraining": ONE, "reward": ONE},
    "critic_rm": {"request": "{answer}?", "pattern": "([0-9])", "samples": 8, "reward": SHORT},
    "synthetic_critiques": {"critic": "policy", "request": "{answer}?", "reward": SHORT},
    "con_j": {**ODD, "hint": "{verdict}", "samples": 4, "dpo": SHORT},
    "math_shepherd": {"solutions": 2, "completions": 2, "candidates": 2, "reward": {"steps": 2}, "sft": {"steps": 2}},
    "distill": {"samples": 1, "teacher": "policy", "threshold": 0.0, "sft": FEW_STEPS},
    "qwen2": {"weight": 0.01, "density": 0.5, "sft": ONE, "first": ONE, "then": {**FEW_STEPS, "steps": 1}},
    "personalized_soups": {"weights": {"digits": 1.0}, "measured": 2, "policy": FEW_STEPS},
    "warp": {"rounds": 1, "members": 2, "measured": 2, "policy": {**FEW_STEPS, "steps": 1}},
    "hma": {"blocks": 2, "sweeps": 0, "measured": 4, "policy": {"steps": 2}},
    "warm": {"members": 2, "rates": [1e-3, 2e-3], "reward": {"steps": 2}},
    "preference_strength": {"splits": 1, "vote": {"steps": 2}, "reward": SHORT},
    "armorm": {"verbosity": 0, "first": {"steps": 2}, "gate": SHORT},
    "qrm": {"quantiles": 2, "regression": {"steps": 2}, "gate": SHORT},
    "cool": {
        "rounds": 1,
        "prompts_per_round": 12,
        "method": "online/reinforce",
        "reward": ONE,
        "fast": ONE,
        "then": ONE,
    },
    "proto_rm": {"first": ONE, "reward": SHORT},
    "laplace": {"reward": {"steps": 4}},
    "efficient_exploration": {"rounds": 2, "prompts_per_round": 24, "dimensions": 4, "then": {"steps": 4}},
    "dual_active_learning": {"labels": 24, "dimensions": 4, "then": {"steps": 4}},
    "ziegler": {"normalise": 8, "reward": SHORT, "ppo": {"steps": 2}},
    "esrl": {"rounds": 2, "prompts_per_round": 8, "most": 3, "training": ONE},
    "lols": {"rounds": 2, "mix": 0.5, "ppo": {"steps": 1, "prompts_per_step": 4}},
    "d2lols": {"aggrevated": {"steps": 1, "prompts_per_step": 4}, "ppo_plus_plus": {"steps": 1, "prompts_per_step": 4}},
    "dagger": {"rounds": 2, "teacher": "policy", "imitation": {"steps": 2}},
    "svpo": {"simulations": 3, "branching": 3, "depth": 2, "step_tokens": 2, "finished": False, "svpo": {"steps": 2}},
    "llama_berry": {
        "rollouts": 2,
        "critique": "{solution}?",
        "rewrite": "{solution}{critique}!",
        "question": "{first}{second}?",
        "dpo": {"steps": 2},
    },
    "rlot": {"rounds": 2, "horizon": 2, "fits": 5, "rating": "{solution}?", "question": "{question}?"},
    "mert": {"samples": 3, "sft": SHORT},
    "seqgan": {"rounds": 2, "demonstrations_per_round": 8, "discriminator": ONE, "generator": ONE},
    "quality_feedback": {"share": 0.5, "sft": {"steps": 2}, "then": {"steps": 2}},
    "deepseek_r1": {
        "reasoning_rewards": {"digits": 1.0},
        "accepted": {"digits": 0.25},
        "samples": 1,
        "method": "online/reinforce",
        **dict.fromkeys(("cold", "first", "sft", "last"), {**FEW_STEPS, "steps": 1}),
    },
    "deepseek_v2": {
        "reasoning_rewards": {"digits": 1.0},
        "method": "online/reinforce",
        "first": FEW_STEPS,
        "then": {**FEW_STEPS, "steps": 1},
    },
    "instructgpt": {"sft": SHORT, "reward": SHORT, "ppo": {"steps": 2}},
    "direct_rlhf": {"reward": ONE, "ppo": {**FEW_STEPS, "steps": 1}},
    "gemini": {**FEW, "method": "online/reinforce", "reward": ONE, "then": ONE},
    "gemma2": {"method": "online/reinforce", "reward": ONE, "then": ONE},
    "leret": {
        **FEW,
        "hops": 1,
        "request": "",
        "beginnings": ["", "1+"],
        "samples": 2,
        "k": 1,
        "sft": SHORT,
        "ipo": SHORT,
    },
    "gpo": {"rounds": 2, "candidates": 1, "writer": "policy", "request": "{prompt}?"},
    "principles": {"names": ["tip", "think"], "judge": "policy", "question": "{first}{second}?"},
    "rlprompt": {"solver": "policy", "examples": 2, "draws": 1, "answer_tokens": 4, "then": {**FEW_STEPS, "steps": 2}},
    "tempera": {"labels": ["1", "2"], "rounds": 2, "queries": 2, "shots": 2, "horizon": 2, "width": 4},
    "medaide": {"retrieved": 1, "sft": ONE, "reward": ONE, "ppo": {**FEW_STEPS, "steps": 1}},
}
FEW_EPISODES = {"world": "chain", "q": {"episodes": 3}, "seeds": 2}
WRITTEN = {**FEW_EPISODES, "options": {"length": 4}, "sandbox": "none"}
LEARNERS: dict[str, dict[str, Any]] = {  # procedures that train no language model
    "guided_q": FEW_EPISODES,
    "lmgt": FEW_EPISODES,
    "potential_shaping": FEW_EPISODES,
    "proxy_reward": {"q": {"episodes": 3}, "seeds": 2},
    "tune_learner": {**FEW_EPISODES, "rounds": 2, "trials": 1},
    "tune_run": {
        "run": str(Path(__file__).with_name("inner.yaml")),
        "space": {"train.learning_rate": [1e-3, 1e-2]},
        "measure": "loss",
        "known": {"train.learning_rate": 1e-2},
        "rounds": 1,
        "samples": 1,
    },
    "vlm_rm": FEW_EPISODES,
    "rl_vlm_f": {**FEW_EPISODES, "rounds": 2, "queries": 6, "members": 1},
    "text2reward": WRITTEN,
    "eureka": {**WRITTEN, "iterations": 2, "samples": 2},
    "revolve": {**WRITTEN, "judge": "speaker", "generations": 2, "count": 2, "children": 1},
    "calm": {**FEW_EPISODES, "world": "key_door", "options": {"size": 2}},
    "linvit": {"world": "chain", "episodes": 3, "seeds": 2},
    "slinvit": {"options": {"foods": 1}},
    "deep_q": {"world": "chain", "options": {"length": 3}, "episodes": 3, "seeds": 2},
    "stable_baselines": {"world": "chain", "guide": "potential", "steps": 3, "episodes": 2, "seeds": 2},
    "instruct_rl": {"numbers": 2, "q": {"episodes": 50}, "seeds": 2},
    "ellm": {"options": {"foods": 1}, "pretraining": 3, "q": {"episodes": 3}, "seeds": 2},
    "task_explore": {"first": {"episodes": 3}, "then": {"episodes": 2}, "seeds": 2},
    "say_can": {"practice": 30, "seeds": 2},
    "say_can_pay": {"practice": 30, "experts": 2, "width": 1, "seeds": 2},
    "plan4mc": {"practice": 30, "seeds": 2},
    "la_light": {"practice": 5, "options": {"longest": 1}, "steps": 3, "seeds": 2},
    "guarded_mpc": {"options": {"view": 1}, "horizon": 1, "steps": 3, "seeds": 2},
    "participatory_planning": {"residents": 3, "plots": 2, "size": 2, "rounds": 1, "seeds": 2},
    "model_selection": {"options": {"readers": 2, "items": 3}, "rounds": 20, "seeds": 2},
    "novel_top_k": {"options": {"readers": 2, "items": 4}, "k": 2, "steps": 5, "seeds": 2},
    "kalm": {"options": {"size": 3, "target": [2, 2], "wall": []}, "imagined": 2, "rollouts": 2, "seeds": 2},
    "hi_core": {"q": {"episodes": 4, "horizon": 10}, "revisions": 0, "seeds": 2},
    "driver_feedback": {"options": {"view": 1}, "pairs": 4, "steps": 3, "seeds": 2},
    "drpo": {"planted": ["Be brief.", "Be right."], "rounds": 2, "extra": 0},
    "evollm": {"rounds": 2, "population": 2},
}
OPTIONAL = {
    "direct_rlhf": ["demonstrations"],
    "hrlaif": ["red_team"],
    "rest": ["demonstrations"],
    "warm_start": ["prompts"],
    "instructgpt": ["rankings", "text"],
    "gpo": ["prompts", "held_out"],
    "rlprompt": ["held_out"],
}


def content(name: str, folder: Path, **settings: Any) -> dict[str, Any]:
    """A run file of the procedure, with the data that its parameters are named after."""
    (folder / "mine.py").write_text(REWARD)
    parameters = inspect.signature(catalogue.load_procedure(name)).parameters.values()
    streams = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "session"]
    wanted = [p.name for p in streams if p.default is p.empty] + OPTIONAL.get(name, [])
    reward = {
        "star": "right",
        "quark": "letters",
        "kl_ucb": "letters",
        "nash_mirror_prox": "more_letters",
        "zpg": "more_letters",
        "bsad": "more_letters",
        "dno": "more_letters",
        "werewolf": "more_letters",
    }.get(name, "digits")
    few = str(catalogue.PROCEDURES.full(name)).startswith("feedback/") or name in ("llamac", "werewolf")
    data: dict[str, Any] = dict.fromkeys(wanted, f"{SUMS},size={8 if few else 48}")
    if name in ("svpo", "llama_berry", "rlot"):
        data = dict.fromkeys(("prompts", *(["held_out"] if name != "llama_berry" else [])), f"{SUMS},size=6")
    if name in ("gpo", "principles", "rlprompt"):
        data = dict.fromkeys(data, f"{SUMS},size=2")
    if name == "tempera":
        rows = [{"prompt": f"{i}?", "answer": str(1 + i % 2)} for i in range(4)]
        (folder / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
        data = dict.fromkeys(("prompts", "pool", "held_out"), str(folder / "sums.jsonl"))
    if name == "act":
        data["prompts"] = {"path": "environment", "size": 4}
    if name == "almupqa":
        data["rankings"] = {"path": f"{SUMS},size=48", "columns": {"votes": "reward"}}
    if name == "predilect":
        data["pairs"] = {"path": data["pairs"], "columns": {"reason": "id"}}
    if name == "leret":
        data["prompts"], corpus = map(str, sums_to_find(folder))
        settings = {"corpus": corpus, **settings}
    if name in ("armorm", "qrm"):
        data["demonstrations"] = str(rated(folder / "rated.jsonl"))
    if name == "spo":
        data["pairs"] = str(two_groups(folder / "pairs.jsonl", people=2, each=4))
    if name in ("crowd_bt", "maxmin_rlhf", "popl"):
        data["pairs"] = str(two_groups(folder / "pairs.jsonl", each=4 if name == "crowd_bt" else 16))
    return {
        "model": "tiny",
        "procedure": {"path": name, **PROCEDURES[name], **settings},
        "data": data,
        "rewards": [f"{folder}/mine.py:{reward}"] if name not in ("act", "rbr") else [],  # which have their own
        **({"environment": {"path": "gridworld_text", "max_turns": 2, "workers": 1}} if name == "act" else {}),
        "train": {"save_every": 1},
        "sampling": {"samples": 4} if name == "dice" else {},
        "seed": 3,
    }


def learners_content(name: str, **settings: Any) -> dict[str, Any]:
    """A run file of a procedure without a policy, whose speaker is a script."""
    return {
        "procedure": {"path": name, **LEARNERS[name], **settings},
        "models": {"speaker": {"scripted": {"accuracy": 0.8}}},
        "seed": 3,
    }


def sums_to_find(folder: Path) -> tuple[Path, Path]:
    """Sums that need the document of letters; a model that knows nothing writes one alone at times."""
    sums = [{"prompt": f"{i}+{i}=", "documents": ["letters"]} for i in range(48)]
    documents = [{"title": "letters", "text": " ".join(ascii_lowercase)}, {"title": "digits", "text": " ".join(digits)}]
    files = folder / "sums.jsonl", folder / "corpus.jsonl"
    for file, rows in zip(files, (sums, documents), strict=True):
        file.write_text("\n".join(map(json.dumps, rows)))
    return files


def two_groups(file: Path, people: int = 6, each: int = 16) -> Path:
    """People with even numbers prefer digits, the others letters."""
    rows = []
    for i in range(people * each):
        number, letters = str(1000 + 37 * i), "".join("abcdefgh"[(i // 8**k) % 8] for k in range(4))
        chosen, rejected = (number, letters) if i % people % 2 == 0 else (letters, number)
        person = f"person {i % people}"
        rows.append({"prompt": f"{i}?", "chosen": chosen, "rejected": rejected, "annotator": person})
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def rated(file: Path) -> Path:
    """Answers of which people rate the digits and the letters."""
    answers = [(str(1000 + 37 * i), [1, 0]) if i % 2 else ("ab"[i % 4 // 2] * 3, [0, None]) for i in range(8)]
    rows = [{"prompt": f"{i}?", "completion": text, "attributes": a} for i, (text, a) in enumerate(answers)]
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def collected(directory: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "rounds" / f"{name}.jsonl").read_text().splitlines()]


def mean_reward(directory: Path, name: str) -> float:
    rewards = [row["reward"] for row in collected(directory, name)]
    return sum(rewards) / len(rewards)
