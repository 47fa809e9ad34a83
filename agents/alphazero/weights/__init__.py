"""Bundled networks: their names, their files, and the records of how they were trained.

>>> from agents.alphazero.weights import find_network, record, shipped
>>> shipped()
['all', 'd4', 'r2', 'r3']
>>> record(find_network("r2"))["bricks"]
['R2']

Nothing here loads torch: a record is read from the header of its file.

Modules: `bundled` finds networks; the checkpoints lie beside it.
"""

from agents.alphazero.weights.bundled import (
    FOLDER,
    RUN_FILE,
    SUFFIX,
    checked_record,
    find_network,
    record,
    shipped,
)

__all__ = ["FOLDER", "RUN_FILE", "SUFFIX", "checked_record", "find_network", "record", "shipped"]
