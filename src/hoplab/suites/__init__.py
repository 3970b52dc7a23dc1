"""The suites: a folder each. The SUITE of one that is asked of the lab's cells says all of it."""

import pkgutil
from collections.abc import Mapping
from importlib import import_module

from hoplab.suites import own
from hoplab.suites.suite import Suite
from hoplab.symptom import Symptom


def _load() -> dict[str, Suite]:
    folders = [module.name for module in pkgutil.iter_modules(__path__) if module.ispkg]
    modules = [import_module(f"{__name__}.{name}") for name in sorted(folders)]
    suites: list[Suite] = [module.SUITE for module in modules if hasattr(module, "SUITE")]
    return {suite.name: suite for suite in suites}


SUITES: Mapping[str, Suite] = _load()
"""By name."""

SYMPTOMS: Mapping[str, Symptom] = {
    symptom.name: symptom
    for symptoms in (*(suite.symptoms for suite in SUITES.values()), own.SYMPTOMS)
    for symptom in symptoms
}
"""Every symptom by its name, in the order of the checks."""

HEALTHY = Symptom("none", "", "", "", (), "/items?q=1")
"""What to ask of a cell that has no symptom."""
