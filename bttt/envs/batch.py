"""Numba kernels that step many games at once, for the vector environment.

The kernels change the arrays of `BatchGames` in place, and write each learner's observation to `Views`, with
the planes of `bttt.observation`.
"""

from __future__ import annotations

import numpy as np

from bttt.envs.games import RANDOM_OPPONENT, SELF_PLAY
from bttt.envs.rewards import LOST, WON
from bttt.kernels import (
    DRAW,
    FIRST_WINS,
    UNFINISHED,
    entry_point,
    kernel,
    outcome_after,
    random_below,
    random_bit_index,
)

_ONE = np.uint64(1)
_ZERO = np.uint64(0)


@kernel
def _write_plane(word, bit_index, plane):
    for cell in range(len(bit_index)):
        plane[cell] = (word >> bit_index[cell]) & _ONE


# The loops below bind arrays to local names first. Taking an array out of a tuple in each iteration, or
# passing a tuple of arrays to a function, costs more than the work on a game.


@entry_point
def restart_games(rules, games, cells):
    """Restarts the games whose entry of `cells` `[B] int64` is -1, each on a board drawn by its generator."""
    stones, plies, outcome, illegal = games.stones, games.plies, games.outcome, games.illegal
    last_move, board, seat, random, steps = (
        games.last_move,
        games.board,
        games.seat,
        games.random,
        games.steps,
    )
    for g in range(len(plies)):
        if cells[g] < 0:
            stones[g, 0] = stones[g, 1] = _ZERO
            plies[g] = outcome[g] = steps[g] = 0
            illegal[g] = False
            last_move[g] = -1
            board[g] = random_below(random[g : g + 1], rules.drawn)
            seat[g] = 0 if rules.opponent == SELF_PLAY else seat[g] ^ rules.alternate


@entry_point
def play_cells(rules, games, cells):
    """Plays `cells` `[B] int64`, one per game; -1 plays nothing. A cell that is not free ends its game."""
    stones, plies, outcome, illegal = games.stones, games.plies, games.outcome, games.illegal
    last_move, board, seat = games.last_move, games.board, games.seat
    bit_index, playables = rules.bit_index, rules.playable
    for g in range(len(plies)):
        cell = cells[g]
        if cell < 0:
            continue
        bit = _ONE << bit_index[cell]
        mover = plies[g] & 1
        mine, theirs, playable = stones[g, mover], stones[g, 1 - mover], playables[board[g]]
        if bit & playable & ~(mine | theirs) == _ZERO:
            illegal[g] = True
            continue
        mine |= bit
        stones[g, mover] = mine
        plies[g] += 1
        last_move[g] = cell
        outcome[g] = outcome_after(mine, theirs, playable, mover, rules.stride, rules.win_length)
        if rules.opponent == SELF_PLAY:
            seat[g] = 1 - mover


@kernel
def _choose_actions(rules, games, actions, cells):
    """Sets `cells` to the actions and counts them; sets -1 where the game has ended."""
    outcome, illegal, steps = games.outcome, games.illegal, games.steps
    for g in range(len(cells)):
        if outcome[g] != UNFINISHED or illegal[g] or steps[g] >= rules.most_steps:
            cells[g] = -1
        else:
            cells[g] = actions[g]
            steps[g] += 1


@kernel
def _choose_replies(rules, games, cells):
    """Sets `cells` to random free cells in the games where the opponent is to move, -1 elsewhere."""
    stones, plies, outcome = games.stones, games.plies, games.outcome
    board, seat, random, playables = games.board, games.seat, games.random, rules.playable
    for g in range(len(cells)):
        cells[g] = -1
        if outcome[g] == UNFINISHED and plies[g] & 1 != seat[g]:
            free = playables[board[g]] & ~(stones[g, 0] | stones[g, 1])
            index = random_bit_index(free, random[g : g + 1])
            cells[g] = index - index // rules.stride


@kernel
def _write_views(rules, games, views):
    stones, outcome, illegal = games.stones, games.outcome, games.illegal
    board, seats, playables, bit_index = games.board, games.seat, rules.playable, rules.bit_index
    planes, masks, rewards, overs = views.planes, views.masks, views.rewards, views.over
    for g in range(len(outcome)):
        seat = seats[g]
        mine, theirs, playable = stones[g, seat], stones[g, 1 - seat], playables[board[g]]
        over = outcome[g] != UNFINISHED or illegal[g]
        _write_plane(mine, bit_index, planes[g, 0])
        _write_plane(theirs, bit_index, planes[g, 1])
        _write_plane(~playable, bit_index, planes[g, 2])
        planes[g, 3] = seat
        _write_plane(_ZERO if over else playable & ~(mine | theirs), bit_index, masks[g])
        rewarded = 1 - seat if rules.opponent == SELF_PLAY else seat
        if not over or outcome[g] == DRAW:
            rewards[g] = 0.0
        else:
            rewards[g] = WON if outcome[g] == FIRST_WINS + rewarded else LOST
        overs[g] = over


_play, _restart = play_cells.kernel, restart_games.kernel


@entry_point
def view_games(rules, games, cells, views):
    """Lets the random opponent, if there is one, reply where it is to move; then fills `views`.

    `cells` `[B] int64` is scratch.
    """
    if rules.opponent == RANDOM_OPPONENT:
        _choose_replies(rules, games, cells)
        _play(rules, games, cells)
    _write_views(rules, games, views)


@entry_point
def act_games(rules, games, actions, cells):
    """Plays `actions` `[B] int64`, each a cell; restarts the games that have ended instead.

    `cells` `[B] int64` is scratch.
    """
    _choose_actions(rules, games, actions, cells)
    _restart(rules, games, cells)
    _play(rules, games, cells)


_act, _view = act_games.kernel, view_games.kernel


@entry_point
def step_games(rules, games, actions, cells, views):
    """Runs `act_games` and `view_games` in one call."""
    _act(rules, games, actions, cells)
    _view(rules, games, cells, views)


@entry_point
def _pick(masks, state, actions):
    for g in range(len(masks)):
        legal = 0
        for cell in range(masks.shape[1]):
            legal += masks[g, cell]
        skip = random_below(state, legal)
        # the chosen cell comes after all cells at which at most `skip` legal cells have been seen
        seen = before = 0
        for cell in range(masks.shape[1]):
            seen += masks[g, cell]
            before += seen <= skip
        actions[g] = before if legal > 0 else 0


def random_actions(masks: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a uniformly random legal cell for each of `masks` `[B, cells] int8`, as `[B] int64`.

    The cell is 0 where the mask is empty because the game is over.
    """
    masks = np.require(masks, np.int8, ["C", "W"])  # one type, so that the kernel is compiled only once
    actions = np.empty(len(masks), np.int64)
    _pick(masks, rng.integers(2**64, size=1, dtype=np.uint64), actions)
    return actions
