"""A private LEMP stack for tests and the demo: nginx, PHP-FPM, MariaDB and Redis on free ports in one directory."""
