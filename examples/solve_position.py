"""The exact solver: proven values, never a guess."""

from bttt import Board, Position
from bttt.solver import Solver

WORDS = {1: "won", 0: "drawn", -1: "lost", None: "not proven"}


def main():
    """Solves a position and each of its moves, and follows best play to the end."""
    solver = Solver(table_mb=64)
    position = Position.start(Board(bricks="D4")).play("D3").play("C3")
    solution = solver.solve(position, node_limit=100_000, cells=False)
    print(position)
    print(f"{WORDS[solution.value]} for O in {solution.plies} plies, {solution.nodes} positions searched")
    verdicts = solver.classify(position.play("C2"), node_limit=20_000, plies=False)
    values = [verdict.value for verdict in verdicts.values()]
    print("after O plays C2, X's moves are", {WORDS[value]: values.count(value) for value in set(values)})
    line = []
    while not position.outcome:
        cells, _ = solver.best_cells(position, node_limit=100_000)
        position = position.play(cells[0])
        line.append(position.board.cell_name(cells[0]))
    print("best play:", *line)


if __name__ == "__main__":
    main()
