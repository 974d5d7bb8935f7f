"""Units, people, positions, appointments, accounts and delegations: everything dated, nothing deleted."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from engine.accounts.administration import hash_password
from engine.accounts.model import Account
from engine.commands import organisation as commands
from engine.errors import NotFound, Refused
from engine.queries import administration
from engine.queries import organisation as queries
from engine.queries.names import capacity_names
from engine.runtime import UnitOfWork
from webapp.accounts import holding, me
from webapp.admin.area import ADMINISTRATORS, LENDERS, area
from webapp.counter.intake import day_of
from webapp.i18n import gettext as _
from webapp.i18n import lazy, pick
from webapp.rendering.formats import ZONE, day
from webapp.rendering.lists import Column, asked, taken_away
from webapp.rendering.words import LEVEL, roles
from webapp.transaction import act, look

PEOPLE = (
    Column("name", lazy("Họ và tên"), lambda r: r.name),
    Column("held", lazy("Vị trí công tác"), lambda r: "; ".join(f"{h.title}, {h.unit}" for h in r.held)),
    Column("email", lazy("Thư điện tử"), lambda r: r.email),
    Column("key", lazy("Khóa ký"), lambda r: "x" if r.has_key else ""),
)
UNITS = (
    Column("name", lazy("Tên"), lambda r: r.name),
    Column("code", lazy("Mã định danh"), lambda r: r.agency_code),
    Column("level", lazy("Cấp"), lambda r: str(LEVEL.get(r.level, r.level))),
    Column("from", lazy("Từ ngày"), lambda r: day(r.valid_from)),
)


@area.get("")
@holding(*ADMINISTRATORS)
def first_hour() -> ResponseReturnValue:
    """Guide through the first hour: units, people, keys, first procedure."""
    with look() as w:
        return render_template("admin/first_hour.html", done=administration.first_hour(w))


@area.get("/units")
@holding(*ADMINISTRATORS)
def units() -> ResponseReturnValue:
    """Show the units and the form for a new one."""
    with look() as w:
        listing, found = asked(UNITS), queries.units(w)
        wanted = [u for u in found if listing.query.casefold() in f"{u.name} {u.agency_code}".casefold()]
        listing = listing.showing(wanted, len(wanted))
        return (
            taken_away(listing, "don-vi")
            if listing.export
            else render_template("admin/units.html", listing=listing, units=found, levels=LEVEL)
        )


@area.post("/units")
@holding(*ADMINISTRATORS)
@act("admin.units")
def add_unit(w: UnitOfWork) -> ResponseReturnValue:
    """Establish a unit."""
    form = request.form
    commands.add_unit(
        w,
        name=form.get("name", ""),
        name_en=form.get("name_en", ""),
        short_name=form.get("short_name", ""),
        level=form.get("level", ""),
        agency_code=form.get("agency_code", ""),
        parent_id=chosen("parent", required=False),
        place_name=form.get("place_name", ""),
        valid_from=asked_day("valid_from") or w.now.astimezone(ZONE).date(),
        legal_basis=form.get("legal_basis", ""),
    )
    flash(_("Đã thêm đơn vị."), "done")
    return redirect(url_for("admin.units"), 303)


@area.get("/people")
@holding(*ADMINISTRATORS)
def people() -> ResponseReturnValue:
    """Show everybody with what they hold, and the form for a new person."""
    with look() as w:
        listing, found = asked(PEOPLE), queries.people(w)
        text = listing.query.casefold()
        wanted = [p for p in found if text in f"{p.name} {p.email} {' '.join(h.title for h in p.held)}".casefold()]
        listing = listing.showing(wanted, len(wanted))
        return taken_away(listing, "con-nguoi") if listing.export else render_template("admin/people.html", listing=listing)


@area.post("/people")
@holding(*ADMINISTRATORS)
@act("admin.people")
def add_person(w: UnitOfWork) -> ResponseReturnValue:
    """Enter a person."""
    person = commands.add_person(w, request.form.get("full_name", ""), email=request.form.get("email", "").strip())
    flash(_("Đã thêm. Bổ nhiệm vị trí và cấp tài khoản ở trang này."), "done")
    return redirect(url_for("admin.person", person_id=person.id), 303)


@area.get("/people/<uuid:person_id>")
@holding(*ADMINISTRATORS)
def person(person_id: UUID) -> ResponseReturnValue:
    """Show a person: appointments, account."""
    with look() as w:
        found = next((p for p in queries.people(w) if p.id == person_id), None)
        if found is None:
            raise NotFound("organisation.person_not_found")
        return render_template(
            "admin/person.html",
            person=found,
            positions=[(str(p.id), f"{p.title} · {unit}") for p, unit in queries.positions(w)],
            units=[(str(u.id), pick({"vi": u.name, "en": u.name_en})) for u in queries.units(w)],
            roles=roles(),
            account=administration.accounts(w).get(found.account_id or 0),
        )


@area.post("/people/<uuid:person_id>/appointments")
@holding(*ADMINISTRATORS)
@act("admin.person")
def appoint(w: UnitOfWork, person_id: UUID) -> ResponseReturnValue:
    """Appoint to a position; a new position is made on the way when a title is given."""
    form = request.form
    position = chosen("position", required=not form.get("title"))
    if position is None:
        unit = chosen("unit")
        position = commands.add_position(
            w, unit or UUID(int=0), form.get("title", ""), form.get("role", ""), title_en=form.get("title_en", "")
        ).id
    commands.appoint(
        w,
        person_id,
        position,
        asked_day("valid_from") or w.now.astimezone(ZONE).date(),
        valid_to=asked_day("valid_to"),
        basis=form.get("basis", ""),
    )
    flash(_("Đã bổ nhiệm."), "done")
    return redirect(url_for("admin.person", person_id=person_id), 303)


@area.post("/people/<uuid:person_id>/appointments/<uuid:appointment_id>/end")
@holding(*ADMINISTRATORS)
@act("admin.person")
def end_appointment(w: UnitOfWork, person_id: UUID, appointment_id: UUID) -> ResponseReturnValue:
    """End an appointment with today; tomorrow it counts no more."""
    commands.end_appointment(w, appointment_id, w.now.astimezone(ZONE).date() + timedelta(days=1))
    flash(_("Vị trí sẽ kết thúc hết ngày hôm nay."), "done")
    return redirect(url_for("admin.person", person_id=person_id), 303)


@area.post("/people/<uuid:person_id>/account")
@holding(*ADMINISTRATORS)
@act("admin.person", remembered=False)
def account(w: UnitOfWork, person_id: UUID) -> ResponseReturnValue:
    """Give a person an account, or a new first password; it is shown once and must be changed at the next sign-in."""
    email = request.form.get("email", "").strip()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise Refused("web.email_wrong", field="email")
    linked: Account = commands.link_account(w, person_id, email)
    password = "-".join(secrets.token_hex(2) for _n in range(4))
    linked.password, linked.must_change_password, linked.active = hash_password(password), True, True
    linked.tf_totp_secret = linked.tf_primary_method = None
    w.record("account.password_reset", account=linked.id)
    return render_template("admin/first_password.html", email=email, password=password, person_id=person_id)


@area.get("/delegations")
@holding(*LENDERS)
def delegations() -> ResponseReturnValue:
    """Show what is lent, and the form to lend one's own power."""
    with look() as w:
        others = [(str(p.id), f"{p.name} · {p.held[0].title if p.held else ''}") for p in queries.people(w) if p.id != me().person]
        return render_template(
            "admin/delegations.html",
            rows=queries.delegations(w),
            people=others,
            capacities=[(key, pick(names)) for key, names in capacity_names().items() if key not in ("own_power", "acting_head")],
        )


