"""tournaments/conversion."""
