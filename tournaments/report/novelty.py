"""The report's section on trained players: their scores on seen, mirror and novel boards.

Scores are the trained player's, in each seat, over all its opponents. Intervals take boards as the sampling
unit (see `bttt.runs.ratio_interval`), since games on one board resemble each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan

import numpy as np

from bttt import NOVELTIES, Board, split
from bttt.runs import ratio_interval
from tournaments.report.heat_map import heat_map
from tournaments.report.parts import Tournament, head_cells, html_table, percent, player_label, plural
from tournaments.standings import Tally, sum_tallies

SEATS = ("first", "second")
CELL_SIZE = 25
WEAKEST = 6
"""Maximum boards listed as a player's weakest."""
INTRODUCTION = (
    "Scores of players with known training boards against all other players. Seen boards were used in "
    "training, mirror boards are mirror images or rotations of seen boards, and all others are "
    "novel. Frames in the maps mark the brick cells seen in training, unless all cells were seen. "
    "Intervals are 95&#8239;% confidence intervals over boards; two boards give none."
)


def link(tournament: Tournament) -> str:
    """Returns the link to the section, or "" if there is no section."""
    return '<a href="#novelty">Seen and novel bricks</a> ' if _trained(tournament) else ""


def novelty(tournament: Tournament) -> str:
    """Returns the section, or "" if no player's training boards are known."""
    players = _trained(tournament)
    if not players:
        return ""
    rows = [_row(tournament, player, seat) for player in players for seat in SEATS]
    titles = (
        "Player",
        "Score by brick cell, %",
        *(f"{name.capitalize()} boards" for name in NOVELTIES),
        "Weakest on",
    )
    return (
        '<section id="novelty">\n<h2>Seen and novel bricks</h2>\n'
        f"<p>{INTRODUCTION}</p>\n{html_table(head_cells(*titles), rows, css='novelty')}\n</section>\n\n"
    )


def _trained(tournament: Tournament) -> list[str]:
    return [player for player in tournament.players if tournament.trained_on.get(player)]


def _row(tournament: Tournament, player: str, seat: str) -> list[str]:
    tallies = _by_board(tournament, player, seat)
    parts = split(tuple(tournament.trained_on[player]), tuple(tallies))
    return [
        f'<th scope="row">{player_label(tournament, player)}<small>moving {seat}</small></th>',
        f"<td>{_maps(tournament, player, seat, tallies)}</td>",
        *(f"<td>{_score([tallies[board] for board in getattr(parts, name)])}</td>" for name in NOVELTIES),
        f"<td>{_weakest(tournament, player, seat, tallies)}</td>",
    ]


def _by_board(tournament: Tournament, player: str, seat: str) -> dict[Board, Tally]:
    """Returns the player's tally in one seat on each board that it played there."""
    place = SEATS.index(seat)
    mine = sum_tallies(
        {entry: tally for entry, tally in tournament.tallies.items() if entry[place] == player},
        lambda _first, _second, board: board,
    )
    played = {board: mine[board] for board in tournament.boards if board in mine}
    return {board: tally if seat == "first" else tally.opposite for board, tally in played.items()}


def _maps(tournament: Tournament, player: str, seat: str, tallies: Mapping[Board, Tally]) -> str:
    """Returns a heat map for each board size with single bricks."""
    single = [board for board in tallies if len(board.bricks) == 1]
    maps = []
    for size in dict.fromkeys(board.with_bricks(()) for board in single):
        cells = {board.bricks[0]: board for board in single if board.with_bricks(()) == size}
        maps.append(
            heat_map(
                size,
                {cell: tallies[board] for cell, board in cells.items()},
                {cell: tournament.boards[board] for cell, board in cells.items()},
                cell_size=CELL_SIZE,
                values=True,
                framed=tournament.framed_cells(player, size),
                attributes=f'data-{seat}="{tournament.players.index(player)}"',
            )
        )
    return "".join(maps)


def _score(tallies: Sequence[Tally]) -> str:
    """Returns the score on some boards, its interval, the tally and the number of boards."""
    if not tallies:
        return "<small>no such boards</small>"
    total = sum(tallies, Tally())
    points = np.array([tally.wins + tally.draws / 2 for tally in tallies])
    low, high = ratio_interval(points, np.array([tally.games for tally in tallies]), total.distinct)
    interval = "no interval" if isnan(low) else f"{percent(low, 1)} to {percent(high, 1)}"
    return (
        f"<b>{percent(total.score, 1)}</b><small>{interval}</small>"
        f"<small>{total} on {plural(len(tallies), 'board')}</small>"
    )


def _weakest(tournament: Tournament, player: str, seat: str, tallies: Mapping[Board, Tally]) -> str:
    """Returns the boards with the player's lowest scores, with links to its games there."""
    number = tournament.players.index(player)
    lost = sorted(
        (board for board in tallies if tallies[board].score < 1), key=lambda each: tallies[each].score
    )
    lines = [
        f'<a href="#{seat}={number}&amp;board={tournament.boards[board]}">{board.brick_names or board}</a> '
        f"{percent(tallies[board].score)}"
        for board in lost[:WEAKEST]
    ]
    if len(lost) > WEAKEST:
        lines.append(f"<small>and {plural(len(lost) - WEAKEST, 'other')} below 100&#8239;%</small>")
    return "<br>".join(lines) or f"<small>{'wins every game' if tallies else 'no games'}</small>"
