"""Apache's configuration text to vhosts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.inventory import ApacheMain, Process, Vhost, apache_main, apache_vhosts, build, wanted
from collectors.inventory.apache_conf import DEBIAN, apache_includes
from collectors.inventory.nginx_conf import glob_matches

ETC = "/etc/apache2"
TEXTS = {
    f"{ETC}/apache2.conf": r"""
# comment \
ServerName of-the-comment
User ${APACHE_RUN_USER}
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\"" combined
LogFormat "%v:%p %h" vhost_combined
IncludeOptional mods-enabled/*.load
IncludeOptional mods-enabled/*.conf
Include ports.conf
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
""",
    f"{ETC}/envvars": """
if [ "${APACHE_CONFDIR##/etc/apache2-}" != "${APACHE_CONFDIR}" ] ; then
	SUFFIX="-${APACHE_CONFDIR##/etc/apache2-}"
fi
export APACHE_RUN_USER=www-data
export APACHE_LOG_DIR=/var/log/apache2$SUFFIX
export BAD=$(hostname)
""",
    f"{ETC}/ports.conf": "Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n"
    "<IfModule !mod_gnutls.c>\nListen [::1]:8081\n</IfModule>\n<IfModule mod_gnutls.c>\nListen 444\n</IfModule>\n",
    f"{ETC}/mods-enabled/ssl.load": "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so",
    f"{ETC}/mods-enabled/mpm_event.load": "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so",
    f"{ETC}/mods-enabled/status.conf": """
<IfModule event.c>
<Location "/server-status">
    SetHandler server-status
    Require local
</Location>
</IfModule>
""",
    f"{ETC}/conf-enabled/other.conf": "CustomLog ${APACHE_LOG_DIR}/other.log vhost_combined\n",
    f"{ETC}/conf-enabled/off": "Listen 99\n",
    f"{ETC}/sites-enabled/shop.conf": r"""
Define ROOT "/srv/shop web"
<VirtualHost *:80>
    servername http://shop.example:80
    ServerAlias www.shop.example \
        *.shop.net
    DocumentRoot "${ROOT}"
    CustomLog ${APACHE_LOG_DIR}/shop.log combined env=!quiet
    CustomLog "|/usr/bin/rotatelogs /x" combined
    <FilesMatch ".+\.php$">
        SetHandler "proxy:unix:/run/php/shop.sock|fcgi://localhost"
    </FilesMatch>
</VirtualHost>
<VirtualHost _default_:443>
    ServerName shop.example
    SSLEngine On
    ProxyPassMatch ^/(.*\.php(/.*)?)$ fcgi://127.0.0.1:9000/srv/shop/$1
    <Location /private-status>
        SetHandler Server-Status
    </Location>
    <Location ~ "^/also">
        SetHandler server-status
    </Location>
</VirtualHost>
<Macro Site $name>
    <VirtualHost *:80>
    </VirtualHost>
</Macro>
UnDefine ROOT
""",
}


def test_a_debian_layout() -> None:
    plain, secure, rest = apache_vhosts(TEXTS, DEBIAN)
    assert plain == Vhost(
        "apache", ("shop.example", "www.shop.example", "*.shop.net"), "/srv/shop web", ("*:80",), False,
        ("/var/log/apache2/shop.log",), '%h %l %u %t "%r" %>s %O "%{Referer}i"', ("unix:/run/php/shop.sock",),
        ("/server-status",), f"{ETC}/sites-enabled/shop.conf", f"{ETC}/apache2.conf",
        log_formats=('%h %l %u %t "%r" %>s %O "%{Referer}i"',),
    )  # fmt: skip
    assert (secure.names, secure.listens, secure.tls_listens) == (("shop.example",), ("*:443",), ("*:443",))
    assert secure.status_paths == ("/private-status", "/server-status")
    assert secure.fastcgi == ("127.0.0.1:9000",)
    assert (secure.logs, secure.log_format) == (("/var/log/apache2/other.log",), "%v:%p %h")
    assert (rest.listens, rest.file, rest.root) == (("[::1]:8081",), f"{ETC}/apache2.conf", "")


def test_reading_until_nothing_new_is_wanted_finds_every_file() -> None:
    processes = (Process(7, "apache2", "/usr/sbin/apache2 -k start", "root"),)
    texts: dict[str, str] = {}
    asked: set[str] = set()
    while patterns := wanted(texts, processes) - asked:
        asked |= patterns
        texts |= {path: text for path, text in TEXTS.items() if any(glob_matches(path, each) for each in patterns)}
    assert TEXTS.keys() - texts.keys() == {f"{ETC}/conf-enabled/off"}
    assert [vhost.server for vhost in build("h", processes, (), texts).vhosts] == ["apache"] * 3


@pytest.mark.parametrize(
    ("title", "main"),
    [
        ("/usr/sbin/apache2 -k start", DEBIAN),
        ("/usr/sbin/apache2 -d /etc/apache2-b -k start", ApacheMain("/etc/apache2-b/apache2.conf", "/etc/apache2-b")),
        ("apache2 -D FRONT -f/srv/my.conf -DTEST", ApacheMain("/srv/my.conf", "/etc/apache2", ("FRONT", "TEST"))),
        ("apache2 -d /srv -f conf/a.conf", ApacheMain("/srv/conf/a.conf", "/srv")),
    ],
)  # fmt: skip
def test_the_command_line_says_where_to_begin(title: str, main: ApacheMain) -> None:
    assert apache_main(Process(1, "apache2", title, "root")) == main
    assert apache_main(Process(1, "nginx", title, "root")) is None
    assert apache_main(Process(1, "httpd", "httpd", "root")) == ApacheMain("/etc/httpd/conf/httpd.conf", "/etc/httpd")


def of(text: str, **others: str) -> tuple[Vhost, ...]:
    return apache_vhosts({f"{ETC}/{name}": text for name, text in {"apache2.conf": text, **others}.items()}, DEBIAN)


@pytest.mark.parametrize(
    ("text", "listens"),
    [
        ("Listen 80\n<VirtualHost *>\n</VirtualHost>", ["*:80"]),
        ("Listen 80\nListen 81\n<VirtualHost *:*>\n</VirtualHost>", ["*:80", "*:81"]),
        ("Listen 10.0.0.5:80\n<VirtualHost *:80>\n</VirtualHost>", ["10.0.0.5:80"]),
        ("Listen 0.0.0.0:80\n<VirtualHost 10.0.0.5:80 [::1]:80>\n</VirtualHost>", ["10.0.0.5:80", "[::1]:80", "*:80"]),
        ("<VirtualHost *:80 10.0.0.5>\n</VirtualHost>", ["*:80", "10.0.0.5:80"]),
        ("Listen 8080", ["*:8080"]),
        ("Listen 80\n<VirtualHost *:81>\n</VirtualHost>", ["*:80"]),
    ],
)
def test_a_vhost_answers_where_the_server_listens(text: str, listens: list[str]) -> None:
    assert [listen for vhost in of(text) for listen in vhost.listens] == listens


def test_tls_of_a_listen_and_of_the_whole_server() -> None:
    (vhost,) = of("Listen 8443 https\nListen 80")
    assert (vhost.listens, vhost.tls_listens) == (("*:8443", "*:80"), ("*:8443",))
    (vhost,) = of("Listen 1\nSSLEngine on\n<VirtualHost *:1>\nSSLEngine off\n</VirtualHost>")
    assert not vhost.tls


PHP = "LoadModule php_module /usr/lib/apache2/modules/libphp8.2.so\nListen 80\n"
TO_POOL = '<FilesMatch "\\.php$">\nSetHandler "proxy:unix:/run/p.sock|fcgi://localhost"\n</FilesMatch>\n'


def test_mod_php_is_seen_unless_php_is_sent_elsewhere() -> None:
    assert [vhost.mod_php for vhost in of(PHP)] == [True]
    assert [vhost.mod_php for vhost in of(PHP + TO_POOL)] == [False]
    assert [vhost.mod_php for vhost in of("Listen 80")] == [False]
    assert of(f"LoadModule x_module x.so\nListen 80\n<IfModule !mod_php.c>\n{TO_POOL}</IfModule>")[0].fastcgi
    assert of(f"{PHP}<IfModule !mod_php.c>\n{TO_POOL}</IfModule>")[0].mod_php


def test_balancers_lead_to_their_members() -> None:
    (vhost,) = of(
        "Listen 80\n<Proxy balancer://pool>\nBalancerMember fcgi://10.0.0.7:9000\nBalancerMember fcgi://10.0.0.8\n"
        "</Proxy>\n<Proxy balancer://other>\nBalancerMember fcgi://no\n</Proxy>\nProxyPassMatch \\.php$ balancer://pool/srv"
    )
    assert vhost.fastcgi == ("10.0.0.7:9000", "10.0.0.8:8000")


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("IfDefine A", True), ("IfDefine !A", False), ("IfDefine B", False), ("IfVersion >= 2.4", True),
        ("IfVersion < 2.4", False), ("IfFile /x", True), ("IfModule so_module", True), ("IfModule no.c", False),
    ],
)  # fmt: skip
def test_conditions(condition: str, holds: bool) -> None:
    name = condition.split(maxsplit=1)[0]
    text = f"LoadModule x_module x.so\nDefine A 1\n<{condition}>\n<If true>\nListen 1\n</If>\nListen 80\n</{name}>\n"
    assert [vhost.listens for vhost in of(text)] == ([("*:80",)] if holds else [])


def test_what_is_in_a_shut_section_is_not_there_at_all() -> None:
    shut = "<IfDefine B>\nDefine C 1\nInclude more\n<IfDefine !B>\nListen 2\n</IfDefine>\n</IfDefine>\n"
    assert of(f"{shut}<IfDefine C>\nListen 3\n</IfDefine>\nListen 4", more="Listen 5")[0].listens == ("*:4",)


def test_server_root_moves_what_is_relative() -> None:
    texts = {"/srv/a.conf": "ServerRoot /opt/h\nInclude more/\nListen 80\nDocumentRoot htdocs\nCustomLog log/a '%h'",
             "/opt/h/more/x": "ServerName x.example"}  # fmt: skip
    (vhost,) = apache_vhosts(texts, ApacheMain("/srv/a.conf", "/etc/apache2"))
    assert (vhost.root, vhost.logs, vhost.log_format) == ("/opt/h/htdocs", ("/opt/h/log/a",), "%h")
    assert (vhost.names, vhost.file) == (("x.example",), "/srv/a.conf")


def test_files_that_include_each_other_end() -> None:
    folder = {f"x/{number}": "Include x/*\nListen 80\n" for number in range(12)}
    assert of("Include x/*", **folder)


def test_variables_that_grow_end() -> None:
    assert of("Listen 80\nDefine A xxxxxxxx\n" + "Define A ${A}${A}\n" * 60)


PIECES = st.sampled_from(
    ["<VirtualHost *:80>", "</VirtualHost>", "<", ">", "</", "\n", " ", "Listen", "80", "[::", "Include", "*", "/",
     "${A}", "${", "Define", "A", '"', "'", "\\", "\\\n", "<IfModule", "!", "<IfDefine A>", "</IfDefine>", "ServerRoot",
     "SetHandler", "proxy:unix:", "|fcgi://", "<Location", "server-status", "CustomLog", "LogFormat", "SSLEngine", "²",
     "\0", "<Proxy", "balancer://a", "ProxyPass", "export A=", "$SUFFIX", "LoadModule", "ServerName", "x"]
)  # fmt: skip
ODD = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join), st.lists(PIECES, max_size=60).map(" ".join))


@given(ODD, ODD)
def test_no_text_raises(main: str, other: str) -> None:
    texts = {DEBIAN.file: main, f"{ETC}/x": other, f"{ETC}/envvars": other, "": ""}
    apache_vhosts(texts, DEBIAN)
    apache_includes(texts, DEBIAN)
    apache_vhosts({**texts, DEBIAN.file: f"Include x\n{main}\n<VirtualHost {other}>\n{main}"}, DEBIAN)


def test_very_deep_sections_end() -> None:
    of("<Location /a>\n" * 5000 + "</Location>\n" * 6000)
