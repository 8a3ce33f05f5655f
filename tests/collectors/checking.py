"""One check, and what became of it."""

from collections.abc import Mapping
from typing import Any

from collectors.probe import read
from collectors.probe.attempt import REASONS
from collectors.probe.config import Probe
from collectors.probe.families import parse


def check(settings: Mapping[str, Any]) -> dict[str, float]:
    samples = parse(read(Probe.model_validate({"timeout": 5, **settings})))
    return {",".join([sample.family.name, *sample.labels]): sample.value for sample in samples}


def failed(settings: Mapping[str, Any]) -> str:
    """The reason, "" when all is as it should be."""
    facts = read(Probe.model_validate({"timeout": 5, **settings}))
    found = {sample.family.name: sample for sample in parse(facts)}
    assert found["probe_success"].value == (not facts["reason"]) == (not facts["error"])
    if not facts["reason"]:
        return ""
    assert facts["reason"] in REASONS
    assert found["web_check_failed"].labels == (facts["reason"],)
    return facts["reason"]
