"""The infos of the vector environment, with the keys that Gymnasium's own vector environments give them.

Each key of the single environment's info is an array with one row per game. The key with an underscore in
front, `[B] bool`, tells which games have this entry; rows of the others are 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bttt.envs.games import BatchGames, Views

BRICKS = 2
"""The plane that shows the bricks (see `bttt.observation`)."""


def infos_of(games: BatchGames, views: Views, which: np.ndarray | None = None) -> dict[str, Any]:
    """Returns the infos of the games in `which` `[B] bool`, by default of all games."""
    infos = {
        "action_mask": views.masks,
        "seat": games.seat.copy(),
        "bricks": views.planes[:, BRICKS].copy(),
        "illegal": games.illegal.copy(),
    }
    if which is None:
        which = np.ones(len(games.seat), np.bool_)
    elif not which.all():
        for key, values in infos.items():
            infos[key] = values.copy()
            infos[key][~which] = 0
    return infos | {f"_{key}": which.copy() for key in infos}


def final_infos(games: BatchGames, views: Views, ended: np.ndarray, observations: Any) -> dict[str, Any]:
    """Returns the last observations and infos of the games in `ended` `[B] bool`, which start anew.

    Args:
        games: The games, not restarted yet.
        views: Their views.
        ended: The games that have ended.
        observations: The observations of all games, an array or a dict of arrays with a first axis B.
    """
    last = np.full(len(ended), None, object)
    for game in np.flatnonzero(ended):
        if isinstance(observations, dict):
            last[game] = {key: values[game].copy() for key, values in observations.items()}
        else:
            last[game] = observations[game].copy()
    infos = infos_of(games, views, ended)
    infos["action_mask"] = infos["action_mask"].copy()  # the views may be filled again
    return {
        "final_obs": last,
        "_final_obs": ended.copy(),
        "final_info": infos,
        "_final_info": ended.copy(),
    }
