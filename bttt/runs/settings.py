"""The options of a command, and which of them are settings of its run.

The options are the fields of a dataclass. A field that is declared with `option` records in its metadata what
the option decides; any other field is a setting. Settings decide the results, so they name the run's folder
and must stay the same when the run continues.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from bttt.runs.files import plain

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
Config = TypeVar("Config", bound="DataclassInstance")
SETTING, LATER, BY_STUDY, PART = "setting", "later", "by study", "part"
"""Keys of a field's metadata."""
NOT_A_SETTING = MappingProxyType({SETTING: False})
"""The metadata of a required option that is not a setting."""


def option(default: T, *, setting: bool = True, later: bool = False, by_study: bool = False) -> T:
    """Returns a field of a configuration.

    Args:
        default: The default.
        setting: Whether the results depend on it. Otherwise it may change when a run is resumed.
        later: Whether it was added after the first runs. Then its default is not stored as a setting, so that
            earlier runs are still found.
        by_study: Whether a study of many runs sets it for each run.
    """
    metadata = {SETTING: setting, LATER: later, BY_STUDY: by_study}
    return field(default=default, metadata=metadata)


def part(kind: Callable[[], T]) -> T:
    """Returns a field for a part of a configuration, whose options are listed with the others.

    Its annotation must declare the same for the command line: `Annotated[Part, tyro.conf.arg(name="")]`.

    Args:
        kind: The part's dataclass, or a function that returns the default.
    """
    return field(default_factory=kind, metadata={PART: True})


def options_of(config: DataclassInstance) -> dict[str, Any]:
    """Returns all options by name, as JSON values; the options of a part take its place."""
    return {each.name: value for each, value in _fields(config)}


def from_options(kind: Callable[..., T], /, **options: Any) -> T:
    """Returns a configuration with these options; all other options have their defaults.

    Args:
        kind: The configuration's dataclass.
        **options: Options by name; a part is given by its options' names, or as a whole by its own name.

    Raises:
        TypeError: The configuration has no such option.
    """
    return kind(**_by_field(kind, _default_part, options))


def with_options(config: Config, /, **options: Any) -> Config:
    """Returns a configuration with some options changed; names and errors as in `from_options`."""
    return replace(config, **_by_field(config, lambda each: getattr(config, each.name), options))


def settings_of(config: DataclassInstance) -> dict[str, Any]:
    """Returns the options that are settings, by name, as JSON values; options added later come last."""
    found: dict[str, Any] = {}
    later: dict[str, Any] = {}
    for each, value in _fields(config):
        if each.metadata.get(LATER):
            later |= {} if value == plain(each.default) else {each.name: value}
        elif each.metadata.get(SETTING, True):
            found[each.name] = value
    return found | later


def without_effect(config: object) -> dict[str, str]:
    """Returns the options that have no effect under a configuration's own values, each with the reason.

    A configuration, or an agent, tells them in a method of this name; by default there are none. The names of
    the options of a part stand alone, those of other nested configurations follow a dot. The reason completes
    the sentence "--iterations has no effect ...".
    """
    told = getattr(config, "without_effect", None)
    found: dict[str, str] = told() if callable(told) else {}
    return found


def useless_options(config: DataclassInstance, prefix: str = "") -> dict[str, str]:
    """Returns the options without effect, also those of nested configurations, by their command-line names.

    Args:
        config: The configuration.
        prefix: What their names begin with, for example "train.".
    """
    found = {prefix + name.replace("_", "-"): why for name, why in without_effect(config).items()}
    for each in fields(config):
        value = getattr(config, each.name)
        if not is_dataclass(value) or isinstance(value, type):
            continue
        if each.metadata.get(PART):
            found |= useless_options(value, prefix)
        else:
            inner = f"{prefix}{each.name.replace('_', '-')}."
            found |= useless_options(value, inner)
            set_here = (own.name for own, _ in _fields(value) if own.metadata.get(BY_STUDY))
            found |= {inner + name.replace("_", "-"): "here: the study sets it" for name in set_here}
    return found


def refuse_set_by_study(
    config: DataclassInstance, default: DataclassInstance, *, of: str, every: bool = False
) -> None:
    """Raises ValueError if an option that a study sets for each run differs from its default.

    Args:
        config: The options shared by the runs of the study.
        default: Their defaults.
        of: The prefix of these options in the study's configuration.
        every: Whether the study sets every option, not only those declared `by_study`.
    """
    before = options_of(default)
    for each, value in _fields(config):
        if (every or each.metadata.get(BY_STUDY)) and value != before[each.name]:
            raise ValueError(f"{of}.{each.name} is set by the study: leave it out, got {value!r}")


def _fields(config: DataclassInstance) -> Iterator[tuple[Field[Any], Any]]:
    """Yields the fields, each with its value as JSON; the fields of a part take its place."""
    for each in fields(config):
        value = getattr(config, each.name)
        if each.metadata.get(PART):
            yield from _fields(value)
        else:
            nested = is_dataclass(value) and not isinstance(value, type)
            yield each, options_of(value) if nested else plain(value)


def _default_part(each: Field[Any]) -> Any:
    if each.default_factory is MISSING:
        raise TypeError(f"{each.name} is not a part")
    return each.default_factory()


def _by_field(kind: Any, part_of: Callable[[Field[Any]], Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a configuration's fields; an option of a part changes that part.

    Args:
        kind: The configuration or its dataclass.
        part_of: Returns the unchanged part for a field.
        options: Options by name.
    """
    rest = dict(options)
    values = {each.name: rest.pop(each.name) for each in fields(kind) if each.name in rest}
    for each in fields(kind):
        if each.metadata.get(PART):
            unchanged = values.get(each.name, part_of(each))
            own = {name: rest.pop(name) for name in options_of(unchanged) if name in rest}
            values[each.name] = with_options(unchanged, **own)
    if rest:
        raise TypeError(f"there is no option {next(iter(rest))!r}")
    return values
