"""Configuration drift: what Drupal's own import would call different, and nothing else."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.drupal import drift
from collectors.drupal.php_values import unserialize
from collectors.drupal.yaml_values import from_yaml
from collectors.errors import Absent, ParseError
from tests.collectors.drupal_site import SHARED, rows

DATA = Path(__file__).parents[1] / "data" / "drupal-drift"
ACTIVE: dict[str, str] = json.loads((DATA / "active.json").read_text())


def payload(**active: str) -> drift.Payload:
    return {"active": {**ACTIVE, **active}, "sync": drift.read_sync(DATA / "sync")}


def test_what_differs_is_named_and_values_are_not() -> None:
    found = drift.compared(payload())
    assert found.only_active == ("only.active",)
    assert found.only_sync == ("only.sync",)
    assert found.different == {
        "core.extension": ("module.devel",),
        "system.order": ("a.(order)",),
        "system.site": ("slogan", "page.front"),
        "system.types": ("a", "b", "c", "d"),
        "user.role.editor": ("permissions.1", "permissions.2"),
        "webform.kept": ("x",),
    }
    assert {sample.labels: sample.value for sample in drift.parse(payload())} == {
        ("different",): 6, ("only_active",): 1, ("only_sync",): 1, (): 1,
    }  # fmt: skip


def test_the_event_is_the_same_for_the_same_drift() -> None:
    found = drift.compared(payload())
    event = drift.event(found, "shop", 5.0)
    later = drift.event(found, "shop", 9.0)
    assert event
    assert later
    assert event.id == later.id
    assert len(event.evidence) == 8
    assert event.evidence[2] == {"name": "system.site", "kind": "different", "keys": "slogan, page.front"}
    assert "jane" not in repr(event)
    assert "New" not in repr(event)
    other = drift.event(drift.compared(payload(**{"another.one": "a:0:{}"})), "shop", 9.0)
    assert other
    assert other.id != event.id
    assert drift.event(drift.Drift((), (), {}, False), "shop", 5.0) is None
    many = drift.event(drift.Drift(tuple(f"a.{n}" for n in range(99)), (), {}, False), "shop", 5.0)
    assert many
    assert len(many.evidence) == drift.MOST_NAMED


def test_without_a_sync_directory_drift_is_absent(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(Absent):
            drift.read_sync(folder)
    with pytest.raises(Absent):
        drift.compared({"active": ACTIVE, "sync": {}})


def test_scalars_are_symfonys() -> None:
    """Both files were written by PHP and Symfony's YAML from the same array."""
    ours = from_yaml((DATA / "symfony-5.4.yml").read_bytes().decode())["v"]
    theirs = unserialize((DATA / "symfony-5.4.serialized").read_bytes())["v"]
    assert {key: (ours[key], value) for key, value in theirs.items() if not drift.alike(ours[key], value)} == {}
    assert len(theirs) > 80


@pytest.mark.parametrize(
    "text",
    ["[" * 100_000, "- " * 100_000, "{" * 100_000, "? " * 100_000, "a: &x [1]\nb: *x", "*x", "a: 1\na: 2", "---\n---\n",
     "a: !!python/object:os.system {}", "a: !x 1", "a: [", "\x00", "[a]: b", "? {a: b}\n: c", "a: !!binary 'a'",
     "\t- a",
     "[" + "1," * 100_001 + "]", "a" * 1_000_001],
    ids=range(18),
)  # fmt: skip
def test_what_drupal_would_not_write(text: str) -> None:
    with pytest.raises(ParseError):
        from_yaml(text)


@given(st.text() | st.text("-: {}[]'\"\n &*!|>#?ab1~"))
def test_any_text_is_read_or_a_parse_error(text: str) -> None:
    for made in ({"active": {"a": text}, "sync": {"a": "a: 1"}}, {"active": {"a": "a:0:{}"}, "sync": {"a": text}}):
        try:
            drift.event(drift.compared(made), "shop", 5.0)  # type: ignore[arg-type]
        except ParseError:
            continue


words = st.text(st.characters(exclude_categories=("C", "Z"), max_codepoint=0xFFF), max_size=8)
scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | words
arrays = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4), max_leaves=12
)


def serialized(value: Any) -> str:
    if isinstance(value, list):
        return serialized(dict(enumerate(value)))
    if isinstance(value, dict):
        pairs = "".join(serialized(_key(key)) + serialized(inner) for key, inner in value.items())
        return f"a:{len(value)}:{{{pairs}}}"
    if isinstance(value, str):
        return f's:{len(value.encode())}:"{value}";'
    return "N;" if value is None else f"b:{value:d};" if isinstance(value, bool) else f"i:{value};"


def _key(key: Any) -> Any:
    return int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and str(int(key)) == key else key


@given(arrays)
def test_what_was_exported_is_alike(value: Any) -> None:
    """JSON is YAML too."""
    active, sync = serialized(value).encode(), json.dumps(value, ensure_ascii=False)
    made: drift.Payload = {"active": {"a": active.decode("latin-1")}, "sync": {"a": sync}}
    assert not drift.compared(made).found


@given(arrays, arrays)
def test_what_differs_has_keys_that_differ(one: Any, other: Any) -> None:
    ours, theirs = (from_yaml(json.dumps(each, ensure_ascii=False)) for each in (one, other))
    assert drift.alike(ours, theirs) is drift.alike(theirs, ours)
    assert bool(list(drift.differing(ours, theirs))) or drift.alike(ours, theirs)


@pytest.mark.skipif(not SHARED.exists(), reason="the sample sites are not beside the repository")
def test_a_real_site() -> None:
    """As PHP's === of the rows and of what Symfony's YAML makes of the files. views.view.files, whose file has !!binary
    where the row has the same bytes, is alike."""
    table = rows("drupal10.6.15-mariadb.sql.gz", "config")
    active = {row[1]: row[2].decode("latin-1") for row in table if row[0] == ""}
    with tarfile.open(SHARED / "drupal10.6.15-config-sync.tar.gz") as tar:
        files = {name: tar.extractfile(name) or io.BytesIO() for name in tar.getnames() if name.endswith(".yml")}
        sync = {name.removeprefix("sync/").removesuffix(".yml"): file.read().decode() for name, file in files.items()}
    found = drift.compared({"active": active, "sync": sync})
    assert found.only_active == ("lab.only_active", "shortcut.set.default")
    assert found.only_sync == ("lab.only_sync", "statistics.settings")
    assert found.different == {
        "core.extension": ("module.redis", "module.statistics"),
        "system.site": ("slogan",),
        "user.role.site_manager": ("permissions.3",),
        "workflows.workflow.editorial": ("dependencies.config", "type_settings.entity_types.node"),
    }
    assert "!!binary" in sync["views.view.files"]
