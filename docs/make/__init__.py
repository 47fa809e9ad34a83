"""Makes what the documents show from results, sources and doors: `python -m docs.make`."""
