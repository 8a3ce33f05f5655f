"""Configuration text to vhosts and pools."""

from hypothesis import given
from hypothesis import strategies as st

from collectors.inventory import (
    Listener,
    Pool,
    Process,
    Vhost,
    build,
    configuration_files,
    fpm_pools,
    nginx_vhosts,
    wanted,
)
from collectors.inventory.build import FPM as USUAL_FPM
from collectors.inventory.nginx_conf import glob_matches

MAIN = "/etc/nginx/nginx.conf"
APACHE = "/etc/apache2/apache2.conf"
DEBIAN = {
    MAIN: r"""
user www-data;   # the "{ of a comment
events { worker_connections 768; }
http {
    log_format timed '$remote_addr "$request" '
                     "$request_time";
    access_log /var/log/nginx/all.log timed;
    upstream php { server unix:/run/php/a.sock; server 10.0.0.7:9000 backup; keepalive 4; }
    include /etc/nginx/conf.d/*.conf;
    include sites-enabled/*;
}
""",
    "/etc/nginx/conf.d/.hidden.conf": "server { listen 1; }",
    "/etc/nginx/conf.d/deep/er.conf": "server { listen 2; }",
    "/etc/nginx/conf.d/redirect.conf": "server { listen 80 default_server; return 301 https://$host; }",
    "/etc/nginx/sites-enabled/shop": r"""
server {
    listen 443 ssl http2; listen [::]:443 ssl http2;
    listen 127.0.0.1:8080; listen unix:/run/shop.sock;
    server_name shop.example www.shop.example ~^(?<sub>.+)\.shop\.example$ *.shop.net;
    root "/srv/shop web";
    include snippets/php.conf;
    access_log /var/log/nginx/shop.log combined buffer=32k;
    access_log syslog:server=unix:/dev/log;
    location / { if ($request_method ~ "^(PUT|{2})$") { return 405; } try_files $uri /index.php?$query_string; }
    location = /stub { stub_status; allow 127.0.0.1; deny all; }
    location ~ ^/also$ { stub_status; }
}
""",
    "/etc/nginx/snippets/php.conf": r"location ~ \.php$ { fastcgi_pass php; } location ~ ^/x { fastcgi_pass ${pool}; }",
}


def test_a_debian_layout() -> None:
    redirect, shop = nginx_vhosts(DEBIAN, MAIN)
    assert redirect == Vhost(
        "nginx", (), "", ("*:80",), False, ("/var/log/nginx/all.log",), '$remote_addr "$request" $request_time', (),
        file="/etc/nginx/conf.d/redirect.conf", main=MAIN, log_formats=('$remote_addr "$request" $request_time',),
    )  # fmt: skip
    assert shop.names == ("shop.example", "www.shop.example", r"~^(?<sub>.+)\.shop\.example$", "*.shop.net")
    assert shop.root == "/srv/shop web"
    assert shop.listens == ("*:443", "127.0.0.1:8080", "unix:/run/shop.sock")
    assert shop.tls
    assert shop.logs == ("/var/log/nginx/shop.log",)
    assert shop.log_format.startswith("$remote_addr - $remote_user [$time_local]")
    assert shop.fastcgi[:2] == ("unix:/run/php/a.sock", "10.0.0.7:9000")
    assert shop.status_paths == ("/stub",)
    assert shop.file == "/etc/nginx/sites-enabled/shop"


def one(server: str, http: str = "") -> Vhost:
    (vhost,) = nginx_vhosts({MAIN: f"http {{ {http} server {{ {server} }} }}"}, MAIN)
    return vhost


def test_every_form_of_listen() -> None:
    forms = {
        "": "*:80", "listen 8080;": "*:8080", "listen *:81;": "*:81", "listen 0.0.0.0:82;": "*:82",
        "listen [::]:83 ipv6only=on;": "*:83", "listen [::1]:84;": "[::1]:84", "listen [::1];": "[::1]:80",
        "listen localhost:85 default_server;": "localhost:85", "listen localhost;": "localhost:80",
        "listen 10.1.2.3;": "10.1.2.3:80", "listen unix:/run/n.sock;": "unix:/run/n.sock",
    }  # fmt: skip
    assert {text: one(text).listens for text in forms} == {text: (want,) for text, want in forms.items()}


