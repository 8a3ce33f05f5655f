"""A check over HTTP: one request with its redirects, or several that carry cookies and values on, as a visitor does."""

import base64
import re
import time
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import urlencode, urlsplit

from collectors.config import login
from collectors.errors import Denied
from collectors.probe.attempt import Attempt, Failed
from collectors.probe.config import Probe, Request
from collectors.probe.hop import Hop
from collectors.probe.judge import certificate, extracted, judge
from collectors.probe.request import Answer, Sending, exchange
from collectors.probe.tls import Trust

MOST_REDIRECTS = 10
FIRST_STEP = "start"
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
"""A header's; what http.client refuses it repeats in its message, and this may be secret."""
FORM = "application/x-www-form-urlencoded"

Allowed = Callable[[str], bool]
"""(host) -> may be asked."""


def run(config: Probe, attempt: Attempt, allowed: Allowed | None = None) -> None:
    """Everything that is learnt is in `attempt`; raises Failed, or what `Attempt.failure` knows."""
    journey = _Journey(config, attempt, allowed)
    attempt.more |= {"status": 0, "version": 0.0, "redirects": 0, "is_tls": False, "regex": False, "steps": []}
    hop = Hop(urlsplit(config.url), config.host_header)
    if not config.steps:
        journey.step(config, hop)
        return
    steps = [(FIRST_STEP, config, ""), *((step.name, step, step.url) for step in config.steps)]
    for name, asked, url in steps:
        began = time.perf_counter()
        told = {"name": name, "good": False, "seconds": 0.0}
        attempt.more["steps"].append(told)
        try:
            journey.step(asked, hop.onward(filled(url, journey.values)) if url else hop)
            told["good"] = True
        except (OSError, ValueError, Failed) as error:
            failed = attempt.failure(error)
            raise Failed(failed.reason, f"step {name}: {failed}") from error
        finally:
            told["seconds"] = time.perf_counter() - began


class _Journey:
    def __init__(self, config: Probe, attempt: Attempt, allowed: Allowed | None) -> None:
        self._config = config
        self._attempt = attempt
        self._allowed = allowed
        self._trust = Trust(config.verify_tls, config.ca_file)
        self._home = Hop(urlsplit(config.url), config.host_header)
        self._jar = _Jar() if config.steps else None
        self.values: dict[str, str] = {}

    def step(self, asked: Request, hop: Hop) -> None:
        began = time.perf_counter()
        answer = self._visit(asked, hop)
        try:
            judge(asked, answer, time.perf_counter() - began)
            self.values |= extracted(asked.extract, answer)
        except Failed as failed:
            self._attempt.more["regex"] = failed.reason in ("body", "header")
            raise
        if self._attempt.tls or asked is self._config:
            certificate(self._config.certificate, self._attempt.tls)

    def _visit(self, asked: Request, hop: Hop) -> Answer:
        """The last answer of a chain of redirects."""
        more, sending = self._attempt.more, self._sending(asked)
        for key in ("length", "body_length", "modified"):
            more.pop(key, None)
        redirects = 0
        while True:
            answer = self._asked(hop, sending)
            target = answer.location
            if target is None or not asked.follow_redirects or answer.status in asked.expect_status:
                return answer
            if redirects >= MOST_REDIRECTS:
                raise ValueError(f"redirected more than {MOST_REDIRECTS} times")
            onward = hop.onward(target)
            if self._config.height == "local" and not onward.same_server(hop):
                return answer  # the check of this host's own server ends here
            if self._allowed and not self._allowed(onward.at.hostname or ""):
                raise ValueError(f"redirected to {onward.site}, which may not be asked")
            redirects += 1
            more["redirects"] += 1
            hop, sending = onward, _onward(sending, answer.status, onward.same_site(hop))

    def _asked(self, hop: Hop, sending: Sending) -> Answer:
        headers = dict(sending.headers)
        if hop.same_site(self._home):
            headers = {**self._credentials(), **headers}
        if self._jar and (cookies := self._jar.header(hop.url)):
            headers["Cookie"] = cookies
        if wrong := next((name for name, value in headers.items() if not VALUE.fullmatch(value)), None):
            raise Failed(
                "protocol", f"header {wrong}: expected one line of Latin letters to send, found something else"
            )
        answer = exchange(self._attempt, hop, Sending(sending.method, headers, sending.body), self._trust)
        if self._jar:
            self._jar.take(hop.url, answer.headers)
        self._attempt.more |= {
            "length": answer.length, "body_length": len(answer.body), "modified": answer.modified,
        }  # fmt: skip
        return answer

    def _credentials(self) -> Mapping[str, str]:
        config = self._config
        if token := login(config.token, config.token_file):
            return {"Authorization": f"Bearer {token}"}
        if config.username:
            password = login(config.password, config.password_file) or ""
            known = base64.b64encode(f"{config.username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {known}"}
        return {}

    def _sending(self, asked: Request) -> Sending:
        headers = {pair.name: filled(_revealed(pair), self.values) for pair in asked.headers}
        body: str | None = asked.body or None
        if asked.body_file:
            body = login(None, asked.body_file)
        body = filled(body, self.values) if body is not None else None
        if asked.form:
            fields = [(pair.name, filled(_revealed(pair), self.values)) for pair in asked.form]
            body = urlencode(fields)
            headers = {"Content-Type": FORM, **headers}
        return Sending(asked.method, headers, body.encode() if body is not None else None)


def _onward(sending: Sending, status: int, same_site: bool) -> Sending:
    """What is sent after a redirect. Another site is told nothing that was for the first: it may hold secrets."""
    if status in (301, 302, 303) and sending.method != "HEAD":
        rest = {name: value for name, value in sending.headers.items() if name.lower() != "content-type"}
        sending = Sending("GET", rest)
    if same_site:
        return sending
    if sending.body is not None:
        raise ValueError("redirected to another site, with what was to be sent to the first")
    return Sending(sending.method, {})


def _revealed(pair: Any) -> str:
    try:
        text: str = pair.reveal()
    except (OSError, UnicodeDecodeError) as error:
        raise Denied(f"read {pair.name} from {pair.value_file}: {error}") from error
    return text


def filled(text: str, values: Mapping[str, str]) -> str:
    """`{name}` becomes the value; what is no name of a value stays, as braces do in JSON."""
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


class _Jar:
    """The cookies of one journey, by the rules of the standard library's."""

    def __init__(self) -> None:
        import http.cookiejar  # with urllib.request: only for journeys

        self._jar = http.cookiejar.CookieJar()

    def take(self, url: str, headers: Message) -> None:
        from urllib.request import Request as Asked

        class Said:
            def info(self) -> Message:
                return headers

        self._jar.extract_cookies(Said(), Asked(url))  # type: ignore[arg-type] # noqa: S310 # nothing is opened

    def header(self, url: str) -> str:
        from urllib.request import Request as Asked

        asked = Asked(url)  # noqa: S310 # nothing is opened
        self._jar.add_cookie_header(asked)
        return asked.get_header("Cookie") or ""
