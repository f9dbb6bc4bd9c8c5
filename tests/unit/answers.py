"""What the prompts of the exercises allow, drawn at random, and right answers written in other ways."""

import math
from collections import Counter

import jax
import jax.numpy as jnp
import numpy as np

from course_utils.exercises import ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07

EVERY = [exercise for chapter in (ch00, ch01, ch02, ch03, ch04, ch05, ch06, ch07) for exercise in chapter.ALL]


class Draw:
    """Small arrays of sizes that are often 1, of numbers that are sometimes 0 or large."""

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)

    def size(self, least=1, most=4):
        return int(self.rng.choice([least, self.rng.integers(least, most + 1)]))

    def array(self, *shape, scale=None):
        scale = self.rng.choice([0.0, 0.1, 1.0, 1.0, 3.0]) if scale is None else scale
        return jnp.asarray(self.rng.normal(size=shape) * scale, jnp.float32)

    def shares(self, *shape):
        """Numbers from 0 to 1, the ends among them."""
        return jnp.asarray(self.rng.choice([0.0, 1.0, *self.rng.uniform(size=4)], shape), jnp.float32)

    def flags(self, *shape):
        return jnp.asarray(self.rng.random(shape) < 0.6)

    def lengths(self, batch, least=1, most=5):
        lengths = self.rng.integers(least, most + 1, batch)
        longest = max(int(lengths.max()), 2 if least == 2 else 1)
        return lengths, jnp.arange(longest) < jnp.asarray(lengths)[:, None]

    def words(self, most=6, kinds=3):
        return [int(w) for w in self.rng.integers(4, 4 + kinds, self.rng.integers(0, most + 1))]


def loss_case(d):
    batch, vocab = d.size(), d.size(2, 5)
    lengths, mask = d.lengths(batch, most=4)
    if lengths.max() < 2:  # something must be predicted
        mask = jnp.ones((batch, 2), bool)
    shape = mask.shape
    return d.array(*shape, vocab, scale=d.rng.choice([1.0, 300.0])), jnp.asarray(d.rng.integers(0, vocab, shape)), mask


def last_case(d):
    _, mask = d.lengths(d.size())
    return d.array(*mask.shape, d.size(), scale=1.0), mask


def masked_case(d):
    shape = [(d.size(),), (d.size(), d.size()), (d.size(), d.size(), d.size())][d.rng.integers(3)]
    mask = d.flags(*shape)
    scores = d.array(*shape, scale=d.rng.choice([1.0, 300.0]))
    return jnp.where(mask, scores, scores * d.rng.choice([1.0, 1e9])), mask


def aer_case(d):
    shape = d.size(), d.size()
    return d.flags(*shape), d.flags(*shape).at[d.rng.integers(shape[0]), d.rng.integers(shape[1])].set(True)


def cache_case(d):
    longest, key, value = d.size(), d.size(), d.size()
    t = int(d.rng.integers(longest))
    rows = (jnp.arange(longest) < t)[:, None]
    q = d.array(key, scale=d.rng.choice([1.0, 100.0]))
    return q, d.array(key), d.array(value), d.array(longest, key) * rows, d.array(longest, value) * rows, t


def piece(d, value):
    e = d.rng.choice([-150.0, 0.0, 150.0]) + d.array(d.size(), scale=3.0)
    v = d.array(len(e), value)
    raised = jnp.exp(e - e.max())
    return e.max(), raised.sum(), raised @ v


def merge_case(d):
    value = d.size()
    return (*piece(d, value), *piece(d, value))


def heads_case(d):
    heads, key = d.size(1, 3), d.size(1, 3)
    return d.size(), d.size(), heads * key, heads


def attention_case(d):
    batch, time, width, heads = heads_case(d)
    mask = d.flags(time, time) | jnp.eye(time, dtype=bool)
    return (d.array(batch, time, width), *(d.array(width, width) for _ in range(4)), heads, mask)


def greedy_case(d):
    size = d.size(3, 6)
    return d.array(size, size, scale=2.0), d.size(1, 6)


def beam_case(d):
    beam, vocab = d.size(), d.size(2, 5)
    return d.array(beam, scale=1.0), d.array(beam, vocab, scale=2.0), int(d.rng.integers(1, beam * vocab + 1))


def gates_case(d):
    time = d.size(1, 6)
    return d.rng.choice(["remember", "forget", "count"]), d.array(time, scale=1.0), d.flags(time).astype(jnp.float32)


def step_case(d):
    n, m = d.size(), d.size()
    return d.array(n), d.array(m), d.array(n, n), d.array(n, m), d.array(n)