def test_logs_roots_and_formats() -> None:
    assert one("").logs == ("/var/log/nginx/access.log",)
    assert one("access_log off;") == one("", "access_log off;")
    assert one("access_log off;").logs == ()
    assert one("access_log off;").log_format == ""
    assert one("access_log logs/a.log;").logs == ("/usr/share/nginx/logs/a.log",)
    assert one("access_log /var/log/$host.log;").logs == ()
    assert one("access_log /a.log none;").log_format == ""
    two = one("access_log /a.log; access_log /b.log j buffer=32k; access_log /c.log none;", "log_format j '$status';")
    assert two.log_formats == (two.log_format, "$status", "")
    assert (two.log_format[:12], two.logs) == ("$remote_addr", ("/a.log", "/b.log", "/c.log"))
    assert one("location /x { access_log /b.log j; }", "log_format j escape=json '{';access_log /a.log j;").logs == (
        "/a.log", "/b.log")  # fmt: skip
    assert one("access_log /a.log j;", "log_format j escape=json '{' \"}\";").log_format == "{}"
    assert one("location / { root /srv/a; }").root == "/srv/a"
    assert one("root html;").root == "/usr/share/nginx/html"
    assert one("", "root /srv/all;").root == "/srv/all"


def test_a_file_that_includes_itself_ends() -> None:
    texts = {MAIN: "http { include x/*; }", "/etc/nginx/x/a": "server { include x/a; include x/b; listen 81; }",
             "/etc/nginx/x/b": "include x/*; root /b;"}  # fmt: skip
    assert {(vhost.listens, vhost.root) for vhost in nginx_vhosts(texts, MAIN)} == {(("*:81",), "/b")}


FPM = "/etc/php/8.2/fpm/php-fpm.conf"
POOLS = {
    FPM: "[global]\npid = /run/php/php8.2-fpm.pid\n; include=/etc/no.conf\ninclude=/etc/php/8.2/fpm/pool.d/*.conf\n",
    "/etc/php/8.2/fpm/pool.d/a.conf": """
; a comment = with an equals sign
[shop]
user = $pool
listen = "/run/php/$pool.sock" ; where
pm = static
pm.max_children = 12
pm.status_path = /fpm-status
pm.status_listen = 127.0.0.1:9001
ping.path = /ping
php_admin_value[error_log] = /var/log/x.log
[tcp]
listen = 9000
pm.max_children = many
""",
    "/etc/php/8.2/fpm/pool.d/b.conf": "[odd]\nlisten=${LISTEN}\n[v6]\nlisten = [::1]:9002\n"
    "[any]\nlisten=[::]:9003\n[nothing]\npm=static",
    "/etc/php/8.2/fpm/pool.d/c.conf.disabled": "[off]\nlisten = 1\n",
}


def test_the_access_log_of_a_pool() -> None:
    text = 'access.log = log/$pool.log\naccess.format = "%R \\"%m %r%Q%q\\" %s %{milli}d" ; and more\n'
    (pool,) = fpm_pools({FPM: f"[shop]\nlisten = 9000\n{text}"}, FPM)
    assert (pool.access_log, pool.access_format) == ("/usr/log/shop.log", '%R "%m %r%Q%q" %s %{milli}d')


def test_pools() -> None:
    shop, tcp, v6, any_address = fpm_pools(POOLS, FPM)
    assert shop == Pool(
        "shop", "unix:/run/php/shop.sock", "/fpm-status", "127.0.0.1:9001", "/ping", "static", 12, "shop",
        "/etc/php/8.2/fpm/pool.d/a.conf", FPM, php_error_log="/var/log/x.log",
    )  # fmt: skip
    assert tcp == Pool("tcp", "127.0.0.1:9000", file="/etc/php/8.2/fpm/pool.d/a.conf", main=FPM)
    assert (v6.listen, any_address.listen) == ("[::1]:9002", "127.0.0.1:9003")


