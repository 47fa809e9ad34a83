"""The `bttt` command: the composition root, which imports each command only when it runs."""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr, suppress
from importlib import import_module
from typing import Any

from bttt.runs import CLOSED_PIPE, INTERRUPTED, OK, USAGE_ERROR

COMMANDS: dict[str, tuple[str, str, str]] = {
    "tournament": ("tournaments.tournament", "TournamentConfig", "play, rate and report a tournament"),
    "train": ("agents.alphazero.training.command", "TrainConfig", "train AlphaZero on chosen bricks"),
    "prune": (
        "pruning.studies.alphazero.command",
        "PruneConfig",
        "prune a trained AlphaZero network in cycles",
    ),
    "levels": (
        "pruning.studies.alphazero.levels",
        "LevelsConfig",
        "play the levels of a pruning against each other",
    ),
    "compression": (
        "pruning.studies.compression.command",
        "CompressionConfig",
        "prune networks, measure where the brick never was",
    ),
    "methods": (
        "pruning.studies.methods.command",
        "MethodsConfig",
        "compare all methods of pruning at one density",
    ),
    "vision": (
        "pruning.studies.published.command",
        "VisionConfig",
        "run an experiment on pruning image classifiers",
    ),
    "report": ("tournaments.report.command", "ReportConfig", "rebuild the report of a tournament"),
    "replay": ("tournaments.replay", "ReplayConfig", "print a stored game"),
    "play": ("agents.play", "PlayConfig", "play against an agent in the terminal"),
    "agents": ("agents.listing", "ListingConfig", "list the agents with their options"),
    "solve": ("bttt.commands.solve", "SolveConfig", "print what each cell of a position is worth"),
    "starts": ("bttt.commands.starts", "StartsConfig", "solve every first move for every place of the brick"),
    "layouts": ("bttt.commands.layouts", "LayoutsConfig", "solve random layouts: where is the game balanced"),
    "drawn": (
        "bttt.commands.drawn",
        "DrawnConfig",
        "find layouts that are draws, for the brick sets drawn:K",
    ),
    "conversion": (
        "tournaments.conversion.command",
        "ConversionConfig",
        "count the won games that agents win",
    ),
    "suites": ("tournaments.suites.command", "SuitesConfig", "build the suites of labelled positions anew"),
    "evaluate": ("tournaments.evaluation.command", "EvaluateConfig", "count the moves that throw value away"),
    "generalisation": (
        "tournaments.generalisation.command",
        "GeneralisationConfig",
        "train on sets of brick cells, measure on all",
    ),
    "bricks": ("pruning.studies.bricks.command", "BricksConfig", "learn which training brick to add next"),
    "schedules": (
        "pruning.studies.schedules.command",
        "SchedulesConfig",
        "draw learning-rate schedules of pruning",
    ),
    "time": ("tournaments.first_move_time", "TimeConfig", "time the players' first moves"),
}
"""Each command's module (with a function `run`), its configuration class, and one line of help."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code; wrong input is one line on stderr and code 2.

    The help of a command is printed by tyro, which then raises SystemExit with code 0.
    The variable BTTT_TRACEBACK=1 shows where an error came from instead.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal may not have every letter of a player's name
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _main(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `bttt ... | head`: what is left in the buffer must not raise at the exit
        with suppress(OSError):  # not a file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLOSED_PIPE


def _main(arguments: list[str]) -> int:
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_help())
        return OK if arguments else USAGE_ERROR
    if arguments[0] == "--version":
        print(import_module("bttt").__version__)
        return OK
    try:
        return _run(arguments[0], arguments[1:])
    except BrokenPipeError:
        raise
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
    module = import_module(module_name)
    return module.run(_parse(getattr(module, config_name), f"bttt {command}", arguments))


def _parse(config_class: type, program: str, arguments: list[str]) -> Any:
    """Returns the configuration; prints the help and exits where it is asked for.

    Raises:
        ValueError: An argument is wrong; tyro's message, a box of several lines, as one line.
    """
    import tyro

    said = io.StringIO()
    try:
        with redirect_stderr(said):
            return tyro.cli(config_class, prog=program, args=arguments)
    except SystemExit as stop:
        if not stop.code:
            raise
    raise ValueError(f"{_boxed_message(said.getvalue())} (see {program} --help)")


def _boxed_message(box: str) -> str:
    """Returns what tyro says in a box, without its frame and the parts that repeat the help."""
    parts = [""]
    for line in box.splitlines()[1:-1]:
        text = line.strip(" |\u2502")
        if set(text) <= set("-\u2500"):
            parts.append("")
        else:
            parts[-1] += f" {text}"
    told = (part.strip() for part in parts)
    return " ".join(part for part in told if part and not part.startswith(("Argument help", "For full help")))


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
    lines += [f"  {name:16}{text}" for name, (_, _, text) in COMMANDS.items()]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
