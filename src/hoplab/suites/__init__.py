"""The suites: a folder each, whose SUITE says all of it."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from hoplab.suites.suite import Suite
from hoplab.symptom import Symptom


def _load() -> dict[str, Suite]:
    folders = [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]
    suites = [import_module(f"{__name__}.{name}").SUITE for name in sorted(folders)]
    return {suite.name: suite for suite in suites}


SUITES: Mapping[str, Suite] = _load()
"""By name."""

SYMPTOMS: Mapping[str, Symptom] = {
    symptom.name: symptom for suite in SUITES.values() for symptom in suite.symptoms
}
"""Every symptom by its name, in the order of the checks."""

HEALTHY = Symptom("none", "", "", "", (), "/items?q=1")
"""What to ask of a cell that has no symptom."""
