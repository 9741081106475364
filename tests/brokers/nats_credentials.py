"""Keys and tokens of NATS as its tools would make them: an operator, an account with JetStream, and a user of it."""

import base64
import binascii
import json
import pathlib
import subprocess
import time

PREFIX = {"operator": 14 << 3, "account": 0, "user": 20 << 3}
SEED_PREFIX = 18 << 3
# All unlimited; an account without the last ones has no JetStream.
CONNECTION_LIMITS = dict.fromkeys(("subs", "data", "payload"), -1)
ACCOUNT_LIMITS = CONNECTION_LIMITS | dict.fromkeys(("imports", "exports", "conn", "leaf"), -1)
STORE_LIMITS = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), -1)


class Key:
    """An Ed25519 key in a PEM file, which is made when it is not there."""

    def __init__(self, kind: str, file: pathlib.Path):
        self.kind = kind
        self.file = file
        if not file.exists():
            openssl("genpkey", "-algorithm", "ed25519", "-out", str(file))

    @property
    def public(self) -> str:
        der = openssl("pkey", "-in", str(self.file), "-pubout", "-outform", "DER")
        return encode(bytes([PREFIX[self.kind]]) + der[-32:])

    @property
    def seed(self) -> str:
        prefix = PREFIX[self.kind]
        der = openssl("pkey", "-in", str(self.file), "-outform", "DER")
        return encode(bytes([SEED_PREFIX | prefix >> 5, (prefix & 31) << 3]) + der[-32:])

    def sign(self, data: bytes) -> str:
        message = self.file.with_suffix(".message")  # openssl signs with Ed25519 only what stands in a file
        message.write_bytes(data)
        return base64url(openssl("pkeyutl", "-sign", "-rawin", "-inkey", str(self.file), "-in", str(message)))

    def issue(self, subject: "Key", what: dict) -> str:
        """The token by which this key vouches for `subject`."""
        nats = {**what, "type": subject.kind, "version": 2}
        claims = {"jti": "x", "iat": int(time.time()), "iss": self.public, "name": subject.kind, "sub": subject.public}
        head = base64url(json.dumps({"typ": "JWT", "alg": "ed25519-nkey"}).encode())
        body = base64url(json.dumps({**claims, "nats": nats}).encode())
        return f"{head}.{body}." + self.sign(f"{head}.{body}".encode())


class Credentials:
    """All of it in `folder`; the same again when it is there."""

    def __init__(self, folder: pathlib.Path):
        self.operator = Key("operator", folder / "operator.pem")
        self.system = Key("account", folder / "system.pem")
        self.account = Key("account", folder / "account.pem")
        self.user = Key("user", folder / "user.pem")
        self.user_token = self.account.issue(self.user, {"pub": {}, "sub": {}, **CONNECTION_LIMITS})

    def server_configuration(self) -> list[str]:
        return [
            f"operator: {self.operator.issue(self.operator, {})}",
            f"system_account: {self.system.public}",
            "resolver: MEMORY",
            "resolver_preload {",
            f"  {self.system.public}: {self.operator.issue(self.system, {'limits': ACCOUNT_LIMITS})}",
            f"  {self.account.public}: {self.operator.issue(self.account, {'limits': ACCOUNT_LIMITS | STORE_LIMITS})}",
            "}",
        ]

    def file_text(self) -> str:
        return (
            f"-----BEGIN NATS USER JWT-----\n{self.user_token}\n------END NATS USER JWT------\n\n"
            f"-----BEGIN USER NKEY SEED-----\n{self.user.seed}\n------END USER NKEY SEED------\n"
        )

    def greeting(self, nonce: str) -> dict:
        """What a client adds to its CONNECT."""
        return {"jwt": self.user_token, "sig": self.user.sign(nonce.encode())}


def openssl(*arguments: str) -> bytes:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode(data: bytes) -> str:
    checked = data + binascii.crc_hqx(data, 0).to_bytes(2, "little")
    return base64.b32encode(checked).rstrip(b"=").decode()