def test_what_a_pool_may_open_is_known() -> None:
    text = "[a]\nlisten = /a.sock\nchroot = /srv/jail\nphp_admin_value[open_basedir] = /srv/a:/tmp ; both\n"
    (pool,) = fpm_pools({FPM: text}, FPM)
    assert (pool.chroot, pool.open_basedir) == ("/srv/jail", "/srv/a:/tmp")


def nginx(options: str = "") -> Process:
    return Process(10, "nginx", f"nginx: master process /usr/sbin/nginx{options}", "root", 1)


def fpm(main: str) -> Process:
    return Process(20, "php-fpm8.2", f"php-fpm: master process ({main})", "root", 1)


def test_titles_say_which_files_to_read_else_the_usual_places() -> None:
    fallback = {MAIN, APACHE, *USUAL_FPM}
    assert configuration_files([]) == fallback
    assert configuration_files([nginx(" -g daemon on; master_process on;")]) == fallback
    assert configuration_files([nginx(" -p /srv/n -e stderr -c conf/my.conf"), fpm("/srv/fpm.conf")]) == {
        "/srv/n/conf/my.conf", APACHE, "/srv/fpm.conf"}  # fmt: skip
    assert configuration_files([nginx(), nginx(" -c /a.conf"), fpm("/b.conf"), fpm("/c.conf")]) == {
        MAIN, APACHE, "/a.conf", "/b.conf", "/c.conf"}  # fmt: skip


def test_reading_until_nothing_new_is_wanted_gives_the_whole_inventory() -> None:
    disk = DEBIAN | POOLS
    processes = (nginx(), fpm(FPM))
    texts: dict[str, str] = {}
    asked: set[str] = set()
    rounds = 0
    while patterns := wanted(texts, processes) - asked:
        asked |= patterns
        rounds += 1
        texts |= {path: text for path, text in disk.items() if any(glob_matches(path, each) for each in patterns)}
    assert rounds == 3  # main files, what they include, what those include
    inventory = build("h", processes, [Listener("nginx", 10, "0.0.0.0", 80)], texts, ["cannot read x"])
    assert [vhost.listens[0] for vhost in inventory.vhosts] == ["*:80", "*:443"]
    assert [pool.name for pool in inventory.pools] == ["shop", "tcp", "v6", "any"]
    assert (inventory.host, inventory.blind, len(inventory.listeners)) == ("h", ("cannot read x",), 1)


PIECES = st.sampled_from(
    ["http", "server", "{", "}", ";", "include", "*", "listen", "80", '"', "'", "\\", "#", "\n", " ", "upstream", "x",
     "${", "[www]", "=", "[", "]", "location", "stub_status", "access_log", "log_format", "fastcgi_pass", "root",
     "listen=", "pm.max_children=", "include=/etc/*", "server_name", "$pool", "²", "\0", "unix:", "[::"]
)  # fmt: skip
ODD = st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join), st.lists(PIECES, max_size=60).map(" ".join))


@given(ODD, ODD)
def test_no_text_raises(main: str, other: str) -> None:
    texts = {MAIN: main, "/etc/nginx/x": other, FPM: other, "/etc/y": main, "": ""}
    build("h", (), (), texts)
    wanted(texts, ())
    nginx_vhosts({MAIN: f"http {{ server {{ {main} }} {other} }}", "/etc/nginx/x": other}, MAIN)
    fpm_pools({FPM: f"[a]\nlisten = {main}\n{other}"}, FPM)


def test_very_deep_blocks_end() -> None:
    nginx_vhosts({MAIN: "http {" * 5000 + "}" * 6000}, MAIN)
