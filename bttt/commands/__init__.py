"""bttt/commands."""
