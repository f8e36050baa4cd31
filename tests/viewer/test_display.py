"""What a person sees: exact plain lines, a panel that fits and shows the numbers, nothing injected."""

import io
import re
import threading

import pytest
from rich.console import Console

from posttrain.viewer import live
from posttrain.viewer.curves import CAPACITY, Curve, area, sparkline
from posttrain.viewer.display import Display
from posttrain.viewer.live import LiveDisplay, open_display
from posttrain.viewer.panel import labels_of, panel
from posttrain.viewer.plain import PlainDisplay
from posttrain.viewer.progress import Phase, Progress, Sample
from posttrain.viewer.terminal import duration, escaped, number

ATTACK = "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b1m [bold]x[/bold] [/] :smile: \u202etxt\u200b\r\x00"


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


# --- text


def test_what_a_terminal_would_obey_is_shown_literally():
    assert escaped("a\x1b[31mb\r\n\t\x00\x9b") == "a\\x1b[31mb\\r\\n\\t\\x00\\x9b"
    assert escaped("\u202e\u200b\u2028\ud800") == "\\u202e\\u200b\\u2028\\ud800"
    assert escaped("plain 文字 é 🙂 [bold]") == "plain 文字 é 🙂 [bold]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.41234, "0.412"), (0, "0"), (0.0, "0"), (17, "17"), (-1.5, "-1.5"), (1e-6, "1e-06"), (999.4, "999"),
        (1234, "1.23k"), (999_499, "999k"), (999_600, "1M"), (7.5e9, "7.5G"), (1e15, "1e+15"),
        (float("nan"), "nan"), (float("-inf"), "-inf"), (None, "-"), ("a\x1b", "a\\x1b"),
    ],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (-3, "0:00"), (59.9, "0:59"), (724, "12:04"), (3725, "1:02:05"), (90000, "1d 01:00")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


# --- curves


def test_curves_are_drawn_from_the_lowest_to_the_highest_value():
    assert sparkline([0, 1, 2, 3, 4, 5, 6]) == "▁▂▃▄▅▆▇"
    assert sparkline([5, 5, 5]) == "▃▃▃"
    assert area([0, 1, 2], 2) == [" ▁█", "▁██"]


def test_a_curve_of_any_length_fits_and_keeps_its_shape():
    curve = Curve()
    for n in range(10 * CAPACITY):
        curve.add(float(n))
    assert len(curve.points) <= CAPACITY
    assert (curve.first, curve.last) == (0.0, 10 * CAPACITY - 1)
    for width in (1, 7, 40, 5000):
        columns = curve.columns(width)
        assert len(columns) == width
        assert columns == sorted(columns)
        expected = [(i + 0.5) / width * 10 * CAPACITY for i in range(width)]
        assert columns == pytest.approx(expected, abs=10 * CAPACITY / width + 20)


def test_a_short_curve_is_joined_by_straight_lines():
    curve = Curve()
    assert curve.columns(4) == []
    curve.add(float("nan"))
    curve.add(0.0)
    assert curve.columns(3) == [0.0, 0.0, 0.0]
    curve.add(1.0)
    assert curve.columns(5) == [0.0, 0.25, 0.5, 0.75, 1.0]


# --- progress


def test_the_rest_is_predicted_from_the_last_steps():
    progress = Progress("t", 200, 0.0, step=100)
    assert progress.remaining(5.0) is None
    progress.update(101, {}, 10.0)
    progress.update(101, {"eval/accuracy": 1.0}, 12.0)
    progress.update(102, {}, 20.0)
    assert progress.remaining(20.0) == 980.0
    assert progress.remaining(25.0) == 975.0
    assert progress.remaining(1e6) == 0.0
    progress.update(102, {"eval/accuracy": 1.0}, 25.0)
    assert progress.remaining(25.0) == 975.0


