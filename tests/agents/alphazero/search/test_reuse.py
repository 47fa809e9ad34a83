"""Tree reuse: a subtree equals the original tree, and the search continues in it."""

from dataclasses import replace

import numpy as np
import pytest
from fake_networks import Counted, hashed

from agents.alphazero.configs import SearchConfig, SelfPlayConfig
from agents.alphazero.search.batched import RootNoise, Search, roots_of
from agents.alphazero.search.reuse import cut, paste
from agents.alphazero.search.trees import NONE, OPEN, ROOT
from agents.alphazero.training.selfplay import SelfPlay
from bttt.board import Board
from bttt.position import Position

CONFIG = SearchConfig(simulations=80, lookahead=1, reuse=True)
FIELDS = ("mine", "theirs", "status", "distance", "results", "total", "network", "visits", "sums", "prior")


def starts():
    return [Position.start(Board(4, 5, 4, (brick,))) for brick in (0, 7, 12)]


def as_nested(trees, game, node):
    """A subtree as nested tuples with children by cell, independent of node numbers."""
    own = tuple(np.asarray(getattr(trees, name)[game, node]).tolist() for name in FIELDS)
    children = trees.child[game, node]
    return repr(own), {
        int(cell): as_nested(trees, game, children[cell]) for cell in np.flatnonzero(children != NONE)
    }


def test_a_subtree_becomes_the_tree_as_it_was():
    search = Search(hashed, CONFIG, False)
    found = search.run(roots_of(starts()))
    trees = search._kept[1]
    for game, cell in enumerate(found.cells.tolist()):
        node = trees.child[game, ROOT, cell]
        before, visits = as_nested(trees, game, node), int(trees.visits[game, ROOT, cell])
        assert paste(trees, game, cut(trees, game, cell)) == visits - 1 > 3
        assert as_nested(trees, game, ROOT) == before
        used = trees.used[game]
        children = trees.child[game, :used]
        assert sorted(children[children != NONE].tolist()) == list(range(1, used))
        parents = np.nonzero(children != NONE)[0]
        assert (children[children != NONE] > parents).all()


def test_what_was_never_tried_is_not_kept():
    search = Search(hashed, replace(CONFIG, simulations=2), False)
    search.run(roots_of(starts()))
    trees = search._kept[1]
    assert [cell for cell in range(20) if cut(trees, 0, cell)] == np.flatnonzero(
        trees.visits[0, ROOT]
    ).tolist()


def test_the_search_goes_on_and_asks_only_for_what_is_new():
    counted = Counted(hashed)
    search = Search(counted, CONFIG, False)
    positions = starts()
    found = search.run(roots_of(positions))
    cells = found.cells.copy()
    trees = search._kept[1]
    seen = [int(trees.visits[game, ROOT, cell]) - 1 for game, cell in enumerate(cells.tolist())]
    cells[1], seen[1] = NONE, 0
    search.keep(cells)
    after = [position.play(int(cell)) for position, cell in zip(positions, found.cells, strict=True)]
    counted.asked.clear()
    found = search.run(roots_of(after))
    for game in range(3):
        if found.statuses[game] == OPEN:
            assert found.simulations[game] == 80 - seen[game]
            assert trees.visits[game, ROOT].sum() == 80
            assert trees.results[game, ROOT] == 81
            assert trees.used[game] <= 81
        assert found.policy[game].sum() == pytest.approx(1, abs=1e-5)
    assert sum(counted.asked) <= found.simulations.sum() + 1
    alone = Search(hashed, CONFIG, False).run(roots_of(after[1:2]))
    assert found.policy[1].tolist() == alone.policy[0].tolist()


def test_noise_reaches_the_root_of_a_subtree():
    search = Search(hashed, replace(CONFIG, c_puct=50), False)
    position = starts()[0]
    cell = int(search.run(roots_of([position])).cells[0])
    trees = search._kept[1]
    known = cut(trees, 0, cell)
    untried = [c for c in position.play(cell).legal_cells() if known["visits"][ROOT, c] == 0]
    least = min(untried, key=lambda each: known["prior"][ROOT, each])
    search.keep(np.array([cell]))
    search.run(roots_of([position.play(cell)]), None, RootNoise(1.0, np.eye(20)[[least]]))
    assert trees.visits[0, ROOT, least] > 20


@pytest.mark.parametrize("leaves", [1, 4])
def test_self_play_with_reuse_is_reproducible_and_sound(leaves):
    config = SelfPlayConfig(games=8, opening_plies=2, temperature_plies=4)
    boards = [position.board for position in starts()]
    results = []
    for _ in range(2):
        games = SelfPlay(
            boards, config, replace(CONFIG, simulations=12, leaves=leaves), False, np.random.default_rng(0)
        )
        results.append(games.run(hashed, 24, np.random.default_rng(1)))
    assert len(results[0].samples) > 20
    assert (results[0].samples == results[1].samples).all()
    samples = results[0].samples
    taken = samples["mine"] | samples["theirs"] | ~samples["playable"]
    for cell in range(20):
        bit = np.uint64(boards[0].bit(cell))
        assert (samples["policy"][taken & bit != 0, cell] == 0).all()
    assert samples["policy"].astype(float).sum(1) == pytest.approx(1, abs=0.01)
    without = SelfPlay(
        boards, config, replace(CONFIG, simulations=12, reuse=False), False, np.random.default_rng(0)
    )
    assert results[0].simulations < without.run(hashed, 24, np.random.default_rng(1)).simulations


def test_gumbel_does_not_reuse_trees():
    with pytest.raises(ValueError, match="reuse must be false with gumbel"):
        SearchConfig(gumbel=True, reuse=True)
