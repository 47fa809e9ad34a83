"""The report's results by board: heat maps over the brick's cells, and tables by brick, board and orbit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from bttt import Board, canonical_board
from tournaments.report.heat_map import heat_map
from tournaments.report.parts import Tournament, head_cells, html_table, player_matrix, score_cell, score_text
from tournaments.standings import Tally, by_board, orbit_name, score_intervals, sum_tallies


def boards(tournament: Tournament) -> str:
    """Returns heat maps of the one-brick boards of each size, and tables of the results on all boards."""
    parts = []
    sizes: dict[Board, dict[Board, str]] = {}
    for board in tournament.boards:
        if len(board.bricks) == 1:
            sizes.setdefault(board.with_bricks(()), {})[board] = board.brick_names
    for size, names in sizes.items():
        table = _score_table(tournament, "Brick", names, lambda board: board)
        parts.append(f"<h3>One brick on {size}</h3>\n{_heat_maps(tournament, size, list(names))}")
        parts.append(f"<details><summary>Numbers by brick cell</summary>\n{table}</details>")
    others = [board for board in tournament.boards if len(board.bricks) != 1]
    if others:
        names = {board: escape(str(board)) for board in others}
        parts.append("<h3>Boards with several bricks or none</h3>")
        parts.append(_score_table(tournament, "Board", names, lambda board: board))
    return "\n".join(parts) or "<p>No game has been played yet.</p>"


def _heat_maps(tournament: Tournament, size: Board, boards: Sequence[Board]) -> str:
    """Returns the map of all games, and one map per ordered pair, arranged like the crosstable."""
    places = {board: board.bricks[0] for board in boards}
    numbers = {cell: tournament.boards[board] for board, cell in places.items()}
    maps: dict[tuple[str, str], dict[int, Tally]] = {}
    for (first, second, board), tally in tournament.tallies.items():
        if board in places:
            maps.setdefault((first, second), {})[places[board]] = tally
    everyone = {
        places[board]: tally for board, tally in by_board(tournament.tallies).items() if board in places
    }
    overall = heat_map(size, everyone, numbers, cell_size=34, values=True)
    frames = {player: tournament.framed_cells(player, size) for player in tournament.players}

    def cell(first: str, second: str) -> str:
        if (first, second) not in maps:
            return "<td></td>"
        seats = [tournament.players.index(player) for player in (first, second)]
        attributes = 'data-first="{}" data-second="{}"'.format(*seats)
        drawn = heat_map(
            size, maps[first, second], numbers, framed=frames.get(first, ()), attributes=attributes
        )
        return f"<td>{drawn}</td>"

    note = "<p>Frames mark the first player's training cells.</p>\n" if any(frames.values()) else ""
    return (
        f"<figure>{overall}<figcaption>All pairs: score of the first player in per cent, "
        f"by brick cell.</figcaption></figure>\n{note}"
        f"{player_matrix(tournament, 'First player', cell, 'maps')}"
    )


def orbits(tournament: Tournament) -> str:
    """Returns the results by orbit; an orbit's boards are mirror images or rotations of each other."""
    found = dict.fromkeys(canonical_board(board) for board in tournament.boards)
    several_sizes = len({board.with_bricks(()) for board in found}) > 1
    names = {
        board: (f"{board.with_bricks(())} " if several_sizes else "") + orbit_name(board) for board in found
    }
    return _score_table(tournament, "Orbit", names, canonical_board)


def _score_table(
    tournament: Tournament, heading: str, names: Mapping[Board, str], row_of: Callable[[Board], Board]
) -> str:
    """Returns one row per board in `names` and one column per ordered pair.

    A row pools the boards that `row_of` maps to the row's board. Its score is that of the first players.
    """
    seats = tournament.seats
    overall = sum_tallies(tournament.tallies, lambda _first, _second, board: row_of(board))
    tallies = sum_tallies(tournament.tallies, lambda first, second, board: (first, second, row_of(board)))
    intervals = score_intervals((row_of(game.board), game, game.first_score) for game in tournament.games)
    rows = [
        [
            f'<th scope="row">{name}</th>',
            f"<td>{score_text(overall[board].score, intervals[board])}</td>",
            score_cell(overall[board]),
            *(score_cell(tallies.get((*pair, board), Tally())) for pair in seats),
        ]
        for board, name in names.items()
    ]
    pairs = [
        f'<th scope="col" title="{escape(first)} moves first against {escape(second)}">'
        f"{tournament.players.index(first) + 1}&ndash;{tournament.players.index(second) + 1}</th>"
        for first, second in seats
    ]
    return html_table([*head_cells(heading, "Score", "All pairs"), *pairs], rows, css="matrix")
