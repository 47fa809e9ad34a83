"""Another package named `agents`, a common name, in place of ours: which one, and how to mend it."""

from __future__ import annotations

import sys
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path

HOME = Path(__file__).parents[2]
"""The folder in which all packages of brick-tic-tac-toe lie beside each other."""
OURS, NAME = "brick-tic-tac-toe", "agents"
MARK = "make_agent"
"""A name that the file of our package has and no other has."""
REINSTALL = "reinstall ours: pip install --force-reinstall --no-deps"


def refuse_foreign_agents(home: Path = HOME) -> None:
    """Raises ValueError if `import agents` would give another package than ours; imports nothing.

    Args:
        home: The folder with our packages.
    """
    own = home / NAME / "__init__.py"
    found = _origin()
    if found is not None and found.resolve() != own.resolve():
        raise ValueError(
            f"another package named 'agents' ({found}) hides that of {OURS}: uninstall or rename it, or "
            f"install {OURS} in a virtual environment of its own"
        )
    if not own.is_file():
        raise ValueError(f"{own} is missing, as after another package named 'agents' was removed: {_mend()}")
    if MARK not in own.read_text(encoding="utf-8", errors="replace"):
        raise ValueError(f"another package named 'agents' has overwritten {own}: {_mend()}")


def _origin() -> Path | None:
    """Returns the file that `import agents` runs; None if there is none, as for a folder without code."""
    spec = sys.modules[NAME].__spec__ if NAME in sys.modules else find_spec(NAME)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def _mend() -> str:
    """Returns what to do: uninstall the other package, if it is known, and reinstall ours."""
    others = [name for name in packages_distributions().get(NAME, []) if name.lower() != OURS]
    first = f"pip uninstall {' '.join(sorted(set(others)))}, then " if others else ""
    return f"{first}{REINSTALL} {OURS}"
