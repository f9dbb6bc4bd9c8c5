import dataclasses
import itertools
import json
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from colorspacious import cspace_convert, deltaE
from drawings import MACHINES, blocks, machine, translated
from flax import nnx

from course_utils.data.agreement import vocabulary
from course_utils.data.english_french import read as read_english
from course_utils.data.english_french import vocabularies
from course_utils.experiments import ch00, ch03, ch04, ch05, ch06, ch07
from course_utils.machines import (
    attention,
    beam,
    block,
    cache,
    encoder_decoder,
    followed,
    gradients,
    gru,
    lstm,
    lstm_sentence,
    masks,
    memory,
    page,
    pipe,
    recurrence,
    self_attention,
    transformer,
)
from course_utils.machines.machine import Machine, Variant
from course_utils.machines.page import SCRIPT
from course_utils.machines.parts import at, cells, edge, number, step
from course_utils.measure.gates import gates_of
from course_utils.measure.inside import reader_weights, transformer_weights
from course_utils.measure.memory import frozen_recall
from course_utils.models.positions import frequencies
from course_utils.models.self_attention import causal_mask, scaled_dot_product
from course_utils.models.sequence import hidden_states
from course_utils.runtime import InvalidInput
from course_utils.widgets import ch06 as explorers
from course_utils.widgets.sentences import typed


def close(values, **tolerance):
    """`pytest.approx`, of JAX's arrays and of lists of them too."""
    return pytest.approx(np.asarray(values).tolist(), **tolerance)


def values_at(drawn, place, variant=0):
    """Everything that a machine shows at a step: values add up."""
    steps = drawn.variants[variant].steps
    return {name: value for one in steps[: place + 1 or None] for name, value in one.values.items()}


def shown(drawn, variant=0):
    """Everything that it shows at its last step."""
    return values_at(drawn, -1, variant)


# ------------------------------------------------------------------------------------------------------- structure


@pytest.mark.parametrize("name", MACHINES)
def test_a_machine_says_what_it_is_in_words_and_in_json(name):
    drawn = machine(name)
    spec = json.loads(json.dumps(drawn.spec(), allow_nan=False))
    assert spec["kind"] == "machine"
    nodes, ids = {node["id"] for node in spec["nodes"]}, set()
    for one in spec["edges"]:
        assert {one["from"], one["to"]} <= nodes
        ids.add(one["id"])
    for variant in drawn.variants:
        for one in variant.steps:
            assert set(one.lit) <= nodes | ids
            assert len(one.sentence()) <= 200, one.sentence()
            assert one.text.endswith(".")
    words = drawn.in_words()
    assert drawn.teaches.endswith(".")
    assert all(one.sentence() in words for variant in drawn.variants for one in variant.steps)
    assert not re.search(r"[${}]|\bnan\b|\binf\b|\b0\.\d{5}", words), words


@pytest.mark.parametrize("name", MACHINES)
def test_every_part_is_lit_by_some_step_and_every_value_is_seen(name):
    drawn = machine(name)
    for variant in drawn.variants:
        lit = {id for one in variant.steps for id in one.lit}
        told = {id for one in variant.steps for id, value in one.values.items() if value is not None}
        always = {node.id for node in drawn.nodes if node.look.get("always")}
        assert told <= lit | always, told - lit - always
    lit = {id for variant in drawn.variants for one in variant.steps for id in one.lit}
    unlit = {one.id for one in (*drawn.nodes, *drawn.edges)} - lit - always
    assert not unlit, unlit


@pytest.mark.parametrize("name", MACHINES)
def test_steps_are_written_in_the_words_of_the_field(name):
    words = machine(name).in_words()
    assert not re.search(r"\b(looks? at|valve|belt|in turn|beside|of its own|will not do|logistic)\b", words), words


ONE = {"n": 1, "cell": (20, 20)}


