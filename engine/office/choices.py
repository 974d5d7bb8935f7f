"""Fields whose answers the office knows: ``properties.options`` names levels of units, the form then offers these units by their codes."""

from __future__ import annotations

from dataclasses import replace

from engine.kernel.unit_of_work import UnitOfWork
from engine.office.standing import units_of
from engine.organisation.names import sort_key
from engine.procedure.form_fields import Field, Note, Option
from engine.procedure.forms import Form
from engine.procedure.words import Words


def offered(w: UnitOfWork, form: Form) -> Form:
    """Return *form* with the choices only this office can offer; itself when it asks for none.

    A package cannot list the communes of a province: a text field with ``options = "commune"`` (or several levels) becomes a choice among
    the units of that level in force, its answer is the unit's code.
    """
    if not any(field.properties and field.properties.get("options") for field in form.fields):
        return form
    return Form(form.key, tuple(_offered(w, item) for item in form.items))


def _offered(w: UnitOfWork, item: Field | Note) -> Field | Note:
    if not isinstance(item, Field) or not item.properties or not item.properties.get("options"):
        return item
    levels = item.properties["options"].split()
    found = [unit for unit in units_of(w.session, w.province).values() if unit.level in levels and unit.valid_to is None]
    found.sort(key=lambda unit: sort_key(unit.name))
    options = [Option(unit.agency_code, Words(unit.name, unit.name_en or unit.name)) for unit in found]
    return replace(item, kind="select", options=tuple(options), max_length=None)
