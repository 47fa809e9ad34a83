"""Tables of conversion: how often agents won the games in which they played the winning side.

The weight of a game is one over the number of its copies, since a repeated game is no new evidence. The 95%
intervals are over boards, as those of `bttt evaluate` (`bttt.runs.ratio_interval`): more games on the same
boards tell nothing about other boards. Where all boards agree it is Wilson's, with one trial per start. One
board alone has an interval over its starts, one start alone over its games, and two boards have none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan

import numpy as np

from bttt import FIRST, Board, row_name
from bttt.runs import aligned, ratio_interval
from tournaments.play import GameRecord
from tournaments.standings import Tally, orbit_name, tally_games

NO_INTERVAL = "-: two boards give no interval; with three or more it is over boards"
ONE_BOARD = "one board: interval over its starts, or over the games of one start"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A game that started from a won position, which the agent had to win.

    Attributes:
        game: The game.
        seat: Seat of the agent, which plays the winning side.
    """

    game: GameRecord
    seat: int

    @property
    def agent(self) -> str:
        """The agent's name."""
        return self.game.players[self.seat]


def group_conversions(conversions: Iterable[Conversion]) -> dict[tuple[str, Board, int], list[Conversion]]:
    """Returns the games by agent, board and the agent's seat, in order of appearance."""
    groups: dict[tuple[str, Board, int], list[Conversion]] = {}
    for each in conversions:
        groups.setdefault((each.agent, each.game.board, each.seat), []).append(each)
    return groups


def _tally(group: Sequence[Conversion]) -> Tally:
    """Returns the agent's tally of one group."""
    (tally,) = tally_games([each.game for each in group]).values()
    return tally if group[0].seat == FIRST else tally.opposite


def win_share(group: Iterable[Conversion]) -> tuple[float, float, float]:
    """Returns an agent's fraction of games won and its 95% interval, in [0, 1], as the module describes.

    Without games all are nan; for two boards the interval is.
    """
    unique = {_game_key(each): each.game.winner == each.seat for each in group}  # copies have the same winner
    if not unique:
        return nan, nan, nan
    starts = {(board, opening) for board, opening, *_ in unique}
    boards: dict[Board, list[bool]] = {}
    for (board, *_), won in unique.items():
        boards.setdefault(board, []).append(won)
    wins = np.array([sum(each) for each in boards.values()])
    games = np.array([len(each) for each in boards.values()])
    trials = len(starts) if len(starts) > 1 else len(unique)
    return float(wins.sum() / games.sum()), *ratio_interval(wins, games, trials)


def _game_key(each: Conversion) -> tuple[Board, tuple[int, ...], int, tuple[int, ...], int]:
    """Returns what copies of a game have in common: board, opening, seat, cells and outcome."""
    game = each.game
    return game.board, game.cells[: game.opening_plies], each.seat, game.cells, int(game.outcome)


def conversion_rows(
    conversions: Sequence[Conversion], origin: Mapping[str, object]
) -> list[dict[str, object]]:
    """Returns one row for each agent, board and seat; each ends with the columns of `origin`."""
    rows: list[dict[str, object]] = []
    for (agent, board, seat), group in group_conversions(conversions).items():
        tally = _tally(group)
        rows.append(
            {
                "agent": agent,
                "board": str(board),
                "bricks": board.brick_names,
                "orbit": orbit_name(board),
                "seat": "first" if seat == FIRST else "second",
                "games": tally.games,
                "won": tally.wins,
                "drawn": tally.draws,
                "lost": tally.losses,
                "won_share": round(win_share(group)[0], 4),
                "distinct": tally.distinct,
                "forfeits": tally.forfeits,
                "mean_plies": round(sum(len(each.game.cells) for each in group) / tally.games, 2),
                **origin,
            }
        )
    return rows


def conversion_text(conversions: Sequence[Conversion]) -> str:
    """Returns each agent's totals, its results on a grid by brick cell, and a list of other boards.

    Results are won-drawn-lost; a cell without games has "-".
    """
    tallies: dict[str, dict[Board, Tally]] = {}
    shares: dict[str, list[Conversion]] = {}
    for (agent, board, _), group in group_conversions(conversions).items():
        shares.setdefault(agent, []).extend(group)
        boards = tallies.setdefault(agent, {})
        boards[board] = boards.get(board, Tally()) + _tally(group)
    parts = [_totals(tallies, {agent: win_share(own) for agent, own in shares.items()})]
    for agent, boards in tallies.items():
        singles = {board: tally for board, tally in boards.items() if len(board.bricks) == 1}
        others = [(str(board), str(tally)) for board, tally in boards.items() if board not in singles]
        lines = [*(_grid(singles) if singles else ()), *(aligned(others, left=(0,)) if others else ())]
        parts.append("\n".join([f"{agent}: won-drawn-lost by brick", *lines]))
    return "\n\n".join(parts)


def _totals(
    tallies: Mapping[str, Mapping[Board, Tally]], shares: Mapping[str, tuple[float, float, float]]
) -> str:
    """Returns one line for each agent, and what its interval is about where that is not obvious."""
    rows: list[tuple[str, ...]] = [
        ("agent", "games", "won", "drawn", "lost", "won%", "95% interval", "unique", "forf")
    ]
    for agent, boards in tallies.items():
        total = sum(boards.values(), Tally())
        share, low, high = (f"{100 * value:.1f}" for value in shares[agent])
        interval = "-" if isnan(shares[agent][1]) else f"{low} to {high}"
        counts = map(str, (total.games, total.wins, total.draws, total.losses))
        rows.append((agent, *counts, share, interval, str(total.distinct), str(total.forfeits)))
    numbers = {len(boards) for boards in tallies.values()}
    notes = [note for number, note in ((2, NO_INTERVAL), (1, ONE_BOARD)) if number in numbers]
    return "\n".join([*aligned(rows, left=(0,)), *notes])


def _grid(tallies: Mapping[Board, Tally]) -> list[str]:
    """Returns a grid of the tallies by the brick's cell, for one-brick boards of one size."""
    size = next(iter(tallies))
    by_cell = {board.bricks[0]: str(tally) for board, tally in tallies.items()}
    rows = [("", *(str(col + 1) for col in range(size.cols)))]
    for row in range(size.rows):
        cells = range(row * size.cols, (row + 1) * size.cols)
        rows.append((row_name(row), *(by_cell.get(cell, "-") for cell in cells)))
    return aligned(rows)
