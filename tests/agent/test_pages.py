"""The pages: swapped whole, one target without labels, the host with them, and names in a path."""

import gzip
import math
import re
import threading

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from agent.pages import Page, Pages
from collectors.model import Counter, Gauge, Sample, Target

LOAD = Gauge("node_load1", "Load.")
USED = Gauge("cache_used_bytes", "Memory in use.", ("pool", "zone"))
HITS = Counter("cache_hits_total", "Hits.", ("pool",))
NODE = Target("node", "web1", "web1")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)


def cache(port: int) -> Target:
    return Target("redis", f"web1:{port}", "web1")


def test_the_joint_page_changes_at_render_and_a_targets_own_at_publish() -> None:
    pages = Pages()
    assert (pages.ready, pages.metrics.text) == (False, b"")
    pages.publish(NODE, [LOAD(1)])
    assert pages.metrics.text == b""
    pages.render()
    before = pages.metrics
    pages.publish(NODE, [LOAD(2)])
    own = pages.target_page("node", "web1")
    assert own
    assert (pages.ready, pages.metrics, own.text.splitlines()[-1]) == (True, before, b"node_load1 2")
    assert pages.target_page("node", "web1") is own  # made once a tick


def test_a_target_that_is_forgotten_is_on_no_page_and_in_no_list() -> None:
    pages = Pages()
    pages.publish(NODE, [LOAD(1)])
    pages.publish(cache(1), [HITS(3, "a")])
    pages.forget(NODE)
    pages.forget(NODE)
    pages.render()
    assert pages.targets() == [cache(1)]
    assert pages.target_page("node", "web1") is None
    assert b"node_load1" not in pages.metrics.text


SAMPLES = st.lists(
    st.one_of(
        st.builds(LOAD, st.floats()),
        st.builds(HITS, st.integers(0, 2**60), TEXT),
        st.builds(USED, st.floats(), TEXT, TEXT),
    ),
    max_size=12,
    unique_by=lambda sample: (sample.family, sample.labels),
)


@given(st.lists(SAMPLES, max_size=4), st.text("ab/:.", min_size=1, max_size=5))
def test_any_targets_are_read_back_by_the_official_parser(found: list[list[Sample]], host: str) -> None:
    pages = Pages()
    targets = [Target("redis", f"{host}:{n}", host, (("module", 'a"b\\c\n'),)) for n in range(len(found))]
    for target, samples in zip(targets, found, strict=True):
        pages.publish(target, samples)
    pages.render()
    expected = {
        (sample.family.name, *sorted({**named(sample), **target.labels}.items())): float(sample.value)
        for target, samples in zip(targets, found, strict=True)
        for sample in samples
    }
    families = list(text_string_to_metric_families(pages.metrics.text.decode()))
    read = {(sample.name, *sorted(sample.labels.items())): sample.value for each in families for sample in each.samples}
    assert read.keys() == expected.keys()
    assert all(same(float(read[key]), expected[key]) for key in read)  # the parser keeps whole numbers whole
    assert len({family.name for family in families}) == len(families)  # one head each
    for target in targets:
        page = pages.target_page("redis", pages.slug(target))
        assert page
        assert b"instance=" not in page.text


def named(sample: Sample) -> dict[str, str]:
    return dict(zip(sample.family.labels, sample.labels, strict=True))


def same(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def test_a_name_in_a_path_is_plain_and_no_two_targets_share_it() -> None:
    pages = Pages()
    socket = Target("phpfpm", "web1:/run/php/a.sock", "web1")
    twin = Target("phpfpm", "web1:/run_php/a.sock", "web1")
    pages.publish(socket, [LOAD(1)])
    assert pages.slug(socket) == "web1__run_php_a.sock"
    pages.publish(twin, [LOAD(2)])
    slugs = [pages.slug(socket), pages.slug(twin)]
    assert all(re.fullmatch(r"web1__run_php_a\.sock-[0-9a-f]{6}", slug) for slug in slugs)
    assert len(set(slugs)) == 2
    found = [pages.target_page("phpfpm", slug) for slug in slugs]
    assert [page.text.splitlines()[-1] if page else b"" for page in found] == [b"node_load1 1", b"node_load1 2"]
    assert pages.target_page("phpfpm", "web1__run_php_a.sock") is None  # it would be one of them by chance
    other_job = Target("redis", socket.instance, "web1")
    pages.publish(other_job, [])
    assert pages.slug(other_job) == "web1__run_php_a.sock"


def test_checks_of_one_address_differ_by_module_and_height() -> None:
    pages = Pages()
    checks = [
        Target("blackbox", "http://a/", "web1", (("module", "http"), ("height", each))) for each in ("fpm", "local")
    ]
    for check in checks:
        pages.publish(check, [LOAD(1)])
    assert len({pages.slug(check) for check in checks}) == 2
    pages.render()
    assert len(set(pages.metrics.text.splitlines())) == 4


def test_a_page_is_joined_and_packed_once_and_only_when_asked() -> None:
    page = Page([{LOAD: b"node_load1 7\n"}])
    assert not {"text", "packed"} & vars(page).keys()
    assert gzip.decompress(page.packed) == page.text
    assert page.packed is page.packed


def test_readers_see_one_tick_or_another_and_never_half_of_it() -> None:
    pages, over, wrong = Pages(), threading.Event(), []

    def read() -> None:
        while not over.is_set():
            own = pages.target_page("redis", "web1_1")
            for text in (pages.metrics.text, own.text if own else b""):
                values = {line.rpartition(b" ")[2] for line in text.splitlines() if line[:1] != b"#"}
                if len(values) > 1:
                    wrong.append(values)

    pages.publish(cache(1), [])
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for tick in range(200):
        pages.publish(cache(1), [HITS(tick, str(n)) for n in range(20)])
        pages.render()
    over.set()
    for reader in readers:
        reader.join(60)
    assert wrong == []
