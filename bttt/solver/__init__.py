"""The exact solver: the value of a position, the plies to the end, and the moves that keep the value.

>>> from bttt import Position
>>> from bttt.solver import solve
>>> solution = solve(Position.parse("3x3x3:A1 #O./.X./..."))
>>> solution.value, solution.plies  # a draw once all six free cells are taken
(0, 6)
>>> solution.cells  # the moves that keep the draw
(2, 3, 5, 6, 8)

Modules: `exact` is the Python interface. `threats` finds wins by threats alone, `proof_numbers` proves who
wins, and `shortest_win` counts the plies. Both searches share `proof_moves` and `table`. `log` stores solved
positions.
"""

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
