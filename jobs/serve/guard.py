"""Refuses requests that other pages make through a person's browser."""

import hmac
from collections.abc import Collection
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_COOKIE = "colorizer_token"

# Nothing comes from other servers, nothing is inline, and no other page may embed this one.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """An ASGI application around another, which checks who asks.

    Args:
        app: the ASGI application.
        hosts: collection of the names, with the port, by which this machine may be addressed: a
            page of another server whose name points here (DNS rebinding) uses its own. None with a
            token, which such a page does not know.
        token: str or None, what everything but the empty page asks for: as a Bearer token, or in
            the cookie that `/?token=` sets.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None, token: str | None):
        self._app = app
        self._hosts = hosts
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    sent[name] = value
                # Otherwise the rest of a body that was refused would be received for nothing.
                if message["status"] >= 400 and scope["method"] in ("POST", "PUT"):
                    sent["Connection"] = "close"
                if self._is_given_in_address(scope):
                    sent.append("Set-Cookie", self._cookie())
            await send(message)

        status, reason = self._refusal(scope, headers)
        app = JSONResponse({"detail": reason}, status) if status else self._app
        await app(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str]:
        """The status and the reason of a refusal, or 0."""
        host = headers.get("host", "").lower()
        if self._hosts is not None and host not in self._hosts:
            return 403, "this server answers only to the address that it printed"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host:
            return 403, "another page sent this request"
        is_open = not scope["path"].startswith(("/api", "/openapi.json"))
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not is_open:
            return 403, "another page sent this request"
        if self._token and not is_open and not self._is_given(headers):
            return 401, "the token is missing or wrong; open the address that the program printed"
        return 0, ""

    def _is_given(self, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._is_token(bearer.strip()):
            return True
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(_COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._is_token(cookie.value)

    def _is_given_in_address(self, scope: Scope) -> bool:
        if not self._token or scope["path"] != "/":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
        return self._is_token(given[0])

    def _is_token(self, given: str) -> bool:
        assert self._token
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _cookie(self) -> str:
        return f"{_COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"
