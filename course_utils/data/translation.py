"""English and French from one grammar, each pair with its gold word alignment.

    the old black cat never sees them   ->   le vieux chat noir ne les voit jamais
    0   1   2     3   4     5    6           0  1     3    2   4  6   5    4

Under each French word stands the English word, or words, that it translates. What makes French word order
differ is what makes alignment interesting: adjectives behind the noun, stacked ones in reverse, negation in
two parts, object pronouns before the verb, contractions of two words into one, words that have no counterpart.

The stacked adjectives are the example of Bahdanau, Cho, Bengio (2015), figure 3: "the European economic area".
"""

import functools
import random
import re
import zlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Bool

from ..runtime import require, require_positive
from .batching import Parallel, pad
from .vocabulary import SPECIALS, Vocabulary

Phenomenon = Literal["reversal", "stacked", "negation", "clitic", "contraction", "relative", "many words for one"]
PHENOMENA = get_args(Phenomenon)
Split = Literal["train", "test"]
SHORTEST, LONGEST = 4, 60


class Noun(NamedTuple):
    """One noun: English and French, both numbers; f or m."""

    one: str
    many: str
    un: str
    plusieurs: str
    gender: str


def _nouns(table: str) -> tuple[Noun, ...]:
    return tuple(Noun(*row.split()) for row in table.strip().splitlines())


ANIMALS = _nouns("""
    cat cats chat chats m
    dog dogs chien chiens m
    horse horses cheval chevaux m
    bird birds oiseau oiseaux m
    mouse mice souris souris f
    cow cows vache vaches f
""")
PERSONS = _nouns("""
    doctor doctors médecin médecins m
    teacher teachers professeur professeurs m
    child children enfant enfants m
    friend friends ami amis m
    farmer farmers fermier fermiers m
    girl girls fille filles f
    woman women femme femmes f
    student students étudiant étudiants m
    queen queens reine reines f
    actress actresses actrice actrices f
""")
LIVING = (*ANIMALS, *PERSONS)
PLACES = _nouns("""
    garden gardens jardin jardins m
    bridge bridges pont ponts m
    village villages village villages m
    market markets marché marchés m
    hotel hotels hôtel hôtels m
    museum museums musée musées m
    house houses maison maisons f
    school schools école écoles f
    city cities ville villes f
    church churches église églises f
    river rivers rivière rivières f
    factory factories usine usines f
    area areas zone zones f
    bank banks banque banques f
""")
THINGS = _nouns("""
    book books livre livres m
    tree trees arbre arbres m
    newspaper newspapers journal journaux m
    train trains train trains m
    car cars voiture voitures f
    door doors porte portes f
    letter letters lettre lettres f
    song songs chanson chansons f
    story stories histoire histoires f
    star stars étoile étoiles f
""")
NAMES = {"Mary": ("Marie", "f"), "Anna": ("Anne", "f"), "Paul": ("Paul", "m"), "Henry": ("Henri", "m")}

# Forms: masculine, feminine, masculine plural, feminine plural, masculine before a vowel.
_before = """
    small petit petite petits petites petit
    big grand grande grands grandes grand
    old vieux vieille vieux vieilles vieil
    new nouveau nouvelle nouveaux nouvelles nouvel
    beautiful beau belle beaux belles bel
    young jeune jeune jeunes jeunes jeune
    good bon bonne bons bonnes bon
"""
_after = """
    black noir noire noirs noires noir
    white blanc blanche blancs blanches blanc
    red rouge rouge rouges rouges rouge
    green vert verte verts vertes vert
    strange étrange étrange étranges étranges étrange
    famous célèbre célèbre célèbres célèbres célèbre
    modest modeste modeste modestes modestes modeste
"""
_outer = """
    European européen européenne européens européennes européen
    American américain américaine américains américaines américain
    French français française français françaises français
"""
_inner = """
    economic économique économique économiques économiques économique
    cultural culturel culturelle culturels culturelles culturel
    industrial industriel industrielle industriels industrielles industriel
    political politique politique politiques politiques politique
"""
_state = """
    tired fatigué fatiguée fatigués fatiguées fatigué
    happy heureux heureuse heureux heureuses heureux
    sad triste triste tristes tristes triste
    surprised surpris surprise surpris surprises surpris
    ready prêt prête prêts prêtes prêt
"""


