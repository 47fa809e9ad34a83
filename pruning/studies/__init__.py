"""Studies and commands of pruning: what knows both the agents and the core in `pruning`."""
