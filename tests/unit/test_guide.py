"""Numbers of the documents that no notebook prints: counted, or looked up where they are recorded."""

import json
import pathlib
import re

import numpy as np
import pytest
from flax import nnx

from course_utils.experiments import ch07, recorded, translators

pytestmark = pytest.mark.plain

ROOT = pathlib.Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
PROSE = " ".join(GUIDE.split())


def away(corpus):
    """Of each target word, how far the nearest gold word is from its own position; NaN where it has none."""
    target, source = np.indices(corpus.gold.shape[1:])
    distance = np.where(corpus.gold, np.abs(target - source), np.inf).min(axis=2)
    return np.where(np.isfinite(distance), distance, np.nan)


@pytest.mark.parametrize(
    ("row", "corpus", "shortest", "phenomenon"),
    [
        ("all words, 4 to 32 words long", translators.held_out, 4, None),
        ("26 to 32 words: stacked adjectives", translators.held_out, 26, "stacked"),
        ("26 to 32 words: negation", translators.held_out, 26, "negation"),
        ("26 to 32 words: object pronouns (clitic)", translators.held_out, 26, "clitic"),
        ("26 to 32 words: contraction", translators.held_out, 26, "contraction"),
        ("all words, 51 to 60 words long", translators.beyond, 51, None),
    ],
)
def test_the_windows_that_alignments_need_are_counted(row, corpus, shortest, phenomenon):
    told = re.search(rf"\| {re.escape(row)} \| (.*) \|", GUIDE)[1].split(" | ")
    corpus = corpus()
    rows = np.array(corpus.lengths) >= shortest
    distance = away(corpus)[rows]
    if phenomenon is not None:
        distance = np.where(corpus.tagged(phenomenon)[rows], distance, np.nan)
    distance = distance[np.isfinite(distance)]
    for window, share in enumerate(told, 1):
        digits = len(share.partition(".")[2])
        assert float(share) == pytest.approx((distance <= window).mean(), abs=0.51 * 10**-digits)


@pytest.mark.parametrize(
    ("corpus", "shortest", "told"), [(translators.held_out, 26, (0.87, 0.97)), (translators.beyond, 51, (0.56, 0.79))]
)
def test_whole_sentences_within_a_window_are_counted(corpus, shortest, told):
    corpus = corpus()
    farthest = np.nanmax(away(corpus)[np.array(corpus.lengths) >= shortest], axis=1)
    assert "{:.2f} and {:.2f} of the sentences are whole with 3 and 4".format(*told) in PROSE
    for window, share in zip((3, 4), told, strict=True):
        assert share == pytest.approx((farthest <= window).mean(), abs=0.006)


def test_what_the_open_projects_are_compared_with_is_recorded():
    nested = recorded("ch01").nested
    held = {
        updates: [int(np.cumprod(nested[updates][units].mean(0) >= 0.95).sum()) for units in (4, 8, 16)]
        for updates in (4_000, 16_000)
    }
    assert (
        "{}, {} and {} subjects with 4, 8 and 16 units after 4,000 updates; {}, {} and {} after 16,000".format(
            *held[4_000], *held[16_000]
        )
        in PROSE
    )

    costs = recorded("ch07").costs
    attention, ours = costs["GRU + attention"], costs["Transformer"]
    widths = [
        translators.parameters(nnx.eval_shape(lambda w=w: ch07.transformer(nnx.Rngs(0), width=w))) for w in (84, 88)
    ]
    assert (
        f"has {attention.parameters:,} parameters; a Transformer of width 84 has {widths[0]:,}, of width 88 {widths[1]:,}"
        in PROSE
    )
    assert f"({attention.train:.0f} for 1,000 updates, the Transformer's {ours.train:.0f})" in PROSE
    assert f"pay for {round(1_000 * attention.train / ours.train, -1):.0f} updates" in PROSE
    assert f"1,000 updates took {costs['GRU'].train:.0f} s" in PROSE


SPEED = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
BENCHMARKS = ROOT / "benchmarks" / "recorded"


def test_the_table_of_times_and_memory_is_the_recorded_one():
    runs = json.loads((BENCHMARKS / "notebooks.json").read_text(encoding="utf-8"))["notebooks"]
    for name, run in runs.items():
        cold, warm = run["cold"], run["warm"]
        assert f"| {name[:2]} | {cold['seconds']:.0f} | {warm['seconds']:.0f} | {cold['peak'] / 1e3:.1f} |" in SPEED


@pytest.mark.parametrize(
    ("row", "case", "peer"),
    [
        ("training a translator with attention, per word | PyTorch 2.13", "attentive GRU training", "PyTorch"),
        ("training a Transformer, per word | PyTorch 2.13", "Transformer training", "PyTorch"),
        ("GRU, forward and back | `flax.nnx.RNN`", "GRU forward and backward", "flax.nnx"),
        ("GRU, forward and back | PyTorch 2.13", "GRU forward and backward", "PyTorch"),
        ("LSTM, forward and back | `flax.nnx.RNN`", "LSTM forward and backward", "flax.nnx"),
        ("LSTM, forward and back | PyTorch 2.13, fused", "LSTM forward and backward", "PyTorch"),
    ],
)
def test_the_comparison_with_peers_is_the_recorded_one(row, case, peer):
    ratios = []
    for machine in "ab":
        rows = json.loads((BENCHMARKS / f"speed-{machine}.json").read_text(encoding="utf-8"))["rows"]
        ratios += [line["ratios"][peer] for line in rows if line["case"] == case]
    assert "| {} | {:.1f} | {:.1f} |".format(row, *ratios) in SPEED
