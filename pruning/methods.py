"""The table of all pruning methods: what each prunes, when it scores, its function, paper and settings.

    >>> from pruning import PRUNING_METHODS
    >>> PRUNING_METHODS["rigl"].when
    'while training'
    >>> PRUNING_METHODS["rigl"].options()
    ('alpha', 'every', 'end', 'redistribute')

A new method is a function with a row in `CRITERIA` or `TOPOLOGIES`, and a row here. This module loads torch
only when a function is loaded, so a command line can list all methods quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PRUNING_METHODS", "PruningMethod", "methods_by_time", "methods_table"]
When = Literal["after training", "before training", "while training"]


@dataclass(frozen=True)
class PruningMethod:
    """A row of `PRUNING_METHODS`.

    Attributes:
        name: Name of the method.
        prunes: "weights" (single entries), or "channels" (whole units).
        when: Whether it scores trained networks, initial weights, or weights during training.
        score: The score in a few words.
        function: Dotted path of its function: a criterion, or a function that makes a topology.
        paper: Authors and year, or "control".
        settings: Flat settings for `Plan.from_settings` that select the method. The plan also needs an
            amount, for example a fraction.
    """

    name: str
    prunes: Literal["weights", "channels"]
    when: When
    score: str
    function: str
    paper: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file of its function, relative to the package's folder."""
        return f"{self.function.rpartition('.')[0].removeprefix('pruning.').replace('.', '/')}.py"

    def load(self) -> Callable[..., Any]:
        """Returns its function."""
        module, _, name = self.function.rpartition(".")
        return getattr(import_module(module), name)

    def options(self) -> tuple[str, ...]:
        """Returns the names of its options, which are the keywords of its function."""
        parameters = signature(self.load()).parameters.values()
        return tuple(each.name for each in parameters if each.kind is Parameter.KEYWORD_ONLY)


def _after(
    name: str, prunes: Literal["weights", "channels"], function: str, paper: str, score: str
) -> PruningMethod:
    function = f"pruning.criteria.scores.{function}"
    return PruningMethod(name, prunes, "after training", score, function, paper, {"criterion": name})


def _greedy(name: str, function: str, paper: str, score: str) -> PruningMethod:
    settings = {"criterion": name, "scope": "layer"}
    function = f"pruning.criteria.{function}"
    return PruningMethod(name, "channels", "after training", score, function, paper, settings)


def _before(name: str, paper: str, score: str, **more: Any) -> PruningMethod:
    settings = {"criterion": name, "untrained": True, **more}
    function = f"pruning.criteria.initial.{name}"
    return PruningMethod(name, "weights", "before training", score, function, paper, settings)


def _while(name: str, function: str, paper: str, score: str) -> PruningMethod:
    settings = {"criterion": "random-weights", "topology": name, "untrained": True, "allocation": "erk"}
    function = f"pruning.sparse.topologies.{function}"
    return PruningMethod(name, "weights", "while training", score, function, paper, settings)


ACTIVATION, ZEROS = "mean absolute activation", "fraction of zero activations"
CODE = "as the paper's code computes it"
ROWS = (
    _after("magnitude", "weights", "magnitude", "Han et al. 2015", "size"),
    _after("gradient", "weights", "gradient", "Liu et al. 2023", "change in the last epoch"),
    _after(
        "gradient-magnitude",
        "weights",
        "gradient_magnitude",
        "Liu et al. 2023",
        "change in the last epoch times size",
    ),
    _after("random-weights", "weights", "random", "control", "random"),
    _before("snip", "Lee et al. 2019", "sensitivity of the loss"),
    _before("grasp", "Wang et al. 2020", "effect on the gradient's norm"),
    _before("synflow", "Tanaka et al. 2020", "flow from input to output, without data", rounds=100),
    _after("dropnet", "channels", "dropnet", "Tan, Motani 2020", ACTIVATION),
    _after("dropnet-code", "channels", "dropnet_code", "Tan, Motani 2020", f"{ACTIVATION}, {CODE}"),
    _after("maximum", "channels", "maximum", "control", f"{ACTIVATION}, the largest pruned first"),
    _after("random", "channels", "random", "Le, Hua 2021", "random"),
    _after("apoz", "channels", "apoz", "Hu et al. 2016", ZEROS),
    _after("apoz-code", "channels", "apoz_code", "Hu et al. 2016", f"{ZEROS}, {CODE}"),
    _after("l1", "channels", "l1", "Li et al. 2017", "sum of the filter's absolute weights"),
    _after("l2", "channels", "l2", "Li et al. 2017", "norm of the filter's weights"),
    _after("taylor", "channels", "taylor", "Molchanov et al. 2019", "first-order change of the loss"),
    _after("oracle", "channels", "oracle", "Tan, Motani 2020", "loss without the channel"),
    _greedy(
        "greedy-forward",
        "greedy.forward_selection",
        "Ye et al. 2020",
        "chosen one by one for the lowest loss, and rescaled",
    ),
    _greedy(
        "greedy-local",
        "imitation.local_imitation",
        "Ye, Wu, Liu 2020",
        "chosen one by one to reproduce the layer's output, and rescaled",
    ),
    _greedy(
        "greedy-global",
        "imitation.global_imitation",
        "Ye, Wu, Liu 2020",
        "chosen one by one to reproduce the network's output, and rescaled",
    ),
    _while("static", "static", "control", "a random mask that stays"),
    _while("set", "sparse_evolution", "Mocanu et al. 2018", "drops the smallest, grows at random"),
    _while("snfs", "sparse_momentum", "Dettmers et al. 2019", "drops the smallest, grows by mean gradient"),
    _while("rigl", "rigl", "Evci et al. 2020", "drops the smallest, grows by gradient"),
    _while("gradual", "gradual", "Zhu, Gupta 2017", "dense at first, drops the smallest little by little"),
)
PRUNING_METHODS: Mapping[str, PruningMethod] = {row.name: row for row in ROWS}
"""All methods by name, in the order of lists and tables."""


def methods_by_time() -> str:
    """Returns a Markdown table of the names: a row for each time of scoring and for what is pruned."""
    groups: dict[tuple[str, str], list[str]] = {}
    for method in PRUNING_METHODS.values():
        groups.setdefault((method.when, method.prunes), []).append(f"`{method.name}`")
    rows = [f"| {when} | {prunes} | {', '.join(names)} |" for (when, prunes), names in groups.items()]
    return "\n".join(["| scores | prunes | methods |", "| --- | --- | --- |", *rows])


def methods_table() -> str:
    """Returns the table as Markdown, one line for each method."""
    heads = ["method", "prunes", "when", "score", "options", "paper", "function"]
    rows = [
        [
            f"`{row.name}`",
            row.prunes,
            row.when,
            row.score,
            ", ".join(f"`{option}`" for option in row.options()),
            row.paper,
            f"`{row.function}`",
        ]
        for row in ROWS
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, ["---"] * len(heads), *rows))
