"""Makes the parts of the documents that come from results and sources: `python -m docs.make`."""
