"""The form of one step without the rest of its page: for drafts being kept and fields that appear as answers are given."""

from __future__ import annotations

from uuid import UUID

from engine.dossier.model import Dossier
from engine.errors import NotFound
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office import flow, steps
from engine.office.choices import offered
from engine.procedure.forms import Form
from engine.procedure.registry import ProcedureCache
from engine.queries.desk import instance_of


def form_of(w: UnitOfWork, task_id: UUID) -> Form:
    """Return the form of a task.

    Raises:
        NotFound: the task has none.
    """
    return opened(w, task_id)[0]


def opened(w: UnitOfWork, task_id: UUID) -> tuple[Form, Json]:
    """Return the form of a task and what its conditions may read."""
    task = steps.find(w, task_id)
    dossier = w.session.get(Dossier, (w.province, task.dossier_id))
    assert dossier is not None
    package = w.part(ProcedureCache).package(w, dossier.procedure_version_id)
    run = flow.Flow(w, dossier, instance_of(w, dossier), package)
    key = task.properties.get("form")
    if not key:
        raise NotFound("task.not_found")
    return offered(w, package.form(key)), {"dossier": flow.dossier_context(run), **steps.variables(run)}