def test_shares_of_time_leave_out_sums():
    progress = Progress("t", 2, 0.0)
    for step in (1, 2):
        progress.update(step, {"time/step": 10.0, "time/training": 3.0, "time/saving": 1.0, "time/sampling": 6.0}, 1.0)
    assert progress.shares() == [("sampling", 0.6), ("training", pytest.approx(0.3)), ("saving", pytest.approx(0.1))]


# --- plain lines


def test_plain_lines_exactly():
    clock, out = Clock(), io.StringIO()
    display = PlainDisplay(out, interval=5.0, clock=clock)
    display.start("posttrain online/grpo", 6, ["SmolLM2 · arithmetic"])
    rows = {
        1: {"reward": 0.41, "kl": 0.003, "learning_rate": 1e-6, "completions/mean_length": 87.25, "time/sampling": 2.0},
        2: {"reward": 0.5},  # too soon: not shown
        3: {"reward": 0.55, "loss": -0.0123},  # too soon, but evaluated below
        4: {"reward": 0.6},
        5: {"reward": 0.7},
        6: {"reward": 0.8, "tokens_per_second": 3421.0},
    }
    for step, metrics in rows.items():
        clock.now += 2.0
        display.step(step, metrics)
        if step == 3:
            display.step(3, {"eval/accuracy": 0.75})
        if step == 4:
            display.note("saved checkpoint-4\x1b[2J")
    display.close()
    display.close()
    assert out.getvalue().splitlines() == [
        "posttrain online/grpo",
        "SmolLM2 · arithmetic",
        "step 1/6  reward 0.41  kl 0.003  length 87.2  lr 1e-06  left 0:10",
        "step 3/6  eval/accuracy 0.75  left 0:06",
        "saved checkpoint-4\\x1b[2J",
        "step 6/6  reward 0.8  tok/s 3.42k",
        "done after 0:12",
    ]


def test_plain_lines_come_at_most_every_few_seconds():
    clock, out = Clock(), io.StringIO()
    display = PlainDisplay(out, interval=5.0, clock=clock)
    display.start("t", 1000)
    for step in range(1, 101):
        clock.now += 0.5
        display.step(step, {"reward": 0.0})
    steps = [int(n) for n in re.findall(r"step (\d+)/", out.getvalue())]
    assert steps == [1, 51]


def test_a_run_that_stops_early_shows_its_last_step():
    clock, out = Clock(), io.StringIO()

    def run():
        with PlainDisplay(out, clock=clock) as display:
            display.start("t", 10)
            display.step(1, {"loss": 2.0})
            display.step(2, {"loss": 1.0})
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert out.getvalue().splitlines()[-2:] == ["step 2/10  loss 1  left 0:00", "stopped at step 2/10 after 0:00"]


def test_long_phases_report_in_plain_lines():
    clock, out = Clock(), io.StringIO()
    display = PlainDisplay(out, clock=clock)
    display.start("t", 10)
    for done in range(1, 101):
        clock.now += 1.0
        display.phase("sampling", done, 100)
    assert out.getvalue().splitlines()[1:] == [f"step 1/10  sampling {n}/100" for n in (30, 60, 90)]


def test_plain_lines_survive_a_terminal_without_unicode():
    raw = io.BytesIO()
    display = PlainDisplay(io.TextIOWrapper(raw, encoding="ascii"))
    display.start("naïve · é", 1)
    assert raw.getvalue() == b"na\\xefve \\xb7 \\xe9\n"


# --- the panel


def progress(steps=87, total=200, header=("SmolLM2-135M · arithmetic", "seed 0")):
    p = Progress("posttrain online/grpo", total, 0.0, header)
    for n in range(1, steps + 1):
        metrics = {"reward": n / 200, "kl": 0.01, "completions/mean_length": 90.0 + n, "loss": -0.5, "entropy": 1.0}
        metrics |= {"rewards/brevity/mean": 0.25, "grad_norm": 0.5, "learning_rate": 1e-6, "tokens_per_second": 3421.0}
        metrics |= {"time/sampling": 6.0, "time/rewards": 1.0, "time/training": 3.0}
        p.update(n, metrics, n * 10.0)
    p.phase = Phase("sampling", 148, 256)
    p.sample = Sample("What is\n12 + 7?", "12 + 7 = 19", 1.0)
    return p


