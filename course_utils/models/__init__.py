"""The mathematics: each equation a pure function, each model a `flax.nnx` module that
calls it.
"""
