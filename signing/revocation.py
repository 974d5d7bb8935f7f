"""Fetching of OCSP answers and revocation lists: only from allowed addresses, within limits, every failure recorded as an outage.

Stock fetchers turn an unreachable responder into "no evidence", and some errors escape from them; ours keep "could not ask" apart from
"nobody vouches".
"""

from __future__ import annotations

import http.client
import ipaddress
import urllib.parse
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

from asn1crypto import crl, ocsp, x509
from pyhanko_certvalidator import errors
from pyhanko_certvalidator.authority import Authority, AuthorityWithCert
from pyhanko_certvalidator.fetchers.api import CertificateFetcher, CRLFetcher, FetcherBackend, Fetchers, OCSPFetcher
from pyhanko_certvalidator.fetchers.common_utils import enumerate_delivery_point_urls, format_ocsp_request, process_ocsp_response_data
from pyhanko_certvalidator.util import get_ocsp_urls, get_relevant_crl_dps, issuer_serial

_MOST_ANSWER = 5 * 1024 * 1024
_NOTHING: tuple[x509.Certificate, ...] = ()


class Sources(FetcherBackend):
    """Where evidence may come from.

    *routes* maps address prefixes found in certificates to where they are answered (the demonstration's services); *hosts* are public host
    names allowed beside them. Nothing else is asked, redirects are not followed, certificates are never fetched.
    """

    def __init__(self, routes: Mapping[str, str], hosts: Iterable[str] = (), *, timeout: float = 3, most_requests: int = 40) -> None:
        self.outages: list[str] = []
        self.unknown: set[int] = set()
        """Serial numbers their own authority answered it does not know."""
        self.latest: datetime | None = None
        """Answers and lists made after this instant come from a clock nobody can trust and are not taken."""
        self._routes, self._hosts = dict(routes), frozenset(hosts)
        self._timeout, self._left = timeout, most_requests
        self._answers: dict[tuple[str, bytes], bytes] = {}

    @property
    def gathered(self) -> list[tuple[Literal["ocsp", "crl"], bytes]]:
        """What was answered so far (DER): status answers were asked for with a question, lists without."""
        return [("ocsp" if body else "crl", answer) for (_, body), answer in self._answers.items()]

    async def hear_of(self, certificate: x509.Certificate, issuer: x509.Certificate | None) -> None:
        """Ask for the status of *certificate* where that has not failed yet: an outage elsewhere must not keep a revocation unheard."""
        if issuer is not None and not set(get_ocsp_urls(certificate)) & set(self.outages):
            with suppress(errors.OCSPFetchError):
                await _Ocsp(self).fetch(certificate, AuthorityWithCert(issuer))
        if not set(_list_urls(certificate)) & set(self.outages):
            with suppress(errors.CRLFetchError):
                await _Crl(self).fetch(certificate)

    def get_fetchers(self) -> Fetchers:
        """Fetchers of one validation; answers are shared between validations of the same document."""
        return Fetchers(_Ocsp(self), _Crl(self), _NoCertificates())

    def too_early(self, made: datetime) -> bool:
        """Whether an answer claims to be from the future."""
        return self.latest is not None and made > self.latest

    def ask(self, url: str, body: bytes = b"", kind: str = "") -> bytes:
        """GET, or POST when there is a *body*; raises ``OSError`` or ``ValueError`` and records the outage."""
        if (url, body) in self._answers:
            return self._answers[(url, body)]
        try:
            answer = self._ask(url, body, kind)
        except (OSError, ValueError, http.client.HTTPException) as problem:
            self.outages.append(url)
            raise ValueError("not answered") from problem
        self._answers[(url, body)] = answer
        return answer

    def _ask(self, url: str, body: bytes, kind: str) -> bytes:
        if self._left <= 0:
            raise ValueError("too many requests")
        self._left -= 1
        parts = urllib.parse.urlsplit(self._routed(url))
        secure = parts.scheme == "https"
        connection = (http.client.HTTPSConnection if secure else http.client.HTTPConnection)(
            parts.hostname or "", parts.port, timeout=self._timeout
        )
        try:
            headers = {"Content-Type": kind} if body else {}
            connection.request("POST" if body else "GET", parts.path or "/", body or None, headers)
            reply = connection.getresponse()
            content = reply.read(_MOST_ANSWER + 1)
            if reply.status != 200 or len(content) > _MOST_ANSWER:
                raise ValueError("status or size")
            return content
        finally:
            connection.close()

    def _routed(self, url: str) -> str:
        for prefix, target in self._routes.items():
            if url.startswith(prefix.rstrip("/") + "/"):
                return target + url.removeprefix(prefix.rstrip("/"))
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname not in self._hosts or _is_address(parts.hostname):
            raise ValueError("address not allowed")
        return url


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class _Ocsp(OCSPFetcher):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._found: dict[Any, ocsp.OCSPResponse] = {}

    async def fetch(self, cert: x509.Certificate, authority: Authority) -> ocsp.OCSPResponse:
        key = (issuer_serial(cert), authority.hashable)
        if key not in self._found:
            request = format_ocsp_request(cert, authority, certid_hash_algo="sha256", request_nonces=False)
            self._found[key] = self._first(get_ocsp_urls(cert), request)
        return self._found[key]

    def _first(self, urls: list[str], request: ocsp.OCSPRequest) -> ocsp.OCSPResponse:
        for url in urls:
            try:
                answer = self._sources.ask(url, request.dump(), "application/ocsp-request")
                response = process_ocsp_response_data(answer, ocsp_request=request, ocsp_url=url)
                if any(self._sources.too_early(one["this_update"].native) for one in response.response_data["responses"]):
                    continue
                self._sources.unknown |= set(_unknown(response))
                return response
            except (ValueError, errors.OCSPFetchError, errors.OCSPValidationError):
                continue
        raise errors.OCSPFetchError("no responder answered")

    def fetched_responses(self) -> Iterable[ocsp.OCSPResponse]:
        return list(self._found.values())

    def fetched_responses_for_cert(self, cert: x509.Certificate) -> Iterable[ocsp.OCSPResponse]:
        return [answer for (wanted, _), answer in self._found.items() if wanted == issuer_serial(cert)]


