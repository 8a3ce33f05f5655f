"""What stops ever new query strings, as lines that nginx and Varnish take.

Sources: https://nginx.org/en/docs/http/ngx_http_limit_req_module.html https://varnish-cache.org/docs/trunk/reference/vcl.html
"""

import re
from collections.abc import Sequence

LIMIT = """\
in http { }: map $args $with_query { "" ""; default $server_name; }
limit_req_zone $with_query zone=queries:1m rate=5r/s;
in the site's server { }: limit_req zone=queries burst=20 nodelay;"""
TRACKS = re.compile(r"(?:utm_|mtm_|pk_|mc_|hsa_)\w*|fbclid|gclid|dclid|msclkid|yclid|twclid|ttclid|igshid|_ga|_gl")
"""Parameters that tell where a visitor came from, and change nothing of the page."""


def nginx(network: str) -> str:
    """ "" for the network: there are many."""
    return f"in the site's server {{ }}: deny {network};" if network else LIMIT


def varnish(network: str, parameters: Sequence[str]) -> str:
    """ "" for the network: there are many. Empty where VCL alone has no way."""
    if network:
        address, _, length = network.partition("/")
        return (
            f'acl crawler {{ "{address}"/{length}; }}\nin vcl_recv: if (client.ip ~ crawler) {{ return (synth(403)); }}'
        )
    if not parameters:
        return ""
    names = "|".join(re.escape(name) for name in parameters)
    if all(TRACKS.fullmatch(name) for name in parameters):
        return (
            f'in vcl_recv: set req.url = regsuball(req.url, "([?&])(?:{names})=[^&]*", "\\1");\n'
            'set req.url = regsub(regsuball(req.url, "([?&])&+", "\\1"), "[?&]$", "");'
        )
    return (
        'in vcl_recv: if (req.http.User-Agent ~ "(?i)bot|crawl|spider" && '
        f'req.url ~ "[?&](?:{names})=") {{ return (synth(429)); }}'
    )
