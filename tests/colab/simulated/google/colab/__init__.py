"""What the course meets on Colab, as far as it matters here."""
