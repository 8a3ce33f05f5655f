"""Random settings files: every value that we are certain of is PHP's."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.inventory.settings_php import read_settings
from tests.collectors.test_settings_php import at_place, certain

ORACLE = r"""
error_reporting(0);
function run($file, $app_root) {
  $site_path = 'sites/default';
  $settings = $databases = $config = $conf = $sites = [];
  try { require $file; } catch (Throwable $e) { return NULL; }
  return $settings;
}
foreach (glob($argv[1] . '/*.php') as $file) {
  $told = run($file, $argv[1]);
  echo json_encode([$file, $told], JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION), "\n";
}
"""

names = st.sampled_from(["a", "b", "c"])
scalars = st.one_of(
    st.integers(-3, 300).map(str),
    st.sampled_from(["TRUE", "false", "NULL", "1.5", "0x1F", "'1'", "''", "'0'", "__DIR__", "$app_root", "$unset"]),
    st.text(alphabet="ab \\'\"$n{}#/", max_size=6).map(
        lambda t: "'" + t.replace("\\", "\\\\").replace("'", "\\'") + "'"
    ),
    st.text(alphabet="ab \\'n$t{}[x", max_size=6).map(lambda t: '"' + t.replace("\\", "\\\\", 1).rstrip("\\") + '"'),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda v: f"[{', '.join(v)}]"),
        st.lists(st.tuples(scalars, inner), max_size=3).map(
            lambda v: f"array({', '.join(f'{a} => {b}' for a, b in v)})"
        ),
        st.tuples(
            inner, st.sampled_from([" . ", " + ", " * ", " ?: ", " ?? ", " && ", " === ", " == ", " < "]), inner
        ).map(lambda v: f"({''.join(v)})"),
        st.tuples(inner, inner, inner).map(lambda v: f"({v[0]} ? {v[1]} : {v[2]})"),
        inner.map(lambda v: f"!empty({v})"),
        names.map(lambda n: f"$settings['{n}']"),
        names.map(lambda n: f"(isset($settings['{n}']) ? $settings['{n}'] : 'none')"),
    ),
    max_leaves=6,
)
simple = st.one_of(
    st.tuples(names, values).map(lambda v: f"$settings['{v[0]}'] = {v[1]};"),
    st.tuples(names, names, values).map(lambda v: f"$settings['{v[0]}']['{v[1]}'] = {v[2]};"),
    st.tuples(names, values).map(lambda v: f"$settings['{v[0]}'][] = {v[1]};"),
    names.map(lambda n: f"unset($settings['{n}']);"),
    st.tuples(names, values).map(lambda v: f"$settings['{v[0]}'] ??= {v[1]};"),
    st.tuples(names, values).map(lambda v: f"$local = {v[1]}; $settings['{v[0]}'] = $local;"),
)
statements = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.tuples(values, inner, inner).map(lambda v: f"if ({v[0]}) {{ {v[1]} }} else {{ {v[2]} }}"),
        st.tuples(inner, inner).map(lambda v: f"if (mt_rand(0, 1)) {{ {v[0]} }} elseif (TRUE) {{ {v[1]} }}"),
        st.tuples(values, inner).map(
            lambda v: f"foreach ({v[0]} as $key => $value) {{ {v[1]} $settings['each'][$key] = $value; }}"
        ),
        inner.map(lambda v: f"try {{ {v} }} catch (Error $e) {{ }}"),
        st.tuples(inner, inner).map(" ".join),
    ),
    max_leaves=5,
)
programs = st.lists(statements, min_size=1, max_size=6).map("\n".join)


@pytest.mark.servers
@pytest.mark.skipif(not shutil.which("php"), reason="PHP's command line is not here")
@given(st.lists(programs, min_size=30, max_size=30))
@settings(deadline=None, max_examples=30)
def test_php_agrees_on_random_programs(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        for number, text in enumerate(texts):
            Path(directory, f"{number}.php").write_text(f"<?php\n{text}\n$settings['end'] = TRUE;")
        ran = subprocess.run(["php", "-n", "-r", ORACLE, "--", directory], capture_output=True, check=False, timeout=60)
        for line in ran.stdout.decode(errors="replace").splitlines():
            path, said = json.loads(line)
            if at_place(said, ("end",)) is not True:
                continue  # PHP gave up somewhere
            text = Path(path).read_text()
            found = read_settings(path, {path: text}, directory)
            for place, value in certain(dict(found.variables), (), found):
                theirs = at_place({"settings": said}, place)
                assert (type(theirs), theirs) == (type(value), value), f"{place} of\n{text}"
