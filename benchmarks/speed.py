"""Ours against what a learner would pick instead: `flax.nnx` and PyTorch, side by side.

    python benchmarks/speed.py PYTHON_WITH_TORCH [--out FILE] [case …]
    python benchmarks/speed.py --before CHECKOUT [--out FILE] [case …]

The second form compares this checkout with another one, five times: a row is slower than before if the ratio is below
0.97 in all five (one that compares equal code has shown 0.966 once).

Two processes compute in turn (A B A B …) in one run, with the same sizes, data, precision and threads. A row gives the
median milliseconds of each side, ratios (above 1: ours is faster), the share that ours reaches of the rate of a plain
matrix product in the same run. A case is a layer or a translator; without one, all are run.
"""

import argparse
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks" / "peers"))

import turns  # noqa: E402
from machine import processor  # noqa: E402

ROUNDS, REPEAT = 20, 5  # of a layer; the first three rounds are not counted
PAUSE = 0.03  # seconds before a turn: threads of the other process that still wait for work in a loop would take a core
WARM = 3
TRAINING_ROUNDS = 24  # runs of updates, of which those count that come after all shapes have been seen
GOAL = 95  # BLEU
LAYERS = ("RNN", "LSTM", "GRU", "attention")
KINDS = ("fixed context", "attentive GRU", "Transformer")


class Side:
    """A process that computes when it is asked to."""

    def __init__(self, name: str, python: str, script: str, folder: str, root: pathlib.Path = ROOT):
        self.name = name
        self.process = subprocess.Popen(
            [python, str(root / "benchmarks" / "peers" / script), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root)},  # before the package that is installed
        )

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.name} ended while asked for {order}; its own message stands above.")
        return json.loads(answer)

    def turn(self, case: str, *given: Any, repeat: int = 1) -> tuple[float, Any]:
        time.sleep(PAUSE)
        answer = self.ask(turn=case, given=given, repeat=repeat)
        return answer["seconds"], answer["said"]


Rounds = dict[str, list[tuple[float, Any]]]  # of each side: seconds of every turn, and what it said


def in_turn(sides: dict[str, tuple[Side, str]], rounds: int, repeat: int = 1) -> Rounds:
    """One turn of each side a round."""
    for side, case in sides.values():
        side.ask(make=case)
    found: Rounds = {name: [] for name in sides}
    for _ in range(rounds):
        for name, (side, case) in sides.items():
            found[name].append(side.turn(case, repeat=repeat))
    for side, case in sides.values():
        side.ask(drop=case)
    return found


def medians(found: Rounds, skip: int = WARM) -> dict[str, float]:
    return {name: 1e3 * statistics.median(seconds for seconds, _ in turns[skip:]) for name, turns in found.items()}


