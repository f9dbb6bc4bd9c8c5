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
    title: Callable[[Sequence[int]], str],
    *,
    prompt: str,
    length: int = 60,
    without: tuple[int, ...] = (),
    end: int | None = None,
) -> Explorer:
    """Texts that language models write after a prompt; drawn by `decoding.sample`.

    models: by the updates after which they write.   read: a typed prompt as indices.   write: indices as a text.
    title: what all of them show, a sentence.   length: of what is drawn, in tokens.
    """
    require(models, "There is no model that could write.")
    by_updates = {f"{updates:,}" if updates else "0, untrained": updates for updates in models}
    last = max(models)

    @functools.lru_cache(64)
    def drawn(updates: int, temperature: float, draw: int, prompt: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        begun = tuple(read(prompt))
        words = sample(
            models[updates], jnp.array([begun]), length, jax.random.key(draw), temperature=temperature, end=end, without=without
        ).words[0]  # fmt: skip
        return begun, tuple(int(word) for word in words)

    def draw(updates: int, temperature: float, draw: int, prompt: str) -> go.Figure:
        begun, new = drawn(updates, temperature, draw, prompt)
        said = title((*begun, *new))
        how = f"temperature {temperature:g}, draw {draw}" + (": always the likeliest token" if temperature == 0 else "")
        return written(
            write((*begun, *new)),
            title=said,
            caption=f"Written by the model after {updates:,} updates; {how}. It begins with the prompt.",
            summary=f"After {updates:,} updates, {how}, the model goes on from “{prompt.strip()}”. {said}.",
        )

    moments = {f"{updates:,} updates" if updates else "untrained": {"updates": updates} for updates in models}
    return explore(
        draw,
        presets={
            **dict(reversed(moments.items())),
            "cautious": {"temperature": 0.3},
            "bold": {"temperature": 1.5},
            "always the likeliest": {"temperature": 0.0},
        },
        updates=choice("updates", by_updates, value=last),
        temperature=slider("temperature", 0, 2, 0.1, value=TEMPERATURE),
        draw=slider("draw", 1, 20, value=1),
        prompt=text("prompt", prompt),
    )
