"""The cat sentence: a verb agrees with its subject across words, and across other nouns, in between.

    near the dogs the cat that slept quietly beside the old horse was hungry
    fronted ──┘       └ subject            attractor ┘            └ verb

The verb's number follows the subject alone. Nothing else in the sentence tells it: verbs of the relative
clause are in the past tense, and the number of every other noun is drawn independently. (Were attractors
always of the *other* number, they would give the answer away.)

After Linzen, Dupoux, Goldberg (2016), *Assessing the Ability of LSTMs to Learn Syntax-Sensitive
Dependencies*; the corpus here is generated.
"""

import functools
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Int

from ..runtime import require, require_positive
from .batching import Labelled, Padded
from .vocabulary import Vocabulary

NOUNS = (
    ("cat", "cats"), ("dog", "dogs"), ("bird", "birds"), ("horse", "horses"), ("child", "children"),
    ("teacher", "teachers"), ("farmer", "farmers"), ("singer", "singers"), ("doctor", "doctors"),
    ("goose", "geese"), ("mouse", "mice"), ("friend", "friends"),
)  # fmt: skip
AGREEING = (("was", "were"), ("is", "are"))
PAST = ("slept", "waited", "played", "sang", "danced", "rested", "wandered", "laughed")
MANNER = ("quietly", "happily", "slowly", "proudly", "softly", "gently")
PLACE = ("outside", "upstairs", "downstairs", "there", "nearby", "indoors")
PREPOSITIONS = ("near", "behind", "beside", "with")
ADJECTIVES = ("big", "small", "old", "young", "grey", "brown")
PREDICATES = ("hungry", "tired", "happy", "cold", "quiet", "ready")
NUMBERS = ("singular", "plural")
MOST_ATTRACTORS = 4


@functools.cache
def vocabulary() -> Vocabulary:
    """Every word of the corpus: 71 with the four special symbols."""
    pairs = [word for pair in (*NOUNS, *AGREEING) for word in pair]
    return Vocabulary(["the", "that", "and", *pairs, *PAST, *MANNER, *PLACE, *PREPOSITIONS, *ADJECTIVES, *PREDICATES])


class Agreement(NamedTuple):
    """Sentences `<bos> … <eos>` and what is true of each.

    Positions index `tokens`; a grammatical number is 0 singular or 1 plural.
    """

    tokens: Int[Array, "n time"]
    mask: Bool[Array, "n time"]
    number: Int[Array, " n"]  # of the subject, hence of the verb
    subject: Int[Array, " n"]  # position of the subject noun
    verb: Int[Array, " n"]  # position of the verb
    attractors: Int[Array, " n"]  # nouns between subject and verb
    fronted: Bool[Array, " n"]  # does a phrase with a noun stand before the subject?
    first: Int[Array, " n"]  # number of the first noun
    nearest: Int[Array, " n"]  # number of the last noun before the verb

    @property
    def distance(self) -> Int[Array, " n"]:
        """Steps from subject to verb; 1 = neighbours."""
        return self.verb - self.subject

    def text(self, row: int) -> str:
        """Sentence number `row` in words."""
        return vocabulary().decode(np.asarray(self.tokens[row])[np.asarray(self.mask[row])])

    def twins(self) -> "Agreement":
        """The same sentences with the other number: subject and verb flipped, every other word as it was."""
        vocab, rows = vocabulary(), np.arange(len(self.number))
        other = {vocab[a]: vocab[b] for pair in (*NOUNS, *AGREEING) for a, b in (pair, pair[::-1])}
        tokens = np.array(self.tokens)
        for position in (np.asarray(self.subject), np.asarray(self.verb)):
            tokens[rows, position] = [other[int(word)] for word in tokens[rows, position]]
        alone, leads = self.attractors == 0, ~self.fronted
        return self._replace(
            tokens=jnp.asarray(tokens),
            number=1 - self.number,
            nearest=jnp.where(alone, 1 - self.nearest, self.nearest),
            first=jnp.where(leads, 1 - self.first, self.first),
        )

    def asked(self) -> Labelled:
        """The words before the verb, and the number asked for directly: a classification task."""
        before = jnp.arange(self.tokens.shape[1]) < self.verb[:, None]
        return Labelled(jnp.where(before, self.tokens, 0), before, self.number)

    def sentences(self) -> Padded:
        """Whole sentences, for a model that predicts the next word and is told nothing else."""
        return Padded(self.tokens, self.mask)


