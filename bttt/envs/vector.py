"""Brick Tic-Tac-Toe for Gymnasium's vector interface: thousands of games stepped by compiled code."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from bttt.drawing import frame
from bttt.envs.episode import (
    ILLEGAL,
    PLANES_ALONE,
    WITH_MASK,
    Bricks,
    bricks_option,
    check_choice,
    check_seat,
    episode_boards,
    warn_without_render_mode,
)
from bttt.envs.games import Views
from bttt.envs.gym import BrickTicTacToeEnv, Observation
from bttt.envs.infos import final_infos, infos_of
from bttt.envs.many import SELF, ManyGames
from bttt.envs.members import ask_each, shared_value
from bttt.envs.resets import MASK, Seed, game_generators, reset_mask
from bttt.opponent import RANDOM, Opponent
from bttt.position import Position
from bttt.runs import require_at_least

RENDER_MODES = ("ansi", "rgb_array")


class BrickTicTacToeVectorEnv(VectorEnv[Observation, np.ndarray, np.ndarray]):
    """Many games of `bttt/BrickTicTacToe-v0` at once.

    ```python
    envs = gymnasium.make_vec("bttt:bttt/BrickTicTacToe-v0", num_envs=1024, bricks="R3")
    observations, infos = envs.reset(seed=0)
    actions = bttt.envs.batch.random_actions(infos["action_mask"], rng)
    observations, rewards, terminations, truncations, infos = envs.step(actions)
    ```

    Spaces, rewards, episode ends, the keys of `infos` and the arguments match the single environment,
    `bttt.envs.gym.BrickTicTacToeEnv`, with a first axis of `num_envs`. Against a deterministic opponent on
    one board both environments play the same games; given a list of seeds, against any agent or callable.
    There are these additions:

    - `opponent="random"`, the default, plays inside the kernels. With `opponent="self"` the caller moves
      for both sides in turn. Observation and `infos["seat"]` then belong to the player to move. In a finished
      game that is the player whose turn it would be; after an illegal action, the player who made it. The
      reward goes to the player who has just moved. Any other opponent is queried for all games in one batch,
      with one generator per game.
    - `autoreset_mode="NextStep"` (default): the step after a game's end starts the next game. That step
      ignores the game's action, which must still be a cell, and gives reward 0. With `"SameStep"` the step
      that ends a game also starts the next one; `infos["final_obs"]` and `infos["final_info"]` then hold
      the last observation and info. With `"Disabled"` the caller resets: see `reset`.
    - `max_episode_steps`: a game that has not ended after so many steps is truncated (default: never).
    - `action_masks()` `[B, rows * cols] bool`, `brick_names` and `positions()` have one entry per game. So
      have `call(name)` and `get_attr(name)`, for a method or an attribute of the single environment.
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
        observation: str = PLANES_ALONE,
        rows: int = 7,
        cols: int = 7,
        win_length: int = 4,
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        render_mode: str | None = None,
    ):
        if not isinstance(num_envs, int | np.integer) or isinstance(num_envs, bool):
            raise ValueError(f"num_envs must be a whole number, at least 1, got {num_envs!r}")
        require_at_least(1, num_envs=num_envs, max_episode_steps=max_episode_steps)
        check_choice("render_mode", render_mode, (None, *RENDER_MODES))
        autoreset_mode = getattr(autoreset_mode, "value", autoreset_mode)
        check_choice("autoreset_mode", autoreset_mode, [mode.value for mode in AutoresetMode])
        if isinstance(opponent, str) and opponent == SELF and seat != "first":
            raise ValueError(
                f"seat must be 'first' with opponent='self', which moves for both seats; got {seat!r}"
            )
        self._single = BrickTicTacToeEnv(
            bricks=bricks,
            seat=seat,
            illegal=illegal,
            observation=observation,
            rows=rows,
            cols=cols,
            win_length=win_length,
            render_mode=render_mode,
        )
        self.num_envs, self.boards = num_envs, self._single.boards
        self.seat, self.observation, self.copy, self.render_mode = seat, observation, copy, render_mode
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.single_observation_space = self._single.observation_space
        self.single_action_space = self._single.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._many = ManyGames(
            num_envs, boards=self.boards, seat=seat, most_steps=max_episode_steps, copy=copy
        )
        self._apart = False  # whether the games were last seeded one by one
        self.opponent = opponent

    @property
    def opponent(self) -> Any:
        """Who replies: "random", "self", an agent or a callable; an assigned spec becomes its agent."""
        return self._many.opponent

    @opponent.setter
    def opponent(self, opponent: Opponent) -> None:
        self._many.set_opponent(opponent, self.np_random)
        self._single.opponent = RANDOM if isinstance(self.opponent, str) else self.opponent

    @property
    def illegal(self) -> str:
        """Effect of an illegal action, "loss" or "raise"."""
        return self._single.illegal

    @illegal.setter
    def illegal(self, illegal: str) -> None:
        check_choice("illegal", illegal, ILLEGAL)
        self._single.illegal = illegal

    def reset(
        self, *, seed: Seed = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Returns the observations `[B, 4, rows, cols] int8` and the infos of new episodes.

        Args:
            seed: A number seeds all games together and fixes everything: boards, the random opponent, the
                opponents' generators. A list has one seed for each game, which then depends on no other game;
                None in it continues that game's random numbers.
            options: `bricks` are the brick placements of each game's first episode. `reset_mask` `[B] bool`
                selects the games to reset: the others stay as they are, and the infos have entries only of
                games that were reset. With a mask a number as seed stands for seed, seed + 1, ...

        Raises:
            ValueError: An option or a seed is not allowed.
            TypeError: The mask is no array of bools.
            ResetNeeded: Only some games are to be reset, and there are none yet.
        """
        bricks = bricks_option(options, MASK)
        boards = self.boards if bricks is None else episode_boards(bricks, self.boards[0])
        check_seat(self.seat, boards)
        which = reset_mask(options, self.num_envs)
        apart = which is not None or (self._apart and seed is None)
        rngs = game_generators(seed, self.num_envs, apart=apart)
        if rngs is None:
            super().reset(seed=seed)  # type: ignore[arg-type]  # a number or None
            self._many.start(boards, self.np_random, fresh=seed is not None)
        else:
            some = np.ones(self.num_envs, np.bool_) if which is None else which
            if some.all() and not self._many.started:
                self._many.start(boards, self.np_random, fresh=True)
                some = np.array([rng is not None for rng in rngs])
            self._many.restart(boards, some, rngs)
        if which is None:
            self._apart = rngs is not None
        views = self._many.show()
        return self._observations(views), infos_of(self._many.games, views, which)

    def step(
        self, actions: np.ndarray
    ) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Returns observations, rewards, terminations, truncations and infos after `actions` `[B]`.

        Raises:
            ResetNeeded: `reset` was never called, or with `autoreset_mode="Disabled"` a game has ended.
            ValueError: An action is not a cell, or an opponent's reply is illegal. With `illegal="raise"`
                also for an illegal action; no game has changed then.
        """
        many = self._many
        games = many.games
        actions = self._checked(actions)
        views = many.act(actions)
        rewards, terminations = views.rewards.copy(), views.over.copy()
        truncations = games.steps >= many.most_steps
        done = terminations | truncations
        ends: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP and done.any():
            ends = final_infos(games, views, done, self._observations(views))
            many.restart(self.boards, done)
            views = many.show()
        return self._observations(views), rewards, terminations, truncations, ends | infos_of(games, views)

    def positions(self) -> list[Position]:
        """Returns the games' positions, for use by agents and solvers, and for drawing."""
        return self._many.positions(range(self.num_envs))

    @property
    def brick_names(self) -> tuple[str, ...]:
        """The names of each game's bricks, for example "D4,E5"; empty without bricks."""
        return tuple(position.board.brick_names for position in self.positions())

    def action_masks(self) -> np.ndarray:
        """Returns where each game's player may play, `[B, cells] bool`; nowhere once the game is over."""
        return self._many.legal()

    def render(self) -> tuple[str | np.ndarray, ...] | None:
        """Returns one frame per game: text or an image `[H, W, 3] uint8`, depending on `render_mode`.

        Without a `render_mode` it warns and returns None.
        """
        if self.render_mode is None:
            warn_without_render_mode()
            return None
        return tuple(frame(position, self.render_mode) for position in self.positions())

    def call(self, name: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Returns, for each game, what a method of the single environment returns, or its attribute."""
        return ask_each(self._singles(), name, *args, **kwargs)

    def get_attr(self, name: str) -> tuple[Any, ...]:
        """Returns an attribute of the single environment for each game."""
        return ask_each(self._singles(), name)

    def set_attr(self, name: str, values: Any) -> None:
        """Sets `opponent` or `illegal` for all games; `values` is one value, or a list of equal ones."""
        setattr(self, name, shared_value(name, values, self.num_envs))

    def _singles(self) -> list[BrickTicTacToeEnv]:
        """Returns each game as a single environment in its state."""
        if not self._many.started:
            return [self._single] * self.num_envs
        games = self._many.games
        states = zip(self.positions(), games.seat.tolist(), games.illegal.tolist(), strict=True)
        return [self._single.in_state(position, seat, illegal=illegal) for position, seat, illegal in states]

    def _checked(self, actions: np.ndarray) -> np.ndarray:
        """Returns the actions as `[B] int64`; raises an error if one is not allowed."""
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
        if self.autoreset_mode == AutoresetMode.DISABLED or self.illegal == "raise":
            self._check_in_games(actions)
        return actions

    def _check_in_games(self, actions: np.ndarray) -> None:
        over = self._many.ended()
        if self.autoreset_mode == AutoresetMode.DISABLED and over.any():
            raise ResetNeeded(
                f"game {int(np.argmax(over))} has ended: with autoreset_mode='Disabled' call "
                f"reset(options={{{MASK!r}: terminations | truncations}}) before step()"
            )
        if self.illegal == "raise":
            wrong = np.flatnonzero(~self.action_masks()[np.arange(self.num_envs), actions] & ~over)
            if len(wrong):
                (position,) = self._many.positions(wrong[:1])
                name = position.board.cell_name(int(actions[wrong[0]]))
                raise ValueError(f"action {name} of game {wrong[0]} is illegal in {position}")

    def _observations(self, views: Views) -> Observation:
        planes = views.planes.reshape((self.num_envs, -1, self.boards[0].rows, self.boards[0].cols))
        if self.observation == WITH_MASK:
            return {"observation": planes, "action_mask": views.masks.copy()}
        return planes
