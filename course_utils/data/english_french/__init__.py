"""English and French from one grammar, each pair with its gold word alignment.

    the old black cat never sees them   ->   le vieux chat noir ne les voit jamais
    0   1   2     3   4     5    6           0  1     3    2   4  6   5    4

Under each French word stands the English word, or words, that it translates. What makes French word order
differ is what makes alignment interesting: adjectives after the noun, stacked ones in reverse, negation in
two parts, object pronouns before the verb, contractions of two words into one, words that have no counterpart.

The stacked adjectives are the example of Bahdanau, Cho, Bengio (2015), figure 3: "the European economic area".

`lexicon`, `forms`: the words.   `spelling`: how French is written.   `grammar`: one pair.   `corpus`: many, and their arrays.
"""

from .corpus import LONGEST, SHORTEST, Pair, arrays, gold, pairs, read, vocabularies
from .spelling import PHENOMENA

__all__ = ["LONGEST", "PHENOMENA", "SHORTEST", "Pair", "arrays", "gold", "pairs", "read", "vocabularies"]
