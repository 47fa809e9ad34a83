"""Another package named `agents`: hidden, overwritten or removed, one line says which, and how to mend it."""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import pytest

from bttt.command_line import refuse_foreign_agents
from bttt.command_line.foreign import HOME

REINSTALL = "reinstall ours: pip install --force-reinstall --no-deps brick-tic-tac-toe"


@pytest.fixture
def imported(monkeypatch):
    """Puts a module in place of ours, as if `import agents` had found it."""

    def put(origin):
        module = ModuleType("agents")
        module.__spec__ = ModuleSpec("agents", None, origin=None if origin is None else str(origin))
        monkeypatch.setitem(sys.modules, "agents", module)

    return put


def written(path, text):
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_ours_is_accepted(imported):
    refuse_foreign_agents()
    imported(HOME / "agents" / "__init__.py")
    refuse_foreign_agents()


def test_a_package_elsewhere_hides_ours(imported, tmp_path):
    imported(tmp_path / "agents" / "__init__.py")
    with pytest.raises(ValueError, match=r"agents/__init__.py\) hides that of .*: uninstall or rename it"):
        refuse_foreign_agents()
    imported(tmp_path / "agents.py")
    with pytest.raises(ValueError, match=r"agents.py\) hides that of brick-tic-tac-toe"):
        refuse_foreign_agents()


def test_a_package_that_has_overwritten_ours_is_told_so(imported, tmp_path):
    imported(written(tmp_path / "agents" / "__init__.py", "from .agent import Agent\n"))
    with pytest.raises(ValueError, match=f"has overwritten .*agents/__init__.py: .*{REINSTALL}"):
        refuse_foreign_agents(tmp_path)


def test_the_package_to_uninstall_is_named(imported, tmp_path, monkeypatch):
    found = {"agents": ["brick-tic-tac-toe", "openai-agents"]}
    monkeypatch.setattr("bttt.command_line.foreign.packages_distributions", lambda: found)
    imported(written(tmp_path / "agents" / "__init__.py", ""))
    with pytest.raises(ValueError, match=f"pip uninstall openai-agents, then {REINSTALL}"):
        refuse_foreign_agents(tmp_path)


@pytest.mark.parametrize("origin", [None])
def test_files_that_are_gone_are_no_none_that_hides(imported, tmp_path, origin):
    """Without our file, a folder named agents is a package without a file."""
    imported(origin)
    with pytest.raises(ValueError, match=f"agents/__init__.py is missing.*{REINSTALL}") as error:
        refuse_foreign_agents(tmp_path)
    assert "None" not in str(error.value)
