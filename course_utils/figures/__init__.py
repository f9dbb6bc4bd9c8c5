"""Arrays in, a plotly Figure out: no model, no widget. Every figure says in words what it shows."""
