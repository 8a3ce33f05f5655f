"""What is on this host, as plain data: processes, listeners, web servers' vhosts, PHP-FPM pools, sites.

Pure: made from text once a cycle, given to every `discover`.
"""

from collectors.inventory.apache_conf import ApacheMain, apache_main, apache_vhosts
from collectors.inventory.build import build, configuration_files, nginx_main, wanted
from collectors.inventory.fpm_conf import fpm_pools
from collectors.inventory.model import Inventory, Listener, Pool, Process, Site, Vhost
from collectors.inventory.nginx_conf import nginx_vhosts

__all__ = [
    "ApacheMain",
    "Inventory",
    "Listener",
    "Pool",
    "Process",
    "Site",
    "Vhost",
    "apache_main",
    "apache_vhosts",
    "build",
    "configuration_files",
    "fpm_pools",
    "nginx_main",
    "nginx_vhosts",
    "wanted",
]
