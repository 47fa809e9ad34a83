import pickle

import numpy as np
import pytest
from brute_force import BruteForce, careful_position, random_board, random_position
from oracle import position_of

from agents.minimax import MinimaxAgent
from bttt.board import Board
from bttt.position import Position
from bttt.solver.exact import Solution, Solver, Verdict, classify, solve, solve_many
from bttt.symmetry import orbits, symmetries

SMALL = [(*size, bricks) for size in ((3, 3, 3), (4, 4, 3), (4, 4, 4), (5, 4, 4)) for bricks in range(5)]
OTHER = [(3, 5, 3, 1), (4, 5, 3, 2), (2, 7, 3, 0), (5, 5, 4, 0), (5, 5, 4, 3), (5, 5, 5, 0), (5, 5, 5, 2)]
FULL_SIZE = [(6, 6, 4, 6), (7, 7, 4, 14), (8, 7, 4, 20), (8, 7, 3, 36), (7, 8, 5, 8)]
THIN = [(1, 63, 4, 40), (32, 1, 3, 17), (2, 31, 4, 40)]
SYMMETRIC = [
    Board.parse(text)
    for text in ("5x5x4:C3", "5x5x4:B2,B4,D2,D4", "5x5x3:A1,E5", "4x6x4:B3,B4", "5x4x3:A1,E1", "7x3x3:B2,F2")
]
FREE = 11
"""Free cells of the positions that brute force solves completely."""
ENOUGH = 20_000
"""Nodes that suffice for nearly all positions; some tests skip the others."""
HARD = [
    (1, 9, "7x7x4:D6,E5 X.O..../.....X./......./...OX#./....#../...X..O/.O..... A1"),
    (1, 17, "7x7x4:C1,D4,G4 ...O.XX/......./#....../.O.#.X./O....X./.O...../.O.#... G2"),
    (1, 19, "7x7x4:E4,F1 .XX..../.XO..../......./......./X..#.../#.O...O/...O... A3"),
    (0, 33, "7x7x4:A2,B6,E5,E7 O#...../..X..#./.OXX.../...X.../...O#.#/...OX.X/O....O. C3"),
    (0, 39, "7x7x4:B5,C3 O.....X/....#X./..#..../...X.O./......./O.....X/....O.. A7"),
    (-1, 14, "7x7x4:A1,C2,G6 #XX..../..OO.../.#....O/X....../......X/......./O.O..#. G1"),
    (-1, 16, "7x7x4:E1,E6,F1,G1 O....../.X..XOO/XX...../.O...../#....#./#....../#X....O C2"),
]
"""Positions that take more than 100,000 nodes, with the value and the plies."""


@pytest.fixture(scope="module")
def solver() -> Solver:
    return Solver(table_mb=16)


def middle_game(count: int, *, stones: tuple[int, int], seed: int) -> list[Position]:
    """Positions of games without blunders on 7x7 with 1 to 4 bricks."""
    rng = np.random.default_rng(seed)
    return [
        careful_position(random_board(7, 7, 4, 1 + i % 4, rng), int(rng.integers(*stones)), rng)
        for i in range(count)
    ]


def as_pairs(verdicts: dict[int, Verdict]) -> dict[int, tuple[int | None, int | None]]:
    return {cell: (verdict.value, verdict.plies) for cell, verdict in verdicts.items()}


