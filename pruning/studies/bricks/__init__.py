"""pruning/studies/bricks."""
