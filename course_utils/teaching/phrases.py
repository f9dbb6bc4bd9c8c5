"""What is said to an answer, to a question's and to an exercise's. Sentences alone: what decides stands where it is decided.

Words in braces are filled in with `str.format`, and on the page by `fill` of `question.js`: `QUESTIONS` goes there as data.
"""

# ------------------------------------------------------------------------------------------- asking

QUESTION = "Question {place} of {count}."
PREDICT = "Predict."
CHECK = "Check"
KEEP = "Keep my prediction"
NEW_NUMBERS = "New numbers"
ONE_OR_MORE = "One or more are right; tick all of them."
MOVE_THE_ROWS = "Move the rows until the first stands on top."
MOVE_UP = "Move up: {item}"
MOVE_DOWN = "Move down: {item}"
NOW_AT_PLACE = "Now at place {place} of {count}."
YOUR_NUMBER = "your number"
THE_SHAPE = "the shape"
SHAPE_EXAMPLE = "such as (batch, 64)"
CHOOSE = "choose …"
HUNT = "Find the bug."
WHICH_LINE = "Which line is wrong?"
TRAIN_BOTH = "Train it, as it is and mended"
TRAINING = "Both are being trained: first as it is, then mended."
NOT_TRAINED = "The training was interrupted."
TRAINS_IN_A_NOTEBOOK = "In a notebook this code is trained before your eyes, as it is and mended."

CHOOSE_FIRST = "Choose an answer first."
TICK_FIRST = "Tick at least one answer first."
LINE_FIRST = "Choose a line first."
SYMPTOM_FIRST = "Choose first what you would see."
NUMBER_FIRST = "Type a number first."
SHAPE_FIRST = "Type a shape first, such as (batch, 64)."
PARTNER_FIRST = "Choose a partner for each first: 1 is missing."
PARTNERS_FIRST = "Choose a partner for each first: {count} are missing."

A_NUMBER = "A number is wanted"
NOT_THIS = "{wanted}, not {typed}."
EITHER_OF_TWO = "{wanted}, and {typed} may be either of two: write {whole}, or {decimal}."
THOUSANDS = "{wanted}, not {typed}: write {whole}."
NO_SHAPE = "A shape is written as axis after axis, such as (batch, 64), not {typed}."
HALF_A_NUMBER = "An axis does not begin with 0, as '{axis}' does: write thousands without a comma, 1024, not 1,024."

# ------------------------------------------------------------------------------------------- answering

CHOSEN = "“{option}”: {why}"
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
BUG_FOUND = "Found, and its symptom too."
BUG_WITHOUT_SYMPTOM = "The line is right, the symptom is not."
SYMPTOM_WITHOUT_BUG = "The symptom is right, the line is not."
NO_BUG_YET = "Neither the line nor the symptom yet."
OF_LINE = "Line {line}: {why}"
MENDED = "Mended: {line}"
PREDICTION_KEPT = "Kept. The experiment below will answer."

EARLIER_ANSWER = "Your earlier answer."
EXPERIMENT_ANSWERS = "The experiment below answers it."
FOUND = "Found: {measures} = {number}."
NO_PREDICTION = "(You made no prediction this time.)"
PREDICTED = "You predicted “{option}”."
PREDICTED_WRONGLY = "You predicted “{option}”: {why}"
HOLDS = "What holds is “{option}”: {why}"

SCORE = "{right} of {count} right"
ANSWERED = "{answered} answered."
BY_OBJECTIVE = "Right, for each objective"
OF = "{right} of {count}"
REREAD = "Worth rereading: {sections}."
EVERY_ONE_RIGHT = "Every question is right."

QUESTIONS = {name: text for name, text in vars().items() if name.isupper()}  # all of the above

# ------------------------------------------------------------------------------------------- exercises

HINT = "Hint {place} of 3"
IN_A_NOTEBOOK = "In a notebook this cell checks what you write."
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
