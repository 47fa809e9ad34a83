"""Game records made without a runner: random movers with a seed, and games given move by move.

Only `random.Random.random` is drawn from: its numbers never change, so golden files hold.
"""

from random import Random

from bttt.board import Board
from bttt.position import Outcome, Position
from tournaments.play.game_record import GameRecord


def record(first, second, moves, board=None, *, index=0, outcome=None, forfeit=None, **fields):
    """Returns the record of a game given as "A1 B2 ...", with the outcome that it has on the board."""
    board = Board() if board is None else board
    position = Position.start(board)
    for name in moves.split():
        position = position.play(name)
    plies = position.plies
    cells = tuple(board.cell(name) for name in moves.split())
    defaults = {
        "repeat": 0,
        "opening_plies": 0,
        "seconds": (0.001,) * plies,
        "values": (None,) * plies,
        "nodes": (None,) * plies,
    }
    return GameRecord(
        index=index,
        first=first,
        second=second,
        board=board,
        cells=cells,
        outcome=position.outcome if outcome is None else outcome,
        forfeit=forfeit,
        **{**defaults, **fields},
    )


def random_game(first, second, board, rng, *, index=0, repeat=0, opening_plies=0):
    """Returns a game of random movers; a name that starts with "good" takes wins and reports its search."""
    position = Position.start(board)
    cells, seconds, values, nodes = [], [], [], []
    while position.outcome is Outcome.UNFINISHED:
        legal = position.legal_cells()
        cell = legal[int(rng.random() * len(legal))]
        chosen = len(cells) >= opening_plies
        good = chosen and (first, second)[position.to_move].startswith("good")
        if good:
            cell = next((each for each in legal if position.play(each).winning_line()), cell)
        seconds.append(0.001 + 0.004 * rng.random() if chosen else 0.0)
        values.append(2 * rng.random() - 1 if good else None)
        nodes.append(int(5000 * rng.random()) if good else None)
        cells.append(cell)
        position = position.play(cell)
    return GameRecord(
        index=index,
        first=first,
        second=second,
        board=board,
        repeat=repeat,
        opening_plies=opening_plies,
        cells=tuple(cells),
        outcome=position.outcome,
        forfeit=None,
        seconds=tuple(seconds),
        values=tuple(values),
        nodes=tuple(nodes),
    )


def random_round_robin(players, boards, *, seed=0, repeats=1, opening_plies=0):
    """Returns the games of every ordered pair on every board."""
    rng = Random(seed)
    games = []
    for repeat in range(repeats):
        for first in players:
            for second in players:
                for board in boards if first != second else ():
                    fields = {"index": len(games), "repeat": repeat, "opening_plies": opening_plies}
                    games.append(random_game(first, second, board, rng, **fields))
    return games
