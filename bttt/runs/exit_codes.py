"""Exit codes of the `bttt` commands."""

OK = 0
FORFEITS = 1
"""A game was forfeited in a strict tournament."""
USAGE_ERROR = 2
"""Wrong input, or a place that cannot be written."""
INTERRUPTED = 130
"""Ctrl-C, as shells have it."""
CLOSED_PIPE = 141
"""Whoever read the output has left, as shells have it."""
