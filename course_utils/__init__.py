"""The package behind the eight notebooks of *From Recurrence to Attention*.

Where to look: `data` makes the sequences, `models` holds the equations, `training` has the one `fit`,
`measure` turns models into numbers, `experiments` runs each chapter's headline measurements, `figures`
draws them, `widgets` makes them move, `teaching` and `exercises` ask the questions.
"""

__version__ = "0.1.0"
