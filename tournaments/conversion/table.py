"""Tables of conversion: how often agents won the games in which they played the winning side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

from bttt import FIRST, Board, row_name
from bttt.runs import aligned, wilson
from tournaments.play import GameRecord
from tournaments.standings import Tally, orbit_name, tally_games


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


def win_share(tally: Tally) -> tuple[float, float, float]:
    """Returns the fraction of games won and its 95% interval; nan without games.

    The interval is Wilson's (1927) with one trial per unique game, since copies are no evidence.
    """
    games = tally.games
    if not games:
        return nan, nan, nan
    fraction = tally.wins / games
    return fraction, *wilson(fraction, tally.distinct)


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
                "won_share": round(win_share(tally)[0], 4),
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
    for (agent, board, _), group in group_conversions(conversions).items():
        boards = tallies.setdefault(agent, {})
        boards[board] = boards.get(board, Tally()) + _tally(group)
    parts = [_totals(tallies)]
    for agent, boards in tallies.items():
        singles = {board: tally for board, tally in boards.items() if len(board.bricks) == 1}
        others = [(str(board), str(tally)) for board, tally in boards.items() if board not in singles]
        lines = [*(_grid(singles) if singles else ()), *(aligned(others, left=(0,)) if others else ())]
        parts.append("\n".join([f"{agent}: won-drawn-lost by brick", *lines]))
    return "\n\n".join(parts)


def _totals(tallies: Mapping[str, Mapping[Board, Tally]]) -> str:
    rows: list[tuple[str, ...]] = [
        ("agent", "games", "won", "drawn", "lost", "won%", "95% interval", "unique", "forf")
    ]
    for agent, boards in tallies.items():
        total = sum(boards.values(), Tally())
        share, low, high = (f"{100 * value:.1f}" for value in win_share(total))
        counts = map(str, (total.games, total.wins, total.draws, total.losses))
        rows.append((agent, *counts, share, f"{low} to {high}", str(total.distinct), str(total.forfeits)))
    return "\n".join(aligned(rows, left=(0,)))


def _grid(tallies: Mapping[Board, Tally]) -> list[str]:
    """Returns a grid of the tallies by the brick's cell, for one-brick boards of one size."""
    size = next(iter(tallies))
    by_cell = {board.bricks[0]: str(tally) for board, tally in tallies.items()}
    rows = [("", *(str(col + 1) for col in range(size.cols)))]
    for row in range(size.rows):
        cells = range(row * size.cols, (row + 1) * size.cols)
        rows.append((row_name(row), *(by_cell.get(cell, "-") for cell in cells)))
    return aligned(rows)