def drawn(p, width=100, height=40, now=872.0):
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None)
    console.print(panel(p, now, width, height))
    return console.file.getvalue()


def test_the_panel_shows_the_numbers():
    text = drawn(progress())
    for part in (
        "posttrain online/grpo", "SmolLM2-135M · arithmetic", "step 87/200", "44%", "14:32", "left 18:48",
        "0.435", "+0.43", "since start", "brevity", "0.25", "177", "1e-06",
        "sampling 60%", "rewards 10%", "training 30%", "3.42k tokens/s", "148/256",
        "What is↵ 12 + 7? → 12 + 7 = 19  reward 1",
    ):  # fmt: skip
        assert part in text, part
    assert re.search(r"kl +0.01 ▃+", text)
    assert re.search(r"length +177 ▁+▂+▃+▄+▅+▆+▇+", text)


def test_the_panel_shows_how_a_run_ended():
    p = progress(200)
    p.ended = 2000.0
    text = drawn(p, now=9999.0)
    assert "done" in text
    assert "33:20" in text
    assert "148/256" not in text
    p = progress(87)
    p.ended = 870.0
    assert "stopped" in drawn(p)


def test_preference_runs_show_their_accuracy_first():
    p = Progress("dpo", 3, 0.0)
    p.update(1, {"loss": 0.7, "rewards/accuracies": 0.5, "rewards/margins": 0.1, "eval/loss": 0.6}, 1.0)
    text = drawn(p)
    assert text.index("accuracy") < text.index("loss") < text.index("margin")
    assert "eval/loss" in text


@pytest.mark.parametrize("width", [64, 80, 100, 120])
@pytest.mark.parametrize("height", [20, 22, 24, 30, 32, 50])
@pytest.mark.parametrize("steps", [0, 1, 2, 87])
def test_the_panel_fits_its_terminal(width, height, steps):
    lines = drawn(progress(steps), width, height).rstrip("\n").split("\n")
    assert len(lines) <= height
    assert {len(line) for line in lines} == {width}


@pytest.mark.parametrize("prompt", ["", "x", "文" * 300, "e\u0301" * 300, "a" * 10_000 + "?"])
@pytest.mark.parametrize("completion", ["", "y", "字" * 300, "b" * 10_000])
def test_any_sample_takes_one_line(prompt, completion):
    p = progress()
    before = drawn(p).count("\n")
    p.sample = Sample(prompt, completion, None)
    text = drawn(p)
    assert text.count("\n") == before
    assert "reward -" in text


@pytest.mark.fault("D16")
def test_nothing_a_stranger_wrote_reaches_the_terminal_raw():
    p = Progress(ATTACK, 10, 0.0, (ATTACK,))
    p.update(1, {f"rewards/{ATTACK}/mean": 1.0, f"time/{ATTACK}": 1.0, f"eval/{ATTACK}": 1.0}, 1.0)
    p.phase, p.sample = Phase(ATTACK, 1, 2), Sample(ATTACK, ATTACK, 1.0)
    text = drawn(p, 120)
    assert not set(text) & set("\x1b\x07\x9b\u202e\u200b\r\x00")
    assert "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31mred\\x9b1m [bold]x[/bold]" in text


# --- live


def test_the_live_display_draws_and_ends_with_the_last_numbers():
    out = Terminal()
    console = Console(
        file=out, force_terminal=True, width=100, height=40, color_system="truecolor", legacy_windows=False
    )
    with LiveDisplay(console) as display:
        display.start("posttrain online/grpo", 3, ["header"], first_step=0)
        for step in (1, 2, 3):
            display.phase("sampling", step, 4)
            display.step(step, {"reward": step / 7, "time/sampling": 1.0})
            display.sample("12 + 7 = ?", "\x1b[31m19", 1.0)
        display.note("\x1b]0;owned\x07 saved [bold]")
    text = out.getvalue()
    assert "\x1b]0" not in text
    assert "\x1b[31m" not in text
    assert "\\x1b]0;owned\\x07 saved [bold]" in text
    final = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text[text.rindex("╭") :])
    for part in ("step 3/3", "100%", "done", "0.429", "sampling 100%", "12 + 7 = ? → \\x1b[31m19  reward 1"):
        assert part in final, part


