"""Keys held by a remote signing service: only digests leave this house, only raw signatures come back, and none is believed unchecked.

Two kinds of service: the Cloud Signature Consortium's API v1 (one authorisation by PIN for the whole batch) and services that take digests
and are asked again until the owner has approved on the telephone (the style of VNPT SmartCA). Both ask once: when an answer is lost the
request is never sent a second time, so no second signature can come to be.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import http.client
import json
import time
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from signing.errors import SigningError
from signing.keys import ECDSA, PKCS1, PSS, check_raw, mechanism_for
from signing.model import Json, SignerCertificate

# A signature over the content of the same place, or the reason there is none: one refused document never hides the others.
RemoteAnswer = bytes | SigningError
_MOST_ANSWER = 4 * 1024 * 1024
_SHA256 = "2.16.840.1.101.3.4.2.1"
_ALGORITHMS = {ECDSA: "1.2.840.10045.4.3.2", PSS: "1.2.840.113549.1.1.10", PKCS1: "1.2.840.113549.1.1.11"}
# RSASSA-PSS-params: SHA-256, MGF1 with SHA-256, salt of 32 bytes (RFC 4055); left out, services take SHA-1.
_PSS_PARAMETERS = "MDSgDzANBglghkgBZQMEAgEFAKEcMBoGCSqGSIb3DQEBCDANBglghkgBZQMEAgEFAKIDAgEg"


class RemoteKey(Protocol):
    """A key somewhere else, whatever protocol leads to it."""

    def sign(self, certificate: SignerCertificate, contents: Sequence[bytes]) -> list[RemoteAnswer]:
        """One answer for each of *contents*, in their order."""
        ...


@dataclass(frozen=True)
class Service:
    """Address of a signing service; *timeout* in seconds bounds each single request.

    Plain http is accepted for this machine only: what goes over the line opens keys.
    """

    url: str
    token: str = field(default="", repr=False)
    timeout: float = 30

    def post(self, path: str, body: Json) -> Json:
        """Post *body* as JSON and return the answer.

        Raises:
            SigningError: ``custody.remote_down``, ``custody.remote_refused``, ``custody.remote_nonsense``.
        """
        parts = urllib.parse.urlsplit(self.url)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme != "https" and not (local and parts.scheme == "http"):
            raise SigningError("custody.remote_down")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout)
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        try:
            connection.request("POST", f"{parts.path.rstrip('/')}/{path}", json.dumps(body).encode(), headers)
            reply = connection.getresponse()
            status, content = reply.status, reply.read(_MOST_ANSWER + 1)
        except (OSError, http.client.HTTPException):
            # Not chained: the causes carry the request, and the request carries the PIN.
            raise SigningError("custody.remote_down") from None
        finally:
            connection.close()
        if 400 <= status < 500:
            raise SigningError("custody.remote_refused")
        if status != 200:
            raise SigningError("custody.remote_down")
        try:
            answer = json.loads(content) if len(content) <= _MOST_ANSWER else None
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise SigningError("custody.remote_nonsense")
        return answer


@dataclass(frozen=True)
class CloudKey:
    """A key behind the Cloud Signature Consortium's API v1.0.4: ``credentials/authorize`` once, then ``signatures/signHash`` once.

    *pin* belongs to one authorisation and must be dropped with this value.
    """

    service: Service
    credential: str
    pin: str = field(repr=False)

    def sign(self, certificate: SignerCertificate, contents: Sequence[bytes]) -> list[RemoteAnswer]:
        """One answer for each of *contents*, under one authorisation over exactly their digests.

        Raises:
            SigningError: ``custody.remote_away`` (nothing was signed), ``custody.remote_down`` (nobody knows), ``custody.remote_refused``,
                ``custody.remote_nonsense``.
        """
        name = mechanism_for(certificate.der)
        digests = [base64.b64encode(hashlib.sha256(one).digest()).decode() for one in contents]
        asked = {"credentialID": self.credential, "numSignatures": len(digests), "hash": digests, "PIN": self.pin}
        try:
            granted = self.service.post("credentials/authorize", asked)
        except SigningError as problem:
            # Without an authorisation in hand nothing can have been signed, whatever became of the request.
            raise SigningError("custody.remote_away" if problem.code == "custody.remote_down" else problem.code) from None
        authorisation = granted.get("SAD")
        if not isinstance(authorisation, str) or not authorisation:
            raise SigningError("custody.remote_nonsense")
        request: Json = {
            "credentialID": self.credential,
            "SAD": authorisation,
            "hash": digests,
            "hashAlgo": _SHA256,
            "signAlgo": _ALGORITHMS[name],
        }
        if name == PSS:
            request["signAlgoParams"] = _PSS_PARAMETERS
        found = self.service.post("signatures/signHash", request).get("signatures")
        # Order is all that ties an answer to its document here; one too many or too few and nothing of it can be trusted.
        if not isinstance(found, list) or len(found) != len(contents):
            raise SigningError("custody.remote_nonsense")
        return [_checked(certificate, name, one, content) for one, content in zip(found, contents, strict=True)]


@dataclass(frozen=True)
class PolledKey:
    """A key whose owner approves on a telephone: digests are sent once under *transaction*, then the state is asked for.

    *transaction* must be kept by the caller before ``sign`` and given again after a crash with ``resume``: the answer is then fetched, not
    asked for anew. *pause* seconds lie between two questions, at most *questions* are asked.
    """

    service: Service
    provider: str
    password: str = field(repr=False)
    user: str
    transaction: str
    pause: float = 5
    questions: int = 48
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)

    def sign(self, certificate: SignerCertificate, contents: Sequence[bytes]) -> list[RemoteAnswer]:
        """Send the digests of *contents* and wait for the owner's approval.

        Raises:
            SigningError: ``custody.remote_down``, ``custody.remote_late`` (nobody knows yet), ``custody.remote_expired``,
                ``custody.remote_refused``, ``custody.remote_nonsense``.
        """
        files = [
            {"doc_id": _mark(number), "data_to_be_signed": hashlib.sha256(one).hexdigest(), "sign_type": "hash", "file_type": "pdf"}
            for number, one in enumerate(contents)
        ]
        try:
            self.service.post("signatures/sign", {**self._who(), "transaction_id": self.transaction, "sign_files": files})
        except SigningError as problem:
            # The request may have arrived although its answer did not: only asking can tell, a second request could sign twice.
            if problem.code == "custody.remote_refused":
                raise
        return self.resume(certificate, contents)

    def resume(self, certificate: SignerCertificate, contents: Sequence[bytes]) -> list[RemoteAnswer]:
        """Wait for the answer to what was sent before; sends nothing that could be signed.

        Raises:
            SigningError: as ``sign``.
        """
        code = "custody.remote_late"
        for number in range(self.questions):
            if number:
                self.wait(self.pause)
            try:
                answer = self.service.post(f"signatures/sign/{urllib.parse.quote(self.transaction, safe='')}/status", self._who())
            except SigningError as problem:
                if problem.code != "custody.remote_down":
                    raise
                code = problem.code
                continue
            code = "custody.remote_late"
            state = str(answer.get("message", "")).upper()
            if state == "SUCCESS":
                return self._answers(certificate, contents, answer)
            if state in ("EXPIRED", "REJECTED", "REFUSED", "CANCELLED"):
                raise SigningError("custody.remote_expired" if state == "EXPIRED" else "custody.remote_refused")
        raise SigningError(code)

    def _answers(self, certificate: SignerCertificate, contents: Sequence[bytes], answer: Json) -> list[RemoteAnswer]:
        data = answer.get("data")
        listed = data.get("signatures") if isinstance(data, dict) else None
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise SigningError("custody.remote_nonsense")
        name, answers = mechanism_for(certificate.der), list[RemoteAnswer]()
        for number, content in enumerate(contents):
            values = [one.get("signature_value") for one in listed if one.get("doc_id") == _mark(number)]
            if not values:
                answers.append(SigningError("custody.remote_refused"))
            elif len(values) > 1:
                # Two answers for one document: which of them the owner approved nobody can say.
                answers.append(SigningError("custody.remote_nonsense"))
            else:
                answers.append(_checked(certificate, name, values[0], content))
        return answers

    def _who(self) -> Json:
        return {"sp_id": self.provider, "sp_password": self.password, "user_id": self.user}


def _mark(number: int) -> str:
    return f"doc-{number}"


def _checked(certificate: SignerCertificate, name: str, value: Any, content: bytes) -> RemoteAnswer:
    try:
        signature = base64.b64decode(value, validate=True)
        check_raw(certificate.der, name, signature, content)
    except SigningError as problem:
        return problem
    except (binascii.Error, TypeError, ValueError):
        return SigningError("custody.remote_nonsense")
    return signature
