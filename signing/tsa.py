"""Client of time-stamping authorities (RFC 3161): several addresses tried in turn, nonce, imprint and clock checked."""

from __future__ import annotations

import http.client
import secrets
import urllib.parse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from asn1crypto import cms, tsp
from pyhanko.sign.timestamps import TimeStamper

from signing.der import boolean, integer, octets, sequence
from signing.errors import SigningError
from signing.signed_data import SHA256

Post = Callable[[str, bytes], bytes]
MAX_SKEW_SECONDS = 60
_MAX_ANSWER = 256 * 1024


class TokenSource(Protocol):
    """Whoever answers a digest with a time-stamp token."""

    def token(self, digest: bytes, now: datetime) -> bytes:
        """A time-stamp token (CMS, DER) over the SHA-256 *digest*."""
        ...


class TimeStampClient:
    """Asks for tokens over a digest.

    *urls* are tried in order, each within *timeout* seconds; *policies*, when given, are the only TSA policies accepted (OIDs). *post*
    sends one query and can be replaced where no network is wanted (see ``in_process``).
    """

    def __init__(self, urls: Sequence[str], *, timeout: float = 5, policies: Sequence[str] = (), post: Post | None = None) -> None:
        self._urls = tuple(urls)
        self._policies = frozenset(policies)
        self._post = post or (lambda url, body: _post(url, body, timeout))

    def token(self, digest: bytes, now: datetime, *, max_skew: float | None = MAX_SKEW_SECONDS) -> bytes:
        """A time-stamp token (CMS, DER) over the SHA-256 *digest*; *now* is the office's clock.

        Raises:
            SigningError: ``signing.tsa_down`` when no address answers properly (the prepared work stays valid),
                ``signing.clock_skew`` when the office's clock and the authority differ by more than *max_skew* seconds.
        """
        failures: list[str] = []
        for url in self._urls:
            nonce = secrets.randbits(63)
            try:
                token = self._accepted(self._post(url, _query(digest, nonce)), digest, nonce)
            except (OSError, ValueError, TypeError, KeyError, http.client.HTTPException) as problem:
                failures.append(type(problem).__name__)
                continue
            skew = (gen_time(token) - now.astimezone(UTC)).total_seconds()
            if max_skew is not None and abs(skew) > max_skew:
                raise SigningError("signing.clock_skew", seconds=round(skew), limit=round(max_skew))
            return bytes(token.dump())
        raise SigningError("signing.tsa_down", tried=len(self._urls), reasons=", ".join(failures))

    def _accepted(self, answer: bytes, digest: bytes, nonce: int) -> cms.ContentInfo:
        response = tsp.TimeStampResp.load(answer)
        if response["status"]["status"].native not in ("granted", "granted_with_mods"):
            raise ValueError("refused")
        token = response["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"].parsed
        imprint = info["message_imprint"]
        if info["nonce"].native != nonce:
            raise ValueError("nonce")
        if imprint["hashed_message"].native != digest or imprint["hash_algorithm"]["algorithm"].native != "sha256":
            raise ValueError("imprint")
        if self._policies and info["policy"].dotted not in self._policies:
            raise ValueError("policy")
        return token


def in_process(answer: Callable[[bytes, datetime], bytes], clock: Callable[[], datetime]) -> TimeStampClient:
    """A client of an authority in this process (``Authorities.timestamp``): for simulations under a moved clock."""
    return TimeStampClient(["in-process:"], post=lambda _url, body: answer(body, clock()))


def gen_time(token: cms.ContentInfo) -> datetime:
    """The instant a token states."""
    instant: datetime = token["content"]["encap_content_info"]["content"].parsed["gen_time"].native
    return instant


def check_imprint(token: bytes, digest: bytes) -> None:
    """Check that a token is over *digest*.

    Raises:
        SigningError: ``signing.token_foreign``.
    """
    info = cms.ContentInfo.load(token)["content"]["encap_content_info"]["content"].parsed
    if info["message_imprint"]["hashed_message"].native != digest:
        raise SigningError("signing.token_foreign")


class LiveStamper(TimeStamper):
    """Lets pyHanko ask a client directly, where an archive time-stamp is made in one go."""

    def __init__(self, client: TokenSource, now: datetime) -> None:
        TimeStamper.__init__(self)
        self._client, self._now = client, now

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        """A fresh token over the digest."""
        if md_algorithm != "sha256":
            raise SigningError("signing.digest_unsupported", algorithm=md_algorithm)
        return cms.ContentInfo.load(self._client.token(message_digest, self._now))


def _query(digest: bytes, nonce: int) -> bytes:
    return sequence(integer(1), sequence(SHA256, octets(digest)), integer(nonce), boolean(True))


def _post(url: str, body: bytes, timeout: float) -> bytes:
    parts = urllib.parse.urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("POST", parts.path or "/", body, {"Content-Type": "application/timestamp-query"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ValueError(f"status {answer.status}")
        return answer.read(_MAX_ANSWER)
    finally:
        connection.close()
