"""A language model writes: the learner chooses the model, the prompt and the temperature."""

import functools
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import plotly.graph_objects as go

from ..decoding import sample
from ..figures.written import written
from ..models.interfaces import LanguageModel
from ..runtime import require
from .explore import Explorer, choice, explore, slider, text

TEMPERATURE = 0.7  # of those that a learner opens


def speak(
    models: Mapping[int, LanguageModel],
    read: Callable[[str], Sequence[int]],
    write: Callable[[Sequence[int]], str],
    title: Callable[[Sequence[Sequence[int]]], str],
    *,
    prompt: str,
    length: int = 60,
    texts: int = 1,
    temperature: float = TEMPERATURE,
    first: int = 1,
    opens: int | None = None,
    without: tuple[int, ...] = (),
    end: int | None = None,
    note: str = "",
) -> Explorer:
    """Texts that language models write after a prompt; drawn by `decoding.sample`.

    models: by the updates after which they write.   read: a typed prompt as indices.   write: the indices of one text.
    title: what all texts show, a sentence.   length: of what is drawn, in tokens.   texts: how many are drawn.
    temperature, first: temperature and number of the draw that opens.   note: what marks in the text mean.
    opens: the updates of the model that is shown first, the last one unless given.
    """
    require(models, "There is no model that could write.")
    by_updates = {f"{updates:,}" if updates else "0, untrained": updates for updates in models}
    opens = max(models) if opens is None else opens

    @functools.lru_cache(64)
    def drawn(updates: int, temperature: float, draw: int, prompt: str) -> list[tuple[int, ...]]:
        begun = tuple(read(prompt))
        words = sample(
            models[updates], jnp.array([begun] * texts), length, jax.random.key(draw), temperature=temperature, end=end, without=without
        ).words  # fmt: skip
        return [(*begun, *map(int, row)) for row in words]

    def draw(updates: int, temperature: float, draw: int, prompt: str) -> go.Figure:
        rows = drawn(updates, temperature, draw, prompt)
        said, begins = title(rows), "It begins with the prompt." if prompt.strip() else ""
        goes_on = f"goes on from “{prompt.strip()}”" if prompt.strip() else "begins by itself"
        how = f"temperature {temperature:g}, draw {draw}" + (": always the likeliest token" if temperature == 0 else "")
        return written(
            "\n".join(map(write, rows)),
            title=said,
            caption=" ".join(filter(None, (f"Written by the model after {updates:,} updates; {how}.", begins, note))),
            summary=f"After {updates:,} updates, {how}, the model {goes_on}. {said}.",
        )

    moments = {f"{updates:,} updates" if updates else "untrained": {"updates": updates} for updates in models}
    return explore(
        draw,
        presets={
            **(dict(reversed(moments.items())) if opens == max(models) else moments),
            "cautious": {"temperature": 0.3},
            "bold": {"temperature": 1.5},
            "always the likeliest": {"temperature": 0.0},
        },
        updates=choice("updates", by_updates, value=opens),
        temperature=slider("temperature", 0, 2, 0.1, value=temperature),
        draw=slider("draw", 1, 20, value=first),
        prompt=text("prompt", prompt),
    )
