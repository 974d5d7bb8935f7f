"""The OpenAPI 3.1 document, written from the table of routes."""

from __future__ import annotations

import dataclasses
import re
from functools import cache

from flask import Response, jsonify

from webapp.api.access import GRANT
from webapp.api.area import area
from webapp.api.routes import JSON, KEY, ROUTES, Route
from webapp.api.shapes import Schema, described, hints, without_default

PROBLEM: Schema = {
    "type": "object",
    "description": "A problem as RFC 9457 describes it: what happened, why, what to do; one entry per field.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable, dotted: area.reason"},
        "remedy": {"type": "string"},
        "message": {"type": "string"},
        "field": {"type": "string"},
        "source": {"type": "string", "description": "the act of law behind a refusal"},
        "incident": {"type": "string", "description": "the number of a mistake of ours"},
        "errors": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["type", "title", "status"],
}
ABOUT = (
    "Dossiers and documents of a one-stop office: everything the screens do. A PIN is sealed by the client to the public key of "
    "key custody; the server never reads it. Texts for people come in Vietnamese or English (Accept-Language)."
)
CONVERTERS = {"uuid": {"type": "string", "format": "uuid"}, "int": {"type": "integer"}}
REFUSALS = {
    "401": "No valid access token",
    "403": "Not for this person",
    "404": "Not found, for this person",
    "409": "Somebody was faster; facts say who and when",
    "422": "A rule refuses, or fields are wrong",
    "429": "Too many requests",
}


@area.get("/openapi.json")
def openapi() -> Response:
    """Return the document."""
    return jsonify(document())


@cache
def document() -> Schema:
    """Return the OpenAPI document of all routes."""
    known: dict[str, Schema] = {"Problem": PROBLEM}
    paths: dict[str, Schema] = {}
    for entry in ROUTES:
        paths.setdefault(entry.address, {})[entry.method.lower()] = operation(entry, known)
    paths["/openapi.json"] = {
        "get": {
            "operationId": "openapi",
            "summary": "This document",
            "tags": ["meta"],
            "security": [],
            "responses": {"200": {"description": "OpenAPI 3.1", "content": {JSON: {"schema": {"type": "object"}}}}},
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Motcua",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "tags": [{"name": name} for name in sorted({entry.tag for entry in ROUTES} | {"meta"})],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(known.items())),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "a personal access token"},
                "grant": {
                    "type": "apiKey",
                    "in": "header",
                    "name": GRANT,
                    "description": "what an owner gets for number and access code",
                },
            },
        },
    }


def operation(entry: Route, known: dict[str, Schema]) -> Schema:
    """Return one operation."""
    said: Schema = {
        "operationId": entry.name,
        "summary": entry.summary,
        "tags": [entry.tag],
        "parameters": parameters(entry, known),
        "responses": {str(204 if entry.answer is None and entry.media == JSON else entry.status): success(entry, known), **refusals()},
    }
    if entry.who != "person":
        said["security"] = [{"grant": []}] if entry.who == "owner" else []
    if entry.files:
        said["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": multipart(entry, known)}}}
    elif entry.body is not None:
        said["requestBody"] = {"required": True, "content": {JSON: {"schema": described(entry.body, known)}}}
    return said


def parameters(entry: Route, known: dict[str, Schema]) -> list[Schema]:
    """Return the parameters in path, address and header."""
    found: list[Schema] = [
        {"name": name, "in": "path", "required": True, "schema": CONVERTERS.get(kind, {"type": "string"})}
        for kind, name in re.findall(r"<(?:([^:<>]+):)?([^<>]+)>", entry.path)
    ]
    if entry.query is not None:
        found += [
            {
                "name": field.name,
                "in": "query",
                "required": without_default(field),
                "schema": described(hints(entry.query)[field.name], known),
            }
            for field in dataclasses.fields(entry.query)
        ]
    if entry.method != "GET":
        found.append(
            {
                "name": KEY,
                "in": "header",
                "required": False,
                "description": "the same key with the same request gets the first answer again; with another request 409",
                "schema": {"type": "string", "maxLength": 200},
            }
        )
    return found


def success(entry: Route, known: dict[str, Schema]) -> Schema:
    """Return the answer of an operation that succeeds."""
    if entry.media != JSON:
        return {"description": "The file", "content": {entry.media: {"schema": {"type": "string", "contentMediaType": entry.media}}}}
    if entry.answer is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {JSON: {"schema": described(entry.answer, known)}}}


def refusals() -> Schema:
    """Return the answers every operation may give when it says no."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": text, "content": content} for status, text in REFUSALS.items()}


def multipart(entry: Route, known: dict[str, Schema]) -> Schema:
    """Return the schema of a form with files."""
    content = {"type": "string", "contentMediaType": "application/octet-stream"}
    fields: Schema = {name: content for name in entry.files if not name.endswith("*")}
    patterns = {f"^{re.escape(name[:-1])}": content for name in entry.files if name.endswith("*")}
    required = list(fields)
    if entry.body is not None:
        for field in dataclasses.fields(entry.body):
            fields[field.name] = described(hints(entry.body)[field.name], known)
            required += [field.name] if without_default(field) else []
    return {"type": "object", "properties": fields, "required": required, **({"patternProperties": patterns} if patterns else {})}
