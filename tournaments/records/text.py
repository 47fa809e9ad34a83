"""Games as text: one game a line, for people to read and for engines to parse.

A line has eight fields with one tab between them:

    number  board  first  second  repeat  result  ending  moves

- number: the game's number in its run, from 0.
- board: size, win length and bricks, for example "7x7x4:D4" or "7x7x4:D4,E5".
- first, second: the players, by their specs.
- repeat: number of the repeat, from 0.
- result: "1-0" if the first player won, "0-1" if the second did, "1/2-1/2" for a draw.
- ending: "line", "full", "adjudicated", or "forfeit: " and the reason.
- moves: the cells in order, a row letter and a column number, with one space between them. The players move
  in turn. " / " separates the opening, which was drawn, from the moves that the players chose.

Lines that begin with "#" are comments. Times, values and node counts are left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from bttt import Board, Outcome, Position
from bttt.runs import printable
from tournaments.play import GameRecord

FIELDS = ("number", "board", "first", "second", "repeat", "result", "ending", "moves")
FIRST_WORDS = "# bttt games"
"""Each file begins with these."""
HEADER = f"{FIRST_WORDS} 1\t" + "\t".join(FIELDS)
"""The first line of a file: the version of the format, and the fields."""
RESULTS = {Outcome.FIRST_WINS: "1-0", Outcome.SECOND_WINS: "0-1", Outcome.DRAW: "1/2-1/2"}
OUTCOMES = {text: outcome for outcome, text in RESULTS.items()}
FORFEIT = "forfeit: "


def games_text(games: Iterable[GameRecord]) -> str:
    """Returns the text of a file: the header, then a line for each game."""
    return "\n".join([HEADER, *map(game_line, games), ""])


def game_line(game: GameRecord) -> str:
    """Returns the line of a game, without a line break."""
    names = list(map(game.board.cell_name, game.cells))
    if game.opening_plies:
        names.insert(game.opening_plies, "/")
    fields = (
        str(game.index),
        str(game.board),
        game.first,
        game.second,
        str(game.repeat),
        RESULTS[game.outcome],
        _ending(game),
        " ".join(names),
    )
    return "\t".join(map(printable, fields))


def _ending(game: GameRecord) -> str:
    if game.forfeit is not None:
        return f"{FORFEIT}{game.forfeit}"
    if game.adjudicated:
        return "adjudicated"
    return "full" if game.outcome == Outcome.DRAW else "line"


def parse_games(lines: Iterable[str]) -> list[GameRecord]:
    """Returns the games of the lines of a file; times are 0, values and node counts None.

    Raises:
        ValueError: A line has another form, or its moves cannot be played; the message has its number.
    """
    games = []
    for number, line in enumerate(lines, 1):
        text = line.rstrip("\r\n")
        if text and not text.startswith("#"):
            try:
                games.append(_parsed(text))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
    return games


def _parsed(line: str) -> GameRecord:
    fields = line.split("\t")
    if len(fields) != len(FIELDS):
        raise ValueError(f"expected {len(FIELDS)} fields with tabs between them, got {len(fields)}")
    number, board_text, first, second, repeat, result, ending, moves = fields
    if not (number.isdecimal() and repeat.isdecimal()):
        raise ValueError(f"number and repeat must be whole numbers from 0, got {number!r} and {repeat!r}")
    if result not in OUTCOMES:
        raise ValueError(f"result must be one of {', '.join(OUTCOMES)}, got {result!r}")
    position = Position.start(Board.parse(board_text))
    before, slash, after = f" {moves} ".partition(" / ")
    for name in [*before.split(), *after.split()]:
        position = position.play(name)
    cells = tuple(position.board.cell(name) for name in [*before.split(), *after.split()])
    game = GameRecord(
        index=int(number),
        first=first,
        second=second,
        board=position.board,
        repeat=int(repeat),
        opening_plies=len(before.split()) if slash else 0,
        cells=cells,
        outcome=OUTCOMES[result],
        forfeit=ending.removeprefix(FORFEIT) if ending.startswith(FORFEIT) else None,
        seconds=(0.0,) * len(cells),
        values=(None,) * len(cells),
        nodes=(None,) * len(cells),
    )
    if _ending(game) != ending or (position.outcome and position.outcome != game.outcome):
        raise ValueError(f"the ending {ending!r} and the result {result!r} do not fit the moves")
    return game
