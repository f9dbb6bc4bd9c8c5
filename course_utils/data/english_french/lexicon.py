"""The words of the English–French corpus, and which of them may stand together."""

import functools

from .forms import DeterminerForms, Kinds, Name, Noun, Person, Pronoun, adjectives, nouns, verbs

# ---------------------------------------------------------------------------------------------------- nouns

ANIMALS = nouns("""
    cat cats chat chats m
    dog dogs chien chiens m
    horse horses cheval chevaux m
    bird birds oiseau oiseaux m
    mouse mice souris souris f
    cow cows vache vaches f
""")
PERSONS = nouns("""
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
PLACES = nouns("""
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
THINGS = nouns("""
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
GOALS = tuple(  # of those who go, come and return
    place
    for place in PLACES
    if place.english in ("garden", "market", "hotel", "museum", "school", "church", "factory", "bank")
)
NAMES = {
    "Mary": Name("Marie", "f"),
    "Anna": Name("Anne", "f"),
    "Paul": Name("Paul", "m"),
    "Henry": Name("Henri", "m"),
}

# ------------------------------------------------------------------------------- adjectives and determiners

# Before the noun; after it; the last and the first of two after it (European economic); of what somebody is.
_before = adjectives("""
    small petit petite petits petites petit
    big grand grande grands grandes grand
    old vieux vieille vieux vieilles vieil
    new nouveau nouvelle nouveaux nouvelles nouvel
    beautiful beau belle beaux belles bel
    young jeune jeune jeunes jeunes jeune
    good bon bonne bons bonnes bon
""")
_after = adjectives("""
    black noir noire noirs noires noir
    white blanc blanche blancs blanches blanc
    red rouge rouge rouges rouges rouge
    green vert verte verts vertes vert
    strange étrange étrange étranges étranges étrange
    famous célèbre célèbre célèbres célèbres célèbre
    modest modeste modeste modestes modestes modeste
""")
_outer = adjectives("""
    European européen européenne européens européennes européen
    American américain américaine américains américaines américain
    French français française français françaises français
""")
_inner = adjectives("""
    economic économique économique économiques économiques économique
    cultural culturel culturelle culturels culturelles culturel
    industrial industriel industrielle industriels industrielles industriel
    political politique politique politiques politiques politique
""")
_state = adjectives("""
    tired fatigué fatiguée fatigués fatiguées fatigué
    happy heureux heureuse heureux heureuses heureux
    sad triste triste tristes tristes triste
    surprised surpris surprise surpris surprises surpris
    ready prêt prête prêts prêtes prêt
""")

BEFORE, AFTER, OUTER, INNER, STATE = map(tuple, (_before, _after, _outer, _inner, _state))
COLOURS, OPINIONS = AFTER[:4], AFTER[4:]
ADJECTIVES = {**_before, **_after, **_outer, **_inner, **_state}


@functools.cache
def kinds_of(noun: Noun) -> Kinds:
    """Kinds of adjectives for a noun. Persons have no colour here."""
    if noun in PLACES:
        return Kinds(
            (BEFORE, INNER, OUTER),
            ((OUTER, INNER), (BEFORE, INNER)),
        )
    if noun in PERSONS:
        return Kinds(
            (BEFORE, OPINIONS, OUTER),
            ((BEFORE, OUTER), (OPINIONS, OUTER)),
        )
    return Kinds(
        (BEFORE, AFTER),
        ((BEFORE, COLOURS), (COLOURS, OUTER), (OPINIONS, OUTER)),
    )


SINGULAR = {
    "the": DeterminerForms("le", "la", "le", "la"),
    "a": DeterminerForms("un", "une", "un", "une"),
    "this": DeterminerForms("ce", "cette", "cet", "cette"),
    "my": DeterminerForms("mon", "ma", "mon", "mon"),
    "our": DeterminerForms("notre", "notre", "notre", "notre"),
    "your": DeterminerForms("votre", "votre", "votre", "votre"),
    "every": DeterminerForms("chaque", "chaque", "chaque", "chaque"),
}
PLURAL = {
    "the": "les",
    "these": "ces",
    "my": "mes",
    "our": "nos",
    "your": "vos",
    "two": "deux",
    "three": "trois",
    "some": "des",
}
POSSESSIVE, EVERY = ("my", "our", "your"), ("every",)
# What would be read as something else: ma femme is my wife, une vieille fille a spinster, un petit ami a boyfriend.
MISREAD = {(owner, noun) for owner in POSSESSIVE for noun in ("girl", "woman")} | {
    ("old", "girl"),
    ("small", "friend"),
    ("big", "school"),
}

# ------------------------------------------------------------------------------------ verbs and small words

TRANSITIVE = verbs("""
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
""")
INTRANSITIVE = verbs("""
    sleep|dors dort dormons dormez dorment
    sing|chante chante chantons chantez chantent
    laugh|ris rit rions riez rient
    arrive|arrive arrive arrivons arrivez arrivent
    work|travaille travaille travaillons travaillez travaillent
    dance|danse danse dansons dansez dansent
    leave|pars part partons partez partent
""")
MOVING = verbs("""
    go|vais va allons allez vont|to à
    come|viens vient venons venez viennent|from de
    return|retourne retourne retournons retournez retournent|to à
    speak|parle parle parlons parlez parlent|of de
""")
REPORTING = verbs("""
    say|dis dit disons dites disent
    think|pense pense pensons pensez pensent
    believe|crois croit croyons croyez croient
""")
SPEAKING = MOVING[-1:]
DIRECT = tuple(verb for verb in TRANSITIVE if not verb.particle)
SUBJECTS = {
    "I": Pronoun("je", Person.I, ""),
    "he": Pronoun("il", Person.HE, "m"),
    "she": Pronoun("elle", Person.HE, "f"),
    "we": Pronoun("nous", Person.WE, ""),
    "you": Pronoun("vous", Person.YOU, ""),
    "they": Pronoun("ils", Person.THEY, "m"),
}
CLITICS = {"me": "me", "him": "le", "her": "la", "us": "nous", "them": "les"}
# Object pronouns that would be the subject again: I see me.
REFLEXIVE = {("me", Person.I), ("us", Person.I), ("me", Person.WE), ("us", Person.WE)}
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
ONE_WORD_PREPOSITIONS = tuple(english for english in PREPOSITIONS if " " not in english)
CONJUNCTIONS = {"and": "et", "but": "mais", "when": "quand", "because": "parce que", "while": "pendant que", "if": "si"}
OF, TO = ("de", "à")
