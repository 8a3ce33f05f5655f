"""Settings files of many makers: what is told is what PHP makes of them, and nothing is told that is not certain."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.config import Secret
from collectors.inventory.php.memory import Dynamic
from collectors.inventory.settings_php import KNOWN, Settings, read_settings

DATA = Path(__file__).parent.parent / "data" / "drupal-settings"
SHARED = Path(__file__).parents[3] / "shared" / "drupal" / "settings"
CASES = sorted(DATA.glob("*.php"))
DOCROOT = "/srv/app/web"
FOLDER = f"{DOCROOT}/sites/default"
FILE = f"{FOLDER}/settings.php"


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, Secret):
        return {"secret": value.reveal()}
    return {"dynamic": value.expression} if isinstance(value, Dynamic) else value


def told(found: Settings) -> dict[str, Any]:
    return {
        "variables": plain(dict(found.variables)),
        "conditional": sorted("/".join(map(str, path)) for path in found.conditional),
        "wanted": list(found.wanted),
        "unread": list(found.unread),
        "whole": found.whole,
    }


def text_of(file: Path) -> str:
    return file.read_bytes().decode()


def found_in(text: str, case: Mapping[str, Any]) -> Settings:
    texts = {f"{FOLDER}/{name}": inner for name, inner in case.get("files", {}).items()}
    environment, complete = case.get("environment"), case.get("complete", False)
    return read_settings(FILE, {**texts, FILE: text}, DOCROOT, environment, complete)


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_each_shape_is_read_as_expected(file: Path) -> None:
    expected = file.with_suffix(".json")
    case = json.loads(expected.read_text())
    found = told(found_in(text_of(file), case))
    if os.environ.get("RAINGAUGE_GOLDEN") == "rewrite":
        given = {key: case[key] for key in ("files", "environment", "complete") if key in case}
        expected.write_text(json.dumps({**given, **found}, indent=2) + "\n")
    assert found == {key: value for key, value in case.items() if key in found}


def test_there_are_many_shapes() -> None:
    assert len(CASES) >= 40


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_no_secret_shows(file: Path) -> None:
    found = found_in(text_of(file), json.loads(file.with_suffix(".json").read_text()))
    assert "secret-" not in repr(found)
    assert "salt-" not in repr(found)


ORACLE = r"""
error_reporting(0);
define('DRUPAL_ROOT', $argv[2]);
function after() {
  $told = [];
  foreach (explode(',', getenv('ORACLE_NAMES')) as $name) { $told[$name] = $GLOBALS[$name] ?? NULL; }
  echo "\n>>>", json_encode($told, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION);
}
register_shutdown_function('after');
define('UNDEFINED_ONE', 'defined after all');
function some_function(&$x) { $x = 'changed'; }
spl_autoload_register(function ($name) {  // whatever class is asked for takes any call
  $at = strrpos($name, '\\');
  $space = $at ? 'namespace ' . substr($name, 0, $at) . ';' : '';
  $class = $at ? substr($name, $at + 1) : $name;
  eval("$space #[\\AllowDynamicProperties] class $class { const ATTR_TIMEOUT = 2; const MYSQL_ATTR_COMPRESS = 1003;"
    . 'function __call($n, $a) { return NULL; } static function __callStatic($n, $a) { return new static; } }');
});
$class_loader = new Loader;
$app_root = $argv[2]; $site_path = 'sites/default'; $databases = $settings = $config = $conf = $sites = [];
try { require $argv[1]; } catch (Throwable $e) {}
"""


def php_says(directory: Path, text: str, case: Mapping[str, Any]) -> dict[str, Any]:
    folder = directory / DOCROOT.strip("/") / "sites" / "default"
    folder.mkdir(parents=True, exist_ok=True)
    for name, inner in {**case.get("files", {}), "settings.php": text}.items():
        (folder / name).write_text(inner, newline="")
    environment = {**case.get("environment", {}), "ORACLE_NAMES": ",".join(KNOWN)}
    ran = subprocess.run(
        ["php", "-n", "-d", "variables_order=EGPCS", "-r", ORACLE, "--", str(folder / "settings.php"),
         str(directory / DOCROOT.strip("/"))],
        env=environment, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(ran.stdout.decode(errors="replace").rpartition(">>>")[2])
    return found


def certain(value: Any, at: tuple[Any, ...], found: Settings) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if any(at[: len(path)] == path for path in found.conditional) or isinstance(value, Dynamic):
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from certain(inner, (*at, key), found)
    elif not (isinstance(value, float) and value in (float("inf"), float("-inf"))):
        yield at, value.reveal() if isinstance(value, Secret) else value


def at_place(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        if isinstance(value, list):
            value = dict(enumerate(value)).get(key)
        else:
            value = value.get(str(key)) if isinstance(value, dict) else None
    return value


def assert_php_agrees(directory: Path, text: str, case: Mapping[str, Any]) -> int:
    found = found_in(text, case)
    said = php_says(directory, text, case)
    count = 0
    for path, value in certain(dict(found.variables), (), found):
        if any("::" in str(key) for key in path):
            continue
        theirs = at_place(said, path)
        ours = value.replace("/srv/app/", f"{directory}/srv/app/") if isinstance(value, str) else value
        if isinstance(value, str) and value == "/srv/app":
            ours = f"{directory}/srv/app"
        assert (type(theirs), theirs) == (type(ours), ours), path
        count += 1
    return count


@pytest.mark.servers
@pytest.mark.skipif(not shutil.which("php"), reason="PHP's command line is not here")
@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_php_agrees_with_every_value_that_we_are_certain_of(file: Path, tmp_path: Path) -> None:
    assert_php_agrees(tmp_path, text_of(file), json.loads(file.with_suffix(".json").read_text()))


@pytest.mark.skipif(not SHARED.exists(), reason="the settings of a private lab are not here")
@pytest.mark.parametrize("file", sorted(SHARED.glob("*.settings.php.txt")), ids=lambda file: file.name)
def test_settings_of_others_are_read(file: Path) -> None:
    found = found_in(file.read_text(), {})
    database = found.get("databases", "default", "default")
    assert found.whole
    assert database["driver"] in ("mysql", "pgsql", "sqlite")
    dynamic = isinstance(database["database"], Dynamic)
    assert dynamic is ("getenv" in file.name)
    assert isinstance(database.get("password", Secret("")), Dynamic if dynamic else Secret)


pieces = st.sampled_from(
    ["<?php ", "?>", "$settings", "$databases", "['a']", "[]", " = ", ";", "'x'", '"$settings"', "{", "}", "(", ")",
     "[", "]", ",", "=>", "if", "else", "elseif", "foreach", "as", "$k", "&", "function", "include", "return", "?", ":",
     "??", ".", "<<<X\n", "X;\n", "'", '"', "#", "//", "/*", "*/", "\\", "switch", "case", "1", "fn", "->", "::",
     "match", "try", "catch", "list", "global", "unset", "isset", "extract", "new", "$$", "${", "endif",
     "while", "do", "@", "!"]
)  # fmt: skip


@given(st.lists(pieces | st.text(max_size=4), max_size=60).map("".join))
@settings(deadline=None, max_examples=400)
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = found_in(f"<?php {text}", {"environment": {"A": "b"}})
    assert isinstance(told(found), dict)


@pytest.mark.parametrize(
    "text",
    ["[" * 200_000, "(" * 200_000, "{" * 200_000, "if(1)" * 60_000, "'" + "\\" * 200_000, "/* " * 160_000,
     "$" * 200_000,
     "$a = [1];" + "$a = [$a, $a];" * 60, "$a = 'x';" + "$a .= $a;" * 60, "$settings[] = 1;" * 20_000, "!" * 200_000,
     "foreach ([1,2,3,4,5,6,7,8,9] as $k) {" * 30 + "}" * 30, "<<<A\n" * 60_000, "?><?php " * 60_000, "$a=" * 100_000,
     "1?" * 100_000, '"{$a' + "['k']" * 60_000, "$x['a']" * 60_000, "function f() {" * 30_000, "1 . " * 100_000],
    ids=lambda text: text[:12].encode("unicode_escape").decode(),
)  # fmt: skip
def test_what_would_take_long_is_given_up(text: str) -> None:
    assert isinstance(found_in(f"<?php {text}", {}), Settings)


def test_what_is_longer_than_any_settings_is_not_read() -> None:
    found = found_in("<?php $settings['a'] = 1;" + " " * 600_000, {})
    assert (dict(found.variables), found.whole) == ({}, False)