def _forms(table: str) -> dict[str, tuple[str, ...]]:
    rows = [row.split() for row in table.splitlines() if row.strip()]
    return {row[0]: tuple(row[1:]) for row in rows}


BEFORE, AFTER, OUTER, INNER, STATE = (tuple(_forms(table)) for table in (_before, _after, _outer, _inner, _state))
COLOURS, OPINIONS = AFTER[:4], AFTER[4:]
ADJECTIVES = _forms(_before + _after + _outer + _inner + _state)

# Determiners: masculine, feminine, plural, and both singular forms before a vowel. Elision (l', d') comes later.
SINGULAR = {
    "the": ("le", "la", "le", "la"), "a": ("un", "une", "un", "une"), "this": ("ce", "cette", "cet", "cette"),
    "my": ("mon", "ma", "mon", "mon"), "our": ("notre",) * 4, "your": ("votre",) * 4, "every": ("chaque",) * 4,
}  # fmt: skip
PLURAL = {"the": "les", "these": "ces", "my": "mes", "our": "nos", "your": "vos", "two": "deux", "three": "trois",
          "some": "des"}  # fmt: skip

DETERMINERS = (tuple(SINGULAR), tuple(PLURAL))

# Forms: je, il, nous, vous, ils. The English verb may have a second word.
_transitive = """
    see|vois voit voyons voyez voient
    love|aime aime aimons aimez aiment
    find|trouve trouve trouvons trouvez trouvent
    know|connais connaît connaissons connaissez connaissent
    hear|entends entend entendons entendez entendent
    call|appelle appelle appelons appelez appellent
    forget|oublie oublie oublions oubliez oublient
    avoid|évite évite évitons évitez évitent
    draw|dessine dessine dessinons dessinez dessinent
    wait for|attends attend attendons attendez attendent
    look at|regarde regarde regardons regardez regardent
    listen to|écoute écoute écoutons écoutez écoutent
"""
_intransitive = """
    sleep|dors dort dormons dormez dorment
    sing|chante chante chantons chantez chantent
    laugh|ris rit rions riez rient
    arrive|arrive arrive arrivons arrivez arrivent
    work|travaille travaille travaillons travaillez travaillent
    dance|danse danse dansons dansez dansent
    leave|pars part partons partez partent
"""
_moving = """
    go|vais va allons allez vont|to à
    come|viens vient venons venez viennent|from de
    return|retourne retourne retournons retournez retournent|to à
    speak|parle parle parlons parlez parlent|of de
"""
_reporting = """
    say|dis dit disons dites disent
    think|pense pense pensons pensez pensent
    believe|crois croit croyons croyez croient
"""


POSSESSIVE, EVERY = ("my", "our", "your"), ("every",)
# What would be read as something else: ma femme is my wife, une vieille fille a spinster, un petit ami a boyfriend.
MISREAD = {("my", "girl"), ("our", "girl"), ("your", "girl"), ("my", "woman"), ("our", "woman"), ("your", "woman"),
           ("old", "girl"), ("small", "friend"), ("big", "school")}  # fmt: skip
GOALS = tuple(
    place
    for place in PLACES
    if place.one in ("garden", "market", "hotel", "museum", "school", "church", "factory", "bank")
)


class Verb(NamedTuple):
    """One verb: English base form and what may follow it; five French forms; a preposition it asks for, English and French."""

    base: str
    particle: str
    forms: tuple[str, ...]
    preposition: tuple[str, ...] = ()

    def english(self, person: int) -> str:
        """The form for a person (0 je, 1 il, 2 nous, 3 vous, 4 ils)."""
        if person != 1:
            return self.base
        return self.base + ("es" if self.base.endswith(("o", "ss", "sh", "ch")) else "s")


def _verbs(table: str) -> tuple[Verb, ...]:
    rows = [row.strip().split("|") for row in table.strip().splitlines()]
    return tuple(
        Verb((first := row[0].split())[0], " ".join(first[1:]), tuple(row[1].split()), tuple("|".join(row[2:]).split()))
        for row in rows
    )


