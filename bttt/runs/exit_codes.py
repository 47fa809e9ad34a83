"""Exit codes of the `bttt` commands."""

OK = 0
FORFEITS = 1
"""A player forfeited all its games by exceptions, or a game of a strict tournament was forfeited."""
USAGE_ERROR = 2
"""The input is wrong, or a file cannot be written."""
BUG = 70
"""The program failed in a way that it does not expect; the code that `sysexits.h` calls EX_SOFTWARE."""
INTERRUPTED = 130
"""Interrupted by Ctrl-C; the code that shells use. After SIGTERM it is 143, after SIGHUP 129."""
CLOSED_PIPE = 141
"""The reader of the output closed the pipe; the code that shells use."""
