"""Plug-ins by name: what is loaded, and what error messages list instead."""

import re

import pytest

from bttt.runs.plugins import is_plugin, load_plugin, one_line, resolve


def test_a_name_gives_the_object_of_the_module():
    import user_plugins

    assert load_plugin("python:user_plugins:border", "encoding") is user_plugins.border
    assert is_plugin("python:a:b") and not is_plugin("magnitude")


def test_modules_of_the_current_folder_are_found(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("def score(context):\n    return 1\n")
    monkeypatch.chdir(tmp_path)
    assert load_plugin("python:only_here:score", "criterion")(None) == 1


def test_a_plug_in_enters_a_registry_under_its_full_name_and_other_names_pass():
    registry = {"magnitude": len}
    assert resolve(registry, "magnitude", "criterion") == "magnitude"
    name = "python:user_plugins:border"
    assert resolve(registry, name, "criterion") == name
    assert registry[name].__name__ == "border"
    assert resolve(registry, "unknown", "criterion") == "unknown"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("python:user_plugins", "'user_plugins' does not have the form package.module:Encoding"),
        ("python::border", "':border' does not have the form"),
        ("user_plugins:border", "does not have the form"),
        ("python:no_such:border", "module 'no_such' cannot be imported: ModuleNotFoundError"),
        ("python:user_plugins:bordr", "has no encoding 'bordr' (did you mean 'border'?); its encodings are"),
        ("python:user_plugins:__doc__", "has no encoding '__doc__'"),
    ],
)
def test_a_wrong_name_says_what_the_module_has(name, part):
    with pytest.raises(ValueError, match=re.escape(part)):
        load_plugin(name, "encoding")


def test_only_objects_of_the_module_itself_are_offered():
    with pytest.raises(ValueError, match="no encoding") as error:
        load_plugin("python:user_plugins:nothing", "encoding")
    offered = str(error.value).partition("its encodings are ")[2].split(", ")
    assert "border" in offered and "Net" not in offered  # functions alone
    assert "nn" not in offered and "torch" not in offered


@pytest.mark.parametrize(
    ("error", "users", "own"),
    [
        (ValueError("no"), "no", "no"),
        (TypeError("no\nway"), "TypeError: no way", "no way"),
        (KeyError("step"), "KeyError: 'step'", "'step' is missing"),
        (RuntimeError(), "RuntimeError: ", "RuntimeError: "),
    ],
)
def test_only_errors_of_users_code_tell_their_class(error, users, own):
    assert (one_line(error), one_line(error, own=True)) == (users, own)
