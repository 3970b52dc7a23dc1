"""What each symptom means: what a person sees, why, what mends it, and where to read on."""

from collections.abc import Mapping

from hoplab.suites.contract.symptoms import CONTRACT
from hoplab.suites.cors.symptoms import CORS
from hoplab.symptom import Symptom

__all__ = ["HEALTHY", "SYMPTOMS", "Symptom"]

SYMPTOMS: Mapping[str, Symptom] = {symptom.name: symptom for symptom in (*CONTRACT, *CORS)}
"""Every symptom by its name, in the order of the checks."""

HEALTHY = Symptom("none", "", "", "", (), "/items?q=1")
"""What to ask of a cell that has no symptom."""