class Comparison:
    """All that is measured, as rows of one table."""

    def __init__(self, ours: Side, torch: Side):
        self.ours, self.torch = ours, torch
        self.ours.ask(make="prepare")
        self.about = self.ours.turn("prepare")[1]
        found = medians(in_turn({"ours": (ours, "product"), "PyTorch": (torch, "product")}, ROUNDS))
        operations = 2.0 * turns.SIDE**3 * turns.PRODUCTS
        self.rate = {name: operations / (1e-3 * spent) for name, spent in found.items()}  # a second
        self.rows: list[dict[str, Any]] = []

    def keep(self, case: str, unit: str, spent: dict[str, float], share: float | None = None, **more: Any) -> None:
        ratios = {name: value / spent["ours"] for name, value in spent.items() if name != "ours"}
        row = {"case": case, "unit": unit, "spent": spent, "ratios": ratios, "share": share, **more}
        self.rows.append(row)
        words = "  ".join(f"{name} {value:8.2f}" for name, value in spent.items())
        against = "  ".join(f"×{value:.2f} {name}" for name, value in ratios.items())
        print(
            f"{case:32} {unit:14} {words}   {against}" + ("" if share is None else f"   {share:.0%} of the rate"),
            flush=True,
        )

    def layer(self, kind: str) -> None:
        for what, passes in (("forward", 1), ("forward and backward", 3)):
            case = f"{kind} {what}"
            sides = {"ours": (self.ours, case), "flax.nnx": (self.ours, f"nnx {case}"), "PyTorch": (self.torch, case)}
            spent = medians(in_turn(sides, ROUNDS, REPEAT))
            share = passes * self.about["layers"][kind] / (1e-3 * spent["ours"]) / self.rate["ours"]
            self.keep(case, "ms", spent, share)

    def training(self, kind: str) -> None:
        """Microseconds for a word, padding not counted: the sum over the runs of updates whose shape was seen before."""
        case = f"{kind} training"
        found = in_turn({"ours": (self.ours, case), "PyTorch": (self.torch, case)}, TRAINING_ROUNDS)
        buckets = self.about["buckets"][:TRAINING_ROUNDS]
        counted = [k for k in range(TRAINING_ROUNDS) if buckets[k] in buckets[:k]]
        words = sum(self.about["words"][k] for k in counted)
        seconds = {name: sum(turns[k][0] for k in counted) for name, turns in found.items()}
        operations = 3 * turns.RUN * sum(self.about["operations"][kind][k] for k in counted)
        share = operations / seconds["ours"] / self.rate["ours"]
        losses = {name: round(turns[-1][1], 3) for name, turns in found.items()}
        self.keep(
            case, "µs a word", {name: 1e6 * spent / words for name, spent in seconds.items()}, share, losses=losses
        )

    def decoding(self) -> None:
        case = "greedy decoding"
        found = in_turn({"ours": (self.ours, case), "PyTorch": (self.torch, case)}, ROUNDS // 2)
        steps = {name: turns[-1][1] for name, turns in found.items()}
        self.keep(case, "ms", medians(found, 1), steps=steps)

    def quality(self) -> None:
        """Seconds of training until the sentences of 26 to 32 words reach the goal, asked every hundred updates."""
        self.ours.ask(make="score")
        sides = {"ours": self.ours, "PyTorch": self.torch}
        curves: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for side in sides.values():
            side.ask(make="quality")
        for _ in range(turns.UPDATES // (5 * turns.RUN)):
            for name, side in sides.items():
                curve = curves[name]
                if curve and curve[-1]["bleu"] >= GOAL:
                    continue
                seconds, said = side.turn("quality")
                before = curve[-1]["seconds"] if curve else 0.0
                bleu = self.ours.turn("score", side.turn("quality")[1])[1]
                curve.append({**said, "seconds": before + seconds, "bleu": round(bleu, 2)})
        ends = {name: curve[-1] for name, curve in curves.items()}
        reached = all(end["bleu"] >= GOAL for end in ends.values())
        for what, without in (("compilation included", 0), ("without", 1)):
            spent = {name: end["seconds"] - without * end["compiling"] for name, end in ends.items()}
            if reached:
                self.keep(f"BLEU {GOAL}, {what}", "s", spent, **({} if without else {"curves": curves}))
        if not reached:  # seconds to different ends are no ratio
            print(f"BLEU {GOAL} was not reached by both:", {name: end["bleu"] for name, end in ends.items()})


SLOWER, REPEATS = 0.97, 5


def against(checkout: pathlib.Path, cases: Sequence[str], folder: str) -> list[dict[str, Any]]:
    """Each layer, training and decoding here and in another checkout, in turn; `before / now`, so above 1 is faster now."""
    sides = {
        name: Side(name, sys.executable, "ours.py", folder, root)
        for name, root in (("now", ROOT), ("before", checkout))
    }
    for side in sides.values():
        side.ask(make="prepare")
        side.turn("prepare")
    rows = []
    wanted = [
        *((f"{kind} {what}", ROUNDS, REPEAT) for kind in LAYERS for what in ("forward", "forward and backward")),
        *((f"{kind} training", TRAINING_ROUNDS, 1) for kind in KINDS),
        ("greedy decoding", ROUNDS // 2, 1),
    ]
    for case, rounds, repeat in wanted:
        if cases and not any(case.startswith(name) or name in case for name in cases):
            continue
        ratios = []
        for _ in range(REPEATS):
            spent = medians(in_turn({name: (side, case) for name, side in sides.items()}, rounds, repeat))
            ratios.append(spent["before"] / spent["now"])
        slower = max(ratios) < SLOWER
        rows.append({"case": case, "ratios": ratios, "slower": slower})
        print(
            f"{case:32} " + " ".join(f"{ratio:.3f}" for ratio in ratios) + ("   SLOWER" if slower else ""), flush=True
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="?", help="of the environment that holds PyTorch")
    parser.add_argument("--before", type=pathlib.Path, help="another checkout of the course, in place of PyTorch")
    parser.add_argument("--out", type=pathlib.Path, help="a file for the numbers, as JSON")
    parser.add_argument("cases", nargs="*", help=", ".join([*LAYERS, *KINDS, "decoding", "quality"]))
    given = parser.parse_args()
    if given.before:
        cases = [*([given.python] if given.python else []), *given.cases]
        with tempfile.TemporaryDirectory() as folder:
            rows = against(given.before.resolve(), cases, folder)
        if given.out:
            found = {"processor": processor(), "date": f"{datetime.date.today():%Y-%m-%d}", "rows": rows}
            given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        raise SystemExit(any(row["slower"] for row in rows))
    if not given.python:
        parser.error("name the Python of the environment that holds PyTorch, or another checkout: --before CHECKOUT")
    with tempfile.TemporaryDirectory() as folder:
        comparison = Comparison(
            Side("our side", sys.executable, "ours.py", folder), Side("PyTorch", given.python, "pytorch.py", folder)
        )
        for kind in LAYERS:
            if kind in (given.cases or LAYERS):
                comparison.layer(kind)
        for kind in KINDS:
            if kind in (given.cases or KINDS):
                comparison.training(kind)
        for name in ("decoding", "quality"):
            if name in (given.cases or [name]):
                getattr(comparison, name)()
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        about = {name: comparison.about[name] for name in ("device", "versions")}
        found = {
            "processor": processor(),
            **about,
            "date": f"{datetime.date.today():%Y-%m-%d}",
            "rate": comparison.rate,
            "rows": comparison.rows,
        }
        given.out.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
