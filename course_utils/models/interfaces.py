"""What the course asks of a cell, a translator, a reader and a language model: the
doors between its rooms.

Whatever has these methods is one, whoever wrote it: `recurrent.unroll` runs any `Cell`,
`decoding.greedy` any `Translator`.
"""

from typing import Protocol, TypeVar, runtime_checkable

from jaxtyping import Array, Bool, Float, Int, PyTree, Shaped

Arrays = PyTree[Shaped[Array, "..."]]  # one, or several in a tuple or a NamedTuple
AlignmentWeights = Float[Array, "batch source"] | None
State = TypeVar("State")  # of a cell: such arrays, the batch as their first axis


@runtime_checkable
class Cell(Protocol[State]):
    """One step of a recurrence, in parts, so that what waits for nothing can be
    computed for all positions at once.

    embed, hidden: the sizes of an input and of what is read of a state.
    """

    embed: int
    hidden: int

    def start(self, batch: int) -> State:
        """The state before the first step."""
        ...

    def project(self, inputs: Float[Array, "*lead embed"]) -> Arrays:
        """What the inputs contribute, whatever the state: for any number of positions
        at once.
        """
        ...

    def step(self, state: State, projected: Arrays) -> State:
        """The next state."""
        ...

    def output(self, state: State) -> Float[Array, "*lead output"]:
        """What the rest of a model reads of a state: `[batch, hidden]` of a cell of the
        course.
        """
        ...


@runtime_checkable
class Translator(Protocol):
    """Reads a source, then says one word after another. Every array of a memory and of
    a state has the batch as its first axis.
    """

    def encode(
        self, source: Int[Array, "batch source"], mask: Bool[Array, "batch source"]
    ) -> Arrays:
        """The source, read once: the memory."""
        ...

    def begin(self, memory: Arrays, longest: int) -> Arrays:
        """The decoder's state before the first word, with room for `longest` words."""
        ...

    def advance(
        self, state: Arrays, words: Int[Array, " batch"], memory: Arrays
    ) -> tuple[Arrays, Float[Array, "batch vocab"], AlignmentWeights]:
        """The state after the words just said, scores of the next, and weights over the
        source (None: there are none).
        """
        ...


@runtime_checkable
class TeacherForced(Translator, Protocol):
    """A translator that may be told the right words before each it is asked for."""

    def forced(
        self, memory: Arrays, words: Int[Array, "batch target"]
    ) -> tuple[
        Float[Array, "batch target vocab"],
        Float[Array, "batch target source"] | None,
    ]:
        """Scores at all steps, and weights over the source (None: there are none)."""
        ...

    def __call__(
        self,
        source: Int[Array, "batch source"],
        mask: Bool[Array, "batch source"],
        words: Int[Array, "batch target"],
    ) -> Float[Array, "batch target vocab"]:
        """Scores at all steps."""
        ...


@runtime_checkable
class Reader(Protocol):
    """A sequence in, one answer out."""

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch classes"]: ...


@runtime_checkable
class Tagger(Protocol):
    """A sequence in, an answer after each word out."""

    def every_step(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time classes"]:
        """Scores at every position."""
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A sequence in, scores of every next word out: at position t, those of t + 1."""

    def __call__(
        self,
        tokens: Int[Array, "batch time"],
        mask: Bool[Array, "batch time"] | None = None,
    ) -> Float[Array, "batch time vocab"]: ...


@runtime_checkable
class CachedLanguageModel(LanguageModel, Protocol):
    """A language model that goes on from a state, and reads no word a second time.

    The state is the last one of a recurrence, or the keys and values of all words so
    far; every array of it has the batch as its first axis.
    """

    def begin(
        self, prompt: Int[Array, "batch time"], longest: int
    ) -> tuple[Arrays, Float[Array, "batch vocab"]]:
        """The state after a prompt, with room for `longest` words in all, and scores of
        the next word.
        """
        ...

    def advance(
        self, state: Arrays, words: Int[Array, " batch"]
    ) -> tuple[Arrays, Float[Array, "batch vocab"]]:
        """The state after one word more, and scores of the next."""
        ...
