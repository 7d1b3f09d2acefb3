"""An RSA key made from the seed, for the push tokens of a provider that signs with one. Not for anything of worth."""

import base64
import hashlib
import json
import time

EXPONENT = 65537
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017, 9.2


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def is_prime(n, random):
    if any(n % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    twos = ((n - 1) & (1 - n)).bit_length() - 1
    for _ in range(20):
        x = pow(random.randrange(2, n - 1), (n - 1) >> twos, n)
        if x in (1, n - 1):
            continue
        for _ in range(twos - 1):
            if (x := x * x % n) == n - 1:
                break
        else:
            return False
    return True


def prime(random):
    while True:
        n = random.getrandbits(1024) | (3 << 1022) | 1
        if n % EXPONENT != 1 and is_prime(n, random):
            return n


class Signer:
    def __init__(self, random):
        p, q = prime(random), prime(random)
        self.modulus, self._private = p * q, pow(EXPONENT, -1, (p - 1) * (q - 1))
        self.kid = f"{random.getrandbits(64):016x}"

    def published(self):
        return {"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "e": "AQAB",
                          "n": unpadded(self.modulus.to_bytes(256, "big"))}]}

    def token(self, audience, changes):
        now = int(time.time())
        claims = {"iss": "https://accounts.google.com", "aud": audience, "iat": now, "exp": now + 3600, "sub": "1",
                  "email": "push@fake.iam.gserviceaccount.com", "email_verified": True, **changes}
        head = {"alg": "RS256", "kid": self.kid, "typ": "JWT"}
        text = ".".join(unpadded(json.dumps(part).encode()) for part in (head, claims))
        digest = SHA256_PREFIX + hashlib.sha256(text.encode()).digest()
        padded = b"\x00\x01" + b"\xff" * (253 - len(digest)) + b"\x00" + digest
        signature = pow(int.from_bytes(padded, "big"), self._private, self.modulus).to_bytes(256, "big")
        return text + "." + unpadded(signature)
