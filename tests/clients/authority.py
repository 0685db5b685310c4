"""A company's certificate authority, made anew for each run, and the certificate of a server behind it."""

import datetime
import ipaddress
import pathlib
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(subject, key, issuer, signer, extensions):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


class Authority:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        own = made("Company CA", signer, "Company CA", signer, [(x509.BasicConstraints(True, 0), True)])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        leaf = made("localhost", key, "Company CA", signer, [
            (x509.BasicConstraints(False, None), True),
            (x509.SubjectAlternativeName(names), False),
            (x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False),
        ])
        pem = serialization.Encoding.PEM
        self.file = folder / "company-ca.pem"
        self.file.write_bytes(own.public_bytes(pem))
        self.certificate = folder / "server.pem"
        self.certificate.write_bytes(leaf.public_bytes(pem))
        self.key = folder / "server-key.pem"
        self.key.write_bytes(key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context
