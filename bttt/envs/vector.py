"""Brick Tic-Tac-Toe for Gymnasium's vector interface: thousands of games stepped by compiled code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from bttt.board import Board
from bttt.drawing import frame
from bttt.envs import batch
from bttt.envs.episode import (
    ILLEGAL,
    Bricks,
    action_space,
    bricks_option,
    check_choice,
    check_seat,
    episode_boards,
    observation_space,
)
from bttt.opponent import RANDOM, Opponent, as_player, replies
from bttt.position import FIRST, SECOND, Outcome, Position
from bttt.runs import require_at_least

SELF = "self"
AUTORESET_MODES = (AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP)
RENDER_MODES = ("ansi", "rgb_array")


class BrickTicTacToeVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many games of `bttt/BrickTicTacToe-v0` at once.

    ```python
    envs = gymnasium.make_vec("bttt:bttt/BrickTicTacToe-v0", num_envs=1024, bricks="R3")
    observations, infos = envs.reset(seed=0)
    actions = bttt.envs.batch.random_actions(infos["action_mask"], rng)
    observations, rewards, terminations, truncations, infos = envs.step(actions)
    ```

    Spaces, rewards, episode ends, the keys of `infos` and the arguments match the single environment,
    `bttt.envs.gym.BrickTicTacToeEnv`, with a first axis of `num_envs`. Against a deterministic opponent on
    one board both environments play the same games. There are these additions:

    - `opponent="random"`, the default, plays inside the kernels. With `opponent="self"` the caller moves
      for both sides in turn. Observation and `infos["seat"]` then belong to the player to move. In a finished
      game that is the player whose turn it would be; after an illegal action, the player who made it. The
      reward goes to the player who has just moved. Any other opponent is queried for all games in one batch,
      with one generator per game.
    - `reset(seed=...)` fixes everything: boards, the random opponent, the opponents' generators.
      `reset(options={"bricks": ...})` applies to each game's first episode only.
    - `autoreset_mode="NextStep"` (default): the step after a game's end starts the next game. That step
      ignores the game's action, which must still be a cell, and gives reward 0. With `"SameStep"` the step
      that ends a game also starts the next one; `infos["final_obs"]` and `infos["final_info"]` then hold
      the last observation and info.
    - `copy=True` (default) returns new arrays at each step. `copy=False` refills the same arrays at each
      step, observations and masks included: copy what you keep.
    - `render()` returns one frame per game; `render_mode` is "ansi" or "rgb_array".
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 2}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        num_envs: int = 1,
        *,
        bricks: Bricks = "all",
        opponent: Opponent = RANDOM,
        seat: str = "first",
        illegal: str = "loss",
        rows: int = 7,
        cols: int = 7,
        win_length: int = 4,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
    ):
        require_at_least(1, num_envs=num_envs)
        size = Board(rows, cols, win_length)
        self.boards = episode_boards(bricks, size)
        check_seat(seat, self.boards)
        check_choice("illegal", illegal, ILLEGAL)
        check_choice("render_mode", render_mode, (None, *RENDER_MODES))
        autoreset_mode = getattr(autoreset_mode, "value", autoreset_mode)
        check_choice("autoreset_mode", autoreset_mode, [mode.value for mode in AUTORESET_MODES])
        if isinstance(opponent, str) and opponent == SELF and seat != "first":
            raise ValueError(
                f"seat must be 'first' with opponent='self', which moves for both seats; got {seat!r}"
            )
        self.num_envs = num_envs
        self._mode = batch.ASKED_OPPONENT
        if isinstance(opponent, str):
            self._mode = {SELF: batch.SELF_PLAY, RANDOM: batch.RANDOM_OPPONENT}.get(opponent, self._mode)
        self.opponent = as_player(opponent) if self._mode == batch.ASKED_OPPONENT else opponent
        self.seat, self.illegal, self.copy, self.render_mode = seat, illegal, copy, render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = observation_space(size)
        self.single_action_space = action_space(size)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._games: batch.BatchGames | None = None
        self._cells = np.empty(num_envs, np.int64)  # scratch of the kernels
        self._rngs: list[np.random.Generator] = []
        self._reused = None if copy else batch.make_views(num_envs, size.cells)
        self._set_boards(self.boards)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Returns the observations `[B, 4, rows, cols] int8` and the infos of B new episodes."""
        super().reset(seed=seed)
        bricks = bricks_option(options)
        boards = self.boards if bricks is None else episode_boards(bricks, self.boards[0])
        check_seat(self.seat, boards)
        self._set_boards(boards)
        games = self._new_games(None if seed is not None else self._games)
        games.board[:] = self.np_random.choice([self._table.index(board) for board in boards], self.num_envs)
        self._games = games
        views = self._show(games)
        return self._observations(views), self._infos(games, views)

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Returns observations, rewards, terminations, truncations and infos after `actions` `[B]`.

        Raises:
            ResetNeeded: `reset` was never called.
            ValueError: An action is not a cell, or an opponent's reply is illegal. With `illegal="raise"`
                also for an illegal action; no game has changed then.
        """
        games = self._games
        if games is None:
            raise ResetNeeded("call reset() before step()")
        actions = self._checked(actions, games)
        if self._mode == batch.ASKED_OPPONENT:
            batch.act_games(self._rules, games, actions, self._cells)
            views = self._show(games)
        else:
            views = self._views()
            batch.step_games(self._rules, games, actions, self._cells, views)
        rewards, over = views.rewards.copy(), views.over.copy()
        ends: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP and over.any():
            ends = self._ends(games, views)
            batch.restart_games(self._rules, games)
            views = self._show(games)
        infos = ends | self._infos(games, views)
        return self._observations(views), rewards, over, np.zeros(self.num_envs, np.bool_), infos

    def positions(self) -> list[Position]:
        """Returns the games' positions, for use by agents and solvers, and for drawing."""
        if self._games is None:
            raise ResetNeeded("call reset() before positions() or render()")
        return self._positions(self._games, range(self.num_envs))

    def render(self) -> tuple[str | np.ndarray, ...]:
        """Returns one frame per game: text or an image `[H, W, 3] uint8`, depending on `render_mode`."""
        return tuple(frame(position, self.render_mode) for position in self.positions())

    def _set_boards(self, boards: tuple[Board, ...]) -> None:
        """Allows games on `boards`; later episodes draw from the environment's own boards."""
        self._table = list(dict.fromkeys([*self.boards, *boards]))
        self._names = np.array([board.brick_names for board in self._table], object)
        self._rules = batch.make_rules(
            self._table,
            drawn=len(self.boards),
            opponent=self._mode,
            alternate=self.seat == "alternating",
        )

    def _new_games(self, before: batch.BatchGames | None) -> batch.BatchGames:
        """Returns games at their start.

        Args:
            before: Earlier games whose random numbers and seats continue; None seeds them from `np_random`.
        """
        games = batch.make_games(self.num_envs)
        if before is None:
            games.random[:] = self.np_random.integers(2**64, size=self.num_envs, dtype=np.uint64)
            games.seat[:] = SECOND if self.seat == "second" else FIRST
            if self._mode == batch.ASKED_OPPONENT:
                self._rngs = self.np_random.spawn(self.num_envs)
        else:
            games.random[:] = before.random
            if self._mode != batch.SELF_PLAY:
                games.seat[:] = before.seat ^ self._rules.alternate
        return games

    def _checked(self, actions: np.ndarray, games: batch.BatchGames) -> np.ndarray:
        """Returns the actions as `[B] int64`; raises ValueError if one is not allowed."""
        actions = np.asarray(actions)
        cells = self.boards[0].cells
        if actions.shape != (self.num_envs,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.num_envs} whole numbers, got shape {actions.shape}, {actions.dtype}"
            )
        if actions.min() < 0 or actions.max() >= cells:
            game = int(np.argmax((actions < 0) | (actions >= cells)))
            raise ValueError(
                f"action {actions[game]} of game {game} is out of range: valid actions are 0 to {cells - 1}"
            )
        actions = np.require(actions, np.int64, ["C", "W"])  # the only type that the kernels are compiled for
        if self.illegal == "raise":
            self._raise_illegal(actions, games)
        return actions

    def _raise_illegal(self, actions: np.ndarray, games: batch.BatchGames) -> None:
        rules = self._rules
        free = rules.playable[games.board] & ~(games.stones[:, 0] | games.stones[:, 1])
        legal = (free >> rules.bit_index[actions]) & np.uint64(1)
        wrong = np.flatnonzero((legal == 0) & (games.outcome == Outcome.UNFINISHED))
        if len(wrong):
            (position,) = self._positions(games, wrong[:1])
            name = position.board.cell_name(int(actions[wrong[0]]))
            raise ValueError(f"action {name} of game {wrong[0]} is illegal in {position}")

    def _show(self, games: batch.BatchGames) -> batch.Views:
        """Lets the opponent reply in the games where it is to move; returns the views of all games."""
        if self._mode == batch.ASKED_OPPONENT:
            self._play_replies(games)
        views = self._views()
        batch.view_games(self._rules, games, self._cells, views)
        return views

    def _play_replies(self, games: batch.BatchGames) -> None:
        unfinished = games.outcome == Outcome.UNFINISHED
        waiting = np.flatnonzero(unfinished & (games.plies & 1 != games.seat))
        if len(waiting):
            rngs = [self._rngs[game] for game in waiting]
            positions = self._positions(games, waiting)
            self._games = None  # until the opponent has replied: if it raises, the games cannot continue
            answers = replies(self.opponent, positions, rngs)
            self._games = games
            self._cells[:] = -1
            self._cells[waiting] = answers
            batch.play_cells(self._rules, games, self._cells)

    def _views(self) -> batch.Views:
        return self._reused or batch.make_views(self.num_envs, self.boards[0].cells)

    def _positions(self, games: batch.BatchGames, numbers: Iterable[int]) -> list[Position]:
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

    def _observations(self, views: batch.Views) -> np.ndarray:
        return views.planes.reshape(self.observation_space.shape)

    def _infos(self, games: batch.BatchGames, views: batch.Views) -> dict[str, Any]:
        infos = {
            "action_mask": views.masks,
            "seat": games.seat.copy(),
            "bricks": self._names[games.board],
            "illegal": games.illegal.copy(),
        }
        return infos | {f"_{key}": np.ones(self.num_envs, np.bool_) for key in infos}

    def _ends(self, games: batch.BatchGames, views: batch.Views) -> dict[str, Any]:
        """Returns the final observations and infos of the finished games, under Gymnasium's keys."""
        over = views.over.copy()
        observations = np.full(self.num_envs, None, object)
        for game in np.flatnonzero(over):
            observations[game] = self._observations(views)[game].copy()
        infos = self._infos(games, views)
        last: dict[str, Any] = {}
        for key in ("action_mask", "seat", "bricks", "illegal"):
            last[key] = np.full_like(infos[key], None if key == "bricks" else 0)
            last[key][over] = infos[key][over]
            last[f"_{key}"] = over.copy()
        return {"final_obs": observations, "_final_obs": over.copy(), "final_info": last, "_final_info": over}
