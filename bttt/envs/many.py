"""Many games at once: their boards, their random numbers, and who replies in them.

The vector environment is the door to it; the arrays are described in `bttt.envs.games`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from gymnasium.error import ResetNeeded

from bttt.board import Board
from bttt.envs import batch
from bttt.envs.games import (
    ASKED_OPPONENT,
    NO_LIMIT,
    RANDOM_OPPONENT,
    SELF_PLAY,
    BatchGames,
    BatchRules,
    Views,
    ended,
    legal_words,
    make_games,
    make_rules,
    make_views,
)
from bttt.opponent import RANDOM, Opponent, as_player, replies
from bttt.position import FIRST, SECOND, Outcome, Position

SELF = "self"


class ManyGames:
    """A batch of games of one size.

    Args:
        count: Number of games.
        boards: The boards that new games draw from, all of one size.
        seat: The learner's seat, one of `bttt.envs.episode.SEATS`.
        most_steps: Steps after which a game has ended; None for any number.
        copy: Whether each step returns new arrays; otherwise the same ones are filled again.
    """

    def __init__(
        self, count: int, *, boards: tuple[Board, ...], seat: str, most_steps: int | None, copy: bool
    ):
        self.count, self.boards, self.seat = count, boards, seat
        self.most_steps = NO_LIMIT if most_steps is None else most_steps
        self.opponent: Opponent = RANDOM
        self._mode = RANDOM_OPPONENT
        self._games: BatchGames | None = None
        self._rngs: list[np.random.Generator] = []
        self._cells = np.empty(count, np.int64)  # scratch of the kernels
        self._reused = None if copy else make_views(count, boards[0].cells)
        self._table: list[Board]
        self._rules: BatchRules
        self._set_boards(boards)

    @property
    def games(self) -> BatchGames:
        """The games.

        Raises:
            ResetNeeded: They were never started, or an opponent has failed in one of them.
        """
        if self._games is None:
            raise ResetNeeded("call reset() first, for all games")
        return self._games

    @property
    def started(self) -> bool:
        """Whether there are games."""
        return self._games is not None

    def set_opponent(self, opponent: Opponent, rng: np.random.Generator) -> None:
        """Sets who replies: "random", "self" (nobody), a spec, an agent or a callable.

        Args:
            opponent: The opponent.
            rng: Generator that seeds the games' generators if the opponent is the first that is asked.

        Raises:
            TypeError: It is no opponent.
            ValueError: No agent has this spec, or games against "self" would go on against others.
        """
        mode = ASKED_OPPONENT
        if isinstance(opponent, str):
            mode = {SELF: SELF_PLAY, RANDOM: RANDOM_OPPONENT}.get(opponent, mode)
        if self.started and mode != self._mode and SELF_PLAY in (mode, self._mode):
            raise ValueError(f"opponent {SELF!r} cannot be set or replaced after reset()")
        self.opponent = as_player(opponent) if mode == ASKED_OPPONENT else opponent
        self._mode = mode
        self._rules = self._rules._replace(opponent=mode)
        if self.started and mode == ASKED_OPPONENT and not self._rngs:
            self._rngs = rng.spawn(self.count)

    def start(self, boards: Sequence[Board], rng: np.random.Generator, *, fresh: bool) -> None:
        """Starts all games, on boards drawn from `boards` by one generator.

        Args:
            boards: The boards to draw from; later games draw from the usual ones.
            rng: The generator.
            fresh: Whether it also seeds each game; otherwise random numbers and seats continue.
        """
        self._set_boards(boards)
        games, before = make_games(self.count), self._games
        if fresh or before is None:
            games.random[:] = rng.integers(2**64, size=self.count, dtype=np.uint64)
            games.seat[:] = self._first_seat
            self._rngs = rng.spawn(self.count) if self._mode == ASKED_OPPONENT else []
        else:
            games.random[:] = before.random
            if self._mode != SELF_PLAY:
                games.seat[:] = before.seat ^ self._rules.alternate
        games.board[:] = rng.choice([self._table.index(board) for board in boards], self.count)
        self._games = games

    def restart(
        self, boards: Sequence[Board], which: np.ndarray, rngs: Sequence[np.random.Generator | None] = ()
    ) -> None:
        """Starts some games anew, each on a board that its own random numbers draw.

        Args:
            boards: The boards to draw from; later games draw from the usual ones.
            which: `[B] bool`, the games.
            rngs: New generators of games, or None for each game whose random numbers continue. A game with a
                new generator begins as the single environment does with it, and its learner in the first seat
                if seats alternate.
        """
        games = self.games
        self._add_boards(boards, ~which)
        self._cells[:] = np.where(which, -1, 0)
        batch.restart_games(self._rules._replace(drawn=len(boards)), games, self._cells)
        for game, rng in enumerate(rngs):
            if which[game] and rng is not None:
                games.board[game] = rng.integers(len(boards))
                games.random[game] = rng.spawn(1)[0].integers(2**64, dtype=np.uint64)
                games.seat[game] = self._first_seat
                if self._mode == ASKED_OPPONENT:
                    self._rngs[game] = rng
        drawn = np.array([self._table.index(board) for board in boards])
        games.board[which] = drawn[games.board[which]]

    def act(self, actions: np.ndarray) -> Views:
        """Plays `actions` `[B] int64` and the replies; games that have ended start anew instead."""
        games = self.games
        if self._mode == ASKED_OPPONENT:
            batch.act_games(self._rules, games, actions, self._cells)
            return self.show()
        views = self._views()
        batch.step_games(self._rules, games, actions, self._cells, views)
        return views

    def show(self) -> Views:
        """Lets the opponent reply in the games where it is to move; returns the views of all games."""
        games = self.games
        if self._mode == ASKED_OPPONENT:
            self._play_replies(games)
        views = self._views()
        batch.view_games(self._rules, games, self._cells, views)
        return views

    def ended(self) -> np.ndarray:
        """Returns which games are over or have reached the limit of steps, `[B] bool`."""
        return ended(self._rules, self.games)

    def legal(self) -> np.ndarray:
        """Returns where the player of each game may play, `[B, cells] bool`; nowhere once it is over."""
        words = legal_words(self._rules, self.games)
        return ((words[:, None] >> self._rules.bit_index) & np.uint64(1)).astype(np.bool_)

    def positions(self, numbers: Iterable[int]) -> list[Position]:
        """Returns the positions of some games."""
        games = self.games
        return [
            Position(
                self._table[games.board[i]],
                int(games.stones[i, FIRST]),
                int(games.stones[i, SECOND]),
                Outcome(int(games.outcome[i])),
                None if games.last_move[i] < 0 else int(games.last_move[i]),
            )
            for i in numbers
        ]

    @property
    def _first_seat(self) -> int:
        return SECOND if self.seat == "second" else FIRST

    def _views(self) -> Views:
        return self._reused or make_views(self.count, self.boards[0].cells)

    def _set_boards(self, boards: Iterable[Board]) -> None:
        """Allows games on `boards`; later games draw from the usual boards, the first of the table."""
        self._table = list(dict.fromkeys([*self.boards, *boards]))
        self._rules = make_rules(
            self._table,
            drawn=len(self.boards),
            opponent=self._mode,
            alternate=self.seat == "alternating",
            most_steps=self.most_steps,
        )

    def _add_boards(self, boards: Sequence[Board], kept: np.ndarray) -> None:
        """Allows games on `boards` besides those of the games in `kept` `[B] bool`, which stay there."""
        if boards is self.boards:
            return
        games, before = self.games, self._table
        used = np.unique(games.board[kept]).tolist()
        self._set_boards([*boards, *(before[number] for number in used)])
        new = {number: self._table.index(before[number]) for number in used}
        games.board[kept] = [new[number] for number in games.board[kept].tolist()]

    def _play_replies(self, games: BatchGames) -> None:
        unfinished = games.outcome == Outcome.UNFINISHED
        waiting = np.flatnonzero(unfinished & (games.plies & 1 != games.seat))
        if len(waiting):
            rngs = [self._rngs[game] for game in waiting]
            positions = self.positions(waiting)
            self._games = None  # until the opponent has replied: if it raises, the games cannot continue
            answers = replies(self.opponent, positions, rngs)
            self._games = games
            self._cells[:] = -1
            self._cells[waiting] = answers
            batch.play_cells(self._rules, games, self._cells)