TRANSITIVE, INTRANSITIVE, MOVING, REPORTING = (_verbs(t) for t in (_transitive, _intransitive, _moving, _reporting))
SPEAKING = MOVING[-1:]
DIRECT = tuple(verb for verb in TRANSITIVE if not verb.particle)
SUBJECTS = {"I": ("je", 0, ""), "he": ("il", 1, "m"), "she": ("elle", 1, "f"), "we": ("nous", 2, ""),
            "you": ("vous", 3, ""), "they": ("ils", 4, "m")}  # fmt: skip
CLITICS = {"me": "me", "him": "le", "her": "la", "us": "nous", "them": "les"}
ADVERBS = {"often": "souvent", "always": "toujours", "rarely": "rarement"}
NEGATIONS = {"not": "pas", "never": "jamais", "no longer": "plus"}
PREPOSITIONS = {
    "with": "avec",
    "behind": "derrière",
    "under": "sous",
    "for": "pour",
    "near": "près de",
    "in front of": "devant",
}
SINGLE = tuple(english for english in PREPOSITIONS if " " not in english)
CONJUNCTIONS = {"and": "et", "but": "mais", "when": "quand", "because": "parce que", "while": "pendant que", "if": "si"}
OF, TO = ("de", "à")


class Word(NamedTuple):
    """A French word before elision: the English words it translates, by position; what it is an example of."""

    text: str
    source: tuple[int, ...]
    tag: str = ""


class Pair(NamedTuple):
    """A sentence, its translation, and which word of the one stands for which of the other."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    alignment: tuple[tuple[int, ...], ...]  # for each target word the positions in the source; () where it has none
    tags: tuple[str, ...]  # for each target word the phenomenon it is part of, or ""

    @property
    def phenomena(self) -> frozenset[str]:
        """What this pair is an example of."""
        return frozenset(self.tags) - {""}


# ----------------------------------------------------------------------------------------- how French is written

_VOWELS = tuple("aeiouyéèêâîôûh")  # every h of this vocabulary is silent
ELIDED = {"le": "l'", "la": "l'", "de": "d'", "ne": "n'", "je": "j'", "me": "m'", "que": "qu'"}
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}


def begins_with_vowel(word: str) -> bool:
    """Does a French word begin with a vowel sound? "hôtel" does: its h is silent."""
    return word.lower().startswith(_VOWELS)


def spell(words: Sequence[Word]) -> list[Word]:
    """Elision (le ami → l' ami, si il → s' il) and contraction (de le → du), which join what their parts translate."""
    spelt: list[Word] = []
    for i, word in enumerate(words):
        text, after = word.text, words[i + 1].text if i + 1 < len(words) else ""
        if text in ELIDED and begins_with_vowel(after):
            word = word._replace(text=ELIDED[text])
        elif text == "si" and after in ("il", "ils"):
            word = word._replace(text="s'")
        joined = CONTRACTED.get((spelt[-1].text, word.text)) if spelt and word.tag != "clitic" else None
        if joined:
            source = tuple(sorted({*spelt[-1].source, *word.source}))
            spelt[-1] = Word(joined, source, "contraction")
        else:
            spelt.append(word)
    return spelt


def agree(adjective: str, gender: str, plural: bool, before: str = "") -> str:
    """The form of an adjective for a noun; `before`: the word it stands before, if any (un bel arbre)."""
    forms = ADJECTIVES[adjective]
    if not plural and gender == "m" and begins_with_vowel(before):
        return forms[4]
    return forms[2 * plural + (gender == "f")]


def determine(determiner: str, gender: str, plural: bool, before: str) -> str:
    """The French determiner before the word `before` (cet ami, mon école); elision is `spell`'s."""
    if plural:
        return PLURAL[determiner]
    return SINGULAR[determiner][2 * begins_with_vowel(before) + (gender == "f")]


# ---------------------------------------------------------------------------------------------------- the grammar


class Nominal(NamedTuple):
    """A noun phrase in French, and what verbs and adjectives must agree with."""

    words: list[Word]
    gender: str  # "" where it is not known (I, we, you)
    person: int  # 0 je … 4 ils


