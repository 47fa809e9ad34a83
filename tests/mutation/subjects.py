"""The subjects of the mutation check: their modules, and the tests that should catch a change."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Subject:
    """Modules that are mutated, and the tests that run against each mutant, in this order."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


SUBJECTS = {
    "rules": Subject(
        (
            "bttt/board.py", "bttt/bricks.py", "bttt/position.py", "bttt/symmetry.py",
            "bttt/kernels/bitboard.py",
        ),
        (
            "tests/bttt/kernels", "tests/bttt/test_board.py", "tests/bttt/test_bricks.py",
            "tests/bttt/test_position.py", "tests/bttt/test_symmetry.py", "tests/bttt/test_observation.py",
            "tests/bttt/envs/test_gym.py", "tests/tournaments/play/test_golden_games.py",
        ),
    ),
    "ratings": Subject(
        (
            "tournaments/standings/ratings.py", "tournaments/standings/crosstable.py",
            "tournaments/standings/units.py", "tournaments/standings/scores.py",
            "tournaments/standings/sequential.py",
        ),
        ("tests/tournaments/standings", "tests/tournaments/report"),
    ),
    "masks": Subject(
        (
            "pruning/masks/allocation.py", "pruning/masks/held.py", "pruning/masks/select.py",
            "pruning/masks/files.py", "pruning/channels/removal.py",
        ),
        ("tests/pruning/masks", "tests/pruning/channels", "tests/pruning/loop"),
    ),
    "run folders": Subject(
        ("bttt/runs/files.py", "bttt/runs/folder.py", "bttt/runs/settings.py", "bttt/runs/options.py"),
        (
            "tests/bttt/runs", "tests/commands/test_result_folders.py",
            "tests/commands/test_default_folders.py", "tests/agents/test_agent.py",
        ),
    ),
    "learner": Subject(
        (
            "agents/alphazero/learning/learner.py", "agents/alphazero/learning/replay.py",
            "agents/alphazero/learning/layers.py", "agents/alphazero/learning/normalisation.py",
            "agents/alphazero/training/budget.py", "agents/alphazero/training/loop.py",
            "agents/alphazero/training/selfplay.py",
        ),
        (
            "tests/agents/alphazero/learning", "tests/agents/alphazero/training",
            "tests/commands/test_train.py",
        ),
    ),
    "search": Subject(
        (
            "agents/alphazero/search/batched.py", "agents/alphazero/search/conclusion.py",
            "agents/alphazero/search/selection.py", "agents/alphazero/search/simulation.py",
            "agents/alphazero/search/reuse.py", "agents/mcts_kernels.py", "agents/alpha_beta.py",
        ),
        (
            "tests/agents/alphazero/search", "tests/agents/alphazero/test_player.py",
            "tests/agents/test_mcts.py", "tests/agents/test_minimax.py",
        ),
    ),
}  # fmt: skip
