"""bttt/solver."""

from bttt.solver.exact import (
    DEFAULT_TABLE_MB,
    FAILED_ENTRIES,
    FIRST_NODES,
    MOST_STAMP,
    NO_LIMIT,
    Solution,
    Solver,
    Verdict,
    before_move,
    classify,
    solve,
    solve_many,
)
from bttt.solver.log import LOG_FILE, Solved, SolveSettings, solve_logged, solving_cost
from bttt.solver.threats import LineRules, lowest_bit, near_lines

__all__ = [
    "DEFAULT_TABLE_MB",
    "FAILED_ENTRIES",
    "FIRST_NODES",
    "LOG_FILE",
    "MOST_STAMP",
    "NO_LIMIT",
    "LineRules",
    "Solution",
    "SolveSettings",
    "Solved",
    "Solver",
    "Verdict",
    "before_move",
    "classify",
    "lowest_bit",
    "near_lines",
    "solve",
    "solve_logged",
    "solve_many",
    "solving_cost",
]
