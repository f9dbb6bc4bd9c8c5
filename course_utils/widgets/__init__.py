"""What moves: explorers, live training, and the one module that knows how front ends differ."""
