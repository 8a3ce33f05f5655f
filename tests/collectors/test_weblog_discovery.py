"""Which logs there are, whose they are, and what would let us read them."""

from typing import Any

from collectors.inventory import Inventory, Pool, Site, Vhost
from collectors.weblog.config import LogFile, Weblog, WebSite
from collectors.weblog.discovery import discover
from collectors.weblog.formats import COMBINED, COMMON


def vhost(
    names: str,
    root: str = "",
    log: str = "/var/log/nginx/a.log",
    form: str = COMBINED,
    *,
    tls: bool = False,
    php: str = "",
) -> Vhost:
    fastcgi = (php,) if php else ()
    return Vhost("nginx", tuple(names.split()), root, (), tls, (log,) if log else (), form, fastcgi)


def proposed(*vhosts: Vhost, **more: Any) -> Weblog:
    (proposal,) = discover(Inventory("h1", vhosts=vhosts, **more))
    assert isinstance(proposal.config, Weblog)
    return proposal.config


def test_sites_are_named_by_the_vhosts_that_serve_them() -> None:
    shop = vhost("www.shop.example shop.example ~^x$ *.Shop.net .dot.example _", "/srv/shop", "/var/log/nginx/shop.log")
    secure = vhost("Shop.example", "/srv/shop", "/var/log/nginx/shop.log", tls=True)
    nameless = vhost("_", "/srv/other", form="")
    config = proposed(shop, secure, nameless)
    assert config.sites == (
        WebSite(name="shop.example", hosts=(
            "shop.example", "www.shop.example", "*.shop.net", "dot.example", "*.dot.example")),
    )  # fmt: skip
    assert config.files == (
        LogFile(path="/var/log/nginx/shop.log", site="shop.example", format=COMBINED),
        LogFile(path="/var/log/nginx/a.log", site="h1"),
    )


def test_a_vhost_that_redirects_belongs_to_the_site_of_its_names() -> None:
    redirect = vhost("www.shop.example shop.example old.example", log="/var/log/nginx/redirect.log")
    shop = vhost("shop.example", "/srv/shop", "/var/log/nginx/shop.log", tls=True)
    proxy = vhost("api.example shop.example", log="/var/log/nginx/api.log")
    alone = vhost("alone.example", log="/var/log/nginx/alone.log")
    config = proposed(redirect, proxy, alone, shop)
    assert [(file.path[15:-4], file.site) for file in config.files] == [
        ("redirect", "shop.example"), ("api", "shop.example"), ("alone", "alone.example"), ("shop", "shop.example"),
    ]  # fmt: skip
    assert {site.name: site.hosts for site in config.sites} == {
        "shop.example": ("shop.example", "www.shop.example", "old.example", "api.example"),
        "alone.example": ("alone.example",),
    }


def test_a_log_of_several_sites_or_formats_says_neither() -> None:
    config = proposed(vhost("a.example", "/a"), vhost("b.example", "/b", form=COMMON))
    assert config.files == (LogFile(path="/var/log/nginx/a.log"),)
    several = Vhost("nginx", ("c.example",), "/c", (), False, ("/1.log", "/2.log"), COMBINED, (),
                    log_formats=(COMBINED, COMMON))  # fmt: skip
    assert [file.format for file in proposed(several).files] == [COMBINED, COMMON]


def test_drupals_sites_have_their_own_names() -> None:
    one, two = Site("main", "/srv/d", "sites/default"), Site("second", "/srv/d", "sites/b.example")
    assert proposed(vhost("a.example", "/srv/d"), sites=(one,)).files[0].site == "main"
    config = proposed(vhost("b.example", "/srv/d"), sites=(one, two))
    assert (config.files[0].site, config.sites[0].name) == ("second", "second")
    config = proposed(vhost("c.example", "/srv/d"), vhost("d.example", "/srv/d"), sites=(one, two))
    assert [site.name for site in config.sites] == ["c.example", "d.example"]


def test_logs_of_php_belong_to_the_site_that_uses_the_pool() -> None:
    pool = Pool("shop", "unix:/run/php/shop.sock", access_log="/var/log/fpm.log")
    quiet = Pool("quiet", "127.0.0.1:9000", access_log="/dev/stdout")
    user = vhost("a.example", "/a", log="/dev/stdout", php="unix:/run/php/shop.sock")
    assert proposed(user, pools=(pool, quiet)).files == (
        LogFile(path="/var/log/fpm.log", site="a.example", format='%R - %u %t "%m %r" %s', php=True),
    )


def test_what_would_let_us_read() -> None:
    (usual,) = discover(Inventory("h1", vhosts=(vhost("a.example"),)))
    assert usual.found == "access logs of nginx: /var/log/nginx/a.log"
    assert usual.remedy == "usermod --append --groups adm raingauge && systemctl restart raingauge"
    (other,) = discover(Inventory("h1", vhosts=(vhost("a.example", log="/srv/a.log"),)))
    assert other.remedy == "setfacl -m u:raingauge:r /srv/a.log"
    assert list(discover(Inventory("h1", vhosts=(vhost("a.example", log=""),)))) == []
