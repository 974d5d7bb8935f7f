"""The web application on the trial office, who stands before it, and the process that keeps the keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from signing.custody import Custody
from tests.support.live import custody_of
from tests.support.office import Office
from tests.support.visitors import Visitor, signed_in
from webapp import create_app


@pytest.fixture
def custody(office: Office) -> Iterator[Custody]:
    with custody_of(office) as opened:
        yield opened


@pytest.fixture
def app(office: Office) -> Flask:
    return create_app(office.runtime)


@pytest.fixture
def head(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "head")


@pytest.fixture
def designer(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "designer")


@pytest.fixture
def approver(app: Flask, office: Office) -> Visitor:
    return signed_in(app, office, "approver")
