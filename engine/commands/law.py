"""When the law changes: the drafts of every procedure it concerns are begun at once, each saying why."""

from __future__ import annotations

from collections.abc import Sequence

from engine.commands.drafts import from_version
from engine.errors import Refused
from engine.kernel.unit_of_work import UnitOfWork
from engine.procedure.drafts import ProcedureDraft
from engine.procedure.law import question


def begin_drafts(w: UnitOfWork, text: str, keys: Sequence[str]) -> list[ProcedureDraft]:
    """Begin a draft of the newest version of each procedure in *keys* because the law named in *text* changed; its history says so.

    Raises:
        Forbidden: the actor designs no procedures.
        Refused: at the field: no act is named, or no procedure is chosen.
        NotFound: one of them is no procedure.
    """
    act, article = question(text)
    if not keys:
        raise Refused("law.nothing_chosen", field="key")
    why = f"{f'Điều {article} ' if article else ''}{act.label}"
    return [from_version(w, key, note=why) for key in dict.fromkeys(keys)]