def _unknown(response: ocsp.OCSPResponse) -> Iterable[int]:
    for one in response.response_data["responses"]:
        if one["cert_status"].name == "unknown":
            yield one["cert_id"]["serial_number"].native


def _list_urls(certificate: x509.Certificate) -> list[str]:
    points = get_relevant_crl_dps(certificate, use_deltas=False)
    return [url for point in points for url in enumerate_delivery_point_urls(point)]


class _Crl(CRLFetcher):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._found: dict[bytes, list[crl.CertificateList]] = {}

    async def fetch(self, cert: x509.Certificate, *, use_deltas: bool | None = None) -> Iterable[crl.CertificateList]:
        key = issuer_serial(cert)
        if key not in self._found:
            self._found[key] = self._lists(_list_urls(cert))
        return self._found[key]

    def _lists(self, urls: list[str]) -> list[crl.CertificateList]:
        for url in urls:
            try:
                found = crl.CertificateList.load(self._sources.ask(url))
                if not self._sources.too_early(found["tbs_cert_list"]["this_update"].native):
                    return [found]
            except ValueError:
                continue
        if urls:
            raise errors.CRLFetchError("no list could be fetched")
        return []

    def fetched_crls(self) -> Iterable[crl.CertificateList]:
        return [one for found in self._found.values() for one in found]

    def fetched_crls_for_cert(self, cert: x509.Certificate) -> Iterable[crl.CertificateList]:
        return self._found[issuer_serial(cert)]


class _NoCertificates(CertificateFetcher):
    async def fetch_cert_issuers(self, cert: x509.Certificate) -> AsyncGenerator[x509.Certificate, None]:
        for one in _NOTHING:
            yield one

    async def fetch_crl_issuers(self, certificate_list: crl.CertificateList) -> AsyncGenerator[x509.Certificate, None]:
        for one in _NOTHING:
            yield one

    def fetched_certs(self) -> Iterable[x509.Certificate]:
        return []
