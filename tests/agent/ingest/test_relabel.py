import pytest
from pydantic import ValidationError

from agent.ingest.relabel import Relabel, relabelled

LABELS = {"__address__": "web1:9100", "a": "x", "b": "y", "__meta_kind": "Web"}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in LABELS.items() if name not in names}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"source_labels": ["a", "b"], "target_label": "c"}, {**LABELS, "c": "x;y"}),
        ({"source_labels": ["__address__"], "regex": "(.*):\\d+", "target_label": "host", "replacement": "${1}.x"},
         {**LABELS, "host": "web1.x"}),
        ({"source_labels": ["a"], "regex": "z", "target_label": "c"}, LABELS),
        ({"source_labels": ["a"], "target_label": "a", "replacement": ""}, without("a")),
        ({"source_labels": ["a"], "regex": "x|z", "action": "keep"}, LABELS),
        ({"source_labels": ["a"], "regex": "z", "action": "keep"}, None),
        ({"source_labels": ["a"], "regex": "x", "action": "drop"}, None),
        ({"source_labels": ["a"], "target_label": "b", "action": "keepequal"}, None),
        ({"source_labels": ["a"], "target_label": "b", "action": "dropequal"}, LABELS),
        ({"regex": "__meta_(.+)", "action": "labelmap"}, {**LABELS, "kind": "Web"}),
        ({"regex": "[ab]", "action": "labeldrop"}, without("a", "b")),
        ({"regex": "[ab]", "action": "labelkeep"}, {"a": "x", "b": "y"}),
        ({"source_labels": ["__meta_kind"], "target_label": "k", "action": "lowercase"}, {**LABELS, "k": "web"}),
        ({"source_labels": ["__meta_kind"], "target_label": "k", "action": "uppercase"}, {**LABELS, "k": "WEB"}),
        # What Prometheus makes of it: the last eight bytes of the MD5.
        ({"source_labels": ["a"], "target_label": "m", "modulus": 1000, "action": "hashmod"}, {**LABELS, "m": "726"}),
    ],
)  # fmt: skip
def test_each_action(step: dict[str, object], expected: dict[str, str] | None) -> None:
    assert relabelled(LABELS, [Relabel.model_validate(step)]) == expected


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"regex": "("}, "invalid regular expression"),
        ({"action": "hashmod", "target_label": "m"}, "modulus: expected a number above 0"),
        ({"action": "lowercase"}, "target_label: expected a label for lowercase"),
        ({"action": "shuffle"}, "Input should be"),
    ],
)
def test_what_is_wrong_is_refused(step: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Relabel.model_validate(step)
