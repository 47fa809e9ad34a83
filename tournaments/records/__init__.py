"""Stored games outside their run: as text with one game a line, and joined from several runs.

>>> from bttt import Board
>>> from tournaments.records import game_line, parse_games
>>> fields = ("7", "4x4x3:A1", "random", "perfect", "0", "1-0", "line", "B1 C1 / B2 C2 B3")
>>> line = chr(9).join(fields)  # with tabs between them
>>> (game,) = parse_games([line])
>>> game.first, game.opening_plies, game.board == Board.parse("4x4x3:A1"), game_line(game) == line
('random', 2, True, True)

Modules: `text` is the format of a line, `export` the command `bttt games`, `merge` the command `bttt merge`.
"""

from tournaments.records.text import HEADER, game_line, games_text, parse_games

__all__ = ["HEADER", "game_line", "games_text", "parse_games"]