def states_case(d):
    n, m = d.size(), d.size()
    return d.array(d.size(1, 5), m), d.array(n), d.array(n, n), d.array(n, m), d.array(n)


def jacobian_case(d):
    n = d.size()
    return jnp.tanh(d.array(n)), d.array(n, n)


def backward_case(d):
    n = d.size()
    return d.array(d.size(), n, n), d.array(n)


def bound_case(d):
    n = d.size()
    return d.array(n, n), d.size(1, 6), float(d.rng.choice([0.25, 1.0]))


def lstm_case(d):
    n, m = d.size(), d.size()
    return d.array(n), d.array(n), d.array(m), d.array(4, n, n + m), d.array(4, n)


def gru_case(d):
    n, m = d.size(), d.size()
    return d.array(n), d.array(m), d.array(3, n, m), d.array(3, n, n), d.array(3, n)


def additive_case(d):
    q, k, u = d.size(), d.size(), d.size()
    return d.array(q), d.array(d.size(), k), d.array(u, q), d.array(u, k), d.array(u)


def context_case(d):
    source = d.size()
    return jax.nn.softmax(d.array(d.size(), source)), d.array(source, d.size())


def lookup_case(d):
    n, k = d.size(), d.size()
    return d.array(k), d.array(n, k), d.array(n, d.size())


def norm_case(d):
    width = d.size(2, 5)
    spread = np.stack([d.rng.permutation(np.linspace(-3, 3, width)) for _ in range(d.size())])  # no vector is constant
    return jnp.asarray(spread + d.rng.choice([0.0, 20.0]), jnp.float32), d.array(width), d.array(width)


def linear_case(d):
    time, key = d.size(), d.size()
    return d.array(time, key), d.array(time, key), d.array(time, d.size())


def compose_case(d):
    n = d.size()
    return tuple(d.array(n) for _ in range(4))


def teacher_case(d):
    lengths, mask = d.lengths(d.size(), least=2, most=6)
    words = jnp.asarray(d.rng.integers(3, 9, mask.shape))
    return (jnp.where(mask, words, 0).at[:, 0].set(1).at[jnp.arange(len(lengths)), lengths - 1].set(2),)


ALLOWED = {
    "fading": lambda d: (float(d.shares()), d.array(d.size(1, 6))),
    "running_mean": lambda d: (d.array(d.size(1, 6)),),
    "one_step": step_case,
    "unrolling": states_case,
    "last_state": last_case,
    "word_loss": loss_case,
    "fano": lambda d: (d.shares(d.size()), d.size(2, 20)),
    "jacobian": jacobian_case,
    "backward": backward_case,
    "bound": bound_case,
    "clipping": lambda d: (d.array(d.size()), float(d.rng.choice([0.01, 0.5, 1.0, 7.0]))),
    "truncation": lambda d: (float(d.rng.choice([0.0, 1.0, -0.5, 1.2])), d.array(d.size(1, 6)), int(d.rng.integers(0, 8))),
    "lstm": lstm_case,
    "playground": gates_case,
    "gru": gru_case,
    "cell_path": lambda d: (d.shares(d.size(), d.size()),),
    "chrono_start": lambda d: (d.shares(d.size()), d.size(2, 1000)),
    "teacher": teacher_case,
    "greedy": greedy_case,
    "precision": lambda d: (d.words(), d.words(), d.size(1, 4)),
    "bleu": lambda d: (
        [float(p) for p in d.shares(4)], int(d.rng.integers(1, 40)), int(d.rng.integers(1, 40))
    ),
    "beam_step": beam_case,
    "masked_softmax": masked_case,
    "additive": additive_case,
    "context": context_case,
    "temperature": lambda d: (d.array(d.size(), d.size()), float(d.rng.choice([0.01, 0.5, 1.0, 100.0]))),
    "aer": aer_case,
    "soft_lookup": lookup_case,
    "causal": lambda d: (d.size(1, 6),),
    "split_heads": lambda d: (lambda b, t, w, h: (d.array(b, t, w, scale=1.0), h))(*heads_case(d)),
    "self_attention": attention_case,
    "positions": lambda d: (d.size(1, 9), 2 * d.size(1, 5)),
    "rotation": lambda d: (d.array(2), int(d.rng.integers(0, 50)), float(d.rng.uniform(0, 1))),
    "layer_norm": norm_case,
    "cache": cache_case,
    "merge": merge_case,
    "linear_attention": linear_case,
    "compose": compose_case,
}  # fmt: skip


# ------------------------------------------------------------------------------------- right answers, written otherwise


