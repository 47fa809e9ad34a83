"""The experiments and commands of pruning: the only part that knows both the agents and the pruning core.

One folder per study: `alphazero` (`bttt prune`, `bttt levels`), `compression`, `methods`, `bricks` and
`schedules`. `published` is `bttt vision`; its recipes are in `vision` (image classifiers) and `bilevel`, on
the shared ground of `experiment`. `plugins` resolves pruning methods of a user's own.
"""
