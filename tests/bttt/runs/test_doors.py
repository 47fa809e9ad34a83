import sys
from importlib import import_module

from bttt.runs import when_imported


def test_an_action_waits_for_its_package_and_no_other(tmp_path, monkeypatch):
    for name in ("awaited_one", "awaited_other"):
        (tmp_path / f"{name}.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    seen = []
    when_imported("awaited_one", lambda module: seen.append((module.__name__, module.value)))
    import_module("awaited_other")
    assert seen == []
    import_module("awaited_one")
    import_module("awaited_one")
    assert seen == [("awaited_one", 1)]
    when_imported("awaited_one", lambda module: seen.append("at once"))
    assert seen[1:] == ["at once"]
    for name in ("awaited_one", "awaited_other"):
        del sys.modules[name]