def test_nothing_changes_while_the_panel_is_drawn(monkeypatch):
    display = LiveDisplay(Console(file=Terminal(), force_terminal=True, width=100, height=40))
    display.progress = Progress("t", 10, 0.0)
    during = []

    def drawing(progress, *where):
        thread = threading.Thread(target=display.step, args=(1, {"reward": 1.0}))
        thread.start()
        thread.join(0.1)
        during.append((progress.step, thread))
        return ""

    monkeypatch.setattr(live, "panel", drawing)
    display.draw()
    [(step, thread)] = during
    thread.join()
    assert (step, display.progress.step) == (0, 1)


@pytest.fixture
def environment(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


def test_a_terminal_gets_the_live_view(environment):
    assert isinstance(open_display(Console(file=Terminal(), width=100, height=40)), LiveDisplay)


@pytest.mark.fault("F7")
@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_terminals_that_ask_for_it_get_plain_lines(environment, variable):
    environment.setenv(*variable)
    assert isinstance(open_display(Console(file=Terminal(), width=100, height=40)), PlainDisplay)


@pytest.mark.fault("F7")
def test_pipes_small_terminals_and_old_encodings_get_plain_lines(environment):
    class Latin(Terminal):
        encoding = "latin-1"

    for file, width, height in (
        (Terminal(), 63, 40),
        (Terminal(), 100, 19),
        (Latin(), 100, 40),
        (io.StringIO(), 100, 40),
    ):
        assert isinstance(open_display(Console(file=file, width=width, height=height)), PlainDisplay)
    environment.setenv("FORCE_COLOR", "1")
    assert isinstance(open_display(Console(file=io.StringIO(), width=100, height=40)), PlainDisplay)


def test_the_silent_display_takes_everything_and_shows_nothing(capsys):
    with Display() as display:
        display.start("t", 1)
        display.step(1, {"reward": 1.0})
        display.phase("sampling", 1, 2)
        display.sample("a", "b", None)
        display.note("n")
        display.end_early("why")
        assert not display.stopping
        display.stop_after_step()
        assert display.stopping
    assert capsys.readouterr() == ("", "")


# --- terminals of any size, at any time


def test_any_size_is_drawn():
    """Widths and heights from 1 to 200: the panel where it fits, else one line."""
    whole = progress()
    whole.why = "train.max_seconds=390 is over: stopped after step 8 of 20"
    console = Console(file=io.StringIO(), force_terminal=True, color_system=None, width=80, height=24)
    display = LiveDisplay(console, clock=lambda: 872.0)
    display.progress = whole
    edges = [(w, h) for w in (1, 2, 63, 64, 65) for h in (1, 19, 20, 21)]
    sizes = [(w, 1 + (w * 7) % 60) for w in range(1, 201, 3)] + [(64 + (h * 11) % 60, h) for h in range(1, 201, 3)]
    for width, height in edges + sizes:
        console.size = (width, height)
        lines = console.render_lines(display.draw(), console.options.update(height=None), pad=False)
        assert len(lines) <= height, (width, height)
        text = "".join(segment.text for line in lines for segment in line)
        assert "cannot be drawn" not in text, (width, height, text)
        if width >= 64 and height >= 20:
            assert all(sum(segment.cell_length for segment in line) == min(width, 120) for line in lines)


def test_an_error_in_drawing_is_a_line_and_ends_nothing(monkeypatch):
    class Broken:
        def __rich_console__(self, console, options):
            raise ZeroDivisionError("division by zero")
            yield

    def raising(*_):
        raise ZeroDivisionError("division by zero")

    for broken in (raising, lambda *_: Broken()):
        monkeypatch.setattr(live, "panel", broken)
        out = Terminal()
        with LiveDisplay(Console(file=out, force_terminal=True, width=100, height=40)) as display:
            display.start("t", 10)
            display.step(1, {"reward": 1.0})
        assert "cannot be drawn (ZeroDivisionError: division by zero); the run continues" in out.getvalue()
        assert "Traceback" not in out.getvalue()


def test_a_curve_without_a_finite_value_is_no_headline():
    p = Progress("t", 10, 0.0)
    p.update(1, {"reward": float("nan"), "loss": float("nan")}, 1.0)
    assert "step 1/10" in drawn(p)


def test_the_panel_says_why_a_run_stopped():
    class Stop(Exception):
        pass

    display = LiveDisplay(Console(file=Terminal(), force_terminal=True, width=100, height=40))
    display.start("t", 10)
    display.step(1, {"reward": 1.0})
    display.stop_after_step()
    assert "stopping after this step; Ctrl-C again" in drawn(display.progress)
    with pytest.raises(Stop), display:
        raise Stop("stopped by SIGINT; checkpoint-1 is saved, continue with --resume\nmore")
    assert "stopped by SIGINT; checkpoint-1 is saved, continue with --resume" in drawn(display.progress)
    display = LiveDisplay(Console(file=Terminal(), force_terminal=True, width=100, height=40))
    display.start("t", 10)
    display.end_early("train.max_seconds=1 is over")
    display.close()
    assert "train.max_seconds=1 is over" in drawn(display.progress)


def test_a_second_signal_would_leave_a_visible_cursor():
    out = Terminal()
    with LiveDisplay(Console(file=out, force_terminal=True, width=100, height=40)) as display:
        display.start("t", 10)
        shown = out.getvalue().count("\x1b[?25h")
        display.stop_after_step()
        display._live.refresh()
        display._live.refresh()
        assert out.getvalue().count("\x1b[?25h") == shown + 1


def test_two_metrics_never_have_one_label():
    p = Progress("t", 10, 0.0)
    long = "rewards/a_very_long_name_of_a_reward_{}/mean"
    names = ["completions/mean_length", "rewards/length/mean", long.format("alpha"), long.format("omega")]
    p.update(1, dict.fromkeys(names, 1.0), 1.0)
    labels = labels_of([*names, "rewards/" + "x" * 30 + "y" * 30 + "/mean", "rewards/" + "x" * 31 + "y" * 30 + "/mean"])
    assert len(set(labels.values())) == len(labels)
    assert all(len(label) <= 15 for label in labels.values())
    text = drawn(p)
    assert "length  " in text
    assert "reward length" in text
    assert "alpha" in text
    assert "omega" in text


def test_plain_lines_come_for_each_twentieth_of_a_long_run_or_every_half_minute():
    clock, out = Clock(), io.StringIO()
    display = PlainDisplay(out, interval=5.0, clock=clock)
    display.start("t", 320)
    for step in range(1, 321):
        clock.now += 6.0
        display.step(step, {"reward": 0.0})
    steps = [int(n) for n in re.findall(r"step (\d+)/", out.getvalue())]
    assert steps == [*range(1, 320, 5), 320]


def test_plain_lines_answer_the_first_signal_once():
    clock, out = Clock(), io.StringIO()
    display = PlainDisplay(out, clock=clock)
    display.start("t", 10)
    display.stop_after_step()
    display.phase("sampling", 1, 4)
    display.step(1, {"reward": 1.0})
    assert out.getvalue().count("stopping after this step; Ctrl-C again stops at once") == 1


def test_the_value_of_a_policy_gradient_loss_is_not_shown():
    from posttrain.methods.imitation.sft import METHOD as SFT
    from posttrain.methods.online.grpo import METHOD as GRPO
    from posttrain.methods.online.online_dpo import METHOD as ONLINE_DPO

    assert GRPO.is_surrogate
    assert GRPO.without_meaning == ("loss", "loss/policy")
    assert not SFT.is_surrogate
    assert not ONLINE_DPO.is_surrogate
