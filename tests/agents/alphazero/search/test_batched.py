"""The batched search: compared with a slow search, exhaustive search, and one game at a time."""

import numpy as np
import pytest
from brute_force import BruteForce, careful_position, random_board, random_position
from fake_networks import Counted, Exact, hashed, uniform
from slow_search import SlowSearch

from agents.alphazero.configs import SearchConfig
from agents.alphazero.search import batched as search_module
from agents.alphazero.search.batched import Found, RootNoise, Search, considered_visits, roots_of
from agents.alphazero.search.trees import DRAWN, LOST, OPEN, ROOT, WON
from bttt.board import Board
from bttt.position import Position

STATUS = {1: WON, 0: DRAWN, -1: LOST}
SIZES = ((7, 7, 4), (8, 7, 5), (3, 3, 3), (4, 5, 3), (2, 5, 3))
LOOKAHEADS = (0, 1, 2, 3)


def searched(positions, evaluate=hashed, bricks_plane=False, noise=None, **options):
    """Returns the results of a new search, and its trees."""
    search = Search(evaluate, SearchConfig(**options), bricks_plane)
    found = search.run(roots_of(positions), noise)
    return found, search._kept[1]


def varied(rows, cols, win_length, count, seed=0):
    """Unfinished positions on boards with 0 to 2 bricks after up to a third of the plies."""
    rng = np.random.default_rng(seed)
    boards = [random_board(rows, cols, win_length, int(rng.integers(3)), rng) for _ in range(count)]
    return [random_position(board, int(rng.integers(rows * cols // 3 + 1)), rng) for board in boards]


def as_lists(found: Found):
    return [array.tolist() for array in found]


@pytest.mark.parametrize("gumbel", [False, True])
@pytest.mark.parametrize("lookahead", LOOKAHEADS)
@pytest.mark.parametrize("size", SIZES)
def test_it_finds_what_a_slow_search_finds(size, lookahead, gumbel):
    positions = varied(*size, count=2)
    options = {"simulations": 50, "gumbel": gumbel, "considered": 6, "lookahead": lookahead, "discount": 0.9}
    noise = np.random.default_rng(1).gumbel(size=(2, size[0] * size[1]))
    found, trees = searched(positions, noise=noise if gumbel else None, **options)
    for game, position in enumerate(positions):
        slow = SlowSearch(position, hashed, SearchConfig(**options), noise[game] if gumbel else None).run()
        assert trees.visits[game, ROOT].tolist() == slow.visits().tolist() or slow.simulations == 0
        assert found.simulations[game] == slow.simulations
        assert found.statuses[game] == slow.root.status
        if slow.root.status != OPEN:
            assert trees.distance[game, ROOT] == slow.root.distance
            continue
        if gumbel:
            policy = slow.improved(slow.root)
            value = sum(
                p * slow._worth(slow.root, c) if c in slow.root.seen else p * slow.mixed(slow.root)
                for c, p in policy.items()
            )
            assert found.cells[game] == slow.best_of_root()
            assert found.policy[game][list(policy)] == pytest.approx(list(policy.values()), abs=1e-4)
        else:
            value = np.mean(slow.root.results)
            lost = [cell for cell in slow.root.cells if slow._is_lost(slow.root, cell)]
            kept = np.where(np.isin(np.arange(position.board.cells), lost), 0, slow.visits())
            assert found.policy[game] == pytest.approx(kept / kept.sum(), abs=1e-6)
            assert found.cells[game] == kept.argmax()
        assert found.values[game] == pytest.approx(value, abs=1e-4)


def tiny_positions():
    """Positions small enough for exhaustive search, on boards with and without bricks."""
    rng = np.random.default_rng(3)
    found = [Position.start(Board(3, 3, 3)).play(4).play(0), Position.start(Board(3, 3, 3)).play(4).play(1)]
    for rows, cols, win_length, bricks, stones in (
        (3, 3, 3, 0, 3),
        (3, 3, 3, 2, 1),
        (4, 3, 3, 1, 4),
        (3, 4, 4, 0, 6),
        (2, 5, 3, 1, 3),
        (4, 4, 4, 6, 4),
    ):
        board = random_board(rows, cols, win_length, bricks, rng)
        found += [random_position(board, stones, rng), careful_position(board, stones, rng)]
    return found


@pytest.mark.parametrize("lookahead", LOOKAHEADS)
@pytest.mark.parametrize(("gumbel", "leaves"), [(False, 1), (False, 4), (False, 8), (True, 1)])
def test_with_enough_simulations_the_result_is_proven_and_exact(gumbel, leaves, lookahead):
    options = {"gumbel": gumbel, "leaves": leaves, "lookahead": lookahead, "c_puct": 20, "c_scale": 1e-3}
    for position in tiny_positions():
        brute = BruteForce(position.board)
        found, trees = searched([position], uniform, simulations=9_000, **options)
        value, plies = brute.verdict(position)
        assert found.statuses[0] == STATUS[value], position
        assert found.simulations[0] < 9_000
        distance = int(trees.distance[0, ROOT])
        assert distance >= plies or value == 0
        assert found.values[0] == pytest.approx(value * 0.95**distance)
        played = {cell for cell in range(position.board.cells) if found.policy[0, cell] > 0}
        assert found.cells[0] in played
        assert {brute.verdicts(position)[cell][0] for cell in played} == {value}
        check_proofs(trees, brute)


def check_proofs(trees, brute):
    """Compares every proven node with brute force."""
    for node in range(trees.used[0]):
        status = trees.status[0, node]
        if status != OPEN:
            value, plies = brute.verdict_of(int(trees.mine[0, node]), int(trees.theirs[0, node]))
            assert status == STATUS[value]
            assert trees.distance[0, node] >= plies or value == 0


@pytest.mark.parametrize("gumbel", [False, True])
def test_a_perfect_evaluator_is_followed_with_few_simulations(gumbel):
    for position in tiny_positions():
        brute = BruteForce(position.board)
        found, _ = searched([position], Exact(brute, 0.95), simulations=64, gumbel=gumbel, lookahead=0)
        value, _ = brute.verdict(position)
        assert brute.verdicts(position)[int(found.cells[0])][0] == value


@pytest.mark.parametrize("options", [{}, {"leaves": 4}, {"gumbel": True}, {"simulations": 0}])
@pytest.mark.parametrize("bricks_plane", [False, True])
def test_many_games_at_once_are_what_each_is_alone(options, bricks_plane, monkeypatch):
    positions = varied(7, 7, 4, count=9)
    options = {"simulations": 40, **options}
    noise = np.random.default_rng(2).gumbel(size=(9, 49)) if "gumbel" in options else None
    search = Search(hashed, SearchConfig(**options), bricks_plane)
    together = as_lists(search.run(roots_of(positions), noise))
    assert as_lists(search.run(roots_of(positions), noise)) == together
    alone = [
        search.run(roots_of([position]), None if noise is None else noise[game : game + 1])
        for game, position in enumerate(positions)
    ]
    assert as_lists(Found(*map(np.concatenate, zip(*alone, strict=True)))) == together
    monkeypatch.setattr(search_module, "MOST_BYTES", 4 * search_module.BYTES_PER_CELL * 49 * 42)
    counted = Counted(hashed)
    parts = Search(counted, SearchConfig(**options), bricks_plane).run(roots_of(positions), noise)
    assert as_lists(parts) == together
    if options["simulations"]:
        assert max(counted.asked) <= 4 * options.get("leaves", 1)


@pytest.mark.parametrize("options", [{}, {"leaves": 8}, {"leaves": 64}, {"gumbel": True}])
@pytest.mark.parametrize("size", [(7, 7, 4), (3, 3, 3), (1, 6, 3)])
def test_a_tree_adds_up(size, options):
    positions = varied(*size, count=6, seed=4)
    found, trees = searched(positions, simulations=200, lookahead=1, discount=0.8, **options)
    for game in range(len(positions)):
        assert trees.visits[game, ROOT].sum() == found.simulations[game] <= 200
        assert trees.used[game] <= 201
        for node in range(trees.used[game]):
            check_sums(trees, game, node, 0.8)


def check_sums(trees, game, node, discount):
    """Virtual losses are removed, and each node's counts are the sums of its children's."""
    visits, sums = trees.visits[game, node], trees.sums[game, node]
    assert (visits >= 0).all()
    if trees.status[game, node] != OPEN:
        return
    assert trees.results[game, node] == 1 + visits.sum()
    total = trees.network[game, node] + sums[visits > 0].sum()
    assert trees.total[game, node] == pytest.approx(total, abs=1e-3)
    for cell in np.flatnonzero(visits):
        child = trees.child[game, node, cell]
        if trees.status[game, child] == OPEN:
            assert visits[cell] == trees.results[game, child]
            assert sums[cell] == pytest.approx(-discount * trees.total[game, child], abs=1e-3)


@pytest.mark.parametrize("options", [{}, {"leaves": 4}, {"gumbel": True}])
def test_the_budget_is_kept_and_the_network_asked_once_a_node(options):
    counted = Counted(hashed)
    positions = varied(7, 7, 4, count=4)
    found, trees = searched(positions, counted, simulations=50, lookahead=0, **options)
    assert (found.simulations == 50).all()
    assert sum(counted.asked) == sum((trees.results[game, : trees.used[game]] > 0).sum() for game in range(4))
    assert max(counted.asked[1:]) <= 4 * options.get("leaves", 1)


def test_a_proven_root_ends_the_search():
    won = Position.start(Board(4, 4, 3)).play("A1").play("D1").play("A2").play("D4")
    counted = Counted(hashed)
    found, _ = searched([won], counted, simulations=100, lookahead=1)
    assert (found.cells[0], found.statuses[0], found.simulations[0]) == (2, WON, 0)
    assert found.values[0] == pytest.approx(0.95)
    assert found.policy[0].tolist() == [float(cell == 2) for cell in range(16)]
    assert counted.asked == []
    found, _ = searched([won], counted, simulations=100, lookahead=0)
    assert (found.cells[0], found.statuses[0]) == (2, WON)
    assert 0 < found.simulations[0] < 100


def test_a_lost_root_plays_the_longest_defence_known():
    lost = Position.parse("4x4x3 OO../..../XX../O...")
    brute = BruteForce(lost.board)
    assert brute.verdict(lost) != (0, 0)
    positions = [careful_position(Board(4, 3, 3), 5, np.random.default_rng(seed)) for seed in range(30)]
    lost_ones = [position for position in positions if BruteForce(position.board).verdict(position)[0] == -1]
    assert lost_ones
    for position in lost_ones:
        found, trees = searched([position], uniform, simulations=5000, lookahead=0)
        assert found.statuses[0] == LOST
        behind = {cell: trees.distance[0, trees.child[0, ROOT, cell]] for cell in position.legal_cells()}
        longest = {cell for cell, distance in behind.items() if distance == max(behind.values())}
        assert {cell for cell in range(12) if found.policy[0, cell] > 0} == longest
        assert found.values[0] == pytest.approx(-(0.95 ** (1 + max(behind.values()))))


def test_policies_are_distributions_over_free_cells():
    for options in ({}, {"gumbel": True}, {"simulations": 0}, {"leaves": 3}):
        positions = varied(5, 6, 4, count=20, seed=5)
        found, _ = (
            searched(positions, **{"simulations": 30, **options})
            if options != {"simulations": 0}
            else (
                Search(hashed, SearchConfig(simulations=0), False).run(roots_of(positions)),
                None,
            )
        )
        assert found.policy.sum(1) == pytest.approx(1, abs=1e-5)
        for position, policy, cell in zip(positions, found.policy, found.cells.tolist(), strict=True):
            legal = position.legal_cells()
            assert cell in legal
            assert policy[np.setdiff1d(np.arange(30), legal)].tolist() == [0] * (30 - len(legal))


def test_without_search_the_best_free_logit_is_played():
    positions = varied(7, 7, 4, count=20)
    found = Search(hashed, SearchConfig(simulations=0), False).run(roots_of(positions))
    for game, position in enumerate(positions):
        planes = np.zeros((1, 3, 7, 7), np.float32)
        for plane, word in zip(
            planes[0], (position.mine, position.theirs, position.board.playable), strict=True
        ):
            plane.ravel()[list(position.board.word_cells(word))] = 1
        logits, values = hashed(planes)
        legal = list(position.legal_cells())
        assert found.cells[game] == legal[int(logits[0, legal].argmax())]
        odds = np.exp(logits[0, legal].astype(float))
        assert found.policy[game, legal] == pytest.approx(odds / odds.sum(), rel=1e-4)
        assert found.values[game] == values[0]
        assert (found.statuses[game], found.simulations[game]) == (OPEN, 0)


def test_equal_cells_take_the_lowest_with_gumbel():
    position = Position.start(Board(7, 7, 4, "A1"))
    for simulations in (1, 2, 4):  # no cell is tried twice, so visits and scores are equal
        found, trees = searched([position], uniform, simulations=simulations, gumbel=True, lookahead=0)
        assert np.flatnonzero(trees.visits[0, ROOT]).tolist() == list(range(1, 1 + simulations))
        assert found.cells.tolist() == [1]


@pytest.mark.parametrize(
    ("considered", "simulations", "expected"),
    [
        (4, 8, [0, 0, 0, 0, 1, 1, 2, 2]),
        (4, 16, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
        (2, 5, [0, 0, 1, 1, 2]),
        (8, 4, [0, 0, 0, 0]),
        (3, 9, [0, 0, 0, 1, 1, 2, 2, 3, 3]),
        (1, 4, [0, 1, 2, 3]),
        (16, 1, [0]),
    ],
)
def test_sequential_halving_by_hand(considered, simulations, expected):
    assert considered_visits(considered, simulations).tolist() == expected


def test_noise_moves_the_roots_priors_and_nothing_else():
    positions = varied(7, 7, 4, count=3)
    noise = np.random.default_rng(0).random((3, 49))
    search = Search(hashed, SearchConfig(simulations=1, lookahead=0), False)
    search.run(roots_of(positions))
    before = search._kept[1].prior[:3, ROOT].copy()
    search.run(roots_of(positions), None, RootNoise(0.25, noise))
    after = search._kept[1].prior[:3, ROOT]
    edges = before >= 0
    assert after[edges].reshape(-1).sum() == pytest.approx(3, abs=1e-5)
    kept = noise * edges / (noise * edges).sum(1, keepdims=True)
    assert after[edges] == pytest.approx((0.75 * before + 0.25 * kept)[edges], abs=1e-6)
    assert (after[~edges] == before[~edges]).all()


def test_noise_that_vanishes_leaves_a_distribution():
    position = Position.start(Board(3, 3, 3))
    search = Search(hashed, SearchConfig(simulations=1, lookahead=0), False)
    search.run(roots_of([position]), None, RootNoise(0.5, np.zeros((1, 9))))
    assert search._kept[1].prior[0, ROOT].sum() == pytest.approx(1)


def test_all_cells_but_one_lost_is_no_division_by_zero():
    """The result of a lost cell may be the highest by far: the others must still get a policy."""
    position = Position.start(Board(4, 4, 3)).play("A1").play("D4").play("B2")  # C3 must be blocked

    def pessimist(planes):
        logits, values = uniform(planes)
        return logits, values + (np.float32(0.999) if planes[0, :2].sum() % 2 == 0 else np.float32(-0.999))

    for c_scale in (0.0, 0.2, 1e6):
        found, _ = searched([position], pessimist, simulations=300, gumbel=True, lookahead=0, c_scale=c_scale)
        assert np.isfinite(found.policy).all()
        assert found.policy.sum() == pytest.approx(1, abs=1e-5)
        assert found.cells[0] in position.legal_cells()


@pytest.mark.parametrize("options", [{}, {"gumbel": True}, {"simulations": 0}, {"leaves": 4}])
@pytest.mark.parametrize("broken", [0, 1])
def test_a_network_that_answers_no_numbers_is_refused(options, broken):
    def evaluate(planes):
        answer = hashed(planes)
        if len(calls) > 0 or not options.get("simulations", 1):
            answer[broken][-1] = np.nan
        calls.append(len(planes))
        return answer

    calls = []
    with pytest.raises(ValueError, match="not finite"):
        Search(evaluate, SearchConfig(**{"simulations": 20, **options}), False).run(
            roots_of(varied(7, 7, 4, count=3))
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"simulations": -1}, "simulations must be 0 to"),
        ({"considered": 0}, "considered must be 1 to 64, got 0"),
        ({"lookahead": 9}, "lookahead must be 0 to"),
        ({"leaves": 0}, "leaves must be 1 to"),
        ({"leaves": 2, "gumbel": True}, "leaves must be 1 with gumbel, got 2"),
        ({"c_puct": float("nan")}, "c_puct must be at least 0 and finite, got nan"),
        ({"c_scale": -1}, "c_scale"),
        ({"discount": 0}, "discount must be above 0"),
        ({"discount": 1.01}, "discount must be above 0 and at most 1, got 1.01"),
    ],
)
def test_what_a_search_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        SearchConfig(**options)
