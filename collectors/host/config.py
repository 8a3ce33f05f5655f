"""Where the host's own files are; other places only when Raingauge runs in a container."""

from collectors.config import Config


class Host(Config):
    procfs: str = "/proc"
    """The host's /proc, when Raingauge runs in a container that has it elsewhere."""
    sysfs: str = "/sys"
    """The host's /sys, likewise."""
    rootfs: str = "/"
    """Where the host's root file system is mounted, likewise; sizes of file systems are asked below it."""
    textfile: str = "/var/lib/prometheus/node-exporter"
    """Directory in which scripts leave samples as *.prom files, as for node_exporter."""
