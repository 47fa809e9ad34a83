"""pruning/studies/compression."""
