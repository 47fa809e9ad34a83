"""The examples in docstrings do what they show."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from docs.make.imports import modules

ROOT = Path(__file__).parents[2]
PACKAGES = ("agents", "bttt", "pruning", "tournaments")
WITH_EXAMPLES = [
    name
    for name, path in modules(ROOT, PACKAGES).items()
    if ">>> " in (ROOT / path).read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, tried = doctest.testmod(import_module(name), optionflags=doctest.ELLIPSIS)
    assert tried > 0
    assert failed == 0
