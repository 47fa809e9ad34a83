"""GameRecord: one finished game of a tournament."""

from __future__ import annotations

from dataclasses import dataclass

from bttt import Board, Outcome, Position, has_line


@dataclass(frozen=True, slots=True)
class GameRecord:
    """A finished game; the per-ply tuples are all as long as `cells`.

    Attributes:
        index: The game's number in the schedule, from 0.
        first: Name (spec) of the player who moved first.
        second: Name of the player who moved second.
        board: The board.
        repeat: Which repeat of this pairing on this board, from 0.
        opening_plies: How many of the first plies were drawn at random and not chosen by the players.
        cells: The cells played, opening included. The board need not be decided after them: a game may be
            forfeited or adjudicated.
        outcome: How the game ended.
        forfeit: Why the loser lost without a line (an exception, an illegal cell, the clock); else None.
        seconds: Thinking time of each ply, in seconds; 0 for opening plies. Where an agent was asked for
            several games at once, each has an equal share of the time.
        values: The mover's expected result at each ply, in [-1, 1]; None where the agent gave none.
        nodes: Positions searched at each ply; None where the agent gave none.
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
        """The winner's seat (FIRST or SECOND), None for a draw."""
        return self.outcome.winner

    @property
    def forfeiter(self) -> str | None:
        """The player who forfeited the game; None where nobody did."""
        if self.forfeit is None or self.winner is None:
            return None
        return self.players[1 - self.winner]

    @property
    def adjudicated(self) -> bool:
        """Whether the game ended before the board decided it, because its outcome was proven.

        It is not recorded apart: a game that ends undecided and without a forfeit is an adjudicated one.
        """
        if self.forfeit is not None:
            return False
        last = (len(self.cells) - 1) % 2
        stones = sum(map(self.board.bit, self.cells[last::2]))
        full = len(self.cells) == self.board.cells - len(self.board.bricks)
        return not (full or has_line(stones, self.board.stride, self.board.win_length))

    def own_seconds(self, seat: int) -> tuple[float, ...]:
        """Returns the thinking times, in seconds, of the moves that the player in `seat` chose."""
        start = self.opening_plies + (self.opening_plies + seat) % 2
        return self.seconds[start::2]

    def positions(self) -> list[Position]:
        """Returns the `len(cells) + 1` positions of the game, the empty board first."""
        positions = [Position.start(self.board)]
        for cell in self.cells:
            positions.append(positions[-1].play(cell))
        return positions
