"""Packages that cost nothing to import: what they offer is loaded when it is first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence


def lazy_names(package: str, homes: Mapping[str, Sequence[str]]) -> tuple[Callable, Callable, list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    A module must not bear the name of something in it: once it is imported, Python gives the module for that name.

    Args:
        package: its `__name__`.
        homes: module of the package -> names in it that the package offers.
    """
    home = {name: module for module, names in homes.items() for name in names}

    def load(name: str):
        if name not in home:
            raise AttributeError(f"{package} has no {name!r}. It has: {', '.join(sorted(home))}.")
        return getattr(importlib.import_module(f"{package}.{home[name]}"), name)

    return load, lambda: sorted(home), sorted(home)