def small(**changes):
    made = {
        "title": "Small", "teaches": "It is small.", "alt": "Two cells.", "wide": (300, 100), "narrow": (200, 100),
        "nodes": (cells("a", at(20, 20), at(20, 20), **ONE), cells("b", at(80, 20), at(80, 20), **ONE)),
        "edges": (edge("a", "b"),), "variants": (Variant("", (step("Go.", "It goes.", "a a>b b", {"a": [1.0]}),)),),
    }  # fmt: skip
    return Machine(**{**made, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"edges": (edge("a", "c"),)}, "'c'"),
        ({"edges": (edge("a", "b"), edge("a", "b"))}, "used again: a>b"),
        ({"variants": ()}, "at least one step"),
        ({"variants": (Variant("", ()),)}, "at least one step"),
        ({"variants": (Variant("", (step("Go.", "It goes.", "x"),)),)}, "'x'"),
        ({"variants": (Variant("", (step("Go.", "It goes.", ""),)),)}, "lights up nothing"),
        ({"variants": (Variant("", (step("Go.", "", "a"),)),)}, "title and a text"),
        ({"variants": (Variant("", (step("Go.", "It goes.", "a", {"y": 1.0}),)),)}, "'y'"),
        ({"variants": (Variant("", (step("Go.", "It goes.", "a", {"a": [1.0, 2.0]}),)),)}, "a list of 1 values"),
        ({"nodes": (cells("a", at(20, 20), at(220, 20), **ONE), cells("b", at(80, 20), at(80, 20), **ONE))}, "outside"),
        ({"wide": (900, 100)}, "680 pixels wide"),
    ],
)
def test_what_does_not_fit_together_is_refused_where_it_is_made(changes, said):
    with pytest.raises(InvalidInput, match=re.escape(said)):
        small(**changes)


@pytest.mark.parametrize("value", [float("nan"), [1.0, float("inf")], np.array([np.nan])])
def test_what_is_no_finite_number_cannot_be_drawn(value):
    with pytest.raises(InvalidInput, match="only finite numbers"):
        step("Go.", "It goes.", "a", {"a": value})


def test_a_machine_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        small().title = "Other"  # type: ignore[misc]


def test_numbers_are_written_as_javascript_writes_them():
    written = [number(v) for v in (0.125, -0.125, -0.001, 2.5e-9, 1234.5, -2.135)]
    assert written == ["0.13", "−0.13", "0.00", "0.00", "1234.50", "−2.13"]
    assert number(0.25, 1) == "0.3"


def test_a_page_holds_everything_it_needs_and_no_text_ends_its_script():
    held = page("One & two", [small(title="</script><b>")])
    assert "</script><b>" not in held.replace("&lt;/script", "").split("<noscript>")[0].split("application/json")[1]
    assert "One &amp; two" in held
    assert not re.search(r"https?://(?!www\.w3\.org)", held)
    assert small().in_words().startswith("Small. It is small.")


def test_the_player_is_one_module_of_at_most_450_lines():
    text = SCRIPT.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 450
    assert not re.search(r"^\s*import\b", text, re.M)


# --------------------------------------------------------------------------------------------------------- colours


def palettes():
    """The colours of the roles, light and dark, as `machine.js` has them, with the page's colour."""
    text = SCRIPT.read_text(encoding="utf-8")
    light, dark = text[text.index(".machine {") : text.index(".machine.dark {")], text[text.index(".machine.dark {") :]
    roles = ("page", "plain", "hidden", "cell", "gate", "attention", "gradient")
    return [{role: re.search(rf"--{role}:(#\w+)", part)[1] for role in roles} for part in (light, dark)]


def rgb(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    return np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])


