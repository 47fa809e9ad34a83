"""The command `bttt generalisation`: how well AlphaZero plays on brick placements not seen in training.

Networks are trained on sets of cells and measured on every cell. Each network is one task, which depends only
on its configuration and seed; finished parts of a task are reused. Only this process writes the results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tqdm import tqdm

from agents.alphazero import SearchConfig
from agents.alphazero.training import TrainConfig
from bttt import boards_of_size
from bttt.command_line import suggest, tell_boards
from bttt.processes import quietly, spread
from bttt.runs import OK, make_folder, open_results, report_found, require_at_least
from tournaments.generalisation.config import GeneralisationConfig
from tournaments.generalisation.evaluation import (
    SINGLE,
    Counts,
    Part,
    check_suites,
    evaluate,
    other_boards,
    stored,
)
from tournaments.generalisation.networks import (
    BASE,
    SINGLE_SIZE,
    StudyNetwork,
    check_training,
    study_networks,
)
from tournaments.generalisation.rates import CountsByPart
from tournaments.generalisation.results import JSON_NAME, publish

DEEP = 100
"""Above this number of simulations, only base networks and single bricks are measured, with fewer trials."""


def run(config: GeneralisationConfig) -> int:
    """Trains the missing networks, makes the missing measurements, writes and prints results, and returns 0.

    Raises:
        ValueError: An option is wrong, a folder holds a run with other settings, or --report was given and
            nothing has been measured yet.
        OSError: A folder cannot be written, or a worker process has died; finished work is kept.
    """
    _check(config)
    networks = study_networks(
        config.sets, config.seeds, config.variants, _control_sets(config), _control_seeds(config)
    )
    for network in networks:
        if network.brick_set not in config.sets:
            raise ValueError(
                f"control set {network.brick_set!r} must be one of the sets, {', '.join(config.sets)}"
            )
    parts = {network: _parts(config, network) for network in networks}
    make_folder(config.runs)
    with open_results(config.out, JSON_NAME):
        if not config.report:
            tell_boards([*dict.fromkeys(board for each in networks for board in each.boards)], "trains on")
            tell_boards(boards_of_size(SINGLE_SIZE, config.cells), "measures on")
        measured = _stored(config, parts) if config.report else _measured(config, parts)
        publish(config.out, config, measured, _compared(config, measured))
    suggest("prune", f"alphazero:{config.runs / networks[0].name}", why="prune one of the networks")
    return OK


def _check(config: GeneralisationConfig) -> None:
    require_at_least(1, seeds=config.seeds, games=config.games, positions=config.positions)
    require_at_least(1, positions_deep=config.positions_deep, control_seeds=config.control_seeds)
    require_at_least(0, conversion_seeds=config.conversion_seeds)
    require_at_least(1, workers=config.workers)
    for number in config.simulations:
        SearchConfig(simulations=number)  # raises if the number is invalid
    for name in ("sets", "variants", "simulations"):
        if not getattr(config, name):
            raise ValueError(f"{name} must have at least one entry, got none")
    check_training(config.train)
    _ = _train_config(config).budget  # raises if the budget is invalid
    _check_boards(config)


def _check_boards(config: GeneralisationConfig) -> None:
    check_suites(config.suites)
    several = [board for board in boards_of_size(SINGLE_SIZE, config.cells) if len(board.bricks) != 1]
    if several:
        raise ValueError(f"cells must be sets of single bricks, got {several[0]}")
    for text in config.boards:
        if text == SINGLE_SIZE:
            raise ValueError(f"boards must differ from {SINGLE_SIZE} with one brick, got {text!r}")
        other_boards(text)


def _train_config(config: GeneralisationConfig) -> TrainConfig:
    return replace(config.train, iterations=config.iterations)


def _control_sets(config: GeneralisationConfig) -> tuple[str, ...]:
    return config.sets[:1] if config.control_sets is None else config.control_sets


def _control_seeds(config: GeneralisationConfig) -> int:
    return config.seeds if config.control_seeds is None else config.control_seeds


def _parts(config: GeneralisationConfig, network: StudyNetwork) -> list[Part]:
    """Returns the measurements to make of a network."""
    parts = []
    for simulations in dict.fromkeys(config.simulations):
        deep = simulations > DEEP
        if deep and network.variant != BASE:
            continue
        games = 1 if deep else config.games
        positions = config.positions_deep if deep else config.positions if simulations else None
        parts.append(Part("losing", SINGLE, simulations, positions, config.cells, 0))
        parts.append(Part("wins", SINGLE, simulations, games, config.cells, 0))
        if network.variant == BASE and network.seed < config.conversion_seeds:
            parts.append(Part("conversion", SINGLE, simulations, 1, config.cells, 0))
        if not deep:
            parts += [Part("losing", suite, simulations, None, (), 0) for suite in config.suites]
            parts += [Part("wins", text, simulations, 1, (), 0) for text in config.boards]
    return parts


def _measured(config: GeneralisationConfig, parts: Mapping[StudyNetwork, Sequence[Part]]) -> CountsByPart:
    """Trains and measures the networks, one task per network."""
    trained = _train_config(config)
    on_disk = (stored(config.runs / network.name, own) for network, own in parts.items())
    before = sum(each is not None for own in on_disk for each in own)
    calls = ((network, network.training(trained, config.runs), own) for network, own in parts.items())
    found: dict[StudyNetwork, list[list[Counts] | None]] = {}
    with tqdm(total=len(parts), unit="network", desc="trained and measured") as progress:
        for network, counts in spread(_train_and_evaluate, calls, workers=config.workers):
            found[network] = counts
            progress.set_postfix_str(network.name, refresh=False)
            progress.update()
    made = sum(each is not None for own in found.values() for each in own) - before
    report_found(before, made, "measurement", config.runs)
    return {network: _by_part(own, found[network]) for network, own in parts.items()}


def _train_and_evaluate(
    network: StudyNetwork, config: TrainConfig, parts: Sequence[Part]
) -> tuple[StudyNetwork, list[list[Counts] | None]]:
    """Trains one network, or resumes its training, and measures it; quietly, since other tasks run too."""
    from agents.alphazero.training import train

    with quietly():
        folder = train(config)
        return network, evaluate(folder, parts)


def _stored(config: GeneralisationConfig, parts: Mapping[StudyNetwork, Sequence[Part]]) -> CountsByPart:
    """Returns the stored counts; ValueError if there are none."""
    found = {
        network: _by_part(own, stored(config.runs / network.name, own)) for network, own in parts.items()
    }
    measured = {network: counts for network, counts in found.items() if counts}
    if not measured:
        raise ValueError(f"no measurements yet in {config.runs}: run the command without --report first")
    return measured


def _by_part(parts: Sequence[Part], counts: Sequence[list[Counts] | None]) -> dict[Part, list[Counts]]:
    return {part: own for part, own in zip(parts, counts, strict=True) if own}


def _compared(config: GeneralisationConfig, measured: CountsByPart) -> CountsByPart:
    """Returns the counts of the sets and seeds that all variants share; empty without controls."""
    if all(network.variant == BASE for network in measured):
        return {}
    seeds = _control_seeds(config)
    return {
        network: parts
        for network, parts in measured.items()
        if network.brick_set in _control_sets(config) and network.seed < seeds
    }