def best_of(pairs: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """The best value; among wins the fewest plies, else the most."""
    return max(pairs.values(), key=lambda pair: (pair[0], -pair[0] * pair[1]))


def check_everything(solver: Solver, position: Position, pairs: dict[int, tuple[int, int]]) -> None:
    """Compares all results of the solver for a position with the true value and plies of each move."""
    value, plies = best_of(pairs)
    solution = solver.solve(position)
    assert (solution.value, solution.plies, solution.unproven) == (value, plies, ()), position
    assert solution.cells == tuple(cell for cell in pairs if pairs[cell][0] == value), position
    assert as_pairs(solver.classify(position)) == pairs, position
    best = tuple(cell for cell in pairs if pairs[cell] == (value, plies))
    cells, solution = solver.best_cells(position)
    assert (cells, solution.value, solution.plies) == (best, value, plies), position


def check_below(solver: Solver, root: Position, rng: np.random.Generator) -> None:
    """Compares with brute force in `root`, and in positions of random games that start there."""
    force = BruteForce(root.board)
    check_everything(solver, root, force.verdicts(root))
    for _ in range(60):
        position = root
        for _ in range(rng.integers(1, root.free.bit_count())):
            following = position.play(int(rng.choice(position.legal_cells())))
            if following.outcome:
                break
            position = following
        check_everything(solver, position, force.verdicts(position))


@pytest.mark.parametrize("shape", SMALL + OTHER + FULL_SIZE + THIN, ids=str)
def test_equal_to_brute_force(shape, solver):
    rng = np.random.default_rng(shape)
    for _ in range(2):
        board = random_board(*shape, rng)
        early = max(board.playable.bit_count() - FREE, 0)
        check_below(solver, random_position(board, early, rng), rng)


@pytest.mark.parametrize("board", SYMMETRIC, ids=str)
def test_equal_to_brute_force_where_the_bricks_are_symmetric(board, solver):
    rng = np.random.default_rng(5)
    for _ in range(3):
        check_below(solver, random_position(board, board.playable.bit_count() - 10, rng), rng)


def test_equal_to_alpha_beta_to_the_end_on_7x7(solver):
    agent = MinimaxAgent(depth=63)
    for position in middle_game(150, stones=(29, 36), seed=1):
        [decision] = agent.decide([position], np.random.default_rng(0))
        cells, verdict = solver.best_cells(position)
        assert cells == tuple(np.flatnonzero(decision.policy).tolist()), position
        assert verdict.value == decision.value, position


def test_value_and_plies_are_those_of_the_best_move_on_7x7(solver):
    checked = 0
    for position in middle_game(500, stones=(8, 36), seed=2):
        pairs = as_pairs(solver.classify(position, ENOUGH))
        if all(plies is not None for _, plies in pairs.values()):
            check_everything(solver, position, pairs)
            checked += 1
    assert checked > 450


def test_all_follows_the_symmetries_of_the_board(solver):
    compared = 0
    for position in middle_game(80, stones=(10, 30), seed=3):
        solution, pairs = solver.solve(position, ENOUGH), as_pairs(solver.classify(position, ENOUGH))
        for symmetry in symmetries(7, 7)[1:]:
            image = symmetry.position(position)
            moved, found = solver.solve(image, ENOUGH), as_pairs(solver.classify(image, ENOUGH))
            if solution.unproven or moved.unproven or (None, None) in [*pairs.values(), *found.values()]:
                continue
            compared += 1
            assert (moved.value, moved.plies) == (solution.value, solution.plies), position
            assert moved.cells == tuple(sorted(map(symmetry.cell, solution.cells))), position
            assert {symmetry.cell(cell): pair for cell, pair in pairs.items()} == found, position
    assert compared > 500


def test_every_board_with_one_brick_is_won_by_the_first_player_in_9_to_11_plies(solver):
    starts = [solver.solve(Position.start(Board(bricks=[cell])), cells=False) for cell in range(49)]
    assert {start.value for start in starts} == {1}
    assert {start.plies for start in starts} == {9, 11}
    for orbit in orbits(7, 7):
        assert len({starts[cell].plies for cell in orbit}) == 1


@pytest.mark.parametrize(("value", "plies", "text"), HARD)
def test_nothing_but_nodes_depends_on_the_size_of_the_table_or_the_order_of_moves(value, plies, text):
    position = Position.parse(text)
    tiny, usual = Solver(table_mb=1).solve(position), Solver(table_mb=64).solve(position)
    assert (usual.value, usual.plies, usual.unproven) == (value, plies, ())
    assert (tiny.value, tiny.plies, tiny.cells, tiny.unproven) == (value, plies, usual.cells, ())
    half_turn = symmetries(7, 7)[3]
    image = Solver(table_mb=1).solve(half_turn.position(position))
    assert (image.value, image.plies, image.unproven) == (value, plies, ())
    assert image.cells == tuple(sorted(map(half_turn.cell, usual.cells)))


@pytest.mark.parametrize(("value", "plies", "text"), HARD)
def test_a_limit_that_is_hit_leaves_open_what_is_not_proven_and_nothing_else(value, plies, text, solver):
    position = Position.parse(text)
    whole, pairs = solver.solve(position), as_pairs(solver.classify(position, 10 * ENOUGH))
    for limit in (1, 10, 100, 1000, ENOUGH, 5 * ENOUGH):
        part = solver.solve(position, limit)
        assert part.value in (None, value)
        assert part.plies in (None, plies)
        assert set(part.cells) <= set(whole.cells) <= set(part.cells) | set(part.unproven)
        assert not set(part.cells) & set(part.unproven)
        assert part.nodes < limit + 50_000  # a search for threats is not stopped half-way
        assert solver.solve(position, limit) == part
        for cell, (found, found_plies) in as_pairs(solver.classify(position, limit)).items():
            assert found in (None, pairs[cell][0]) or pairs[cell][0] is None
            assert found_plies in (None, pairs[cell][1]) or pairs[cell][1] is None
        cells, verdict = solver.best_cells(position, limit)
        assert set(cells) <= set(whole.cells)
        assert verdict.value in (None, value)
        assert verdict.plies in (None, plies)
    nothing = solver.solve(position, 1)
    assert nothing == Solution(None, None, (), position.legal_cells(), nothing.nodes)


def test_results_do_not_depend_on_earlier_calls():
    positions = [Position.parse(text) for _, _, text in HARD]
    fresh = [(Solver(1).solve(each), Solver(1).classify(each, ENOUGH)) for each in positions]
    used = Solver(1)
    for position, solution in zip(positions, fresh, strict=True):
        for _ in range(2):  # the first time right after another board, then after the same one
            assert (used.solve(position), used.classify(position, ENOUGH)) == solution
        following = position.play(solution[0].cells[0])
        assert used.solve(following) == Solver(1).solve(following)


def test_what_is_not_asked_for_is_left_out(solver):
    position = Position.parse(HARD[0][2])
    whole = solver.solve(position)
    bare = solver.solve(position, plies=False, cells=False)
    assert bare == Solution(whole.value, None, (), (), bare.nodes)
    assert bare.nodes < whole.nodes
    verdicts = solver.classify(position, plies=False)
    assert {verdict.plies for verdict in verdicts.values()} == {None}
    assert {cell for cell, verdict in verdicts.items() if verdict.value == whole.value} == set(whole.cells)


def test_nothing_is_taken_from_another_board_with_the_same_stones():
    used = Solver(table_mb=1)
    boards = [Board(4, 4, 3, bricks) for bricks in ("", "A1,A2,A3,B1,B2,B3,C3,D1,D4", "B2", "B3,C2")]
    for board in [*boards, *reversed(boards)]:
        start = Position.start(board)
        assert used.solve(start) == Solver(table_mb=1).solve(start)


@pytest.mark.parametrize(
    ("played", "value"), [((0, 3, 1, 4, 2), -1), ((0, 1, 2, 4, 3, 5, 7, 6, 8), 0), ((8, 0, 7, 1, 3, 2), -1)]
)
def test_finished_games_have_a_value_and_nothing_to_play(played, value, solver):
    position = position_of(Board(3, 3, 3), played)
    assert solver.solve(position) == Solution(value, 0, (), (), 0)
    assert solver.classify(position) == {}
    assert solver.best_cells(position) == ((), Solution(value, 0, (), (), 0))


@pytest.mark.parametrize(
    "text",
    [
        "1x1x3",
        "2x2x3",
        "7x7x8",
        "1x63x64",
        "32x1x33",
        "8x7x63",
        "7x7x99",
        "3x4x3:A2,A3,C2,C3,B1,B4",
        "2x5x3:A3,B3",
    ],
)
def test_boards_without_a_line_are_drawn_at_once(text, solver):
    board = Board.parse(text)
    start = Position.start(board)
    free = len(start.legal_cells())
    assert solver.solve(start, 1000) == Solution(0, free, start.legal_cells(), (), solver.solve(start).nodes)
    assert solver.classify(start, 10_000) == dict.fromkeys(start.legal_cells(), Verdict(0, free))


@pytest.mark.parametrize(
    ("text", "value", "plies"),
    [("1x3x3", 0, 3), ("1x63x63", 0, 63), ("5x1x4", 0, 5), ("3x3x3", 0, 9), ("3x4x3", 1, 7)],
)
def test_whole_games_of_known_value(text, value, plies, solver):
    solution = solver.solve(Position.start(Board.parse(text)), cells=False)
    assert (solution.value, solution.plies) == (value, plies)


@pytest.mark.parametrize("table_mb", [0, -1, 2**20 + 1])
def test_wrong_table_sizes_are_named(table_mb):
    with pytest.raises(ValueError, match=f"table_mb must be 1 to 1048576, got {table_mb}"):
        Solver(table_mb=table_mb)


@pytest.mark.parametrize("limit", [0, -5])
def test_wrong_limits_are_named(limit, solver):
    start = Position.start(Board(3, 3, 3))
    for ask in (solver.solve, solver.classify, solver.best_cells, solve, classify):
        with pytest.raises(ValueError, match=f"node_limit must be at least 1, got {limit}"):
            ask(start, limit)


def test_a_pickled_solver_is_small_and_solves_alike(solver):
    position = Position.parse(HARD[0][2])
    solution = solver.solve(position)
    text = pickle.dumps(solver)
    assert len(text) < 1000
    again = pickle.loads(text)
    assert again.table_mb == solver.table_mb
    assert again.solve(position) == solution


def test_functions_use_a_solver_of_their_own(solver):
    position = position_of(Board(4, 4, 3), (5, 0, 10))
    assert solve(position) == solver.solve(position)
    assert classify(position) == solver.classify(position)
    value = solve(position, plies=False, cells=False)
    assert value == solver.solve(position, plies=False, cells=False)
    assert value.nodes < solve(position).nodes
    assert classify(position, plies=False) == solver.classify(position, plies=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_many_positions_are_solved_in_order(workers, solver):
    positions = middle_game(24, stones=(8, 30), seed=4)
    found = solve_many(positions, 1000, table_mb=1, workers=workers)
    assert list(found) == [Solver(1).solve(position, 1000) for position in positions]
    found = solve_many(positions[:4], 1000, plies=False, cells=False, table_mb=1, workers=workers)
    assert [(each.plies, each.cells) for each in found] == [(None, ())] * 4
    assert list(solve_many([], workers=workers)) == []
