"""Tokens made by hand (RFC 7515), so that a test can also make the ones that no library would."""

import base64
import hashlib
import hmac
import json
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def hs(secret, digest="sha256"):
    """A signer for HS256/384/512."""
    return lambda signed: hmac.new(secret, signed, digest).digest()


def rs(key, digest=hashes.SHA256):
    return lambda signed: key.sign(signed, padding.PKCS1v15(), digest())


def ps(key, digest=hashes.SHA256):
    size = digest().digest_size
    return lambda signed: key.sign(signed, padding.PSS(padding.MGF1(digest()), size), digest())


def es(key, digest=hashes.SHA256):
    """A signer for ES256/384: r||s, each of the curve's size (RFC 7518 3.4)."""
    size = (key.curve.key_size + 7) // 8

    def sign(signed):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(digest())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def ed(key):
    return key.sign


def jws(header, payload, signer):
    """A compact JWS; `header` and `payload` are dicts or raw bytes, `signer` maps the signing input to a signature."""
    if not isinstance(header, bytes):
        header = compact(header)
    if not isinstance(payload, bytes):
        payload = compact(payload)
    signed = f"{b64u(header)}.{b64u(payload)}"
    return f"{signed}.{b64u(signer(signed.encode()))}"


class Keys:
    """One key of every kind that the server takes."""

    def __init__(self):
        self.secret = hashlib.sha512(b"carillon black-box tests").digest()
        self.rsa = rsa.generate_private_key(65537, 2048)
        self.p256 = ec.generate_private_key(ec.SECP256R1())
        self.p384 = ec.generate_private_key(ec.SECP384R1())
        self.ed25519 = ed25519.Ed25519PrivateKey.generate()

    def signer(self, alg):
        return {
            "HS256": lambda: hs(self.secret),
            "HS384": lambda: hs(self.secret, "sha384"),
            "HS512": lambda: hs(self.secret, "sha512"),
            "RS256": lambda: rs(self.rsa),
            "RS384": lambda: rs(self.rsa, hashes.SHA384),
            "RS512": lambda: rs(self.rsa, hashes.SHA512),
            "PS256": lambda: ps(self.rsa),
            "PS384": lambda: ps(self.rsa, hashes.SHA384),
            "PS512": lambda: ps(self.rsa, hashes.SHA512),
            "ES256": lambda: es(self.p256),
            "ES384": lambda: es(self.p384, hashes.SHA384),
            "EdDSA": lambda: ed(self.ed25519),
        }[alg]()

    def mint(self, sub="alice", scope=None, ttl=3600, alg="HS256", header=None, **claims):
        """A good token, unless a claim says otherwise. `scope` None leaves the claim out; a claim of None leaves it out."""
        payload = {"sub": sub, "exp": int(time.time()) + ttl}
        if scope is not None:
            payload["scope"] = scope
        payload.update(claims)
        payload = {name: value for name, value in payload.items() if value is not None}
        return jws({"alg": alg, "typ": "JWT", **(header or {})}, payload, self.signer(alg))
