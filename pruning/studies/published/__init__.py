"""pruning/studies/published."""
