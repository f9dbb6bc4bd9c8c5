"""What is shown and moved in a browser: plain ES modules, and `surface`, the one module that knows how front ends differ."""
