"""The `bttt` command: the composition root, which imports each command only when it runs."""

from __future__ import annotations

import os
import sys
from importlib import import_module

COMMANDS: dict[str, tuple[str, str, str]] = {
    "tournament": ("tournaments.tournament", "TournamentConfig", "play, rate and report a tournament"),
    "report": ("tournaments.publish", "ReportConfig", "rebuild the report of a tournament"),
    "replay": ("tournaments.replay", "ReplayConfig", "print a stored game"),
    "play": ("agents.play", "PlayConfig", "play against an agent in the terminal"),
    "agents": ("agents.listing", "ListingConfig", "list the agents with their options"),
    "time": ("tournaments.first_move_time", "TimeConfig", "time the players' first moves"),
}
"""Each command's module (with a function `run`), its configuration class, and one line of help."""

USAGE_ERROR = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; wrong input is one line on stderr and code 2.

    The variable BTTT_TRACEBACK=1 shows where an error came from instead.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return 0 if arguments else USAGE_ERROR
    if arguments[0] == "--version":
        print(import_module("bttt").__version__)
        return 0
    try:
        return _run(arguments[0], arguments[1:])
    except (ValueError, OSError) as error:
        if os.environ.get("BTTT_TRACEBACK"):
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        print(f"bttt {arguments[0]}: error: {message}", file=sys.stderr)
        return USAGE_ERROR
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(command: str, arguments: list[str]) -> int:
    if command not in COMMANDS:
        raise ValueError(f"unknown command {command!r}; commands are {', '.join(COMMANDS)}")
    module_name, config_name, _ = COMMANDS[command]
    _refuse_foreign_agents()
    import tyro

    module = import_module(module_name)
    config = tyro.cli(getattr(module, config_name), prog=f"bttt {command}", args=arguments)
    return module.run(config)


def _refuse_foreign_agents() -> None:
    """Raises ValueError where another package named `agents` hides ours: the name is a common one."""
    agents = import_module("agents")
    if not hasattr(agents, "make_agent"):
        raise ValueError(
            f"another package named 'agents' ({agents.__file__}) hides the one of brick-tic-tac-toe: "
            "uninstall it, or use a virtual environment of its own"
        )


def _help() -> str:
    lines = ["usage: bttt COMMAND [OPTIONS]   (bttt COMMAND --help lists the options)", ""]
    lines += [f"  {name:12}{text}" for name, (_, _, text) in COMMANDS.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
