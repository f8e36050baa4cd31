"""The families of the catalogue: what each folder of methods and procedures learns from, and where to begin."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """A folder of the catalogue. `start` is the entry to begin with."""

    folder: str
    about: str
    start: str


FAMILIES = (
    Family("imitation", "answers to imitate", "imitation/sft"),
    Family("preference", "answers that were compared or rated", "preference/dpo"),
    Family("distillation", "what a teacher says of every token", "distillation/on_policy"),
    Family("reward", "comparisons, which become a reward model", "reward/bradley_terry"),
    Family("online", "rewards of answers that the policy samples during training", "online/grpo"),
    Family("offline", "answers with a number each", "offline/dro"),
    Family("pipelines", "procedures: several methods, one after the other", "pipelines/instructgpt"),
    Family("rounds", "procedures: sample, choose, train, again", "rounds/raft"),
    Family("games", "procedures: the policy against itself or a reward model", "games/spin"),
    Family("active", "procedures: which answers to compare", "active/optimal_design"),
    Family("annotators", "procedures: how far each annotator can be believed", "annotators/crowd_bt"),
    Family("feedback", "procedures: judgements by models in place of people", "feedback/rlaif"),
    Family("demonstrations", "procedures: rewards that a model draws from itself", "demonstrations/inverse_q"),
    Family("search", "procedures: a guide, a teacher or a reranker shows where to go", "search/lols"),
    Family("prompts", "procedures: prompts that are searched, written, edited or compared", "prompts/gpo"),
    Family("planning", "procedures: a language model plans with what a small learner can do", "planning/say_can"),
    Family("weights", "procedures: models that are averaged in their weights", "weights/warp"),
    Family("zeroth_order", "procedures: rankings of moved policies, without gradients", "zeroth_order/zo_ranksgd"),
    Family("worlds", "procedures: a language model helps a small learner in a world of states", "worlds/guided_q"),
    Family("programs", "procedures: programs and settings that a model writes for learners", "programs/eureka"),
)
