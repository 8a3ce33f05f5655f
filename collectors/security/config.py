"""What of this host is watched for signs of an intruder."""

from collectors.config import Config


class Security(Config):
    auth_logs: tuple[str, ...] = ("/var/log/auth.log", "/var/log/secure")
    """Where sshd, sudo, su and login write; without any of these files the systemd journal is read."""
    procfs: str = "/proc"
    """The host's /proc, when Raingauge runs in a container that has it elsewhere."""
    rootfs: str = "/"
    """Where the host's root file system is mounted, likewise; its accounts, keys and jobs are looked at below it."""
