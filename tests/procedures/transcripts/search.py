"""What the procedures do in which a guide, a teacher or a reranker shows where to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from posttrain.data.dataset import Dataset
from posttrain.records import Prompt
from posttrain.search.navigator import Transition
from tests.harness.scripted_session import prompts
from tests.procedures.transcripts.records import THREE, TWO, demonstrations
from tests.procedures.transcripts.scenario import Scenario

COINS = {("lols", 1): int(0.29 * 2**56), ("lols", 2): int(0.3 * 2**56), ("lols", 3): 0}
GRADED = {"x?": {"a": 0.1, "bbb": 0.9, "cc": None}, "y?": {"dd": 0.2, "e": 0.4}, "z?": {"ff": 1.0, "gggg": 0.0}}
LOGP = [-2.0, -5.0, -1.0, -6.0, -1.0, -0.5]
STEPS = {
    "x?": ["a\n", "b\n", "c"],
    "x?a\n": ["1", "2"],
    "x?b\n": ["3", "1\n"],
    "x?b\n1\n": ["4"],
    "y?": ["d", "e"],
}
WORTH = {"x?c": -1.0, "x?a\n1": 1.0, "x?a\n2": -1.0, "x?b\n3": -1.0, "x?b\n1\n": 0.0, "y?d": 1.0, "y?e": None}


def berry(_: str, text: str) -> Any:
    """Solves, criticises and rewrites; of two solutions the longer one is better."""
    if text.endswith("better?"):
        _, one, other = text.removesuffix("better?").split("|")
        yes = 0.9 if len(one) > len(other) else 0.1
        return [yes, 1 - yes]
    if text.endswith("again"):
        return {"s": "sol", "sol": "so", "t": "t2", "t2": "t", "u": "u"}[text.split("|")[1]]
    return {"x?": "s", "y?": "t", "z?": "u"}.get(text, "too short")


def third() -> Callable[[str, str], Any]:
    """Rewrites a solution into another one each time, from when it is asked the question; longer ones are better."""
    written: list[str] = []

    def says(role: str, text: str) -> Any:
        if text == "v?":
            written[:] = ["c", "aaaa", "bb", "aaa"]
            return "s"
        return written.pop() if text.endswith("again") else berry(role, text)

    return says


class Guide:
    """A controller that remembers how it was made."""

    def __init__(self, *made: int, width: int, seed: int) -> None:
        self.made = [*made, width, seed % 1000]

    def state(self) -> dict[str, Any]:
        return {"made": self.made}


def fitted(_: Guide, memory: Sequence[Transition], **how: Any) -> Any:
    """What it is fitted to, as text: the transitions, and how."""
    seen = sum(sum(m.state) + 10 * sum(m.following) + 100 * m.action + 1000 * m.done + m.reward for m in memory)
    return f"{seen:g} {how}"


def thinker(_: str, text: str) -> Any:
    """Reasons in letters and grades itself by their number."""
    if text.endswith("right?"):
        return [0.25 * len(text.split("|")[1].split()), 0.5]
    if text.endswith("grades?"):
        return " ".join([str(1 + len(text.split("|")[1].split()))] * 6)
    return {"step": "a", "simpler": "b", "different": "c", "Check": "d", "final": "e"}[
        next(w for w in ("simpler", "different", "Check", "final", "step") if w in text.rpartition("</solution>")[2])
    ]


LED: dict[str, Any] = {"Navigator": Guide, "fit": fitted, "greedy": lambda _, states: [int(s[0]) - 1 for s in states]}
ASKED = {"rating": "{question}|{solution}|grades?", "question": "{question}|{solution}|right?"}

SEARCH = (
    Scenario(
        "search/rlot",
        {"prompts": prompts("x?", "y?", "x?"), "held_out": prompts("z?", "z?")},
        {
            "rounds": 2,
            "horizon": 3,
            "explore": 0.25,
            "discount": 0.5,
            "fits": 7,
            "learning_rate": 0.001,
            "width": 9,
            "speaker": "wise",
            "judge": "fair",
            **ASKED,
        },
        {
            "speaker": thinker,
            "weights": {"wise": "w", "fair": "f"},
            "seeds": {
                ("navigator",): 17,
                **{("fit", n): 100 * n for n in (1, 2)},
                **{(f"round-{n}", t, i, "random"): 2**54 for n in (1, 2) for t in (1, 2) for i in (0, 1)},
                ("round-1", 1, 1, "random"): 2**54 - 1,
                ("round-1", 1, 1, "block"): 9,
                ("round-2", 2, 0, "random"): 0,
                ("round-2", 2, 0, "block"): 3,
            },
        },
        """
        ask round-1-grades-0 at 0: x?||grades?; y?||grades? | 1 of wise=w
        ask round-1-blocks-1: <question> x? </question> <solution> </solution> Go on with the next step of the
            solution, and only with that.; <question> y? </question> <solution> </solution> Write the final answer. | 1
            of wise=w
        ask round-1-grades-1 at 0: x?|a |grades?; y?|e |grades? | 1 of wise=w
        choose round-1-judged-1: x?|a |right?; y?|e |right? | Yes or No by fair=f
        ask round-1-blocks-2: <question> x? </question> <solution> a </solution> Divide what is left of the question
            into simpler questions, and answer them one after the other. | 1 of wise=w
        ask round-1-grades-2 at 0: x?|a b |grades? | 1 of wise=w
        choose round-1-judged-2: x?|a b |right? | Yes or No by fair=f
        ask round-1-blocks-3: <question> x? </question> <solution> a b </solution> Write the final answer. | 1 of
            wise=w
        ask round-1-grades-3 at 0: x?|a b e |grades? | 1 of wise=w
        choose round-1-judged-3: x?|a b e |right? | Yes or No by fair=f
        advance 1/2 | policy=start | loss=3631.75 {'steps': 7, 'discount': 0.5, 'learning_rate': 0.001, 'seed': 100}
            reward=0.4375
        ask round-2-grades-0 at 0: x?||grades?; y?||grades? | 1 of wise=w
        ask round-2-blocks-1: <question> x? </question> <solution> </solution> Go on with the next step of the
            solution, and only with that.; <question> y? </question> <solution> </solution> Go on with the next step of
            the solution, and only with that. | 1 of wise=w
        ask round-2-grades-1 at 0: x?|a |grades?; y?|a |grades? | 1 of wise=w
        choose round-2-judged-1: x?|a |right?; y?|a |right? | Yes or No by fair=f
        ask round-2-blocks-2: <question> x? </question> <solution> a </solution> Check the solution so far, and
            write its last step again without its mistakes.; <question> y? </question> <solution> a </solution> Divide
            what is left of the question into simpler questions, and answer them one after the other. | 1 of wise=w
        ask round-2-grades-2 at 0: x?|a d |grades?; y?|a b |grades? | 1 of wise=w
        choose round-2-judged-2: x?|a d |right?; y?|a b |right? | Yes or No by fair=f
        ask round-2-blocks-3: <question> x? </question> <solution> a d </solution> Write the final answer.;
            <question> y? </question> <solution> a b </solution> Write the final answer. | 1 of wise=w
        ask round-2-grades-3 at 0: x?|a d e |grades?; y?|a b e |grades? | 1 of wise=w
        choose round-2-judged-3: x?|a d e |right?; y?|a b e |right? | Yes or No by fair=f
        advance 2/2 | policy=start | loss=7998.75 {'steps': 7, 'discount': 0.5, 'learning_rate': 0.001, 'seed': 200}
            reward=0.5
        artefact navigator: made=[7 5 9 17]
        ask held-out-grades-0 at 0: z?||grades? | 1 of wise=w
        ask held-out-blocks-1: <question> z? </question> <solution> </solution> Go on with the next step of the
            solution, and only with that. | 1 of wise=w
        ask held-out-grades-1 at 0: z?|a |grades? | 1 of wise=w
        ask held-out-blocks-2: <question> z? </question> <solution> a </solution> Divide what is left of the
            question into simpler questions, and answer them one after the other. | 1 of wise=w
        ask held-out-grades-2 at 0: z?|a b |grades? | 1 of wise=w
        ask held-out-blocks-3: <question> z? </question> <solution> a b </solution> Write the final answer. | 1 of
            wise=w
        ask held-out-grades-3 at 0: z?|a b e |grades? | 1 of wise=w
        artefact led: z?={blocks=[step decompose terminate] solution=a b e }
        return loss=7998.75 {'steps': 7, 'discount': 0.5, 'learning_rate': 0.001, 'seed': 200} reward=0.5
        """,
        LED,
    ),
    Scenario(
        "search/rlot",
        {"prompts": Dataset((Prompt(0, ({"role": "user", "content": "x?"},), {}, "file:0"),), "prompts")},
        {"rounds": 1, "horizon": 3, **ASKED},
        {
            "speaker": thinker,
            "seeds": {
                ("navigator",): 17,
                ("fit", 1): 3,
                ("round-1", 1, 0, "random"): 0,
                ("round-1", 1, 0, "block"): 4,
            },
        },
        """
        ask round-1-grades-0 at 0: x?||grades? | 1 of policy=start
        ask round-1-blocks-1: <question> x? </question> <solution> </solution> Write the final answer. | 1 of
            policy=start
        ask round-1-grades-1 at 0: x?|e |grades? | 1 of policy=start
        choose round-1-judged-1: x?|e |right? | Yes or No by policy=start
        advance 1/1 | policy=start | loss=1548.25 {'steps': 200, 'discount': 0.9, 'learning_rate': 0.003, 'seed': 3}
            reward=0.25
        artefact navigator: made=[7 5 32 17]
        return loss=1548.25 {'steps': 200, 'discount': 0.9, 'learning_rate': 0.003, 'seed': 3} reward=0.25
        """,
        LED,
    ),
    Scenario(  # without exploration aaa, worth 0.64, is rewritten a second time; with it bb would be, worth 0.33
        "search/llama_berry",
        {"prompts": Dataset((Prompt(0, ({"role": "user", "content": "v?"},), {}, "file:0"),), "prompts")},
        {
            "rollouts": 4,
            "exploration": 0.0,
            "critique": "{question}|{solution}|wrong?",
            "rewrite": "{question}|{solution}|{critique} again",
            "question": "{question}|{first}|{second}better?",
        },
        {"speaker": third()},
        """
        ask solutions: v? | 1 of policy=start
        ask critique-1: v?|s|wrong? | 1 of policy=start
        ask rewrite-1: v?|s|too short again | 1 of policy=start
        choose judged-1: v?|aaa|sbetter?; v?|s|aaabetter? | Yes or No by policy=start
        ask critique-2: v?|s|wrong? | 1 of policy=start
        ask rewrite-2: v?|s|too short again | 1 of policy=start
        choose judged-2: v?|bb|sbetter?; v?|s|bbbetter?; v?|bb|aaabetter?; v?|aaa|bbbetter? | Yes or No by
            policy=start
        ask critique-3: v?|aaa|wrong? | 1 of policy=start
        ask rewrite-3: v?|aaa|too short again | 1 of policy=start
        choose judged-3: v?|aaaa|sbetter?; v?|s|aaaabetter?; v?|aaaa|aaabetter?; v?|aaa|aaaabetter?;
            v?|aaaa|bbbetter?; v?|bb|aaaabetter? | Yes or No by policy=start
        ask critique-4: v?|aaa|wrong? | 1 of policy=start
        ask rewrite-4: v?|aaa|too short again | 1 of policy=start
        choose judged-4: v?|c|sbetter?; v?|s|cbetter?; v?|c|aaabetter?; v?|aaa|cbetter?; v?|c|bbbetter?;
            v?|bb|cbetter?; v?|c|aaaabetter?; v?|aaaa|cbetter? | Yes or No by policy=start
        artefact trees: v?=[{of=0 solution=s value=0.295975 visits=5} {of=1 solution=aaa value=0.68725 visits=3}
            {of=1 solution=bb value=0.5 visits=1} {of=2 solution=aaaa value=1 visits=1} {of=2 solution=c value=0
            visits=1}]
        train preference/dpo on 'best and worst': chat: v?: aaaa > c | policy=start reference=start | no rewards
        return stage=1
        """,
    ),
    Scenario(  # α = 0.8, γ = 0.5: of s < so < sol, behind each other, sol is 1 and so 0.5; then sol 0.75 and s 0.375
        "search/llama_berry",
        {"prompts": prompts("x?", "z?", "y?", "x?")},
        {
            "rollouts": 3,
            "children": 1,
            "exploration": 1.0,
            "alpha": 0.8,
            "gamma": 0.5,
            "speaker": "wise",
            "judge": "fair",
            "critique": "{question}|{solution}|wrong?",
            "rewrite": "{question}|{solution}|{critique} again",
            "question": "{question}|{first}|{second}better?",
            "method": "preference/ipo",
            "dpo": {"steps": 4},
        },
        {"speaker": berry, "weights": {"wise": "w", "fair": "f"}},
        """
        ask solutions: x?; z?; y? | 1 of wise=w
        ask critique-1: x?|s|wrong?; z?|u|wrong?; y?|t|wrong? | 1 of wise=w
        ask rewrite-1: x?|s|too short again; z?|u|too short again; y?|t|too short again | 1 of wise=w
        choose judged-1: x?|sol|sbetter?; x?|s|solbetter?; z?|u|ubetter?; z?|u|ubetter?; y?|t2|tbetter?;
            y?|t|t2better? | Yes or No by fair=f
        ask critique-2: x?|sol|wrong?; z?|u|wrong?; y?|t2|wrong? | 1 of wise=w
        ask rewrite-2: x?|sol|too short again; z?|u|too short again; y?|t2|too short again | 1 of wise=w
        choose judged-2: x?|so|sbetter?; x?|s|sobetter?; x?|so|solbetter?; x?|sol|sobetter?; y?|t|tbetter?;
            y?|t|tbetter?; y?|t|t2better?; y?|t2|tbetter? | Yes or No by fair=f
        ask critique-3: x?|sol|wrong?; z?|u|wrong?; y?|t2|wrong? | 1 of wise=w
        ask rewrite-3: x?|sol|too short again; z?|u|too short again; y?|t2|too short again | 1 of wise=w
        choose judged-3: | Yes or No by fair=f
        artefact trees: x?=[{of=0 solution=s value=0.375 visits=4} {of=1 solution=sol value=0.75 visits=3} {of=2
            solution=so value=0.5 visits=1}] z?=[{of=0 solution=u value=0.4 visits=4} {of=1 solution=u value=0
            visits=1}] y?=[{of=0 solution=t value=0.45 visits=4} {of=1 solution=t2 value=0.5 visits=3} {of=2 solution=t
            value=0 visits=1}]
        train preference/ipo on 'best and worst': x?: sol > s; y?: t2 > t | fair=f policy=start reference=start
            wise=w | no rewards | steps=4
        return stage=1
        """,
    ),
    Scenario(  # a: 0, 1 and -1; b: 0 and -1, and 1 behind it was not visited; e was not scored
        "search/svpo",
        {"prompts": TWO},
        {"rounds": 2, "simulations": 3, "branching": 2, "depth": 3, "rollouts": 4, "svpo": {"steps": 4}},
        {"steps": STEPS.__getitem__, "worth": WORTH.get},
        """
        search trees-1: x?; y? | mcts simulations=3 exploration=1.5 branching=2 depth=3, steps to '\\n' or None
            | verdict of ('rewards',) above 0 if finished, else 4 rollouts for trees-1 of policy=start reference=start
        train preference/svpo on 'steps 1': x?: a > b ; x?: a 1 > a 2 | policy=start reference=start | no rewards
            | steps=4
        search trees-2: x?; y? | mcts simulations=3 exploration=1.5 branching=2 depth=3, steps to '\\n' or None
            | verdict of ('rewards',) above 0 if finished, else at_last of policy=#1 reference=start
        train preference/svpo on 'steps 2': x?: a > b ; x?: a 1 > a 2 | policy=#1 reference=start | no rewards
            | steps=4
        return stage=2
        """,
    ),
    Scenario(  # without values of open nodes; the beam keeps one: a, then 1; 0.5 is not above 0.5
        "search/svpo",
        {"prompts": prompts("x?", "x?"), "held_out": prompts("x?", "y?", "y?")},
        {
            "simulations": 4,
            "branching": 3,
            "depth": 2,
            "exploration": 0.5,
            "margin": 0.5,
            "accepted": 0.5,
            "finished": False,
            "boundary": ".",
            "step_tokens": 5,
            "width": 1,
        },
        {
            "steps": STEPS.__getitem__,
            "worth": lambda t: WORTH.get(t, 0.5),
            "scores": lambda e: {"a\n1": 0.5, "d": 0.7}[e.text],
            "answers": {"greedy": {"x?": {"z": 0.4, "…": 9.0, "…?": 0.8}, "y?": {"q": None}}},
        },
        """
        search trees-1: x? | mcts simulations=4 exploration=0.5 branching=3 depth=2, steps to '.' or 5
            | verdict of ('rewards',) above 0.5 of policy=start reference=start
        train preference/svpo on 'steps 1': x?: a > c; x?: b > c; x?: a 1 > a 2; x?: b 1 > b 3
            | policy=start reference=start | no rewards
        search guided: x?; y? | beam width=1 branching=3 depth=2, steps to '.' or 5
            | at_last of policy=#1 reference=start
        score guided answers: x? a 1; y? d | rewards
        collect greedy: x?; y? | 1 of policy=#1 at 0 | rewards
        return stage=1 right/guided=0.5 right/greedy=0.666667
        """,
    ),
    Scenario(  # an answer that was cut is wrong; nobody scored d
        "search/svpo",
        {"prompts": prompts("x?"), "held_out": TWO},
        {"simulations": 2, "branching": 2, "depth": 3},
        {
            "steps": STEPS.__getitem__,
            "worth": WORTH.get,
            "scores": lambda e: {"a\n1": 0.5, "d": None}[e.text],
            "answers": {"greedy": {"x?": {"z": 0.4, "…": 9.0}, "y?": {"q": None}}},
        },
        """
        search trees-1: x? | mcts simulations=2 exploration=1.5 branching=2 depth=3, steps to '\\n' or None
            | verdict of ('rewards',) above 0 if finished of policy=start reference=start
        train preference/svpo on 'steps 1': x?: a 1 > a 2 | policy=start reference=start | no rewards
        search guided: x?; y? | beam width=3 branching=2 depth=3, steps to '\\n' or None
            | at_last of policy=#1 reference=start
        score guided answers: x? a 1; y? d | rewards
        collect greedy: x?; y? | 1 of policy=#1 at 0 | rewards
        return stage=1 right/guided=1 right/greedy=0.5
        """,
    ),
    Scenario(
        "search/lols",
        {"prompts": TWO},
        {"rounds": 3, "mix": 0.3, "share": 0.6, "ppo": {"steps": 4, "settings": {"passes": 2}}},
        {"seeds": COINS},
        """
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=start | rewards
            | steps=4 settings={share=0.6 passes=2}
        train online/aggrevated on 'prompts': x?; y? | policy=#1 | rewards | steps=4 settings={share=0.6 passes=2}
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=#2 | rewards
            | steps=4 settings={share=0.6 passes=2}
        return stage=3
        """,
    ),
    Scenario(
        "search/d2lols",
        {"prompts": TWO},
        {"share": 0.6, "aggrevated": {"steps": 4}, "ppo_plus_plus": {"steps": 8, "settings": {"passes": 2}}},
        {},
        """
        train online/aggrevated on 'prompts': x?; y? | policy=start | rewards | steps=4 settings={share=0.6}
        train online/ppo_plus_plus on 'prompts': x?; y? | policy=#1 | rewards
            | steps=8 settings={share=0.6 passes=2}
        return stage=2
        """,
    ),
    Scenario(
        "search/dagger",
        {"prompts": TWO},
        {"rounds": 3, "samples": 2, "imitation": {"steps": 4}},
        {
            "answers": {
                "round-1": {"x?": ["a", "b"], "y?": ["c", "d"]},
                "round-2": {"x?": ["e", "f"], "y?": ["g", "h"]},
                "round-3": {"x?": ["i", "j"], "y?": ["k", "l"]},
            },
            "weights": {"teacher": "wise"},
        },
        """
        collect round-1: x?; y? | 2 of teacher=wise | no rewards
        train labelled on 'round 1': x? -> a; x? -> b; y? -> c; y? -> d | policy=start teacher=wise | no rewards
            | steps=4
        collect round-2: x?; y? | 2 of policy=#1 | no rewards
        train labelled on 'round 2': x? -> a; x? -> b; y? -> c; y? -> d; x? -> e; x? -> f; y? -> g; y? -> h
            | policy=#1 teacher=wise | no rewards | steps=4
        collect round-3: x?; y? | 2 of policy=#2 | no rewards
        train labelled on 'round 3': x? -> a; x? -> b; y? -> c; y? -> d; x? -> e; x? -> f; y? -> g; y? -> h;
            x? -> i; x? -> j; y? -> k; y? -> l | policy=#2 teacher=wise | no rewards | steps=4
        return stage=3
        """,
    ),
    Scenario(
        "search/dagger",
        {"prompts": TWO},
        {"rounds": 1, "teacher": "expert"},
        {"answers": {"round-1": {"x?": ["a"], "y?": ["c"]}}, "weights": {"expert": "wise"}},
        """
        collect round-1: x?; y? | 1 of teacher=wise | no rewards
        train labelled on 'round 1': x? -> a; y? -> c | expert=wise policy=start teacher=wise | no rewards
        return stage=1
        """,
    ),
    Scenario(  # of the first two lists the improbable answers are the best: the weight of log-probs turns around
        "search/mert",
        {"prompts": THREE},
        {"samples": 3, "tuning": 0.7, "features": ["seen"], "sft": {"steps": 4}},
        {"answers": {"n-best": GRADED}, "measures": {"logp": LOGP}},
        """
        collect n-best: x?; y?; z? | 3 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e; z? -> ff; z? -> gggg | sum_logp of policy=start
        artefact mert: weights={logp=-1 length=0 seen=0} before=0.15 after=0.65
        train imitation/sft on 'picked': x? -> bbb; y? -> e; z? -> ff | policy=start | no rewards | steps=4
        return stage=1 before=0.15 after=0.65
        """,
    ),
    Scenario(  # half of the lists is one; log-probs and quality agree there, so nothing moves
        "search/mert",
        {"prompts": TWO},
        {},
        {"answers": {"n-best": GRADED}, "measures": {"logp": [-5.0, -2.0, -6.0, -1.0]}},
        """
        collect n-best: x?; y? | 16 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e | sum_logp of policy=start
        artefact mert: weights={logp=1 length=0} before=0.9 after=0.9
        train imitation/sft on 'picked': x? -> bbb; y? -> e | policy=start | no rewards
        return stage=1 before=0.9 after=0.9
        """,
    ),
    Scenario(  # a share that is less than one list is one
        "search/mert",
        {"prompts": THREE},
        {"samples": 2, "tuning": 0.1},
        {"answers": {"n-best": GRADED}, "measures": {"logp": [-5.0, -2.0, -6.0, -1.0, -1.0, -2.0]}},
        """
        collect n-best: x?; y?; z? | 2 of policy=start | rewards
        measure logp: x? -> a; x? -> bbb; y? -> dd; y? -> e; z? -> ff; z? -> gggg | sum_logp of policy=start
        artefact mert: weights={logp=1 length=0} before=0.9 after=0.9
        train imitation/sft on 'picked': x? -> bbb; y? -> e; z? -> ff | policy=start | no rewards
        return stage=1 before=0.9 after=0.9
        """,
    ),
    Scenario(
        "games/seqgan",
        {"demonstrations": demonstrations(("x?", "shown"), ("y?", "also"), ("z?", "too"))},
        {
            "rounds": 2,
            "demonstrations_per_round": 2,
            "method": "online/red",
            "discriminator": {"steps": 4},
            "generator": {"steps": 8},
            "imitation": {"steps": 1},
        },
        {
            "answers": {
                "round-1": {"x?": ["own"], "y?": ["mine"]},
                "round-2": {"z?": ["other"], "x?": ["own"]},
            }
        },
        """
        collect round-1: x?; y? | 1 of policy=start | no rewards
        train reward/outcome on 'round 1': x? -> shown good; y? -> also good; x? -> own bad; y? -> mine bad
            | policy=start | no rewards | steps=4
        train online/red on 'questions 1': x?; y? | policy=start reward=#1 | no rewards | steps=8
        train imitation/sft on 'shown 1': x? -> shown; y? -> also | policy=#2 reward=#1 | no rewards | steps=1
        collect round-2: z?; x? | 1 of policy=#3 | no rewards
        train reward/outcome on 'round 2': z? -> too good; x? -> shown good; z? -> other bad; x? -> own bad
            | policy=#3 reward=#1 | no rewards | steps=4
        train online/red on 'questions 2': z?; x? | policy=#3 reward=#4 | no rewards | steps=8
        train imitation/sft on 'shown 2': z? -> too; x? -> shown | policy=#5 reward=#4 | no rewards | steps=1
        return stage=6
        """,
    ),
    Scenario(
        "games/seqgan",
        {"demonstrations": demonstrations(("x?", "shown"))},
        {"rounds": 1},
        {"answers": {"round-1": {"x?": ["own"]}}},
        """
        collect round-1: x? | 1 of policy=start | no rewards
        train reward/outcome on 'round 1': x? -> shown good; x? -> own bad | policy=start | no rewards
        train online/reinforce on 'questions 1': x? | policy=start reward=#1 | no rewards
        return stage=2
        """,
    ),
)
