"""Drawings of the course's models that carry real numbers: arrays and models in, a `Machine` out.

One module a subject; `machine` says what a `Machine` is, `parts` makes its parts, `page` shows one without a kernel.

    00  recurrence.looped(model, *sentences)      memory.fading_number(), memory.scanned()
    01  recurrence.one_step(model, sentence)      recurrence.unrolled(model, sentence)      pipe.pipe()
    02  gradients.gradient_back(scales)           gradients.truncated(windows)
    03  lstm.lstm_by_hand()                       lstm_sentence.lstm_over_sentence(model, *sentences)
        gru.gru_by_hand()
    04  encoder_decoder.encoder_decoder(model, *sentences)      beam.beam_tree(model, sentence)
    05  attention.attention(model, sentence)
    06  self_attention.three_words()              masks.masks(model, sentence)
        heads.reshape()                           heads.rotary()
    07  block.block(model, sentence)              transformer.transformer(model, sentence)
        cache.cache(model, sentence)
"""

from .machine import Machine, Variant
from .page import page

__all__ = ["Machine", "Variant", "page"]
