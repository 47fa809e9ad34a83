"""The command `bttt vision`: one catalogue of all published experiments, and the table of their verdicts.

>>> from pruning.studies.published.catalogue import find_recipe
>>> find_recipe("dropnet/a-mnist").data
'mnist'
"""