def n(*arrays):
    return tuple(np.asarray(array, float) for array in arrays)


def s(z):
    return 1 / (1 + np.exp(-z))


def soft(e):
    raised = np.exp(e - e.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def states_by_a_loop(xs, h, W_h, W_x, b):
    found = []
    for x in xs:
        h = jnp.tanh(h @ W_h.T + x @ W_x.T + b)
        found.append(h)
    return jnp.stack(found)


def last_by_a_loop(states, mask):
    return [states[i, int(row.sum()) - 1] for i, row in enumerate(mask)]


def last_by_a_choice(states, mask):
    ends = mask & ~jnp.concatenate([mask[:, 1:], jnp.zeros_like(mask[:, :1])], axis=1)
    return jnp.where(ends[..., None], states, 0).sum(1)


def loss_by_a_loop(logits, tokens, mask):
    found = [
        -jax.nn.log_softmax(logits[i, t])[tokens[i, t + 1]]
        for i in range(len(tokens)) for t in range(tokens.shape[1] - 1) if mask[i, t + 1]
    ]  # fmt: skip
    return sum(found) / len(found)


def loss_by_one_hot(logits, tokens, mask):
    wanted = jax.nn.one_hot(tokens[:, 1:], logits.shape[-1])
    chosen = (jax.nn.log_softmax(logits[:, :-1], axis=-1) * wanted).sum(-1)
    return -(chosen * mask[:, 1:]).sum() / mask[:, 1:].sum()


def bits_by_a_loop(accuracy, symbols):
    total = 0.0
    for a in np.asarray(accuracy, float):
        if a > 1 / symbols:
            e = 1 - a
            doubt = sum(-p * math.log2(p) for p in (e, a) if p > 0)
            total += math.log2(symbols) - doubt - e * math.log2(symbols - 1)
    return total


def bits_where(accuracy, symbols):
    e = 1 - accuracy
    log = lambda p: jnp.where(p > 0, p * jnp.log2(jnp.where(p > 0, p, 1)), 0)
    bits = jnp.log2(symbols) + log(e) + log(accuracy) - e * jnp.log2(symbols - 1)
    return jnp.where(accuracy > 1 / symbols, bits, 0).sum()


def truncated_by_a_gradient(w, xs, k):
    """The weight of the early steps is held."""

    def end(late):
        h = jnp.zeros(())
        for t, x in enumerate(xs):
            h = (late if t >= len(xs) - k else w) * h + x
        return h

    return jax.grad(end)(jnp.asarray(w, float))


def truncated_by_a_sum(w, xs, k):
    states, h = [], 0.0
    for x in xs:
        states.append(h)
        h = w * h + x
    return sum(w**back * states[-1 - back] for back in range(min(k, len(xs))))


def bleu_by_logarithms(precisions, c, r):
    if min(precisions) == 0:
        return 0.0
    return 100 * math.exp(min(0, 1 - r / c) + sum(math.log(p) for p in precisions) / 4)


def precision_by_removing(said, reference, n):
    left = [tuple(reference[i : i + n]) for i in range(len(reference) - n + 1)]
    grams = [tuple(said[i : i + n]) for i in range(len(said) - n + 1)]
    hits = 0
    for gram in grams:
        if gram in left:
            left.remove(gram)
            hits += 1
    return hits / len(grams) if grams else 0.0


def precision_by_minimum(said, reference, n):
    a, b = (Counter(zip(*(words[i:] for i in range(n)), strict=False)) for words in (said, reference))
    return sum(min(count, b[gram]) for gram, count in a.items()) / max(len(said) - n + 1, 1)


def beam_by_sorting(log_p, following, size):
    pairs = [(float(log_p[b] + following[b, y]), b, y) for b in range(len(log_p)) for y in range(following.shape[1])]
    best = sorted(pairs, reverse=True)[:size]
    return [[b for _, b, _ in best], [y for _, _, y in best]]


def beam_by_top_k(log_p, following, size):
    _, best = jax.lax.top_k((log_p[:, None] + following).reshape(-1), size)
    return jnp.stack(jnp.divmod(best, following.shape[1]))


def greedy_by_a_for(log_p, longest):
    found, word = np.zeros(longest, int), 1
    for i in range(longest):
        word = int(np.argmax(log_p[word]))
        found[i] = word
        if word == 2:
            break
    return found


def softmax_by_hand(scores, mask):
    low = jnp.where(mask, scores, -jnp.inf)
    largest = jnp.where(mask.any(-1, keepdims=True), low.max(-1, keepdims=True), 0)
    raised = jnp.exp(low - largest)
    return raised / jnp.maximum(raised.sum(-1, keepdims=True), 1e-30)


def aer_by_rows(found, gold):
    rows = np.asarray(gold).any(1)
    A, S = np.asarray(found)[rows], np.asarray(gold)[rows]
    return 1 - 2 * np.logical_and(A, S).sum() / (A.sum() + S.sum())


def attention_by_loops(x, W_q, W_k, W_v, W_o, heads, mask):
    x, W_q, W_k, W_v, W_o = n(x, W_q, W_k, W_v, W_o)
    key, out = x.shape[-1] // heads, []
    for h in range(heads):
        part = slice(h * key, (h + 1) * key)
        Q, K, V = x @ W_q[:, part], x @ W_k[:, part], x @ W_v[:, part]
        out.append(soft(np.where(mask, Q @ K.swapaxes(1, 2) / np.sqrt(key), -1e30)) @ V)
    return np.concatenate(out, -1) @ W_o


def waves_by_loops(time, width):
    table = np.zeros((time, width))
    for t in range(time):
        for m in range(width // 2):
            angle = t / 10_000 ** (2 * m / width)
            table[t, 2 * m], table[t, 2 * m + 1] = np.sin(angle), np.cos(angle)
    return table


def merged_in_double(m_1, l_1, u_1, m_2, l_2, u_2):
    m_1, l_1, u_1, m_2, l_2, u_2 = n(m_1, l_1, u_1, m_2, l_2, u_2)
    return (np.exp(m_1) * u_1 + np.exp(m_2) * u_2) / (np.exp(m_1) * l_1 + np.exp(m_2) * l_2)


def linear_by_pairs(Q, K, V):
    phi = lambda x: jnp.where(x > 0, x + 1, jnp.exp(x))
    weights = jnp.tril(phi(Q) @ phi(K).T)
    return weights @ V / weights.sum(1, keepdims=True)


def linear_by_a_scan(Q, K, V):
    phi = lambda x: jax.nn.elu(x) + 1

    def step(carry, qkv):
        q, k, v = qkv
        S, z = carry[0] + jnp.outer(phi(k), v), carry[1] + phi(k)
        return (S, z), phi(q) @ S / (phi(q) @ z)

    start = jnp.zeros((K.shape[1], V.shape[1])), jnp.zeros(K.shape[1])
    return jax.lax.scan(step, start, (Q, K, V))[1]


def gru_in_numpy(h, x, W, U, b):
    h, x, W, U, b = n(h, x, W, U, b)
    r, u = s(W[:2] @ x + U[:2] @ h + b[:2])
    return u * h + (1 - u) * np.tanh(W[2] @ x + r * (U[2] @ h) + b[2])


def lstm_in_numpy(h, C, x, W, b):
    h, C, x, W, b = n(h, C, x, W, b)
    f, i, c, o = W @ np.concatenate([h, x]) + b
    C = s(f) * C + s(i) * np.tanh(c)
    return s(o) * np.tanh(C), C


def gates_as_lists(goal, value, mark):
    keep = {"remember": 1 - mark, "forget": mark * 0, "count": mark * 0 + 1}[goal]
    return [list(keep), list(mark), list(value if goal != "count" else mark)]


def fading_by_a_loop(d, xs):
    h, states = 0.0, []
    for x in xs:
        h = d * h + (1 - d) * x
        states.append(h)
    return jnp.stack(states)


RIGHT = {
    "fading": [fading_by_a_loop, lambda d, x: [(1 - d) * sum(d ** (t - s) * float(x[s]) for s in range(t + 1)) for t in range(len(x))]],
    "running_mean": [lambda x: np.cumsum(x) / np.arange(1, len(x) + 1), lambda x: [x[: t + 1].mean() for t in range(len(x))]],
    "one_step": [lambda h, x, W_h, W_x, b: np.tanh(h @ W_h.T + x @ W_x.T + b),
                 lambda h, x, W_h, W_x, b: jnp.tanh(jnp.concatenate([W_h, W_x], 1) @ jnp.concatenate([h, x]) + b)],
    "unrolling": [states_by_a_loop],
    "last_state": [last_by_a_loop, last_by_a_choice],
    "word_loss": [loss_by_a_loop, loss_by_one_hot],
    "fano": [bits_by_a_loop, bits_where],
    "jacobian": [lambda h, W: jnp.diag(1 - h**2) @ W, lambda h, W: [(1 - h[i] ** 2) * W[i] for i in range(len(h))]],
    "backward": [lambda Js, g: jax.lax.scan(lambda v, J: (J.T @ v, None), g, Js, reverse=True)[0]],
    "bound": [lambda W, T, slope: np.prod([slope * np.linalg.svd(np.asarray(W), compute_uv=False)[0]] * T)],
    "clipping": [lambda g, t: g if jnp.linalg.norm(g) <= t else t * g / jnp.linalg.norm(g),
                 lambda g, t: g / jnp.maximum(1, jnp.linalg.norm(g) / t),
                 lambda g, t: jnp.where((g**2).sum() > t**2, t * g / jnp.sqrt((g**2).sum()), g)],
    "truncation": [truncated_by_a_gradient, truncated_by_a_sum],
    "lstm": [lstm_in_numpy],
    "playground": [gates_as_lists],
    "gru": [gru_in_numpy],
    "cell_path": [lambda f: np.diag(np.prod(np.asarray(f), 0)), lambda f: jnp.eye(f.shape[1]) * jnp.exp(jnp.log(f).sum(0))],
    "chrono_start": [lambda u, T: (np.log(1 + np.asarray(u) * (T - 2)), -np.log(1 + np.asarray(u) * (T - 2)))],
    "teacher": [lambda w: (w[:, : w.shape[1] - 1], w[:, 1:]), lambda w: jnp.moveaxis(jnp.stack([w[:, :-1], w[:, 1:]], -1), -1, 0)],
    "greedy": [greedy_by_a_for],
    "precision": [precision_by_removing, precision_by_minimum],
    "bleu": [bleu_by_logarithms],
    "beam_step": [beam_by_sorting, beam_by_top_k],
    "masked_softmax": [softmax_by_hand, lambda e, m: jnp.nan_to_num(jax.nn.softmax(jnp.where(m, e, -jnp.inf))),
                       lambda e, m: jnp.where(m, jax.nn.softmax(jnp.where(m, e, -1e30)), 0)],
    "additive": [lambda s, h, W, U, v: [np.tanh(np.asarray(W @ s + U @ h_j)) @ np.asarray(v) for h_j in h]],
    "context": [lambda a, h: [sum(a[i, j] * h[j] for j in range(len(h))) for i in range(len(a))],
                lambda a, h: jnp.einsum("ij,jk->ik", a, h)],
    "temperature": [lambda e, t: soft(np.asarray(e, float) / t)],
    "aer": [aer_by_rows],
    "soft_lookup": [lambda q, K, V: soft(np.asarray(K @ q, float) / len(q) ** 0.5) @ np.asarray(V),
                    lambda q, K, V: sum(w * v for w, v in zip(jax.nn.softmax(q @ K.T / K.shape[1] ** 0.5), V, strict=True))],
    "causal": [lambda n: np.arange(n)[None, :] <= np.arange(n)[:, None], lambda n: [[j <= i for j in range(n)] for i in range(n)],
               lambda n: ~jnp.triu(jnp.ones((n, n), bool), 1)],
    "split_heads": [lambda x, h: jnp.stack(jnp.split(x, h, axis=-1), axis=1),
                    lambda x, h: x.reshape(*x.shape[:2], h, x.shape[-1] // h).transpose(0, 2, 1, 3)],
    "self_attention": [attention_by_loops],
    "positions": [waves_by_loops],
    "rotation": [lambda p, t, w: np.array([[math.cos(t * w), -math.sin(t * w)], [math.sin(t * w), math.cos(t * w)]]) @ np.asarray(p)],
    "layer_norm": [lambda x, g, b: g * (x - x.mean(-1, keepdims=True)) / x.std(-1, keepdims=True) + b,
                   lambda x, g, b: g * jax.nn.standardize(x, epsilon=1e-6) + b],
    "cache": [lambda q, k, v, K, V, t: soft(np.asarray(jnp.stack([*K[:t], k]) @ q, float) / q.size**0.5) @ np.asarray([*V[:t], v]),
              lambda q, k, v, K, V, t: jax.nn.softmax(jnp.where(jnp.arange(len(K)) <= t, K.at[t].set(k) @ q / q.size**0.5, -1e9))
              @ V.at[t].set(v)],
    "merge": [merged_in_double, lambda m, l, u, m2, l2, u2: jax.nn.sigmoid(m + jnp.log(l) - m2 - jnp.log(l2)) * u / l
              + jax.nn.sigmoid(m2 + jnp.log(l2) - m - jnp.log(l)) * u2 / l2],
    "linear_attention": [linear_by_pairs, linear_by_a_scan],
    "compose": [lambda a, b, c, d: (a * c, b * c + d)],
}  # fmt: skip
