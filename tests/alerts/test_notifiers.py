"""Every notifier that is found: what it sends against goldens, and what all of them promise."""

import json
import logging
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from agent.configuration import ConfigurationError, parse
from alerts.attempt import attempt, hidden
from alerts.message.context import Context
from alerts.notices import Notice
from alerts.notifier import Answer, Channel, Request
from alerts.notifiers import apprise, email
from alerts.registry import MODULES, channels, notifier
from collectors.config import Secret
from tests.alerts.shapes import CHECKS
from tests.alerts.told import HIDDEN, NOTICES, NOW, SETTINGS, channel
from tests.golden import DATA, golden

KINDS = tuple(MODULES)
POSTING = tuple(kind for kind in KINDS if notifier(kind).render)
PEOPLE = tuple(kind for kind in KINDS if kind not in ("webhook", "alertmanager"))
"""Whom words are for; the others get labels and annotations as they are."""


def rendered(kind: str, notice: Notice) -> Any:
    """What leaves, without the secrets."""
    settings: Any = channel(kind).settings
    if kind == "email":
        return email.compose(notice, settings).as_string()
    if kind == "apprise":
        return apprise.request(notice, settings)
    render = notifier(kind).render
    assert render
    request = render(notice, settings)
    request = request.plain or request
    return {"url": request.url, "bearer": request.bearer, "headers": dict(request.headers), "json": request.json}


def masked(text: str) -> str:
    """Basic authentication is a secret in base64."""
    return re.sub(r"Basic [\w=+/]+", "Basic ***", re.sub(r"s3cret(-\w+)?", "***", text))


@pytest.mark.parametrize("case", [case for case in NOTICES if case != "many"])
@pytest.mark.parametrize("kind", KINDS)
def test_goldens(kind: str, case: str) -> None:
    found = rendered(kind, NOTICES[case])
    suffix = "txt" if isinstance(found, str) else "json"
    text = found if isinstance(found, str) else json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    golden(DATA / "notifiers" / kind / f"{case}.{suffix}", masked(text))


def test_each_module_is_registered() -> None:
    files = {path.stem for path in (Path(apprise.__file__).parent).glob("[!_]*.py")}
    assert files == set(MODULES) == set(SETTINGS)
    for kind in KINDS:
        assert notifier(kind).name == kind
        assert (notifier(kind).render is None) != (notifier(kind).send is None)


class TestSettings:
    @pytest.mark.parametrize("kind", KINDS)
    def test_come_through_the_configuration(self, kind: str) -> None:
        text = json.dumps({"notify": {kind: {"ops": SETTINGS[kind]}}})
        assert list(channels(parse(text, "f.yml").notify)) == [channel(kind)]

    @pytest.mark.parametrize("kind", KINDS)
    def test_unknown_keys_are_refused_in_words_without_secrets(self, kind: str) -> None:
        text = json.dumps({"notify": {kind: {"ops": SETTINGS[kind] | {"colour": "s3cret"}}}})
        with pytest.raises(ConfigurationError, match=rf"notify\.{kind}\.ops\.colour: unknown key; expected") as refused:
            parse(text, "f.yml")
        assert "s3cret" not in str(refused.value)

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_is_wrong_is_said_without_secrets(self, kind: str) -> None:
        for key in SETTINGS[kind]:
            for wrong in ({"s3cret": 1}, ["s3cret"], 7, "s3cret s3cret"):
                words = refusal({"notify": {kind: {"ops": SETTINGS[kind] | {key: wrong}}}})
                assert not words or f"notify.{kind}.ops" in words
                assert "s3cret" not in words or key in ("server", "sender", "to", "username")

    @pytest.mark.parametrize("kind", KINDS)
    def test_secrets_do_not_show(self, kind: str) -> None:
        settings: Any = channel(kind).settings
        assert "s3cret" not in f"{settings!r}{settings}{settings.model_dump()}{settings.model_dump_json()}"
        assert "s3cret" not in repr(channel(kind))

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_secret_can_come_from_a_file(self, kind: str, tmp_path: Path) -> None:
        model = notifier(kind).config
        keys = [key for key in SETTINGS[kind] if f"{key}_file" in model.model_fields]
        assert keys
        file = {f"{key}_file": tmp_path / key for key in keys}
        for key in keys:
            (tmp_path / key).write_text(f"{SETTINGS[kind][key]}\n")
        bare = {key: value for key, value in SETTINGS[kind].items() if key not in keys}
        settings: Any = model.model_validate(bare | file)
        of_files = Channel("ops", notifier(kind), settings)
        notice = NOTICES["one"]
        if kind in POSTING:
            assert sent(of_files, notice) == sent(channel(kind), notice)
        assert hidden(f"it said {SETTINGS[kind][keys[0]]}", settings) == "it said [hidden]"
        for path in file.values():
            path.unlink()
        tried = attempt(of_files, notice, NOW, lambda *_: Answer(200))
        assert (tried.outcome, tried.words.partition(":")[0]) == ("retry", "FileNotFoundError")

    def test_a_name_is_given_once(self) -> None:
        text = json.dumps({"notify": {kind: {"ops": SETTINGS[kind]} for kind in ("slack", "ntfy")}})
        with pytest.raises(
            ConfigurationError, match="notify: expected each name once, found 'ops' under slack and ntfy"
        ):
            parse(text, "f.yml")

    @pytest.mark.parametrize("kind", ["slack", "mattermost", "teams", "pagerduty", "opsgenie", "ntfy", "apprise"])
    def test_one_place_for_the_key(self, kind: str, tmp_path: Path) -> None:
        key = next(iter(SETTINGS[kind]))
        model = notifier(kind).config
        with pytest.raises(ValidationError, match=f"expected either {key} or {key}_file, found none"):
            model.model_validate({})
        with pytest.raises(ValidationError, match="found both"):
            model.model_validate({key: SETTINGS[kind][key], f"{key}_file": tmp_path})


