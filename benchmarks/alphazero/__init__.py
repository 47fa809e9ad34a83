"""AlphaZero: evaluators and search, training, and what both give in strength."""
