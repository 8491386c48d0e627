"""How annotations are checked while tests run (see addopts in pyproject.toml)."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
"""An int is welcome where a float is asked for, as Python's typing says."""
