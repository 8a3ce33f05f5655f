"""Certificates of an authority of our own, made for a test."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


class Authority:
    """`file` is what a client trusts; `certified` gives a file with a certificate, its key, and the authority's own."""

    def __init__(self, folder: Path, days: float = 300) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lab Authority")])
        self._certificate = self._signed(self._name, self._key.public_key(), days, ()).sign(self._key, hashes.SHA256())
        self.file = folder / "authority.pem"
        self.file.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def certified(self, *names: str, days: float = 60) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = self._signed(subject, key.public_key(), days, names)
        certificate = builder.sign(self._key, hashes.SHA256())
        file = self._folder / f"{names[0]}-{days:g}.pem"
        plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(certificate.public_bytes(Encoding.PEM) + self.file.read_bytes() + plain)
        return file

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, days: float, names: tuple[str, ...]
    ) -> x509.CertificateBuilder:
        end = datetime.now(UTC) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
            .serial_number(x509.random_serial_number()).not_valid_before(end - timedelta(days=400)).not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )  # fmt: skip
        if not names:
            return builder
        given = [x509.DNSName(name) for name in names]
        return builder.add_extension(x509.SubjectAlternativeName(given), critical=False)