@area.post("/delegations")
@holding(*LENDERS)
@act("admin.delegations")
def delegate(w: UnitOfWork) -> ResponseReturnValue:
    """Lend one's own power for some days, by a document."""
    first = asked_day("from") or w.now.astimezone(ZONE).date()
    last = asked_day("to")
    if last is None:
        raise Refused("web.date_wrong", field="to")
    commands.delegate(
        w,
        chosen("person") or UUID(int=0),
        capacity=request.form.get("capacity", ""),
        starts_at=datetime.combine(first, time.min, ZONE).astimezone(UTC),
        ends_at=datetime.combine(last + timedelta(days=1), time.min, ZONE).astimezone(UTC),
        basis=request.form.get("basis", ""),
    )
    flash(_("Đã ủy quyền."), "done")
    return redirect(url_for("admin.delegations"), 303)


def asked_day(field: str) -> date | None:
    """Return the day in a field; none when it is empty.

    Raises:
        Refused: there is no such day.
    """
    text = request.form.get(field, "").strip()
    found = day_of(text) if text else None
    if text and found is None:
        raise Refused("web.date_wrong", field=field)
    return found


def chosen(field: str, *, required: bool = True) -> UUID | None:
    """Return the id chosen in a list.

    Raises:
        Refused: nothing was chosen where something must be.
    """
    text = request.form.get(field, "")
    if re.fullmatch(r"[0-9a-fA-F-]{36}", text):
        return UUID(text)
    if required:
        raise Refused("web.choose_one", field=field)
    return None
