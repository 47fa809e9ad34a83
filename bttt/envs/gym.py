"""Brick Tic-Tac-Toe for Gymnasium: one learner against a given opponent."""

from __future__ import annotations

from copy import copy
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded

from bttt.board import Board
from bttt.drawing import RENDER_MODES, draw
from bttt.envs.episode import (
    ILLEGAL,
    OBSERVATIONS,
    PLANES_ALONE,
    Bricks,
    action_space,
    brick_mask,
    bricks_option,
    check_choice,
    check_seat,
    episode_boards,
    episode_size,
    observation_space,
    warn_without_render_mode,
)
from bttt.envs.rewards import LOST, final_reward
from bttt.observation import observe
from bttt.opponent import RANDOM, Opponent, as_player, replies
from bttt.position import FIRST, SECOND, Position

Observation = np.ndarray | dict[str, np.ndarray]


class BrickTicTacToeEnv(gymnasium.Env[Observation, np.int64]):
    """Brick Tic-Tac-Toe against an opponent, `bttt/BrickTicTacToe-v0`.

    ## Description
    Two players place stones in turn on the free cells of a board, by default 7x7; four in a row,
    horizontally, vertically or diagonally, wins. A *brick* blocks its cell for both players. The
    placement of the bricks changes from episode to episode: train on some placements, test on others.
    Each step plays the learner's stone and then the opponent's reply.

    ```python
    env = gymnasium.make("bttt:bttt/BrickTicTacToe-v0", bricks="R3", seat="alternating")
    observation, info = env.reset(seed=0)
    done = False
    while not done:
        action = env.action_space.sample(mask=info["action_mask"])
        observation, reward, done, truncated, info = env.step(action)
    ```

    ## Action Space
    `Discrete(rows * cols)`: the cell `row * cols + col`, counted from the top left. `Board.cell("D4")`
    returns the index for a name. Only free cells are legal: see `info["action_mask"]`.

    ## Observation Space
    `Box(0, 1, (4, rows, cols), int8)`: the planes described in `bttt.observation`, always from the
    learner's point of view: the learner's stones, the opponent's stones, the bricks, and a plane of ones
    if the learner has the second seat. With `observation="dict"` it is a dict: `observation` has the planes,
    `action_mask` `[rows * cols] int8` has a 1 where a cell may be played.

    ## Starting State
    An empty board drawn uniformly from `bricks`. If the learner has the second seat, `reset` also plays
    the opponent's first stone. `reset(options={"bricks": "E5"})` draws from another brick set of the same
    size, for that episode only.

    ## Rewards
    +1 when the learner wins, -1 when it loses, 0 for a draw and before the end.

    ## Episode End
    The episode terminates when a player has a line or the board is full; with `illegal="loss"` also at an
    illegal action. Games are short, so they are never truncated.

    ## Information
    `reset` and `step` return the same keys, numpy values of fixed shape and dtype:

    - `action_mask`: `[rows * cols] int8`, 1 where a cell may be played; all 0 once the episode is over;
    - `seat`: `int64`, the learner's seat in this episode, 0 (first) or 1 (second);
    - `bricks`: `[rows * cols] int8`, 1 where a cell has a brick;
    - `illegal`: `[] bool`, whether an illegal action has ended the episode.

    The attribute `brick_names` names this episode's bricks, for example "D4,E5". The attribute `position` is
    the `bttt.Position`, for use by agents and solvers. `action_masks()` returns the mask as `bool`, for
    sb3-contrib's MaskablePPO.

    ## Arguments
    - `bricks`: the name of a brick set (`bttt.bricks`: "D4", "D4+E5", "R3", "all", "orbit:2", ...), a
      `Board`, or a list of either; default "all": one brick, on any cell;
    - `opponent`: an agent's spec such as "minimax:depth=2", an agent with `decide(positions, rng)`, or a
      callable `(position, rng) -> cell`; default "random": uniformly random. It draws from the
      environment's generator, so `reset(seed=...)` fixes its play;
    - `seat`: "first" (default), "second" or "alternating" (first in the first episode after a seed);
    - `illegal`: "loss" (default) ends the episode with -1, "raise" raises ValueError;
    - `observation`: "planes" (default) or "dict" (with the action mask);
    - `rows`, `cols`, `win_length`: the size, default 7, 7 and 4; `rows * (cols + 1)` at most 64;
    - `render_mode`: "ansi" (returns text), "human" (prints it) or "rgb_array".

    ## Version History
    - v0: initial version.
    """

    metadata = {"render_modes": list(RENDER_MODES), "render_fps": 2}  # noqa: RUF012 (Gymnasium's own form)

    def __init__(
        self,
        *,
        bricks: Bricks = "all",
        opponent: Opponent = RANDOM,
        seat: str = "first",
        illegal: str = "loss",
        observation: str = PLANES_ALONE,
        rows: int = 7,
        cols: int = 7,
        win_length: int = 4,
        render_mode: str | None = None,
    ):
        size = episode_size(rows, cols, win_length)
        self.boards = episode_boards(bricks, size)
        check_seat(seat, self.boards)
        check_choice("illegal", illegal, ILLEGAL)
        check_choice("observation", observation, OBSERVATIONS)
        check_choice("render_mode", render_mode, (None, *RENDER_MODES))
        self.opponent = opponent
        self.seat = seat
        self.illegal = illegal
        self.render_mode = render_mode
        self.observation_space: spaces.Space[Any] = observation_space(size, observation)
        self.action_space = action_space(size)
        self.position = Position.start(self.boards[0])
        self._learner = FIRST
        self._next_seat = FIRST
        self._illegal_played = False
        self._over = True

    @property
    def opponent(self) -> Any:
        """The agent or callable that replies; an assigned spec becomes its agent."""
        return self._opponent

    @opponent.setter
    def opponent(self, opponent: Opponent) -> None:
        self._opponent = as_player(opponent)

    @property
    def brick_names(self) -> str:
        """The names of this episode's bricks, for example "D4,E5"; empty without bricks."""
        return self.position.board.brick_names

    def action_masks(self) -> np.ndarray:
        """Returns where the learner may play, `[cells] bool`; nowhere once the episode is over."""
        return self._mask().astype(np.bool_)

    def in_state(self, position: Position, learner: int, *, illegal: bool) -> BrickTicTacToeEnv:
        """Returns a copy of this environment in another state; the vector environment shows its games so.

        Args:
            position: The position, in which the learner is to move unless the game is over.
            learner: The learner's seat, FIRST or SECOND.
            illegal: Whether an illegal action has ended the episode.
        """
        other = copy(self)
        other.position, other._learner, other._illegal_played = position, learner, illegal
        other._over = illegal or bool(position.outcome)
        return other

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Returns the observation and the info of a new episode."""
        super().reset(seed=seed)
        boards = self._boards_for(options)
        if seed is not None:
            self._next_seat = FIRST
        self._learner = {"first": FIRST, "second": SECOND, "alternating": self._next_seat}[self.seat]
        self._next_seat = 1 - self._learner
        self._illegal_played = False
        self._over = True  # until the opponent has replied: if it raises, the episode cannot continue
        self.position = Position.start(boards[int(self.np_random.integers(len(boards)))])
        if self._learner == SECOND:
            self._reply()
        self._over = False
        self._render_human()
        return self._observation(), self._info()

    def step(self, action: int | np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Returns observation, reward, terminated, truncated and info after the action and the reply.

        Raises:
            ResetNeeded: The episode is over.
            ValueError: The action is not a cell, or illegal with `illegal="raise"`, or the opponent's
                reply is illegal.
        """
        if self._over:
            raise ResetNeeded("the episode is over: call reset() before step()")
        cell = self.position.board.cell(action)
        if self.illegal == "loss" and not self.position.board.bit(cell) & self.position.free:
            self._illegal_played = True
        else:
            self.position = self.position.play(cell)
            self._over = True  # until the opponent has replied, as in reset
            if not self.position.outcome:
                self._reply()
        self._over = self._illegal_played or bool(self.position.outcome)
        self._render_human()
        return self._observation(), self._reward(), self._over, False, self._info()

    def render(self) -> str | np.ndarray | None:
        """Returns the board as text or as an image `[H, W, 3] uint8`; "human" prints it and returns None.

        Without a `render_mode` it warns and returns None.
        """
        if self.render_mode is None:
            warn_without_render_mode()
            return None
        return draw(self.position, self.render_mode)

    def _boards_for(self, options: dict[str, Any] | None) -> tuple[Board, ...]:
        bricks = bricks_option(options)
        if bricks is None:
            return self.boards
        boards = episode_boards(bricks, self.boards[0])
        check_seat(self.seat, boards)
        return boards

    def _reply(self) -> None:
        (cell,) = replies(self.opponent, [self.position], [self.np_random])
        self.position = self.position.play(cell)

    def _reward(self) -> float:
        if self._illegal_played:
            return LOST
        if not self.position.outcome:
            return 0.0
        return final_reward(self.position.outcome.winner, self._learner)

    def _observation(self) -> Observation:
        planes = observe(self.position, self._learner)
        if isinstance(self.observation_space, spaces.Dict):
            return {"observation": planes, "action_mask": self._mask()}
        return planes

    def _mask(self) -> np.ndarray:
        mask = self.position.legal_mask()
        if self._over:
            mask[:] = 0
        return mask

    def _info(self) -> dict[str, Any]:
        return {
            "action_mask": self._mask(),
            "seat": np.int64(self._learner),
            "bricks": brick_mask(self.position.board),
            "illegal": np.array(
                self._illegal_played
            ),  # Gymnasium's vector environments stack arrays of bools
        }

    def _render_human(self) -> None:
        if self.render_mode == "human":
            self.render()