@functools.cache
def _described(noun: Noun) -> tuple[Any, Any]:
    """Kinds of adjectives that a noun takes: alone, and two of them in English order. Persons have no colour here."""
    if noun in PLACES:
        return (BEFORE, INNER, OUTER), ((OUTER, INNER), (BEFORE, INNER))
    if noun in PERSONS:
        return (BEFORE, OPINIONS, OUTER), ((BEFORE, OUTER), (OPINIONS, OUTER))
    return (BEFORE, AFTER), ((BEFORE, COLOURS), (COLOURS, OUTER), (OPINIONS, OUTER))


class Writer:
    """Writes one pair: English words are said in their order, French words are returned with what they translate.

    Every method is told how many English words to say and says exactly as many.
    """

    def __init__(self, rng: random.Random):
        self.rng, self.english = rng, []

    def say(self, *words: str) -> tuple[int, ...]:
        """Say English words; their positions."""
        begin = len(self.english)
        self.english += words
        return tuple(range(begin, len(self.english)))

    def any(self, options: Any) -> Any:
        """One of several."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.rng.random() < p

    # ------------------------------------------------------------------------------------------ noun phrases

    def simple(self, determiner: str, adjectives: Sequence[str], noun: Noun, plural: bool) -> Nominal:
        """Determiner, adjectives, noun: those of `BEFORE` stay in front, all others follow the noun, the last first."""
        (said,) = self.say(determiner)
        places = [self.say(adjective)[0] for adjective in adjectives]
        (place,) = self.say(noun.many if plural else noun.one)
        head = noun.plusieurs if plural else noun.un
        behind = [i for i, adjective in enumerate(adjectives) if adjective not in BEFORE]
        tag = ("", "reversal", "stacked")[min(len(behind), 2)]
        words, before = [Word(head, (place,), tag)], head
        for i in reversed(range(len(adjectives))):
            if i not in behind:
                before = agree(adjectives[i], noun.gender, plural, before)
                words.insert(0, Word(before, (places[i],)))
        words += [Word(agree(adjectives[i], noun.gender, plural), (places[i],), tag) for i in reversed(behind)]
        french = determine(determiner, noun.gender, plural, before)
        if determiner == "some" and adjectives and adjectives[0] in BEFORE:
            french = "de"  # de petits chats
        return Nominal([Word(french, (said,)), *words], noun.gender, 4 if plural else 1)

    def plain(
        self, n: int, kind: Sequence[Noun] | None = None, governed: bool = False, without: Sequence[str] = ()
    ) -> Nominal:
        """A name (n = 1), or a determiner, n - 2 adjectives and a noun; n is at most 4. `without`: these determiners."""
        if n == 1:
            name = self.any(tuple(NAMES))
            return Nominal([Word(NAMES[name][0], self.say(name))], NAMES[name][1], 1)
        noun = self.any(kind or (LIVING, PLACES, THINGS)[int(self.rng.random() * 3)])
        plural = self.chance(0.4)
        determiner = self.any(DETERMINERS[plural]) if self.chance(0.5) else "the"
        if determiner == "some" and governed:
            determiner = "these"  # de + des is de: a rule of its own
        adjectives: Sequence[str] = ()
        if n > 2:
            alone, pairs = _described(noun)
            adjectives = [self.any(kind) for kind in (self.any(pairs) if n == 4 else (self.any(alone),))]
        if adjectives and (adjectives[0], noun.one) in MISREAD:
            adjectives = ["young" if noun in LIVING else "new", *adjectives[1:]]
        if determiner in without or (determiner, noun.one) in MISREAD:
            determiner = "the"
        if determiner == "a" and (adjectives or [noun.one])[0][0] in "aeioAEIO":
            determiner = "the"  # "an" would be a second word for one
        return self.simple(determiner, adjectives, noun, plural)

    def nominal(
        self, n: int, kind: Sequence[Noun] | None = None, governed: bool = False, without: Sequence[str] = ()
    ) -> Nominal:
        """A noun phrase of exactly n words: plain, or with something behind it. `governed`: it stands after de or à."""
        if n < 4 or (n == 4 and self.chance(0.7)):
            return self.plain(n, kind, governed, without)
        width = 2 if n == 4 or self.chance(0.5) else 3
        left = n - width - 1  # what may follow "of", "that", "and"
        way = self.rng.random()
        if way < 0.3 or left == 1:
            head = self.plain(width, kind, governed, (*without, *POSSESSIVE))  # no two owners
            place = self.say("of")
            tail = self.nominal(left, governed=True)
            return head._replace(words=[*head.words, Word(OF, place), *tail.words])
        if way < 0.5:
            return self.beside(self.plain(width, kind, governed, without), n - width)
        if way < 0.65 and left >= 2 and not governed:  # "of the cat and the dog" repeats its preposition in French
            first = self.plain(width, kind)
            place = self.say("and")
            second = self.nominal(left, kind)
            gender = "f" if first.gender == second.gender == "f" else "m"
            return Nominal([*first.words, Word("et", place), *second.words], gender, 4)
        return self.with_clause(self.plain(width, kind or LIVING, governed, without), n - width)

    def beside(self, head: Nominal, n: int) -> Nominal:
        """A noun phrase and where it is, or with whom: n more words, at least 2."""
        english = self.any(tuple(PREPOSITIONS) if n > 4 else SINGLE)
        places = self.say(*english.split())
        parts = PREPOSITIONS[english].split()
        tag = "many words for one" if max(len(parts), len(places)) > 1 else ""
        tail = self.nominal(n - len(places), governed=parts[-1] == OF)
        return head._replace(words=[*head.words, *(Word(part, places, tag) for part in parts), *tail.words])

    def with_clause(self, head: Nominal, n: int) -> Nominal:
        """A noun phrase and a relative clause of n words, "that" included: its subject (qui) or its object (que)."""
        place = self.say("that")
        if n >= 4 and self.chance(0.4):
            verb = self.any(DIRECT)
            subject = self.nominal(n - 2, LIVING)
            said = self.say(verb.english(subject.person))
            words = [Word("que", place, "relative"), *subject.words, Word(verb.forms[subject.person], said)]
        else:
            words = [Word("qui", place, "relative"), *self.predicate(n - 1, head)]
        return head._replace(words=[*head.words, *words])

    # ------------------------------------------------------------------------------------------ what is said of it

    def predicate(self, n: int, subject: Nominal, report: bool = False) -> list[Word]:
        """Everything after the subject, in exactly n words."""
        third = subject.person in (1, 4) and subject.gender != ""
        if n == 2 and third and self.chance(0.3):
            return self.being(subject, 0)
        if report and n >= 5 and self.chance(0.35):
            verb = self.any(REPORTING)
            said = self.say(verb.english(subject.person))
            place = self.say("that")
            return [Word(verb.forms[subject.person], said), Word("que", place), *self.clause(n - 2)]
        affirmed = subject.words[0].text == "chaque"  # chaque chat ne dort pas: neither language says that
        extra = 0 if n == 1 else self.any((0, 0, 0, 1, 2)) if n > 2 and not affirmed else self.any((0, 1))
        if n - extra == 2 and third and extra and self.chance(0.4):
            return self.being(subject, extra)
        return self.acting(n - extra, subject, extra)

    def being(self, subject: Nominal, extra: int) -> list[Word]:
        """ "is tired", with `extra` words between: an adverb, or a negation."""
        place = self.say("are" if subject.person == 4 else "is")
        inner, around = self.modified(extra, subject, copula=True)
        adjective = self.any(STATE)
        said = self.say(adjective)
        verb = Word("sont" if subject.person == 4 else "est", place)
        return [*around, verb, *inner, Word(agree(adjective, subject.gender, subject.person == 4), said)]

    def modified(self, extra: int, subject: Nominal, copula: bool = False) -> tuple[list[Word], list[Word]]:
        """An adverb or a negation of so many words: what follows the French verb, and what stands before it."""
        if extra == 0:
            return [], []
        if extra == 1:
            denials = () if subject.words[0].text == "chaque" else ("never", "not") if copula else ("never", "never")
            english = self.any((*denials, *ADVERBS))
        else:
            english = "no longer" if copula or self.chance(0.3) else "not"
            if english == "not":
                self.say("does" if subject.person == 1 else "do")  # nothing in French stands for it
        places = self.say(*english.split())
        if english in ADVERBS:
            return [Word(ADVERBS[english], places)], []
        return [Word(NEGATIONS[english], places, "negation")], [Word("ne", places, "negation")]

    def acting(self, n: int, subject: Nominal, extra: int) -> list[Word]:
        """A verb and what it needs in exactly n words, and before it `extra` words: an adverb or a negation."""
        person = subject.person
        inner, around = self.modified(extra, subject)
        bare = bool(around) and self.english[-1] == "not"  # does not see

        def verb(chosen: Verb) -> Word:
            form = chosen.base if bare else chosen.english(person)
            said = self.say(form, *chosen.particle.split())
            return Word(chosen.forms[person], said, "many words for one" if chosen.particle else "")

        if n == 1:
            return [*around, verb(self.any(INTRANSITIVE)), *inner]
        if n >= 3 and self.chance(0.25):
            moving = self.any(MOVING if n > 3 else SPEAKING)  # one speaks of Mary, and goes to places
            said, (english, french) = verb(moving), moving.preposition
            place = self.say(english)
            kind = None if n == 3 else GOALS if french == TO else PLACES
            about = self.nominal(n - 2, kind, governed=True, without=EVERY if around else ())
            return [*around, said, *inner, Word(french, place), *about.words]
        chosen = self.any(TRANSITIVE if n > 2 else DIRECT)
        said = verb(chosen)
        left = n - len(said.source)
        if left == 1 and self.chance(0.8):
            english = self.any([c for c in CLITICS if (c, person) not in (("me", 0), ("us", 2), ("me", 2), ("us", 0))])
            clitic = Word(CLITICS[english], self.say(english), "clitic")
            return [*around, clitic, said, *inner]
        without = (
            () if not around else EVERY if left <= 3 else (*EVERY, "a")
        )  # pas de chat qui … would ask for the subjunctive
        what = self.nominal(left, governed=bool(around), without=without).words
        if around and what[0].text in ("un", "une"):
            what[0] = what[0]._replace(text=OF)  # ne voit pas de chat
        return [*around, said, *inner, *what]

    # ------------------------------------------------------------------------------------------ sentences

    def clause(self, n: int) -> list[Word]:
        """Subject and predicate in exactly n words, at least 2."""
        if n == 2 or self.chance(0.25):
            pronoun = self.any(tuple(SUBJECTS))
            french, person, gender = SUBJECTS[pronoun]
            subject = Nominal([Word(french, self.say(pronoun))], gender, person)
            return [*subject.words, *self.predicate(n - 1, subject, report=True)]
        most = max(2, min(n - 1, 3 + n // 3))
        width = 2 + int(self.rng.random() * (most - 1))
        subject = self.nominal(width, LIVING)
        return [*subject.words, *self.predicate(n - width, subject, report=True)]

    def sentence(self, n: int) -> list[Word]:
        """Clauses joined by conjunctions, exactly n words."""
        words: list[Word] = []
        while n > 14 or (n >= 9 and self.chance(0.4)):
            width = 4 + int(self.rng.random() * min(7, n - 8))
            words += self.clause(width)
            english = self.any(tuple(CONJUNCTIONS))
            place = self.say(english)
            parts = CONJUNCTIONS[english].split()
            words += [Word(part, place, "many words for one" if len(parts) > 1 else "") for part in parts]
            n -= width + 1
        return words + self.clause(n)


# ----------------------------------------------------------------------------------------------------- the corpus


@functools.cache
def vocabularies() -> tuple[Vocabulary, Vocabulary]:
    """Every word of the English and of the French side."""
    nouns, verbs = (*LIVING, *PLACES, *THINGS), (*TRANSITIVE, *INTRANSITIVE, *MOVING, *REPORTING)
    english = [word for noun in nouns for word in noun[:2]]
    french = [word for noun in nouns for word in noun[2:4]]
    for verb in verbs:
        english += [verb.base, verb.english(1), *verb.particle.split(), *verb.preposition[:1]]
        french += verb.forms
    for forms in ADJECTIVES.values():
        french += forms
    english += [
        *NAMES,
        *ADJECTIVES,
        *SINGULAR,
        *PLURAL,
        *SUBJECTS,
        *CLITICS,
        *ADVERBS,
        "is",
        "are",
        "do",
        "does",
        "of",
        "that",
    ]
    french += [name for name, _ in NAMES.values()] + [form for forms in SINGULAR.values() for form in forms]
    french += [*PLURAL.values(), *(french for french, _, _ in SUBJECTS.values()), *CLITICS.values(), *ADVERBS.values()]
    french += ["est", "sont", "et", "que", "qui", "ne", "s'", OF, TO, *ELIDED.values(), *CONTRACTED.values()]
    for table in (NEGATIONS, PREPOSITIONS, CONJUNCTIONS):
        english += [word for text in table for word in text.split()]
        french += [word for text in table.values() for word in text.split()]
    return Vocabulary(dict.fromkeys(english)), Vocabulary(dict.fromkeys(french))


def write(n: int, rng: random.Random) -> Pair:
    """One pair whose English side has exactly n words, of either split."""
    require(SHORTEST <= n <= LONGEST, f"A sentence has from {SHORTEST} to {LONGEST} words, not {n}.")
    writer = Writer(rng)
    french = spell(writer.sentence(n))
    return Pair(
        tuple(writer.english), tuple(word.text for word in french), tuple(word.source for word in french),
        tuple(word.tag for word in french),
    )  # fmt: skip


def split_of(source: Sequence[str]) -> Split:
    """Which split an English sentence belongs to, from its words alone: one in ten is for testing."""
    return "test" if zlib.crc32(" ".join(source).encode()) % 10 == 0 else "train"


def pairs(n: int, seed: int, lengths: tuple[int, int] = (SHORTEST, 32), split: Split | str = "train") -> list[Pair]:
    """`n` different pairs, their English lengths uniform over `lengths` (shortest, longest).

    No sentence of the one split is ever in the other, whatever the seed. The same seed gives the same pairs.
    """
    require_positive(n=n)
    require(
        isinstance(lengths, Sequence) and len(lengths) == 2 and all(isinstance(n, (int, np.integer)) for n in lengths),
        f"lengths must be two whole numbers, (shortest, longest), not {lengths!r}.",
    )
    low, high = lengths
    require(
        SHORTEST <= low <= high <= LONGEST,
        f"lengths must be (shortest, longest) within ({SHORTEST}, {LONGEST}), not {lengths}.",
    )
    require(split in get_args(Split), f"split must be one of {', '.join(get_args(Split))}, not {split!r}.")
    rng = random.Random(seed)
    found: dict[tuple[str, ...], Pair] = {}
    rejected = 0
    while len(found) < n:
        pair = write(low + len(found) % (high - low + 1), rng)
        if split_of(pair.source) == split and pair.source not in found:
            found[pair.source] = pair
        else:
            rejected += 1
            require(rejected < 100 * n + 10_000, f"There are not {n} different sentences of {low} to {high} words.")
    return rng.sample(list(found.values()), n)


def read(typed: str) -> list[int]:
    """Indices of an English sentence as a person types it, `<eos>` behind: case and punctuation are ignored.

    An empty sentence raises `InvalidInput`, words that the grammar does not know raise `UnknownWords`, which names them.
    """
    english, _ = vocabularies()
    written = {word.lower(): word for word in english.words[len(SPECIALS) :]}
    typed = re.sub(r"[^\w\s]", " ", typed)
    return [*english.encode(" ".join(written.get(word.lower(), word) for word in typed.split())), english.eos]


def arrays(pairs: Sequence[Pair]) -> Parallel:
    """Pairs as padded arrays of indices, for training and decoding."""
    english, french = vocabularies()
    source = pad([[*(english[word] for word in pair.source), english.eos] for pair in pairs])
    target = pad([[french.bos, *(french[word] for word in pair.target), french.eos] for pair in pairs])
    return Parallel(source.tokens, source.mask, target.tokens, target.mask)


def gold(pairs: Sequence[Pair]) -> Bool[np.ndarray, "n target source"]:
    """The alignments as an array: does target word i translate source word j? `<bos>` is not counted, `<eos>` has no link."""
    require(len(pairs), "There are no pairs.")
    links = np.zeros((len(pairs), max(len(p.target) for p in pairs) + 1, max(len(p.source) for p in pairs) + 1), bool)
    for row, pair in enumerate(pairs):
        for i, sources in enumerate(pair.alignment):
            links[row, i, list(sources)] = True
    return links
