"""The grammar: one pair at a time, English and French written together, each French word with what it translates."""

import random
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from . import lexicon
from .forms import Noun, Person, Verb
from .spelling import Word, agree, determine

Option = TypeVar("Option")


class Phrase(NamedTuple):
    """A noun phrase in French, and what verbs and adjectives must agree with."""

    words: list[Word]
    gender: str  # "" where it is not known (I, we, you)
    person: Person

    @property
    def plural(self) -> bool:
        """Is it the cats, or they? We and you are persons of their own."""
        return self.person == Person.THEY

    @property
    def is_every(self) -> bool:
        """Does it begin with "every"? Neither language denies anything of it: chaque chat ne dort pas."""
        return self.words[0].text == "chaque"


class Writer:
    """Writes one pair: English words are said in their order, French words are returned with what they translate.

    Every method is told how many English words to say and says exactly as many.
    """

    def __init__(self, rng: random.Random):
        self.rng, self.english = rng, []

    def say(self, *words: str) -> tuple[int, ...]:
        """Say English words; their positions."""
        first = len(self.english)
        self.english += words
        return tuple(range(first, len(self.english)))

    def pick(self, options: Sequence[Option]) -> Option:
        """One of several, each as likely as the others."""
        return options[int(self.rng.random() * len(options))]

    def chance(self, p: float) -> bool:
        """True with probability p."""
        return self.rng.random() < p

    # ------------------------------------------------------------------------------------------ noun phrases

    def simple(self, determiner: str, adjectives: Sequence[str], noun: Noun, plural: bool) -> Phrase:
        """Determiner, adjectives, noun: those of `lexicon.BEFORE` stay in front, all others follow the noun, the last first."""
        of_determiner = self.say(determiner)
        of_adjectives = [self.say(adjective) for adjective in adjectives]
        of_noun = self.say(noun.english_plural if plural else noun.english)
        head = noun.french_plural if plural else noun.french
        in_front = [i for i, adjective in enumerate(adjectives) if adjective in lexicon.BEFORE]
        after = [i for i, adjective in enumerate(adjectives) if adjective not in lexicon.BEFORE]
        tag = ("", "reversal", "stacked")[min(len(after), 2)]
        words, first = [Word(head, of_noun, tag)], head
        for i in reversed(in_front):
            first = agree(adjectives[i], noun.gender, plural, first)
            words.insert(0, Word(first, of_adjectives[i]))
        words += [Word(agree(adjectives[i], noun.gender, plural), of_adjectives[i], tag) for i in reversed(after)]
        french = determine(determiner, noun.gender, plural, first)
        if determiner == "some" and adjectives and adjectives[0] in lexicon.BEFORE:
            french = lexicon.OF  # de petits chats
        return Phrase([Word(french, of_determiner), *words], noun.gender, Person.THEY if plural else Person.HE)

    def plain(self, n: int, nouns: Sequence[Noun] = (), governed: bool = False, without: Sequence[str] = ()) -> Phrase:
        """A name (n = 1), or a determiner, n - 2 adjectives and a noun; n is at most 4.

        nouns: one of these; of all where there are none.   governed: it follows de or à.   without: none of these determiners.
        """
        if n == 1:
            english = self.pick(tuple(lexicon.NAMES))
            name = lexicon.NAMES[english]
            return Phrase([Word(name.french, self.say(english))], name.gender, Person.HE)
        noun = self.pick(nouns or self.pick((lexicon.LIVING, lexicon.PLACES, lexicon.THINGS)))
        plural = self.chance(0.4)
        determiner = self.pick(tuple(lexicon.PLURAL if plural else lexicon.SINGULAR)) if self.chance(0.5) else "the"
        if determiner == "some" and governed:
            determiner = "these"  # de + des is de: a rule of its own
        adjectives = self.adjectives(n - 2, noun)
        if determiner in without or (determiner, noun.english) in lexicon.MISREAD:
            determiner = "the"
        if determiner == "a" and (adjectives or [noun.english])[0].lower().startswith(tuple("aeio")):
            determiner = "the"  # "an" would be a second word for one
        return self.simple(determiner, adjectives, noun, plural)

    def adjectives(self, n: int, noun: Noun) -> list[str]:
        """0, 1 or 2 English adjectives for a noun, in English order."""
        if n == 0:
            return []
        kinds = self.pick(lexicon.kinds_of(noun).pairs) if n == 2 else (self.pick(lexicon.kinds_of(noun).alone),)
        adjectives = [self.pick(kind) for kind in kinds]
        if (adjectives[0], noun.english) in lexicon.MISREAD:
            adjectives[0] = "young" if noun in lexicon.LIVING else "new"
        return adjectives

    def phrase(self, n: int, nouns: Sequence[Noun] = (), governed: bool = False, without: Sequence[str] = ()) -> Phrase:
        """A noun phrase of exactly n words: as in `plain`, or with something after it."""
        if n < 4 or (n == 4 and self.chance(0.7)):
            return self.plain(n, nouns, governed, without)
        width = 2 if n == 4 or self.chance(0.5) else 3
        rest = n - width - 1  # what may follow "of", "and"
        drawn = self.rng.random()
        if drawn < 0.3 or rest == 1:
            head = self.plain(width, nouns, governed, (*without, *lexicon.POSSESSIVE))  # no two owners
            of = self.say("of")
            owner = self.phrase(rest, governed=True)
            return head._replace(words=[*head.words, Word(lexicon.OF, of), *owner.words])
        if drawn < 0.5:
            return self.with_place(self.plain(width, nouns, governed, without), n - width)
        if drawn < 0.65 and rest >= 2 and not governed:  # "of the cat and the dog" repeats its preposition in French
            return self.and_another(self.plain(width, nouns), rest, nouns)
        return self.with_clause(self.plain(width, nouns or lexicon.LIVING, governed, without), n - width)

    def and_another(self, first: Phrase, n: int, nouns: Sequence[Noun]) -> Phrase:
        """A noun phrase, "and", and another of n words."""
        conjunction = Word(lexicon.CONJUNCTIONS["and"], self.say("and"))
        second = self.phrase(n, nouns)
        gender = "f" if first.gender == second.gender == "f" else "m"
        return Phrase([*first.words, conjunction, *second.words], gender, Person.THEY)

    def with_place(self, head: Phrase, n: int) -> Phrase:
        """A noun phrase and where it is, or with whom: n more words, at least 2."""
        english = self.pick(tuple(lexicon.PREPOSITIONS) if n > 4 else lexicon.ONE_WORD_PREPOSITIONS)
        preposition = self.say(*english.split())
        parts = lexicon.PREPOSITIONS[english].split()
        tag = "many words for one" if max(len(parts), len(preposition)) > 1 else ""
        noun = self.phrase(n - len(preposition), governed=parts[-1] == lexicon.OF)
        return head._replace(words=[*head.words, *(Word(part, preposition, tag) for part in parts), *noun.words])

    def with_clause(self, head: Phrase, n: int) -> Phrase:
        """A noun phrase and a relative clause of n words, "that" included: its subject (qui) or its object (que)."""
        that = self.say("that")
        if n >= 4 and self.chance(0.4):
            verb = self.pick(lexicon.DIRECT)
            subject = self.phrase(n - 2, lexicon.LIVING)
            of_verb = self.say(verb.english(subject.person))
            clause = [Word("que", that, "relative"), *subject.words, Word(verb.forms[subject.person], of_verb)]
        else:
            clause = [Word("qui", that, "relative"), *self.predicate(n - 1, head)]
        return head._replace(words=[*head.words, *clause])

    # ------------------------------------------------------------------------------------------ predicates

    def predicate(self, n: int, subject: Phrase, report: bool = False) -> list[Word]:
        """Everything after the subject, in exactly n words. `report`: it may be "says that …"."""
        can_be_described = subject.person in (Person.HE, Person.THEY) and subject.gender != ""
        if n == 2 and can_be_described and self.chance(0.3):
            return self.being(subject, 0)
        if report and n >= 5 and self.chance(0.35):
            verb = self.pick(lexicon.REPORTING)
            of_verb, that = self.say(verb.english(subject.person)), self.say("that")
            return [Word(verb.forms[subject.person], of_verb), Word("que", that), *self.clause(n - 2)]
        extra = self.extra_words(n, subject)
        if n - extra == 2 and can_be_described and extra and self.chance(0.4):
            return self.being(subject, extra)
        return self.acting(n - extra, subject, extra)

    def extra_words(self, n: int, subject: Phrase) -> int:
        """How many of the n words of a predicate are an adverb (1) or a negation (1 or 2)."""
        if n == 1:
            return 0
        return self.pick((0, 1)) if n == 2 or subject.is_every else self.pick((0, 0, 0, 1, 2))

    def being(self, subject: Phrase, extra: int) -> list[Word]:
        """ "is tired", with `extra` words between: an adverb, or a negation."""
        copula = self.say("are" if subject.plural else "is")
        after, before = self.modified(extra, subject, copula=True)
        adjective = self.pick(lexicon.STATE)
        state = Word(agree(adjective, subject.gender, subject.plural), self.say(adjective))
        return [*before, Word("sont" if subject.plural else "est", copula), *after, state]

    def modified(self, extra: int, subject: Phrase, copula: bool = False) -> tuple[list[Word], list[Word]]:
        """An adverb or a negation of so many words: what follows the French verb, and what stands before it."""
        if extra == 0:
            return [], []
        if extra == 1:
            negations = () if subject.is_every else ("never", "not") if copula else ("never", "never")
            english = self.pick((*negations, *lexicon.ADVERBS))
        else:
            english = "no longer" if copula or self.chance(0.3) else "not"
            if english == "not":
                self.say("does" if subject.person == Person.HE else "do")  # nothing in French stands for it
        positions = self.say(*english.split())
        if english in lexicon.ADVERBS:
            return [Word(lexicon.ADVERBS[english], positions)], []
        return [Word(lexicon.NEGATIONS[english], positions, "negation")], [Word("ne", positions, "negation")]

    def acting(self, n: int, subject: Phrase, extra: int) -> list[Word]:
        """A verb and what it needs in exactly n words, and before it `extra` words: an adverb or a negation."""
        after, before = self.modified(extra, subject)
        negated = bool(before)
        bare = negated and self.english[-1] == "not"  # does not see
        if n == 1:
            return [*before, self.verb(self.pick(lexicon.INTRANSITIVE), subject.person, bare), *after]
        if n >= 3 and self.chance(0.25):
            moving = self.pick(lexicon.MOVING if n > 3 else lexicon.SPEAKING)  # one speaks of Mary, and goes to places
            verb = self.verb(moving, subject.person, bare)
            return [*before, verb, *after, *self.destination(n - 1, moving, negated)]
        verb = self.verb(self.pick(lexicon.TRANSITIVE if n > 2 else lexicon.DIRECT), subject.person, bare)
        rest = n - len(verb.source)
        if rest == 1 and self.chance(0.8):
            return [*before, self.clitic(subject.person), verb, *after]
        return [*before, verb, *after, *self.object(rest, negated)]

    def verb(self, verb: Verb, person: Person, bare: bool) -> Word:
        """A verb for a person; `bare`: in its base form, after "does not"."""
        positions = self.say(verb.base if bare else verb.english(person), *verb.particle.split())
        return Word(verb.forms[person], positions, "many words for one" if verb.particle else "")

    def destination(self, n: int, moving: Verb, negated: bool) -> list[Word]:
        """Where somebody goes or comes from, or of what they speak, in n words, the preposition included."""
        english, french = moving.prepositions
        preposition = Word(french, self.say(english))
        nouns = () if n == 2 else lexicon.GOALS if french == lexicon.TO else lexicon.PLACES
        phrase = self.phrase(n - 1, nouns, governed=True, without=lexicon.EVERY if negated else ())
        return [preposition, *phrase.words]

    def clitic(self, person: Person) -> Word:
        """An object pronoun, which stands before the French verb."""
        english = self.pick([pronoun for pronoun in lexicon.CLITICS if (pronoun, person) not in lexicon.REFLEXIVE])
        return Word(lexicon.CLITICS[english], self.say(english), "clitic")

    def object(self, n: int, negated: bool) -> list[Word]:
        """A direct object of n words; after a negation un becomes de (ne voit pas de chat)."""
        without = ()
        if negated:  # a longer one, pas de chat qui …, would ask for the subjunctive
            without = lexicon.EVERY if n <= 3 else (*lexicon.EVERY, "a")
        first, *others = self.phrase(n, governed=negated, without=without).words
        if negated and first.text in ("un", "une"):
            first = first._replace(text=lexicon.OF)
        return [first, *others]

    # ------------------------------------------------------------------------------------------ sentences

    def clause(self, n: int) -> list[Word]:
        """Subject and predicate in exactly n words, at least 2."""
        if n == 2 or self.chance(0.25):
            english = self.pick(tuple(lexicon.SUBJECTS))
            pronoun = lexicon.SUBJECTS[english]
            subject, width = Phrase([Word(pronoun.french, self.say(english))], pronoun.gender, pronoun.person), 1
        else:
            longest = max(2, min(n - 1, 3 + n // 3))
            width = self.pick(range(2, longest + 1))
            subject = self.phrase(width, lexicon.LIVING)
        return [*subject.words, *self.predicate(n - width, subject, report=True)]

    def sentence(self, n: int) -> list[Word]:
        """Clauses joined by conjunctions, exactly n words."""
        words: list[Word] = []
        while n > 14 or (n >= 9 and self.chance(0.4)):
            width = self.pick(range(4, 4 + min(7, n - 8)))
            words += self.clause(width)
            english = self.pick(tuple(lexicon.CONJUNCTIONS))
            conjunction, parts = self.say(english), lexicon.CONJUNCTIONS[english].split()
            words += [Word(part, conjunction, "many words for one" if len(parts) > 1 else "") for part in parts]
            n -= width + 1
        return words + self.clause(n)
