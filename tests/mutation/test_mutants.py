import ast
from pathlib import Path

import pytest
from mutants import mutants
from subjects import SUBJECTS

ROOT = Path(__file__).parents[2]
SOURCE = '''
"""A module; 1 + 1."""
LIMIT = 3


def half(values: list[int], least: int = 2) -> float:
    """Returns 1 / 2 of something."""
    total = 0.5
    for value in values:
        if value >= least and value not in (4, -5):
            total += value
    print(total)
    if not total:
        raise ValueError(f"nothing above {least + 1}")
    return total * 2
'''


def test_each_mutant_is_one_small_change_in_a_function():
    found = {(each.before, each.after) for each in mutants(SOURCE)}
    assert found == {
        ("0.5", "(2.0)"),
        ("value >= least and value not in (4, -5)", "(value >= least or value not in (4, -5))"),
        ("value >= least", "(value > least)"),
        ("value not in (4, -5)", "(value in (4, -5))"),
        ("4", "(5)"),
        ("-5", "(5)"),
        ("5", "(6)"),
        ("total += value", "pass"),
        ("print(total)", "pass"),
        ("not total", "(total)"),
        ("not total", "(False)"),
        ("value >= least and value not in (4, -5)", "(False)"),
        ("total * 2", "(total + 2)"),
        ("2", "(3)"),
    }


@pytest.mark.parametrize("subject", SUBJECTS)
def test_subjects_have_modules_that_mutate_and_tests_that_exist(subject):
    for module in SUBJECTS[subject].modules:
        source = (ROOT / module).read_text()
        for mutant in mutants(source)[::10]:
            assert ast.dump(ast.parse(mutant.source)) != ast.dump(ast.parse(source))
            assert source.splitlines()[mutant.line - 1].strip() == mutant.text
    for tests in SUBJECTS[subject].tests:
        assert (ROOT / tests).exists(), tests
