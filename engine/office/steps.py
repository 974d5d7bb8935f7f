"""One task, and the answers given so far."""

from __future__ import annotations

from uuid import UUID

from engine.errors import NotFound
from engine.kernel.tables import Json
from engine.kernel.unit_of_work import UnitOfWork
from engine.office.flow import Flow
from engine.process.instance import answers_so_far, program
from engine.process.model import Task


def find(w: UnitOfWork, task_id: UUID) -> Task:
    """Return a task without locking anything.

    Raises:
        NotFound: there is none.
    """
    task = w.session.get(Task, (w.province, task_id))
    if task is None:
        raise NotFound("task.not_found")
    return task


def variables(run: Flow) -> Json:
    """Return the answers of the steps so far, for the form's rules."""
    if run.instance is None:
        return {}
    return answers_so_far(program(run.dossier.procedure_version_id, run.package), run.instance.state)
