"""The study `bttt generalisation`: how well networks play on brick placements not seen in training.

>>> from tournaments.generalisation import study_networks
>>> for network in study_networks(("D4", "2"), seeds=1):  # "2": two cells drawn at random
...     print(network.name, network.bricks)
base-D4-seed0 ('D4',)
base-2-seed0 ('E4', 'F7')

Modules: `networks` lists the networks to train, and `evaluation` measures each. `rates` pools the counts over
seeds and boards, and `table`, `plot` and `results` show the rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bttt.runs import on_first_use

if TYPE_CHECKING:
    from tournaments.generalisation.evaluation import SINGLE, Counts, Part, evaluate, stored
    from tournaments.generalisation.networks import SINGLE_SIZE, StudyNetwork, check_training, study_networks
    from tournaments.generalisation.rates import ALL, Counted, PooledRate, grouped_rates
    from tournaments.generalisation.table import with_reason

__all__ = [
    "ALL",
    "SINGLE",
    "SINGLE_SIZE",
    "Counted",
    "Counts",
    "Part",
    "PooledRate",
    "StudyNetwork",
    "check_training",
    "evaluate",
    "grouped_rates",
    "stored",
    "study_networks",
    "with_reason",
]

if not TYPE_CHECKING:
    __getattr__ = on_first_use(__name__, __all__, ("networks", "evaluation", "rates", "table"))