def agreement(
    n: int,
    seed: int,
    distances: tuple[int, int] = (1, 40),
    attractors: tuple[int, int] = (0, MOST_ATTRACTORS),
) -> Agreement:
    """`n` sentences, uniform over `distances` (lowest, highest), and within each over what `attractors` fit.

    An attractor takes three words, so distance d has room for (d - 1) // 3 of them. In every cell of
    distance × attractors both numbers are equally frequent, and so is a fronted phrase (to within one
    sentence). The same seed gives the same sentences.
    """
    low, high = distances
    require_positive(n=n, lowest_distance=low, highest_distance=high)
    few, many = attractors
    require(low <= high, f"The lowest distance ({low}) is above the highest ({high}).")
    require(
        0 <= few <= many <= MOST_ATTRACTORS,
        f"attractors must be (fewest, most) within (0, {MOST_ATTRACTORS}), not {attractors}.",
    )
    require(
        few <= (low - 1) // 3,
        f"{few} attractors need a distance of at least {3 * few + 1}, but the lowest distance is {low}.",
    )
    rng = np.random.default_rng(seed)

    # Which cell each sentence belongs to: distance runs fastest, then attractors, number, fronted.
    order = np.arange(n)
    distance, rest = low + order % (high - low + 1), order // (high - low + 1)
    fits = np.minimum(many, (distance - 1) // 3) - few + 1
    between, rest = few + rest % fits, rest // fits
    number, fronted = rest % 2, rest // 2 % 2 == 1
    shuffled = rng.permutation(n)
    distance, between, number, fronted = (a[shuffled] for a in (distance, between, number, fronted))
    return _write(rng, distance, between, number, fronted)


def _write(rng, distance, between, number, fronted) -> Agreement:
    """Spell sentences out: every word that could be spoken has a column, a mask says which are, then squeeze."""
    n, words = len(distance), vocabulary()
    columns: list[np.ndarray] = []
    spoken: list[np.ndarray] = []

    def say(choices, when) -> int:
        """Add a column that draws from `choices` (or is given), spoken where `when`; returns its number."""
        drawn = choices
        if not isinstance(choices, np.ndarray):
            drawn = np.array([words[word] for word in choices])[rng.integers(len(choices), size=n)]
        columns.append(drawn)
        spoken.append(np.broadcast_to(when, n))
        return len(columns) - 1

    def noun(plural) -> np.ndarray:
        return np.array([[words[form] for form in pair] for pair in NOUNS])[rng.integers(len(NOUNS), size=n), plural]

    def phrase(when, adjective, plural) -> int:
        say(PREPOSITIONS, when)
        say(("the",), when)
        say(ADJECTIVES, when & adjective)
        return say(noun(plural), when)

    # Fill distance - 1 words with: `between` phrases of three, a relative clause with its verbs, then adverbs
    # (at most two to a verb) and adjectives in the phrases, one word each.
    loose = distance - 1 - 3 * between
    clause = loose >= 2
    single = np.where(clause, 0, loose)  # 0 or 1 word without a clause: an adjective, or "the cat outside"
    adjectives = np.where(
        clause,
        rng.integers(0, np.minimum(between, np.maximum(loose - 2, 0)) + 1),
        np.minimum(single, between),
    )
    bare = np.where(clause, loose - 2 - adjectives, single - adjectives)
    more = np.where(clause, rng.integers(np.maximum(-(-(bare - 2) // 4), 0), bare // 2 + 1), 0)  # further verbs
    adverbs = bare - 2 * more
    slots = int(more.max()) + 1
    has_adverb = _choose(rng, np.arange(2 * slots) < 2 * (more[:, None] + 1), np.where(clause, adverbs, 0))
    holder = rng.integers(0, np.broadcast_to(more[:, None] + 1, (n, MOST_ATTRACTORS)))  # verb that a phrase follows
    has_adjective = _choose(rng, np.arange(MOST_ATTRACTORS) < between[:, None], adjectives)
    plural = rng.integers(0, 2, (n, MOST_ATTRACTORS + 1))

    always = np.ones(n, bool)
    say((words.words[words.bos],), always)
    phrase(fronted, rng.integers(0, 2, n) == 1, plural[:, -1])
    say(("the",), always)
    say(ADJECTIVES, rng.integers(0, 2, n) == 1)
    subject = say(noun(number), always)
    say(PLACE, ~clause & (bare == 1))
    for slot in range(slots):
        has_verb = clause & (slot <= more)
        say(("that",) if slot == 0 else ("and",), has_verb)
        say(PAST, has_verb)
        say(MANNER, has_verb & has_adverb[:, 2 * slot])
        say(PLACE, has_verb & has_adverb[:, 2 * slot + 1])
        for i in range(MOST_ATTRACTORS):
            phrase((i < between) & (holder[:, i] == slot), has_adjective[:, i], plural[:, i])
    verb_forms = np.array([[words[form] for form in pair] for pair in AGREEING])
    verb = say(verb_forms[rng.integers(len(AGREEING), size=n), number], always)
    say(PREDICATES, always)
    say((words.words[words.eos],), always)

    table, is_spoken = np.stack(columns, 1), np.stack(spoken, 1)
    position = np.cumsum(is_spoken, axis=1) - 1  # of each spoken word in its sentence
    length = position[:, -1] + 1
    tokens = np.zeros((n, length.max()), np.int32)
    rows, cols = np.nonzero(is_spoken)
    tokens[rows, position[rows, cols]] = table[rows, cols]
    # The last attractor before the verb: by the verb that it follows, then by its own place among the phrases.
    attractor = np.arange(MOST_ATTRACTORS)
    order = np.where(attractor < between[:, None], holder * MOST_ATTRACTORS + attractor, -1)
    nearest = np.where(between > 0, plural[np.arange(n), order.argmax(axis=1)], number)
    return Agreement(
        tokens=jnp.asarray(tokens),
        mask=jnp.asarray(np.arange(tokens.shape[1]) < length[:, None]),
        number=jnp.asarray(number, jnp.int32),
        subject=jnp.asarray(position[:, subject], jnp.int32),
        verb=jnp.asarray(position[:, verb], jnp.int32),
        attractors=jnp.asarray(between, jnp.int32),
        fronted=jnp.asarray(fronted),
        first=jnp.asarray(np.where(fronted, plural[:, -1], number), jnp.int32),
        nearest=jnp.asarray(nearest, jnp.int32),
    )


def _choose(rng, allowed: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Of the allowed columns of each row choose `count` at random."""
    keys = np.where(allowed, rng.random(np.broadcast_shapes(allowed.shape, (len(count), 1))), 2.0)
    return keys.argsort(axis=1).argsort(axis=1) < count[:, None]


def baselines(corpus: Agreement) -> dict[str, Bool[Array, " n"]]:
    """Whether each of three baselines that know no grammar is right about each sentence.

    `majority` always answers the more frequent number, `nearest noun` repeats the number of the last noun
    before the verb, `first noun` that of the first noun of the sentence.
    """
    majority = jnp.round(corpus.number.mean()).astype(int)
    return {
        "majority": corpus.number == majority,
        "nearest noun": corpus.nearest == corpus.number,
        "first noun": corpus.first == corpus.number,
    }
