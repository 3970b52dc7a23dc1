"""What a guess does to a diagnosis: it puts causes in another order, and excludes none."""

from collections.abc import Sequence
from dataclasses import replace

from hoplab.catalogue.servers.server import RootPath
from hoplab.diagnosis.candidates import OPTIONS
from hoplab.diagnosis.words import Cause, Diagnosis, Group


def ranked(diagnosis: Diagnosis, root_path: RootPath) -> Diagnosis:
    """The same diagnosis; in each group, what only other servers can do comes last.

    root_path: what the server that was guessed does with its option. A guess may be wrong.
    """
    return replace(
        diagnosis,
        groups=_groups(diagnosis.groups, root_path),
        other=[_groups(each, root_path) for each in diagnosis.other],
        notes=_groups(diagnosis.notes, root_path),
    )


def _groups(groups: Sequence[Group], root_path: RootPath) -> list[Group]:
    def is_of_another(cause: Cause) -> bool:
        return all(option.only not in {None, root_path} for option in OPTIONS[cause.fault])

    return [replace(each, causes=sorted(each.causes, key=is_of_another)) for each in groups]
