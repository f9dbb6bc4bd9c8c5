"""What the two sides of a comparison share: the sizes, and how a process waits for its turn.

One process computes at a time. `speed.py` sends a line of JSON, `{"make": case}`, `{"drop": case}` or `{"turn": case,
"given": [arguments], "repeat": times}`, and the process answers with one: the seconds of the turn, as its own clock has
them, and what the case has to say beside. A turn that is repeated is run once before, uncounted; the seconds are the mean.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import Any

BATCH, TIME, WIDTH, HEADS = 64, 40, 128, 4  # of the layers
HIDDEN, EMBED, LAYERS = 128, 64, 2  # of the translators
RATE, LAST_RATE, CLIP = 5e-3, 1e-4, 1.0
WARM_UP = 100  # updates, of the Transformer
TRANSFORMER_RATE, TRANSFORMER_LAST_RATE = 3e-3, 6e-5
UPDATES, RUN = 1_000, 20  # of a training, and in one turn
LONGEST = 48  # words a translation may have
SIDE, PRODUCTS = 768, 8  # of the square matrices whose product is timed, and products in a turn

Turn = Callable[..., Any]  # computes, waits for the result, and may return something that JSON can hold


def serve(cases: dict[str, Callable[[], Turn]]) -> None:
    """Answer orders until there are no more."""
    out, sys.stdout = sys.stdout, sys.stderr  # what libraries print must not stand among the answers
    made: dict[str, Turn] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "make" in order:
            made[order["make"]] = cases[order["make"]]()
            answer: dict[str, Any] = {"ready": True}
        elif "drop" in order:
            del made[order["drop"]]
            answer = {"ready": True}
        else:
            turn, given = made[order["turn"]], order.get("given", ())
            repeat = order.get("repeat", 1)
            if repeat > 1:
                turn(*given)  # not counted: another process has had the caches and the cores
            start = time.perf_counter()
            for _ in range(repeat):
                said = turn(*given)
            answer = {"seconds": (time.perf_counter() - start) / repeat, "said": said}
        print(json.dumps(answer), file=out, flush=True)
