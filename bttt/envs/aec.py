"""Brick Tic-Tac-Toe for PettingZoo: `bttt.envs.aec.env(...)`, two agents that move in turn."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from bttt.drawing import RENDER_MODES, draw
from bttt.envs.episode import (
    WITH_MASK,
    Bricks,
    action_space,
    brick_mask,
    check_choice,
    episode_boards,
    episode_size,
    observation_space,
    warn_without_render_mode,
)
from bttt.envs.rewards import LOST, final_reward
from bttt.observation import observe
from bttt.position import FIRST, Position

OF_A_GAME = ("agent_selection", "rewards", "_cumulative_rewards", "terminations", "truncations", "infos")
"""Attributes that exist from the first `reset` on."""


class NoGameError(ResetNeeded, AttributeError):
    """The environment was used before `reset`; an AttributeError too, so that `hasattr` works."""


def env(**kwargs: Any) -> AECEnv:
    """Returns the environment in PettingZoo's usual wrappers; takes the arguments of `raw_env`.

    An illegal action ends the game with reward -1 for its player. An action outside the action space, or
    calls in the wrong order, are assertion errors.
    """
    wrapped = wrappers.TerminateIllegalWrapper(raw_env(**kwargs), illegal_reward=int(LOST))
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(wrapped))


class BrickTicTacToeAEC(AECEnv[str, dict[str, np.ndarray], int]):
    """Brick Tic-Tac-Toe for two agents, "player_0" (moves first) and "player_1".

    Observations are dicts with two entries. `observation` `[4, rows, cols] int8` has the planes of
    `bttt.observation`, always from the observing agent's point of view. `action_mask` `[rows * cols] int8` is
    1 where the agent may play, and all 0 when it is not to move or the game is over. An action is a cell,
    `row * cols + col`. The winner's reward is +1, the loser's -1; a draw gives 0. `infos[agent]["bricks"]`
    `[rows * cols] int8` is 1 where a cell has a brick; the attribute `brick_names` names the bricks, for
    example "D4,E5".

    Args:
        bricks: Brick placements (see `bttt.envs.episode`); `reset` draws one of them.
            `reset(options={"bricks": "E5"})` draws from another set for one game. Following PettingZoo's
            conventions, other reset options are ignored.
        rows: Number of rows.
        cols: Number of columns.
        win_length: Stones in a row that win.
        render_mode: "ansi", "human" or "rgb_array".

    Raises:
        ValueError: An argument is not allowed; in `step`, the action is illegal.
        ResetNeeded: A game is used before the first `reset`.
    """

    metadata = {  # noqa: RUF012 (PettingZoo's own form)
        "name": "brick_tic_tac_toe_v0",
        "render_modes": list(RENDER_MODES),
        "is_parallelizable": False,
        "render_fps": 2,
    }

    def __init__(
        self,
        *,
        bricks: Bricks = "all",
        rows: int = 7,
        cols: int = 7,
        win_length: int = 4,
        render_mode: str | None = None,
    ):
        super().__init__()
        size = episode_size(rows, cols, win_length)
        check_choice("render_mode", render_mode, (None, *RENDER_MODES))
        self.boards = episode_boards(bricks, size)
        self.render_mode = render_mode
        self.possible_agents = ["player_0", "player_1"]
        self.agents = list(self.possible_agents)
        self.action_spaces = {agent: action_space(size) for agent in self.agents}
        self.observation_spaces = {agent: observation_space(size, WITH_MASK) for agent in self.agents}
        self.position = Position.start(self.boards[0])
        self._rng: np.random.Generator | None = None

    def __getattr__(self, name: str) -> Any:
        """Raises AttributeError; before the first `reset` it says so."""
        if name in OF_A_GAME:
            raise NoGameError(f"{name} is not known before the first game: call reset() first")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def brick_names(self) -> str:
        """The names of this game's bricks, for example "D4,E5"; empty without bricks."""
        return self.position.board.brick_names

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Returns the observation space, the same for both agents."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """Returns the action space, the same for both agents."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Starts a game on a board drawn from the brick placements; a seed fixes this and all later draws."""
        if seed is not None or self._rng is None:
            self._rng, _ = seeding.np_random(seed)
        bricks = (options or {}).get("bricks")
        boards = self.boards if bricks is None else episode_boards(bricks, self.boards[0])
        self.position = Position.start(boards[int(self._rng.integers(len(boards)))])
        self.agents = list(self.possible_agents)
        self.agent_selection = self.agents[FIRST]
        self.rewards = dict.fromkeys(self.agents, 0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos = {agent: {"bricks": brick_mask(self.position.board)} for agent in self.agents}
        self._render_human()

    def step(self, action: int | None) -> None:
        """Plays the selected agent's action and selects the other agent; pass None once the game is over."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        if action is None:
            raise ValueError(f"action is None, but {agent} must play a cell: None is for finished games only")
        self.position = self.position.play(action)
        if self.position.outcome:
            self.terminations = dict.fromkeys(self.agents, True)
            winner = self.position.outcome.winner
            self.rewards = {
                name: int(final_reward(winner, player)) for player, name in enumerate(self.possible_agents)
            }
            self._accumulate_rewards()
        self.agent_selection = self.possible_agents[self.position.to_move]
        self._render_human()

    def observe(self, agent: str) -> dict[str, np.ndarray]:
        """Returns an agent's observation; the class describes its entries."""
        planes = observe(self.position, self.possible_agents.index(agent))
        mask = self.position.legal_mask()
        if agent != self.agent_selection or self.terminations.get(agent, True):
            mask[:] = 0
        return {"observation": planes, "action_mask": mask}

    def render(self) -> str | np.ndarray | None:
        """Returns the board as text or as an image `[H, W, 3] uint8`; "human" prints it and returns None.

        Without a `render_mode` it warns and returns None.
        """
        if self.render_mode is None:
            warn_without_render_mode()
            return None
        return draw(self.position, self.render_mode)

    def close(self) -> None:
        """Does nothing: there is nothing to release."""

    def _render_human(self) -> None:
        if self.render_mode == "human":
            self.render()


raw_env = BrickTicTacToeAEC