def refusal(configuration: dict[str, Any]) -> str:
    try:
        parse(json.dumps(configuration), "f.yml")
    except ConfigurationError as error:
        return str(error)
    return ""


def sent(each: Channel, notice: Notice) -> tuple[str, Any, str | None, dict[str, str]]:
    assert each.notifier.render
    request = each.notifier.render(notice, each.settings)
    return request.url, request.json, request.bearer, dict(request.headers)


@pytest.mark.parametrize("case", NOTICES)
@pytest.mark.parametrize("kind", KINDS)
class TestWhatIsSent:
    def test_is_the_same_each_time(self, kind: str, case: str) -> None:
        assert rendered(kind, NOTICES[case]) == rendered(kind, NOTICES[case])

    def test_shows_people_nothing_redacted(self, kind: str, case: str) -> None:
        if kind in PEOPLE:
            text = json.dumps(rendered(kind, NOTICES[case]))
            assert not [secret for secret in HIDDEN if secret in text]

    def test_is_as_the_receiver_documents_it(self, kind: str, case: str) -> None:
        if kind in POSTING:
            found = json.loads(json.dumps(rendered(kind, NOTICES[case])))
            CHECKS[kind](found["json"], found["url"])

    def test_counts_what_it_leaves_out(self, kind: str, case: str) -> None:
        if case == "many" and kind in PEOPLE and kind != "ntfy":
            assert re.search(r"(and|more\":) ?4\d\d( more)?|500", json.dumps(rendered(kind, NOTICES[case])))


@pytest.mark.parametrize("kind", POSTING)
def test_all_of_the_longest_fits(kind: str) -> None:
    long = tuple("é<" * 4000 for _ in range(50))
    context = Context(
        long[0], long[0], long[0], causes=long, changes=long, offenders=long, evidence=long, movers=long,
        series=tuple(float(at) for at in range(999)), command=long[0],
    )  # fmt: skip
    labels = {f"label{number}": "ü&" * 2000 for number in range(60)}
    alerts = tuple(
        replace(
            alert, labels={**alert.labels, **labels}, annotations=dict.fromkeys(("summary", "description"), long[0])
        )
        for alert in NOTICES["many"].alerts[:50]
    )
    found = rendered(kind, replace(NOTICES["one"], alerts=alerts, context=context))
    CHECKS[kind](found["json"], found["url"])


class TestAnswers:
    @pytest.mark.parametrize(("status", "outcome"), [
        (200, "done"), (201, "done"), (202, "done"), (204, "done"), (301, "permanent"), (400, "permanent"),
        (401, "permanent"), (403, "permanent"), (404, "permanent"), (408, "retry"), (410, "permanent"),
        (413, "permanent"), (422, "permanent"), (429, "retry"), (500, "retry"), (502, "retry"), (503, "retry"),
    ])  # fmt: skip
    @pytest.mark.parametrize("kind", POSTING)
    def test_of_http(self, kind: str, status: int, outcome: str) -> None:
        tried = attempt(channel(kind), NOTICES["one"], NOW, lambda *_: Answer(status, "7", "no s3cret such channel"))
        assert tried.outcome == outcome
        assert tried.words.startswith(f"HTTP {status}: no ")
        assert tried.retry_after == (7 if outcome == "retry" else 0)

    @pytest.mark.parametrize("trouble", [
        ConnectionRefusedError(111, "refused s3cret"), TimeoutError("s3cret timed out"), socket.gaierror(-2, "s3cret"),
        ValueError("s3cret"), RecursionError("s3cret"),
    ], ids=lambda each: type(each).__name__)  # fmt: skip
    @pytest.mark.parametrize("kind", POSTING)
    def test_no_secret_in_what_went_wrong(
        self, kind: str, trouble: Exception, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)

        def send(_request: Request, _timeout: float) -> Answer:
            parts = [
                f"{value.reveal()} " for value in vars(channel(kind).settings).values() if isinstance(value, Secret)
            ]
            raise type(trouble)(*trouble.args[:-1], f"{parts} failed")

        tried = attempt(channel(kind), NOTICES["one"], NOW, send)
        assert tried.outcome == ("retry" if isinstance(trouble, OSError) else "bug")
        assert "s3cret" not in tried.words + caplog.text

    @pytest.mark.parametrize("kind", POSTING)
    def test_no_secret_in_the_repr_of_a_request(self, kind: str) -> None:
        render = notifier(kind).render
        assert render
        assert "s3cret" not in repr(render(NOTICES["one"], channel(kind).settings))
