"""People at their browsers: a client of the web application, signed in as somebody of the small office."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from engine.accounts.administration import create_account, hash_password
from engine.kernel.unit_of_work import Actor
from engine.organisation.model import Person
from tests.support.office import Office

PASSWORD = "mot cua mo rong"
HASH = hash_password(PASSWORD)


@dataclass
class Visitor:
    """One person's browser."""

    client: FlaskClient

    def get(self, address: str, **more: Any) -> Any:
        """Open a page."""
        return self.client.get(address, **more)

    def post(self, address: str, page: str, **fields: Any) -> Any:
        """Send a form as a browser does: with the token of the page it stands on."""
        return self.client.post(address, data={"csrf_token": token(self.client.get(page).text), **fields})


def token(page: str) -> str:
    """The token of the first form of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None, page[:2000]
    return found[1]


def account_of(office: Office, who: str) -> int:
    """The account of somebody of the office, made at the first call."""
    with office.runtime.begin(Actor("cli", label="tests")) as w:
        person = w.session.get(Person, (w.province, office.people[who]))
        assert person is not None
        if person.account_id is None:
            person.account_id = create_account(w, f"{who}@mau.example", person.full_name, password_hash=HASH).id
        return person.account_id


def signed_in(app: Flask, office: Office, who: str) -> Visitor:
    """A browser in which *who* has signed in."""
    account_of(office, who)
    visitor = Visitor(app.test_client())
    answer = visitor.post("/login", "/login", name=f"{who}@mau.example", password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return visitor
