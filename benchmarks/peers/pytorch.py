"""PyTorch's side, written as its tutorials and documentation do it. Runs in an environment of its own.

Layers are `nn.RNN`, `nn.LSTM`, `nn.GRU` and `nn.MultiheadAttention`. The translators are those of "Translation with a
Sequence to Sequence Network and Attention" (a `GRUCell` step by step, additive attention, the source packed), with what
its readers do to make it faster: the keys projected once, the scores of all words computed after the loop, batches by
length. The Transformer is `nn.Transformer`.
"""

import math
import pathlib
import sys
from typing import Any

import numpy as np
import torch
import turns
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD, BOS, EOS = 0, 1, 2
FOLDER = pathlib.Path(sys.argv[1])


def layer(kind: str, backward: bool) -> turns.Turn:
    torch.manual_seed(0)
    x = torch.randn(turns.BATCH, turns.TIME, turns.WIDTH, requires_grad=backward)
    if kind == "attention":
        model: Any = nn.MultiheadAttention(turns.WIDTH, turns.HEADS, batch_first=True)
        mask = nn.Transformer.generate_square_subsequent_mask(turns.TIME)
        forward = lambda: model(x, x, x, attn_mask=mask, is_causal=True, need_weights=False)[0]  # noqa: E731
    else:
        model = getattr(nn, kind)(turns.WIDTH, turns.HIDDEN, batch_first=True)
        forward = lambda: model(x)[0]  # noqa: E731

    def both() -> None:
        model.zero_grad()
        x.grad = None
        forward().square().mean().backward()

    @torch.no_grad()
    def alone() -> None:
        forward()

    return both if backward else alone


def product() -> turns.Turn:
    a, b = torch.randn(2, turns.SIDE, turns.SIDE)

    def turn() -> None:
        for _ in range(turns.PRODUCTS):
            a @ b

    return turn


# ------------------------------------------------------------------------------------------- translators


