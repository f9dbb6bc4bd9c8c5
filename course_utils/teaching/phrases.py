"""What is said to an answer, to a question's and to an exercise's. Sentences alone: what decides stands where it is decided.

Words in braces are filled in with `str.format`.
"""

# ------------------------------------------------------------------------------------------- questions

ALL_CHOSEN = "Exactly these."
NOT_ALL_CHOSEN = "Not quite these."
MORE_BELONG = "{missed} more belong here."
ONE_MORE_BELONGS = "1 more belongs here."
FIRST_STANDS_RIGHT = "The first 1 stands right. "
FIRST_STAND_RIGHT = "The first {count} stand right. "
NOT_AT_THIS_PLACE = "“{item}” does not come at place {place}: {why}"
PAIRS_RIGHT = "{right} of {count} pairs are right."
NOT_THIS_PAIR = "{left} → {right}? Of the latter: {why}"
NO_SUCH_AXIS = " No axis here is called {names}."
PREDICTION_KEPT = "Kept. The experiment below will answer."

# ------------------------------------------------------------------------------------------- exercises

NOT_ATTEMPTED = "Not attempted yet. Write your answer in place of `...` and run the cell again."
RETURNS_DOTS = "Not attempted yet: your function returns `...`."
RIGHT_ON_ALL = "Right on all {count} cases."
RIGHT_SO_FAR = {1: "Right on case 1 of {count}. ", 2: "Right on cases 1–{passed} of {count}. "}  # 2: two or more

NO_FUNCTION = (
    "`check` wants your function itself, not {what}. Pass its name without calling it: `ex.{name}.check({function})`."
)
ARGUMENTS = {
    1: "Your function should take 1 argument ({names}): {error}.",
    2: "Your function should take {count} arguments ({names}): {error}.",
}
RAISED = "Your function raised {error}: {text}{where}"
RAISED_THERE = "For {inputs}\nyour function raised {error}: {text}{where}"
RETURNS_NONE = "Your function returned None. Is a `return` missing? Asked for: {gives}."
RETURNS_NONE_IN_SCAN = (
    "Your function returned None. Is a `return` missing, or is what your step returns second None? Asked for: {gives}."
)
RETURNS_TUPLE = "Your function returns {count} things, but one is asked for: {gives}."
RETURNS_SCAN = (
    "Your function returns a pair, but one array is asked for: {gives}. "
    "(`scan` gives back the last state, and what was collected.)"
)
NO_ARRAY = "Your function should return numbers, not {what}. Asked for: {gives}."

WRONG_SHAPE = "Your result has shape {mine}; it should have shape {right} for {inputs}. Asked for: {gives}."
WRONG_VALUES = "The shape is right, the values are not.{finite} For {inputs}\nyours: `{mine}`\nexpected: `{right}`"
FAILS_FIRST = "The first that fails is {inputs}{finite}\nyours: `{mine}`\nexpected: `{right}`"
NOT_FINITE = " Some of your numbers are not finite."

# How a wrong result is related to the right one, whatever the exercise: the name that is kept, and what is said.
RELATIONS = {
    "wrong sign": "Your numbers have the wrong sign: each is minus what it should be.",
    "true and false exchanged": "True and false are exchanged in your result.",
    "wrong factor": "Every number of yours is {factor:.4g} times what it should be. Is something missing, or there twice?",
    "axes exchanged": "The right numbers, but with their axes exchanged: yours has shape {mine}, asked for is {right}.",
    "axis too many": "The right numbers, but in shape {mine}; asked for is {right}.",
    "reversed": "The right numbers in reverse order, along the first axis.",
    "one too early": "Your result runs one place ahead along the first axis: what you have first belongs at the second place.",
    "one too late": "Your result lags one place behind along the first axis: what you have second belongs at the first place.",
}
