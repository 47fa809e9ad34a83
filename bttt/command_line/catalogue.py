"""The commands of `bttt`: where each is defined, and its entry in the help.

Modules are named here, not imported: `bttt --help` loads no command.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADINGS = ("Play", "Train", "Measure", "Prune", "Solve", "Reproduce")
"""The groups of commands, in the order of the help."""


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        module: Module with a function `run`, which takes the configuration and returns an exit code.
        config: Configuration class in that module; its docstrings are the help of the options.
        heading: Group of the command, one of `HEADINGS`.
        summary: What the command does, in one line of the list of commands.
        example: Arguments of an example.
        options: Names of the options that the short help lists, for example `learner.lr`.
        own_example: Arguments of an example with code of the user's own, if the command takes some.
    """

    module: str
    config: str
    heading: str
    summary: str
    example: str
    options: tuple[str, ...] = ()
    own_example: str = ""


COMMANDS: dict[str, Command] = {
    "tournament": Command(
        "tournaments.command",
        "TournamentConfig",
        "Play",
        "play, rate and report a tournament between agents",
        "--players random alphazero:d4 --bricks D4 --out runs/first",
        (
            *("players", "bricks", "board", "repeats", "schedule"),
            *("openings", "opening-plies", "seed", "workers", "out"),
        ),
    ),
    "report": Command(
        "tournaments.report.command",
        "ReportConfig",
        "Play",
        "rebuild the report of a stored tournament",
        "runs/first --csv",
        ("run", "csv", "anchor"),
    ),
    "replay": Command(
        "tournaments.replay",
        "ReplayConfig",
        "Play",
        "print a stored game, move by move",
        "runs/first 0",
        ("run", "game"),
    ),
    "games": Command(
        "tournaments.records.export",
        "GamesConfig",
        "Play",
        "print the stored games of a run, one a line",
        "runs/first --out games.txt",
        ("run", "out"),
    ),
    "merge": Command(
        "tournaments.records.merge",
        "MergeConfig",
        "Play",
        "join runs of the same settings, for example from several machines",
        "runs/first runs/second --out runs/both",
        ("runs", "out", "csv"),
    ),
    "play": Command(
        "agents.play",
        "PlayConfig",
        "Play",
        "play against an agent in the terminal",
        "--second alphazero:d4,simulations=100 --bricks D4",
        ("first", "second", "bricks", "board", "seed"),
    ),
    "agents": Command(
        "agents.listing",
        "ListingConfig",
        "Play",
        "list the agents, their options and the bundled networks",
        "",
    ),
    "train": Command(
        "agents.alphazero.training.command",
        "TrainConfig",
        "Train",
        "train AlphaZero by self-play on chosen brick placements",
        "--bricks D4 --minutes 10 --out runs/d4",
        (
            *("bricks", "preset", "minutes", "iterations", "learner.lr"),
            *("search.simulations", "seed", "workers", "device", "out"),
        ),
    ),
    "export": Command(
        "agents.alphazero.export.command",
        "ExportConfig",
        "Train",
        "write a network for other programs: ONNX, OpenVINO or torch.export",
        "alphazero:d4 d4.xml",
        ("network", "file", "architecture", "encoding"),
    ),
    "evaluate": Command(
        "tournaments.evaluation.command",
        "EvaluateConfig",
        "Measure",
        "measure how often agents make value-losing moves",
        "mcts:iterations=1000 alphazero:d4 --train D4 --positions 20",
        ("agents", "suite", "bricks", "train", "positions", "repeats", "seed", "workers", "out"),
    ),
    "conversion": Command(
        "tournaments.conversion.command",
        "ConversionConfig",
        "Measure",
        "measure how often agents win won positions against perfect play",
        "alphazero:d4,simulations=100 --bricks D4 R3",
        ("agents", "bricks", "suite", "positions", "games", "board", "seed", "workers", "out"),
    ),
    "time": Command(
        "tournaments.first_move_time",
        "TimeConfig",
        "Measure",
        "time each agent's first move",
        "--players mcts:iterations=1000 alphazero:d4 --calls 20",
        ("players", "bricks", "board", "calls", "seed"),
    ),
    "prune": Command(
        "pruning.studies.alphazero.command",
        "PruneConfig",
        "Prune",
        "prune and retrain an AlphaZero network in cycles",
        "alphazero:d4 --scope layer --simulations 100 --out runs/pruned",
        (
            *("agent", "method", "scope", "schedule", "cycles", "fraction"),
            *("restart", "steps", "simulations", "seed", "out"),
        ),
        "python:my_module:MyTask,width=3 --method magnitude --schedule clr --out runs/mine",
    ),
    "levels": Command(
        "pruning.studies.alphazero.levels",
        "LevelsConfig",
        "Prune",
        "rate the networks of a pruning run against each other",
        "runs/pruned --levels 0 6 12",
        ("run", "levels", "simulations", "bricks", "repeats", "seed", "in-flight", "workers", "out", "time"),
    ),
    "schedules": Command(
        "pruning.studies.schedules.command",
        "SchedulesConfig",
        "Prune",
        "plot learning-rate schedules for pruning",
        "silo clr step:lr=0.1,drops=0.5+0.75",
        ("schedules", "cycles", "out"),
    ),
    "solve": Command(
        "bttt.commands.solve",
        "SolveConfig",
        "Solve",
        "print the proven value of every move in a position",
        '7x7x4:D4 --moves "D3 C3 C2 A1"',
        ("position", "moves", "nodes", "table-mb"),
    ),
    "starts": Command(
        "bttt.commands.starts",
        "StartsConfig",
        "Solve",
        "solve every first move for every brick placement",
        "--board 5x5x4 --bricks all",
        ("bricks", "board", "nodes", "table-mb", "workers", "out"),
    ),
    "layouts": Command(
        "bttt.commands.layouts",
        "LayoutsConfig",
        "Solve",
        "solve random brick layouts: how many are won, how many drawn",
        "--boards 5x5x4 --count 20",
        ("boards", "most-bricks", "count", "seed", "nodes", "table-mb", "workers", "out"),
    ),
    "drawn": Command(
        "bttt.commands.drawn",
        "DrawnConfig",
        "Solve",
        "search for proven draws, for the brick sets drawn:K",
        "--bricks 12 --count 10",
        ("bricks", "count", "tries", "board", "seed", "nodes", "table-mb", "workers", "file", "out"),
    ),
    "suites": Command(
        "tournaments.suites.command",
        "SuitesConfig",
        "Solve",
        "rebuild the suites of solver-labelled positions",
        "--names drawn",
        ("names", "per-board", "seed", "nodes", "workers", "out"),
    ),
    "generalisation": Command(
        "tournaments.generalisation.command",
        "GeneralisationConfig",
        "Reproduce",
        "train on some placements, measure on all of them",
        "--sets D4 --seeds 1 --variants base --iterations 20",
        (
            *("sets", "seeds", "variants", "iterations", "simulations"),
            *("games", "positions", "workers", "report", "out"),
        ),
    ),
    "compression": Command(
        "pruning.studies.compression.command",
        "CompressionConfig",
        "Reproduce",
        "prune networks, measure on placements seen and not seen in training",
        "--sets D4 --seeds 1 --arms dropnet-layer --iterations 20",
        (
            *("sets", "seeds", "arms", "iterations", "prune.cycles"),
            *("simulations", "positions", "workers", "report", "out"),
        ),
    ),
    "methods": Command(
        "pruning.studies.methods.command",
        "MethodsConfig",
        "Reproduce",
        "compare all pruning methods at one density",
        "--seeds 1 --methods magnitude snip --iterations 20",
        (
            *("study", "brick-set", "seeds", "iterations", "methods"),
            *("steps", "vision", "workers", "report", "out"),
        ),
    ),
    "bricks": Command(
        "pruning.studies.bricks.command",
        "BricksConfig",
        "Reproduce",
        "learn which placement to add to training next",
        "alphazero:d4 --seeds 1 --splits 1",
        (
            *("agent", "candidates", "teacher", "positions", "seeds"),
            *("splits", "steps", "suite", "workers", "out"),
        ),
    ),
    "vision": Command(
        "pruning.studies.published.command",
        "VisionConfig",
        "Reproduce",
        "run published pruning experiments on image classifiers",
        "dropnet/a-mnist --small",
        (
            *("recipe", "list", "small", "data", "download", "arms"),
            *("seeds", "device", "workers", "report", "out"),
        ),
    ),
}
