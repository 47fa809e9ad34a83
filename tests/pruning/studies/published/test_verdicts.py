"""The table of all claims: grouped by claim, with links, of experiments at any depth."""

import json

import pytest

from pruning.studies.published.verdicts import verdict_table


def write(folder, recipe, **claims):
    folder.mkdir(parents=True)
    found = [
        {"claim": claim.replace("_", " "), "verdict": verdict, "evidence": evidence}
        for claim, (verdict, evidence) in claims.items()
    ]
    (folder / "results.json").write_text(json.dumps({"recipe": recipe, "claims": found}))


def test_a_claim_is_one_row_with_the_experiments_by_verdict(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path / "v/own/one",
        "paper/one",
        it_helps=("confirmed", "+1"),
        it_hurts=("not testable", "no variant"),
    )
    write(tmp_path / "v/small/two", "paper/two", it_helps=("not confirmed", "refuted: -1"))
    write(tmp_path / "v/small/three", "other/three", it_helps=("not confirmed", "undecided: 0"))
    lines = verdict_table(tmp_path.joinpath("v").relative_to(tmp_path)).splitlines()
    assert lines[0] == "| claim | confirmed | not confirmed | not testable |"
    assert sorted(lines[2:]) == [
        "| other: it helps |  | [three](v/small/three/report.txt) |  |",
        "| paper: it helps | [one](v/own/one/report.txt) | [two](v/small/two/report.txt) (refuted) |  |",
        "| paper: it hurts |  |  | [one](v/own/one/report.txt) |",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "expected a JSON object"),
        ("{}", "lacks the recipe or the claims"),
        ('{"recipe": "a/b", "claims": [{"claim": 5}]}', "lacks the recipe or the claims"),
        ("[" * 100_000, "nested more than 100 deep"),
        (None, "no experiment"),
    ],
)
def test_what_is_no_experiment_is_refused(tmp_path, text, message):
    if text is not None:
        (tmp_path / "results.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        verdict_table(tmp_path)