def luminance(colour):
    linear = np.where(rgb(colour) <= 0.03928, rgb(colour) / 12.92, ((rgb(colour) + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_roles_that_meet_in_a_machine_can_be_told_apart_with_each_colour_deficiency(palette):
    meeting = {pair for name in MACHINES for pair in itertools.combinations(machine(name).roles, 2)}
    assert ("hidden", "attention") in meeting
    assert ("gate", "gradient") not in meeting  # these look alike to a deuteranope
    for seen in (None, "protanomaly", "deuteranomaly", "tritanomaly"):
        for pair in meeting:
            colours = [rgb(palette[role]) for role in pair]
            if seen:
                space = {"name": "sRGB1+CVD", "cvd_type": seen, "severity": 100}
                colours = np.clip([cspace_convert(colour, space, "sRGB1") for colour in colours], 0, 1)
            assert deltaE(*colours, input_space="sRGB1") > 15, (seen, pair)


@pytest.mark.parametrize("palette", palettes(), ids=["light", "dark"])
def test_every_role_has_the_contrast_of_text_on_its_page(palette):
    for role, colour in palette.items():
        low, high = sorted((luminance(colour), luminance(palette["page"])))
        assert role == "page" or (high + 0.05) / (low + 0.05) >= 4.5, role


# --------------------------------------------------------------------------------------------------------- numbers


def test_a_number_fades_by_its_decay():
    drawn = memory.fading_number((0.9,))
    assert [shown(drawn)[f"h{t}"][0] for t in range(7)] == close([0, *(0.9**t for t in range(6))], rel=1e-5)
    assert "59 % is left 5 steps later" in drawn.in_words()
    with pytest.raises(InvalidInput, match="between 0 and 10"):
        memory.fading_number(inputs=(20, 0, 0, 0, 0, 0))


def test_a_scan_carries_what_its_function_returns_first_and_collects_the_second():
    inputs = (2, 0, 5, 9)
    last, squares = jax.lax.scan(lambda total, x: (total + x, (total + x) ** 2), 0, jnp.array(inputs))
    values = shown(memory.scanned(inputs))
    assert [int(values[f"y{t}"]) for t in range(1, 5)] == squares.tolist()
    assert int(values["c4"]) == int(last)
    for wrong in ((1, 2), (1, 2, 3, 10)):
        with pytest.raises(InvalidInput):
            memory.scanned(wrong)


def test_the_loop_shows_the_readers_answer_after_each_word_and_since_when_it_stands():
    model = ch00.well_trained().model
    drawn = recurrence.looped(model, "near the dogs the cat that slept")
    _, tokens = recurrence.read("near the dogs the cat that slept")
    states, plural, units = recurrence.reading(model, tokens)
    values = shown(drawn)
    assert [values[f"p{t}"][0] for t in range(7)] == close(1 - plural[1:], abs=1e-5)
    assert values["h"] == close(states[-1, units], abs=1e-5)
    assert "Since “cat” it says “was”, and 2 more words" in drawn.in_words()
    for sentences in (("",), ("the cat and the dog and the cat and the dog",)):
        with pytest.raises(InvalidInput):
            recurrence.looped(model, *sentences)


TYPED = {
    "looped": (recurrence.looped, lambda: ch00.well_trained().model, "cat", 11),
    "unrolled": (recurrence.unrolled, lambda: ch00.well_trained().model, "cat", 9),
    "LSTM": (lstm_sentence.lstm_over_sentence, lambda: ch03.well_trained().model, "the cat", 9),
    "encoder–decoder": (encoder_decoder.encoder_decoder, lambda: ch04.fixed().model, "he", 8),
    "attention": (attention.attention, lambda: ch05.attentive(nnx.Rngs(0)), "he", 8),
    "Transformer": (transformer.transformer, lambda: ch07.transformer(nnx.Rngs(0)), "he", 8),
}


@pytest.mark.parametrize("name", TYPED)
def test_whatever_is_typed_is_drawn_or_answered_in_words(name):
    machine_of, model, shortest, too_long = TYPED[name]
    e = typed(machine_of, model())
    state = lambda sentence: (e.set(sentence=sentence), e._live.state)[1]
    for sentence in ("", shortest, shortest.upper(), " ".join(["cat"] * (too_long - 1))):
        assert state(sentence)["machine"], (sentence, e.said)
    for sentence, words in (
        (" ".join(["cat"] * too_long), "has room for"), (" ".join(["cat"] * 1_000), "has room for"), ("the xyzzy", "xyzzy"),
        ("?!", "at least one word"), ("猫", "not in the vocabulary"), ("<b>cat</b>", "not in the vocabulary"),
    ):  # fmt: skip
        assert not state(sentence).get("machine"), sentence
        assert words in e.said, (sentence, e.said)
    assert state("")["machine"]


def test_a_sentence_without_a_reference_is_translated_and_not_judged():
    drawn = encoder_decoder.encoder_decoder(ch04.fixed().model, "the mouse sleeps")
    assert drawn.variants[0].steps[-1].text == "Whatever of the sentence is in these words came through $c$."
    assert "reference" not in drawn.in_words()


def test_a_cell_near_zero_at_the_end_holds_nothing():
    model = ch03.well_trained().model
    near = [
        unit
        for unit in range(64)
        if "near 0" in lstm_sentence.lstm_over_sentence(model, "the cat", unit=unit).in_words()
    ]
    assert 0 < len(near) < 64


def test_the_three_words_follow_their_numbers():
    e = explorers.three_words()
    e.redraw()
    assert e._live.state["machine"] == self_attention.three_words().spec()
    weights = {}
    for name in e.presets:
        e._hear({"kind": "preset", "name": name, "turn": "a"})
        weights[name] = [[shown(e._drawn.machine, asks)[f"a{j}"][0] for j in range(3)] for asks in range(3)]
    the, cat, slept = weights["“slept” is like “cat”"][0]
    assert cat == slept != the
    assert weights["a longer vector for “cat”"][1][1] > weights["three words"][1][1]
    e.set(the_1=3, slept_2=-2.5)
    assert shown(e._drawn.machine, 0)["x0"][0] == 3
    assert shown(e._drawn.machine, 0)["x2"][1] == -2.5


def test_the_pipe_names_what_a_probe_reads_off_a_network_that_is_never_trained():
    read, recall = pipe.frozen_read(), frozen_recall(hidden=64, symbols=8, lags=12, seeds=(0,))
    assert read.right == close(recall.accuracy[0], abs=0.02)
    values = shown(pipe.pipe())
    last = pipe.LAGS + pipe.READS - 1
    for k in range(pipe.LAGS):
        assert values[f"t{k}"] == pipe.LETTERS[read.symbols[last - k]]
        assert values[f"g{k}"][-1] == ("✓" if read.named[last, k] == read.symbols[last - k] else "✗")
        assert values[f"a{k}"] == close([read.right[k]], abs=1e-5)


def test_the_unrolled_network_shows_the_readers_states_and_its_answers():
    model = ch00.well_trained().model
    _, tokens = recurrence.read(recurrence.SENTENCE)
    states, plural = np.asarray(hidden_states(model, tokens)[0]), jax.nn.softmax(model.every_step(tokens)[0])[:, 1]
    _, _, units = recurrence.reading(model, tokens)
    values = shown(machine("unrolled"))
    for t in range(len(states)):
        assert values[f"h{t + 1}"] == close(states[t, units], abs=1e-5)
        assert values[f"p{t + 1}"] == close([1 - plural[t]], abs=1e-5)
    weights = np.diff(np.asarray(model.head.kernel[...]))[units, 0]
    assert (np.diff(weights) <= 0).all()  # ordered by what they do


def test_a_step_ends_in_the_state_of_the_network_and_adds_what_it_shows():
    model = ch00.well_trained().model
    drawn = recurrence.one_step(model, "near the dogs the cat")
    _, tokens = recurrence.read("near the dogs the cat")
    states, _, units = recurrence.reading(model, tokens)
    values = shown(drawn)
    assert values["new"] == close(states[-1, units], abs=1e-5)
    assert values["new"] == close(np.tanh(np.add(values["a"], values["b"])), abs=1e-5)
    assert values["sum"] == close(np.add(values["a"], values["b"]), abs=1e-5)


def test_a_sentence_that_does_not_fit_is_refused():
    with pytest.raises(InvalidInput, match="room for 8 words"):
        recurrence.unrolled(ch00.well_trained().model, "the cat and the dog and the cat and the dog slept")


@pytest.mark.parametrize(("scale", "verb"), [(0.6, "fades"), (0.95, "nearly keeps"), (1.1, "grows")])
def test_the_gradient_is_a_product_and_its_norm_is_what_is_written(scale, verb):
    _, slopes = gradients.backwards(scale)
    norms = np.linalg.norm(slopes, axis=1)
    assert norms[-1] == close(1)
    assert norms[0] == close(scale**7, rel=0.25)  # tanh is nearly a line here
    drawn = gradients.gradient_back((scale,))
    assert [shown(drawn)[f"n{t + 1}"] for t in range(8)] == [f"{norm:.2g}" for norm in norms]
    assert f"The norm {verb}" in drawn.in_words()


def test_a_window_stops_the_gradient_and_leaves_the_states():
    whole, cut = gradients.backwards(0.95), gradients.backwards(0.95, window=4)
    np.testing.assert_array_equal(whole[0], cut[0])
    np.testing.assert_allclose(whole[1][4:], cut[1][4:], rtol=1e-6)
    assert (cut[1][:4] == 0).all()
    values = shown(gradients.truncated((4,)))
    assert [values[f"b{t}"] for t in range(2, 9)] == ["", "", "", "stop", "", "", ""]


def test_an_lstm_by_hand_gives_the_numbers_of_the_paper():
    values = shown(machine("LSTM by hand"))
    assert values["C1"] == close([0.67], abs=1e-6)
    assert values["h"] == close([0.7 * np.tanh(0.67)], abs=1e-6)
    assert values["C="] == "$C_t$ = 0.90 × 0.80 + 0.10 × (−0.50) = 0.67"
    with pytest.raises(InvalidInput, match="between 0 and 1"):
        lstm.lstm_by_hand(f=1.0)


def test_a_unit_of_a_trained_lstm_shows_its_gates_at_every_word():
    model = ch03.well_trained().model
    _, tokens = recurrence.read(lstm_sentence.TWINS[1])
    inside = gates_of(model, tokens)
    drawn = machine("LSTM over a sentence")
    names = {"f": "forget", "i": "input", "c": "candidate", "o": "output", "C1": "cell", "h": "hidden"}
    for t in range(2, tokens.shape[1]):  # <bos> and the first word are not drawn
        values = values_at(drawn, t - 2, 1)
        for id, name in names.items():
            assert values[id] == close([getattr(inside, name)[0, t, 31]], abs=1e-5), (t, name)
        assert values["C1"] == close([values["f"][0] * values["C0"][0] + values["i"][0] * values["c"][0]], abs=1e-4)
    assert "Since “cat” the cell state has stayed above 0" in drawn.in_words()
    chances = np.asarray(jax.nn.softmax(model(tokens)[0, -1]))[[vocabulary()["was"], vocabulary()["were"]]]
    assert f"Of “was” and “were” the network gives {chances[0] / chances.sum():.2f} to “was”" in drawn.in_words()
    with pytest.raises(InvalidInput, match="0 to 63"):
        lstm_sentence.lstm_over_sentence(model, unit=64)


def test_a_gru_shares_its_state_out_by_one_gate():
    values = shown(machine("GRU"))
    n = np.tanh(-0.85 + 0.2 * 1.5)
    assert values["n"] == close([n], abs=1e-5)
    assert values["h1"] == close([0.9 * 0.8 + 0.1 * n], abs=1e-5)
    assert gru.gru_by_hand(u=0.5).in_words() != machine("GRU").in_words()


def test_what_is_followed_through_a_translator_is_what_it_computes():
    model, sentence = ch05.attentive(nnx.Rngs(0)), followed.SENTENCE
    run = followed.follow(model, sentence)
    source = jnp.asarray([read_english(sentence)])
    memory_, french = model.encode(source, jnp.ones(source.shape, bool)), vocabularies()[1]
    words = jnp.asarray([[french.bos, *(french[w] for w in run.target[:-1])]])
    logits, weights = model.forced(memory_, words)
    np.testing.assert_allclose(run.weights, weights[0], atol=1e-5)
    np.testing.assert_allclose(run.contexts, run.weights @ run.encoded, atol=1e-5)
    np.testing.assert_allclose(run.probabilities, jax.nn.softmax(logits[0]), atol=1e-5)
    assert [french.words[i] for i in logits[0].argmax(-1)][: len(run.target)] == run.target


def test_the_machine_of_attention_shows_its_weights_and_their_mean():
    run = translated()
    drawn = machine("attention, long")
    values, keys = shown(drawn), followed.varied(run.encoded)
    for i, t in np.ndindex(run.weights.shape):
        assert values[f"a{i + 1}.{t}"] == close([run.weights[i, t]], abs=1e-5)
        assert values[f"h{t}>a{i + 1}.{t}"] == close(run.weights[i, t], abs=1e-5)
    for i in range(len(run.target)):
        assert values[f"c{i + 1}"] == close((run.weights @ run.encoded)[i, keys], abs=1e-4)
        assert values[f"y{i + 1}"] == run.target[i]
    with pytest.raises(InvalidInput, match="no attention"):
        attention.attention(ch04.fixed().model)


def test_the_encoder_hands_over_its_last_state_and_the_mistake_is_named():
    drawn = machine("encoder–decoder")
    run = followed.follow(ch04.fixed().model, followed.SENTENCE)
    values = shown(drawn)
    assert values["c"] == close(run.encoded[-1], abs=1e-5)
    assert [values[f"y{t}"] for t in range(1, len(run.target) + 1)] == run.target
    assert "The reference says “noir”" in drawn.in_words()
    assert "Every word is right" in drawn.in_words()
    with pytest.raises(InvalidInput, match="has attention"):
        encoder_decoder.encoder_decoder(ch05.attentive(nnx.Rngs(0)), followed.SENTENCE)


def test_a_beam_tree_shows_log_p_of_each_beginning():
    model = ch04.fixed().model
    tree = beam._grown(model, beam.SENTENCE, 2, 4)
    source = jnp.asarray([read_english(beam.SENTENCE)])
    for one in tree[-1]:
        words = jnp.asarray([one["indices"]])
        log_p = jax.nn.log_softmax(model(source, jnp.ones(source.shape, bool), words[:, :-1])[0])
        assert one["log_p"] == close(float(log_p[jnp.arange(4), words[0, 1:]].sum()), abs=1e-4)
    assert shown(machine("beam"))["b4.0"] == number(tree[-1][0]["log_p"])
    assert "a greedy search would have lost it" in machine("beam").in_words()


@pytest.mark.parametrize("asks", range(3))
def test_three_words_answer_as_scaled_dot_product_attention_does(asks):
    values = shown(machine("three words"), asks)
    q, k, v = (jnp.asarray([values[f"{c}{j}"] for j in range(3)]) for c in "qkv")
    z, weights = scaled_dot_product(q, k, v)
    assert [values[f"a{j}"][0] for j in range(3)] == close(weights[asks], abs=1e-5)
    assert [values[f"e{j}"][0] for j in range(3)] == close(k @ q[asks], abs=1e-5)
    assert values["z"] == close(z[asks], abs=1e-5)
    with pytest.raises(InvalidInput, match="2 by 2"):
        self_attention.three_words(W_q=((1.0,), (2.0,)))


def test_masks_leave_the_models_own_weights_and_shut_the_rest_out():
    model = ch06.well_trained().model
    drawn = machine("masks")
    weights = reader_weights(model, jnp.asarray([[*recurrence.read("the cat that slept")[1][0].tolist(), 0]]))
    causal = shown(drawn, 0)
    for i in range(6):
        assert causal[f"a{i}"] == close(weights[0, 0, 1, i], abs=1e-5)
        assert causal[f"e{i}"][i + 1 :] == ["−∞"] * (5 - i)
        assert sum(shown(drawn, 2)[f"a{i}"]) == close(1, abs=1e-4)
        assert shown(drawn, 2)[f"a{i}"][-1] == 0
    with pytest.raises(InvalidInput, match="room for 5 words"):
        masks.masks(model, "the cat that slept near the dogs")


def test_the_wrong_reshape_gives_a_head_other_words_numbers():
    right, wrong = (shown(machine("reshape"), i) for i in range(2))
    assert right["h0.1"] == [21, 22, 23, 24]
    assert right["h1.2"] == [35, 36, 37, 38]
    assert wrong["h0.1"] == [15, 16, 17, 18]
    assert "No error is raised" in machine("reshape").in_words()


def test_rotary_products_are_cosines_of_the_offset():
    drawn = machine("rotary")
    for i, one in enumerate(drawn.variants[0].steps):
        m, n = (int(found) for found in re.findall(r"\d+", one.values["at"]))
        for name, speed in zip(("fast", "slow"), frequencies(8)[:2], strict=True):
            assert values_at(drawn, i)[f"{name}="] == f"$q·k$ = {number(np.cos((m - n) * speed))}"
            query, key = one.values[name]
            assert np.cos(query - key) == close(np.cos((m - n) * speed), abs=1e-5)


def test_a_block_ends_where_the_models_block_does():
    model = blocks()
    _, tokens = recurrence.read("near the dogs the cat")
    x = model.words(tokens)
    after = np.asarray(model.blocks[0](x, causal_mask(tokens.shape[1])))[0, -1]
    values = shown(block.block(model))
    assert np.abs(np.asarray(values["x2"])[:, None] - after).min(axis=1) == close(np.zeros(16), abs=1e-4)
    assert values["x2"] == close(np.array(values["x0"]) + values["d0"] + values["d1"], abs=1e-4)
    with pytest.raises(InvalidInput, match="no feed-forward layer"):
        block.block(ch06.well_trained().model)


def test_a_transformer_shows_the_weights_of_its_last_layer():
    model = ch07.transformer(nnx.Rngs(0))
    drawn = transformer.transformer(model)
    values, m = shown(drawn), sum(node.id.startswith("d") and node.id[1:].isdigit() for node in drawn.nodes)
    for i in range(m):
        assert sum(values[f"d{i}"]) == close(1, abs=1e-4)
        assert values[f"d{i}"][i + 1 :] == [0.0] * (m - 1 - i)
        assert sum(values[f"x{i}"]) == close(1, abs=1e-4)
    source = jnp.asarray([read_english(followed.SENTENCE)])
    french = vocabularies()[1]
    before = jnp.asarray([[french.bos, *(french[values[f"o{i}"]] for i in range(m - 1))]])
    weights = transformer_weights(model, source, jnp.ones(source.shape, bool), before)
    assert values["x1"] == close(np.asarray(weights.cross)[-1, 0, :, 1].mean(0), abs=1e-5)
    assert values["e2"] == close(np.asarray(weights.encoder)[-1, 0, :, 2].mean(0), abs=1e-5)


def test_the_cache_holds_the_keys_and_values_of_the_models_own_cache():
    model = ch06.well_trained().model
    words, tokens = recurrence.read("the cat that slept near the dogs")
    state, _ = model.begin(tokens, len(words))
    weights = reader_weights(model, tokens)
    values = shown(cache.cache(model))
    for t in range(len(words)):
        assert values[f"k{t}"] == close(state.cache[0].keys[0, 0, t], abs=1e-4)
        assert values[f"v{t}"] == close(state.cache[0].values[0, 0, t], abs=1e-4)
        assert values[f"a{t}"] == close([weights[0, 0, 0, -1, t]], abs=1e-4)
