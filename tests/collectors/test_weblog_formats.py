"""Lines of access logs by their format: written by the configuration, or found by the lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.weblog.formats import COMBINED, COMMON, detect, layout
from collectors.weblog.json_lines import JSON
from collectors.weblog.layout import Request, request
from collectors.weblog.values import moment, of_upstreams, timings
from tests.lab.weblogs import OBJECT, TIMED

WHEN = "22/Nov/2026:09:48:50 +0000"
LINE = f'203.0.113.7 - - [{WHEN}] "GET /node/1?page=2 HTTP/1.1" 200 512 "https://ref.example/" "Mozilla/5.0 (X11)"'
NONE = Request(*[""] * len(Request._fields))
PLAIN = NONE._replace(
    remote="203.0.113.7", time=WHEN, method="GET", path="/node/1", query="page=2", status="200", bytes="512",
    referrer="https://ref.example/", agent="Mozilla/5.0 (X11)",
)  # fmt: skip


def one(form: str, line: str, *, php: bool = False) -> Request | None:
    found = layout(form, php=php)
    assert found
    count, columns = found.columns(f"{line}\n")
    requests = [request(at, columns) for at in range(count)]
    return requests[0] if requests else None


def sure(form: str, line: str, *, php: bool = False) -> Request:
    found = one(form, line, php=php)
    assert found, line
    return found


def test_combined() -> None:
    assert one(COMBINED, LINE) == PLAIN
    assert one(COMMON, LINE.partition(' "https')[0]) == PLAIN._replace(referrer="", agent="")


@pytest.mark.parametrize(
    ("request_text", "method", "path", "query"),
    [
        ("GET / HTTP/1.1", "GET", "/", ""),
        ("GET /a?b=c?d HTTP/2.0", "GET", "/a", "b=c?d"),
        ("GET /0.9", "GET", "/0.9", ""),
        ("GET /a b c HTTP/1.1", "GET", "/a", ""),
        (r"GET /a\x22b?c=\x22 HTTP/1.1", "GET", r"/a\x22b", r"c=\x22"),
        (r"GET /a\"b?c=\"\\ HTTP/1.1", "GET", r"/a\"b", r"c=\"\\"),
        ("VERSION-CONTROL /x HTTP/1.1", "VERSION-CONTROL", "/x", ""),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*", ""),
        (r"\x16\x03\x01", "", "", ""),
        ("-", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_what_was_asked_for(request_text: str, method: str, path: str, query: str) -> None:
    for form in (COMBINED, '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'):
        found = sure(form, LINE.replace("GET /node/1?page=2 HTTP/1.1", request_text))
        assert found == PLAIN._replace(method=method, path=path, query=query)


@pytest.mark.parametrize("user", ["-", "", "ann", "ann lee", "a [b] c", 'x [1/Jan/2026] \\"GET / HTTP/1.1\\" 200'])
def test_who_logged_in_cannot_hide_a_line(user: str) -> None:
    assert one(COMBINED, LINE.replace("- - [", f"- {user} [")) == PLAIN


def test_times_of_upstreams_and_caches() -> None:
    tail = 'rt=1.250 urt=0.100, - : 0.300 ucs=STALE dc="UNCACHEABLE (request policy)" ddc="-" host=shop.example'
    found = sure(TIMED, f"{LINE} {tail}")
    assert (found.duration, found.upstream, found.cache) == ("1.250", "0.100, - : 0.300", "STALE")
    assert (found.drupal_cache, found.dynamic_cache) == ("UNCACHEABLE (request policy)", "-")
    assert found.host == "shop.example"
    assert of_upstreams(found.upstream) == pytest.approx(0.4)
    bare = "$upstream_addr $upstream_response_time $sent_http_x_drupal_cache $status $scheme://$host$request_uri"
    found = sure(
        bare, "10.0.0.1:80, unix:/a : 10.0.0.2:80 0.1, 0.2 UNCACHEABLE (no cacheability) 200 https://a.example/b?c"
    )
    assert (found.upstream, found.drupal_cache, found.host) == (
        "0.1, 0.2",
        "UNCACHEABLE (no cacheability)",
        "a.example",
    )
    assert (found.path, found.query, found.status) == ("/b", "c", "200")
    for form, line in (("$status $uri$is_args$args", "200 /a?b=c"), ("$status $uri $args;", "200 /a b=c;")):
        assert (sure(form, line).path, sure(form, line).query) == ("/a", "b=c")


@pytest.mark.parametrize(
    ("form", "tail", "seconds"),
    [("%D", "1500", 0.0015), ("%T", "2", 2.0), ("%{ms}T", "1500", 1.5), ("%{us}T", "1500", 0.0015), ("%D", "-", None)],
)
def test_apaches_units_of_time(form: str, tail: str, seconds: float | None) -> None:
    text = f'%v:%p %h %l %u %t \\"%r\\" %>s %O \\"%{{Referer}}i\\" \\"%{{User-agent}}i\\" {form}'
    found, whole = layout(text), sure(text, f"shop.example:443 {LINE} {tail}")
    assert found
    timing = timings(found.seconds)[whole.duration]
    assert (timing[1] if timing else None) == (pytest.approx(seconds) if seconds else None)
    assert whole == PLAIN._replace(host="shop.example", duration=tail)


def test_apaches_other_directives() -> None:
    text = '%{%Y-%m-%d %T}t %a %!200,304s %{c}a %X %% "%m %U%q" %<s %B %{Host}i "%{X-Drupal-Cache}o" %^FB %{x}n'
    found = sure(text, '2026-11-22 09:48:50 203.0.113.7 404 203.0.113.9 + % "GET /a?b=c" 404 7 h.example "HIT" - note')
    assert (found.remote, found.method, found.path, found.query) == ("203.0.113.7", "GET", "/a", "b=c")
    assert (found.status, found.bytes, found.host, found.drupal_cache) == ("404", "7", "h.example", "HIT")
    assert moment(found.time) == moment("2026-11-22T09:48:50Z")


def test_php_fpm() -> None:
    form = '%R - %u %t "%m %r%Q%q" %s %f %{milli}d %{kilo}M %C%%'
    line = f'- -  {WHEN} "GET /index.php?page=1" 200 /var/www/index.php 139.000 12288 50.36%'
    found, whole = layout(form, php=True), sure(form, line, php=True)
    assert found
    assert found.seconds == 0.001
    assert (whole.path, whole.query, whole.duration, whole.time) == ("/index.php", "page=1", "139.000", WHEN)
    other = sure('%e %{REQUEST_URI}e %s %d "%n"', 'x /node/1?a=b 200 0.250 "shop"', php=True)
    assert (other.path, other.query, other.duration) == ("/node/1", "a=b", "0.250")


def test_json_by_its_format_and_by_its_names() -> None:
    line = (
        '{"time":"2026-11-22T09:48:50+00:00","host":"h.example","remote_addr":"203.0.113.7","request_method":"GET",'
        r'"request_uri":"/a\"b?c=d","status":200,"body_bytes_sent":512,"request_time":0.25,'
        r'"http_user_agent":"say \"hi\"","http_referer":""}'
    )
    by_format, by_names = sure(OBJECT, line), sure(JSON, line)
    assert by_format == by_names._replace(path=r"/a\"b", agent=r"say \"hi\"")
    assert (by_names.path, by_names.query, by_names.agent) == ('/a"b', "c=d", 'say "hi"')
    assert (by_names.duration, by_names.bytes, by_names.status) == ("0.25", "512", "200")
    caddy = (
        '{"level":"info","ts":1795340930.5,"request":{"remote_ip":"203.0.113.7","method":"GET","host":"h.example",'
        '"uri":"/x?y","headers":{"User-Agent":["curl/8"]}},"duration":0.01,"size":9,"status":404,'
        '"resp_headers":{"X-Drupal-Cache":["HIT"]}}'
    )
    found = sure(JSON, caddy)
    assert (found.remote, found.path, found.query, found.agent) == ("203.0.113.7", "/x", "y", "curl/8")
    assert (found.bytes, found.drupal_cache, moment(found.time)) == ("9", "HIT", 1795340930.5)


@pytest.mark.parametrize("line", ["[]", "{}", '{"status":', "{" * 5000, '{"status": null}', "1"])
def test_json_that_tells_nothing_is_no_line(line: str) -> None:
    assert one(JSON, line) is None


@pytest.mark.parametrize(
    ("line", "form"),
    [
        (LINE, COMBINED),
        (f"{LINE} 0.250 0.240", f"{COMBINED} $request_time $upstream_response_time"),
        (f"{LINE} 0.250 -", f"{COMBINED} $request_time $upstream_response_time"),
        (f'{LINE} "-"', f'{COMBINED} "$request_time"'),
        (f'{LINE} "10.0.0.1" rt=0.1 x=y', f'{COMBINED} "$unknown" rt=$request_time x=$unknown'),
        (f"shop.example:443 {LINE}", f"$host:$server_port {COMBINED}"),
        (LINE.partition(' "https')[0], COMMON),
        ('{"status": 200}', JSON),
        ("", ""),
        ("Nov 22 09:48:50 host sshd[1]: hello", ""),
        (f'{LINE} and "more', f"{COMBINED} $unknown"),
        (f"{LINE} 0.250 0.100, 0.200 : 0.300 x", f"{COMBINED} $request_time $upstream_response_time $unknown"),
        (f"{LINE} urt=0.1, 0.2 rt=1", f"{COMBINED} urt=$upstream_response_time rt=$request_time"),
        ("{not json", ""),
    ],
)
def test_a_format_is_found_by_a_line(line: str, form: str) -> None:
    assert detect(["nonsense", line]) == form
    if form:
        assert one(form, line)


@pytest.mark.parametrize("form", ["", "nonsense", "$remote_addr", "%h", "a\nb", "x" * 5000, "$", "%"])
def test_a_format_that_tells_too_little_is_none(form: str) -> None:
    assert layout(form) is None


def test_an_empty_line_is_no_request() -> None:
    found = layout("$status")
    assert found
    assert found.columns("200\n\n-\n\n")[0] == 2


PIECES = (
    "$", "%", "status", "$status", "$request", "%r", "%>s", "%t", '"', "[", "]", "\\", "{", "}", " ", "%{", "$host",
    "a", "$uri", "$is_args", "$args", "%U", "%q",
    "$request_uri", "%u", "%D", "$upstream_response_time", "$request_time", "*", "(", "^",
)  # fmt: skip
forms = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=40)
lines = st.lists(st.sampled_from([*PIECES, WHEN, "200", "GET / HTTP/1.1", "\n", "\r\n", "1.5", "-", "é", "\x85"])).map(
    "".join
)


@given(forms, lines | st.text(), st.booleans())
def test_any_format_reads_any_text(form: str, text: str, php: bool) -> None:
    found = layout(form, php=php)
    if found:
        count, columns = found.columns(text)
        assert 0 <= count <= text.count("\n") + (not text.endswith("\n"))
        assert {len(column) for column in columns.values()} <= {count}
        assert len([request(at, columns) for at in range(count)]) == count


@given(st.lists(lines | st.text(), max_size=5))
def test_any_lines_are_looked_at(given_lines: list[str]) -> None:
    form = detect(given_lines)
    assert form == "" or layout(form)


@pytest.mark.parametrize("repeated", [" [", '" ', "\\", '\\"', "[", "]", " ", "?", "GET ", ", ", " : ", "(", "-", "1"])
def test_a_long_line_is_read_in_a_time_that_grows_with_its_length(repeated: str) -> None:
    """Else this would not end."""
    for form in (COMBINED, TIMED, '%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D', OBJECT):
        for before in ("1.1.1.1 - ", "1.1.1.1 - - [", f'1.1.1.1 - - [{WHEN}] "', f'1.1.1.1 - - [{WHEN}] "GET /'):
            one(form, before + repeated * 30_000)
            detect([before + repeated * 30_000])


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (WHEN, 1795340930.0),
        ("22/Nov/2026:10:48:50 +0100", 1795340930.0),
        ("2026-11-22T09:48:50+00:00", 1795340930.0),
        ("2026-11-22T09:48:50Z", 1795340930.0),
        ("2026-11-22 09:48:50", 1795340930.0),
        ("1795340930.123", 1795340930.123),
        ("1795340930123", 1795340930.123),
        ("1795340930123456", 1795340930.123456),
        ("31/Dec/2016:23:59:60 +0000", 1483228799.0),
        ("-", None), ("", None), ("99/Nov/2026:09:48:50 +0000", None), ("22/Xyz/2026:09:48:50 +0000", None),
    ],
)  # fmt: skip
def test_times(text: str, seconds: float | None) -> None:
    assert moment(text) == seconds


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    assert moment(text) is None or isinstance(moment(text), float)
    assert of_upstreams(text) >= 0
    timing = timings(1.0)[text]
    assert timing is None or (0 <= timing[0] < 12 and timing[1] >= 0)
