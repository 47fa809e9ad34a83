"""GameRecord: one finished game of a tournament."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.asking import is_breakdown
from bttt import Board, Outcome, Position, has_line


@dataclass(frozen=True, slots=True)
class GameRecord:
    """A finished game; the tuples with one entry per ply are all as long as `cells`.

    Attributes:
        index: The game's number in the schedule, from 0.
        first: Name (spec) of the player who moved first.
        second: Name of the player who moved second.
        board: The board.
        repeat: Number of the repeat of this pairing on this board, from 0.
        opening_plies: Number of first plies that were drawn at random, not chosen by the players.
        cells: The cells played, including the opening. The last position may be unfinished, since a game can
            be forfeited or adjudicated.
        outcome: How the game ended.
        forfeit: Why the loser forfeited: an exception, an illegal cell or the time limit. None otherwise.
        seconds: Thinking time of each ply, in seconds; 0 for opening plies. If an agent was queried for
            several games at once, its time is divided equally among them.
        values: The mover's expected result at each ply, in [-1, 1]; None if the agent reported none.
        nodes: Positions searched at each ply; None if the agent reported none.
        traceback: The traceback of the exception by which the game was forfeited. The store keeps the first
            one of each player only.
    """

    index: int
    first: str
    second: str
    board: Board
    repeat: int
    opening_plies: int
    cells: tuple[int, ...]
    outcome: Outcome
    forfeit: str | None
    seconds: tuple[float, ...]
    values: tuple[float | None, ...]
    nodes: tuple[int | None, ...]
    traceback: str | None = field(default=None, compare=False)

    @property
    def players(self) -> tuple[str, str]:
        """The players' names by seat."""
        return (self.first, self.second)

    @property
    def first_score(self) -> float:
        """Points of the first player: 1, 0.5 or 0."""
        return {Outcome.FIRST_WINS: 1.0, Outcome.DRAW: 0.5, Outcome.SECOND_WINS: 0.0}[self.outcome]

    @property
    def winner(self) -> int | None:
        """The winner's seat (FIRST or SECOND), or None for a draw."""
        return self.outcome.winner

    @property
    def forfeiter(self) -> str | None:
        """The player that forfeited the game, or None if there was no forfeit."""
        if self.forfeit is None or self.winner is None:
            return None
        return self.players[1 - self.winner]

    @property
    def broke_down(self) -> bool:
        """Whether the game was forfeited by an exception, or by the end of the player's process."""
        return self.forfeit is not None and is_breakdown(self.forfeit)

    @property
    def adjudicated(self) -> bool:
        """Whether the game was stopped early because the solver had proven its outcome.

        The record has no such field: a game is adjudicated if its last position is unfinished and it was
        not forfeited.
        """
        if self.forfeit is not None:
            return False
        last = (len(self.cells) - 1) % 2
        stones = sum(map(self.board.bit, self.cells[last::2]))
        full = len(self.cells) == self.board.cells - len(self.board.bricks)
        return not (full or has_line(stones, self.board.stride, self.board.win_length))

    def own_seconds(self, seat: int) -> tuple[float, ...]:
        """Returns the thinking times, in seconds, of the moves chosen by the player in `seat`."""
        start = self.opening_plies + (self.opening_plies + seat) % 2
        return self.seconds[start::2]

    def positions(self) -> list[Position]:
        """Returns the `len(cells) + 1` positions of the game, starting with the empty board."""
        positions = [Position.start(self.board)]
        for cell in self.cells:
            positions.append(positions[-1].play(cell))
        return positions


def broken_players(players: Sequence[str], games: Sequence[GameRecord]) -> tuple[str, ...]:
    """Returns the players that broke down in all their games; see `GameRecord.broke_down`."""
    played = Counter(player for game in games for player in game.players)
    broke_down = Counter(game.forfeiter for game in games if game.broke_down)
    return tuple(player for player in players if 0 < played[player] == broke_down[player])
