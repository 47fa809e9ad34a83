"""The command line of `bttt`: its commands, their help, and the messages about mistakes.

>>> from bttt.command_line import COMMANDS
>>> COMMANDS["solve"].summary
'print the proven value of every move in a position'
"""

from bttt.command_line.catalogue import COMMANDS, HEADINGS, Command
from bttt.command_line.ending import boards_text, suggest, tell_boards, warn_of_sizes
from bttt.command_line.failures import REPORT_IT, sentence
from bttt.command_line.foreign import refuse_foreign_agents
from bttt.command_line.given import as_typed, refuse_useless
from bttt.command_line.help import full_help, list_of_commands, short_help
from bttt.command_line.mistakes import explain, unknown_command
from bttt.command_line.options import Option, command_options

__all__ = [
    "COMMANDS",
    "HEADINGS",
    "REPORT_IT",
    "Command",
    "Option",
    "as_typed",
    "boards_text",
    "command_options",
    "explain",
    "full_help",
    "list_of_commands",
    "refuse_foreign_agents",
    "refuse_useless",
    "sentence",
    "short_help",
    "suggest",
    "tell_boards",
    "unknown_command",
    "warn_of_sizes",
]
