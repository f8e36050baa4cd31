"""Detectors that read metrics. Each takes the curves of a run and returns what it found, or None.

Their thresholds are ours: wide enough that a healthy run of the recipes gives no finding.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import median

from posttrain.runs.detectors.finding import Finding
from posttrain.runs.detectors.trend import CLEAR, LEAST, Curves, first_step, trend

LENGTH, CUT_OFF = "completions/mean_length", "completions/clipped_ratio"
DEAD, KL, ENTROPY, REWARD = "frac_reward_zero_std", "kl", "entropy", "reward"
GRADIENT, SPEED, MISMATCH = "grad_norm", "tokens_per_second", "sampling/logp_difference"
LOSS, SLOWEST = "loss", "processes/slowest"
ABSTAINED = "errors/abstained"  # answers that no reward spoke about: often meant so
Detector = Callable[[Curves], Finding | None]


def length_drift(curves: Curves) -> Finding | None:
    """Answers become half as long again, or half as long."""
    t = trend(curves, LENGTH)
    if t is None or not (t.rises() or t.falls()) or 0.5 < t.last / max(t.first, 1e-9) < 1.5:
        return None
    says = f"answers went from {t.first:.0f} to {t.last:.0f} tokens"
    remedy = (
        "see whether the reward pays for length: sort the samples by length; the transform length_penalty, or a loss "
        "that does not divide by the length (online/dr_grpo), takes the incentive away"
    )
    return Finding("length drift", says, remedy, LENGTH, t.since)


def cut_off(curves: Curves) -> Finding | None:
    """More than 30% of the answers are cut at max_tokens."""
    t = trend(curves, CUT_OFF)
    if t is None or t.last < 0.3:
        return None
    remedy = "raise sampling.max_tokens, or filter cut answers out; a reward cannot judge the end that is missing"
    return Finding(
        "cut answers", f"{t.last:.0%} of the answers are cut off", remedy, CUT_OFF, first_step(curves, CUT_OFF, 0.3)
    )


def dead_groups(curves: Curves) -> Finding | None:
    """In more than 80% of the groups all rewards are equal."""
    t = trend(curves, DEAD)
    if t is None or t.last < 0.8:
        return None
    says = f"in {t.last:.0%} of the groups all answers have the same reward, so they teach nothing"
    remedy = (
        "the prompts are too hard or too easy: mix in others, sample more answers, or keep only groups that differ "
        "(online/dapo); look at the samples, sorted by spread"
    )
    return Finding("dead groups", says, remedy, DEAD, first_step(curves, DEAD, 0.8))


def entropy_collapse(curves: Curves) -> Finding | None:
    """The entropy falls below 30% of what it was."""
    t = trend(curves, ENTROPY)
    if t is None or not t.falls() or t.last > 0.3 * t.first:
        return None
    says = f"the entropy fell from {t.first:.3g} to {t.last:.3g}: the policy hardly explores any more"
    remedy = (
        "raise the upper clip range (online/dapo), add a bonus for entropy, lower the learning rate, or raise the KL"
    )
    return Finding("entropy collapse", says, remedy, ENTROPY, t.since)


def kl_acceleration(curves: Curves) -> Finding | None:
    """The KL to the reference grows three times as fast in the second half as in the first."""
    t = trend(curves, KL)
    if t is None or not t.rises() or t.last < 0.01:
        return None
    early, late = t.middle - t.first, t.last - t.middle
    if late <= 3 * max(early, 0.0) or late < 0.5 * t.change:
        return None
    says = f"the KL to the reference was {t.middle:.3g} half way and is {t.last:.3g}: it accelerates"
    remedy = "stop early or go back to a checkpoint (--resume STEP); then raise kl.weight or lower the learning rate"
    return Finding("KL acceleration", says, remedy, KL, t.since)


def reward_split(curves: Curves) -> Finding | None:
    """The reward that is trained rises while another one, or that of held-out prompts, falls from its best."""
    trained = trend(curves, REWARD)
    if trained is None or not trained.rises():
        return None
    others = [n for n in curves if n == "eval/reward" or (n.startswith("rewards/") and n.endswith("/mean"))]
    known = [(n, t) for n in others if (t := trend(curves, n)) is not None and t.drop > CLEAR]
    falling = [(n, t) for n, t in known if trained.last >= trained.fifths[t.best]]
    if not falling:
        return None
    name, t = max(falling, key=lambda pair: pair[1].drop)
    best = t.fifths[t.best]
    says = f"the reward rises ({trained.first:.3g} to {trained.last:.3g}), {name} falls ({best:.3g} to {t.last:.3g})"
    remedy = "read the answers with the highest reward: something is rewarded that is not meant; mend the reward first"
    return Finding("reward split", says, remedy, name, t.since)


def failures(curves: Curves) -> Finding | None:
    """Rewards, judges or environments still fail, or steps are broken."""
    failing = {
        n: t.last
        for n in curves
        if n.startswith("errors/") and n != ABSTAINED and (t := trend(curves, n)) and t.last > 0
    }
    if not failing:
        return None
    name = max(failing, key=failing.__getitem__)
    says = ", ".join(f"{n} {x:.3g} a step" for n, x in sorted(failing.items()))
    remedy = "see rewards.log and the log of the run; a reward that failed is no score, and its answers are left out"
    return Finding("failures", says, remedy, name, first_step(curves, name, 0.0))


def gradient_spikes(curves: Curves) -> Finding | None:
    """A gradient is more than 20 times the median."""
    steps, values = curves.get(GRADIENT, ((), ()))
    usual = median(values) if len(values) >= LEAST else 0.0
    spikes = [step for step, value in zip(steps, values, strict=True) if value > 20 * usual > 0]
    if not spikes:
        return None
    says = f"{len(spikes)} gradients are more than 20 times the median ({usual:.3g})"
    remedy = "lower train.max_grad_norm or the learning rate; look at the samples of those steps for odd data"
    return Finding("gradient spikes", says, remedy, GRADIENT, spikes[0])


def loss_spikes(curves: Curves) -> Finding | None:
    """The loss jumps by more than ten times the usual difference of two steps, and the run goes on as before."""
    steps, values = curves.get(LOSS, ((), ()))
    if len(values) < LEAST:
        return None
    usual = median(abs(b - a) for a, b in pairwise(values))
    middles = [median(values[max(0, n - 5) : n + 6]) for n in range(len(values))]
    found = [step for step, x, m in zip(steps, values, middles, strict=True) if x - m > 10 * usual > 0]
    if not found:
        return None
    says = f"the loss jumps at step {found[0]}" + (f" and at {len(found) - 1} others" if len(found) > 1 else "")
    remedy = "look at the samples of these steps; a lower train.max_grad_norm or train.learning_rate makes them smaller"
    return Finding("loss spikes", says, remedy, LOSS, found[0])


def straggler(curves: Curves) -> Finding | None:
    """One of several processes takes more than half as long again as the others, for the same work."""
    t = trend(curves, SLOWEST)
    if t is None or t.last < 1.5:
        return None
    says = f"the slowest process takes {t.last:.2g} times as long as the others, which wait for it"
    remedy = (
        "run.log names it; see whether another program uses its device or its clock is throttled, and look at the "
        "timeline (backend.timeline: true)"
    )
    return Finding("straggler", says, remedy, SLOWEST, first_step(curves, SLOWEST, 1.5))


def sampling_mismatch(curves: Curves) -> Finding | None:
    """The log-probs of the sampler and of the trainer differ by more than 0.1 nats a token."""
    t = trend(curves, MISMATCH)
    if t is None or t.last < 0.1:
        return None
    says = f"the sampler and the trainer differ by {t.last:.3g} nats a token"
    remedy = "set train.rollout_correction, and check that both have the same dtype, template and temperature"
    return Finding("sampling mismatch", says, remedy, MISMATCH, first_step(curves, MISMATCH, 0.1))


def slowdown(curves: Curves) -> Finding | None:
    """The run makes less than half as many tokens a second as in its middle."""
    t = trend(curves, SPEED)
    if t is None or not t.falls() or t.last > 0.5 * t.middle:
        return None
    says = f"the run made {t.middle:.3g} tokens a second half way, and now {t.last:.3g}"
    remedy = "see time/sampling, time/rewards and time/training: longer answers, a slower judge, or another process"
    return Finding("slowdown", says, remedy, SPEED, t.since)


DETECTORS: tuple[Detector, ...] = (
    reward_split, kl_acceleration, entropy_collapse, dead_groups, length_drift, cut_off, failures, gradient_spikes,
    loss_spikes, sampling_mismatch, slowdown, straggler,
)  # fmt: skip