class Fixed(nn.Module):
    """GRU encoder, GRU decoder; the last state enters every step."""

    def __init__(self, source_vocab: int, target_vocab: int):
        super().__init__()
        self.embed_source = nn.Embedding(source_vocab, turns.EMBED)
        self.embed_target = nn.Embedding(target_vocab, turns.EMBED)
        self.encoder = nn.GRU(turns.EMBED, turns.HIDDEN, batch_first=True)
        self.to_start = nn.Linear(turns.HIDDEN, turns.HIDDEN)
        self.decoder = nn.GRU(turns.EMBED + turns.HIDDEN, turns.HIDDEN, batch_first=True)
        self.to_output = nn.Linear(2 * turns.HIDDEN + turns.EMBED, turns.EMBED)
        self.output = nn.Linear(turns.EMBED, target_vocab)

    def forward(self, source, lengths, words):
        packed = pack_padded_sequence(self.embed_source(source), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.encoder(packed)
        y = self.embed_target(words)
        context = last[0][:, None].expand(-1, words.shape[1], -1)
        start = torch.tanh(self.to_start(last))
        outputs, _ = self.decoder(torch.cat([y, context], -1), start)
        return self.output(torch.tanh(self.to_output(torch.cat([outputs, y, context], -1))))


class Attentive(nn.Module):
    """Bidirectional GRU encoder, additive attention, GRUCell decoder."""

    def __init__(self, source_vocab: int, target_vocab: int):
        super().__init__()
        both = 2 * turns.HIDDEN
        self.embed_source = nn.Embedding(source_vocab, turns.EMBED)
        self.embed_target = nn.Embedding(target_vocab, turns.EMBED)
        self.encoder = nn.GRU(turns.EMBED, turns.HIDDEN, batch_first=True, bidirectional=True)
        self.to_start = nn.Linear(both, turns.HIDDEN)
        self.Wa = nn.Linear(turns.HIDDEN, turns.HIDDEN, bias=False)
        self.Ua = nn.Linear(both, turns.HIDDEN, bias=False)
        self.Va = nn.Linear(turns.HIDDEN, 1, bias=False)
        self.cell = nn.GRUCell(turns.EMBED + both, turns.HIDDEN)
        self.to_output = nn.Linear(turns.HIDDEN + turns.EMBED + both, turns.EMBED)
        self.output = nn.Linear(turns.EMBED, target_vocab)

    def encode(self, source, lengths):
        packed = pack_padded_sequence(self.embed_source(source), lengths, batch_first=True, enforce_sorted=False)
        outputs, last = self.encoder(packed)
        states = pad_packed_sequence(outputs, batch_first=True, total_length=source.shape[1])[0]
        start = torch.tanh(self.to_start(torch.cat([last[0], last[1]], -1)))
        absent = torch.arange(source.shape[1]) >= lengths[:, None]
        return states, self.Ua(states), absent, start

    def step(self, state, y, states, keys, absent):
        scores = self.Va(torch.tanh(self.Wa(state)[:, None] + keys)).squeeze(-1)
        weights = torch.softmax(scores.masked_fill(absent, -torch.inf), -1)
        context = torch.bmm(weights[:, None], states)[:, 0]
        return self.cell(torch.cat([y, context], -1), state), context

    def logits(self, outputs, y, contexts):
        return self.output(torch.tanh(self.to_output(torch.cat([outputs, y, contexts], -1))))

    def forward(self, source, lengths, words):
        states, keys, absent, state = self.encode(source, lengths)
        y = self.embed_target(words)
        outputs, contexts = [], []
        for now in y.unbind(1):
            state, context = self.step(state, now, states, keys, absent)
            outputs.append(state)
            contexts.append(context)
        return self.logits(torch.stack(outputs, 1), y, torch.stack(contexts, 1))

    @torch.no_grad()
    def greedy(self, source, lengths, longest):
        states, keys, absent, state = self.encode(source, lengths)
        words = torch.full((len(source),), BOS)
        done, found = torch.zeros(len(source), dtype=torch.bool), []
        for _ in range(longest):
            y = self.embed_target(words)
            state, context = self.step(state, y, states, keys, absent)
            words = self.logits(state, y, context).argmax(-1).masked_fill(done, PAD)
            found.append(words)
            done |= words == EOS
            if done.all():
                break
        return torch.stack(found, 1)


class Transformer(nn.Module):
    """`nn.Transformer` with the norm before each branch, sinusoidal positions."""

    def __init__(self, source_vocab: int, target_vocab: int):
        super().__init__()
        self.embed_source = nn.Embedding(source_vocab, turns.WIDTH)
        self.embed_target = nn.Embedding(target_vocab, turns.WIDTH)
        self.transformer = nn.Transformer(
            turns.WIDTH, turns.HEADS, turns.LAYERS, turns.LAYERS, 4 * turns.WIDTH, dropout=0.0, batch_first=True,
            norm_first=True,
        )  # fmt: skip
        self.output = nn.Linear(turns.WIDTH, target_vocab)
        place = torch.arange(256)[:, None] / 10000 ** (torch.arange(0, turns.WIDTH, 2) / turns.WIDTH)
        self.register_buffer("places", torch.stack([place.sin(), place.cos()], -1).flatten(1))
        for embed in (self.embed_source, self.embed_target):
            nn.init.normal_(embed.weight, std=turns.WIDTH**-0.5)

    def forward(self, source, lengths, words):
        absent = torch.arange(source.shape[1]) >= lengths[:, None]
        x = self.embed_source(source) * math.sqrt(turns.WIDTH) + self.places[: source.shape[1]]
        y = self.embed_target(words) * math.sqrt(turns.WIDTH) + self.places[: words.shape[1]]
        mask = nn.Transformer.generate_square_subsequent_mask(words.shape[1])
        return self.output(
            self.transformer(
                x, y, tgt_mask=mask, tgt_is_causal=True, src_key_padding_mask=absent, memory_key_padding_mask=absent
            )
        )


KINDS = {"fixed context": Fixed, "attentive GRU": Attentive, "Transformer": Transformer}


class Data:
    """The batches that our side draws, in its order, and the sentences to translate."""

    def __init__(self):
        stored = np.load(FOLDER / "batches.npz")
        self.vocabularies = [int(size) for size in stored["vocabularies"]]
        self.batches = [
            tuple(
                torch.from_numpy(stored[f"{name}{step}"].astype(np.int64)) for name in ("source", "lengths", "target")
            )
            for step in range(turns.UPDATES)
        ]
        self.test = tuple(torch.from_numpy(stored[name].astype(np.int64)) for name in ("source", "lengths"))


def rate(kind: str) -> Any:
    """The same schedules as ours, as a share of the highest rate."""
    if kind != "Transformer":
        return lambda step: 1 - (1 - turns.LAST_RATE / turns.RATE) * min(step / turns.UPDATES, 1)
    last, warm = turns.TRANSFORMER_LAST_RATE / turns.TRANSFORMER_RATE, turns.WARM_UP
    return lambda step: step / warm if step < warm else 1 - (1 - last) * (step - warm) / (turns.UPDATES - warm)


class Training:
    """A run of updates, `RUN` of them a turn."""

    def __init__(self, kind: str):
        torch.manual_seed(0)
        self.data, self.step = Data(), 0
        self.model = KINDS[kind](*self.data.vocabularies)
        highest = turns.TRANSFORMER_RATE if kind == "Transformer" else turns.RATE
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=highest)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, rate(kind))

    def turn(self) -> float:
        self.model.train()
        total = 0.0
        for source, lengths, target in self.data.batches[self.step : self.step + turns.RUN]:
            self.optimizer.zero_grad()
            logits = self.model(source, lengths, target[:, :-1])
            loss = nn.functional.cross_entropy(logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=PAD)
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), turns.CLIP)
            self.optimizer.step()
            self.schedule.step()
            total += loss.item()
        self.step += turns.RUN
        return total / turns.RUN

    def translate(self) -> list[list[int]]:
        self.model.eval()
        return self.model.greedy(*self.data.test, turns.LONGEST).tolist()


def training(kind: str) -> turns.Turn:
    return Training(kind).turn


def decoding() -> turns.Turn:
    """Greedy translation of the test sentences, after enough training that translations end."""
    run = Training("attentive GRU")
    while run.step < 300:
        run.turn()

    def turn() -> int:
        return len(run.translate()[0])

    return turn


def quality() -> turns.Turn:
    """A training from its start, a run of updates in one turn and the translations in the next."""
    run, translate = Training("attentive GRU"), False

    def turn() -> Any:
        nonlocal translate
        translate = not translate
        if not translate:
            return run.translate()
        for _ in range(5):
            run.turn()
        return {"updates": run.step, "compiling": 0.0}

    return turn


LAYERS = ("RNN", "LSTM", "GRU", "attention")
CASES: dict[str, Any] = {
    "product": product,
    **{f"{kind} forward": (lambda kind=kind: layer(kind, False)) for kind in LAYERS},
    **{f"{kind} forward and backward": (lambda kind=kind: layer(kind, True)) for kind in LAYERS},
    **{f"{kind} training": (lambda kind=kind: training(kind)) for kind in KINDS},
    "greedy decoding": decoding,
    "quality": quality,
}

if __name__ == "__main__":
    turns.serve(CASES)
