"""A person's own application: general questions, whose right answers are its own without a proxy.

It is no `Suite` of the lab's cells: `hoplab check` asks it.
"""

from hoplab.suites.own.checks import CHECKS
from hoplab.suites.own.symptoms import SYMPTOMS

__all__ = ["CHECKS", "SYMPTOMS"]
