# ruff: noqa: E401, I001, T201, S310
"""The main job over /api/v1: receive a scanned original, examine, sign, number and seal, take the result, verify it.

    python docs/api_client.py http://localhost:8000 scan.pdf job.json

``job.json``: {"reception": TOKEN, "specialist": TOKEN, "leader": [TOKEN, PIN], "clerk": [TOKEN, PIN], "procedure": CODE, "component": KEY,
"owner": {"name": …, "identity": …}, "answers": {…}}; tokens are made at /admin/tokens. Needs the standard library and the package
cryptography. A PIN leaves this program only sealed to the key custody, which alone can read it.
"""

import base64, json, os, sys, unicodedata, urllib.request, uuid
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


def call(at, method, path, token="", body=None, file=None, grant=""):
    """One request; its Idempotency-Key lets it be sent again after a broken connection without being done twice."""
    headers = {"Authorization": f"Bearer {token}"} if token else {"Motcua-Grant": grant}
    headers |= {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
    payload = json.dumps(body or {}).encode() if method == "POST" else None
    if file is not None:
        edge = uuid.uuid4().hex
        headers["Content-Type"] = f"multipart/form-data; boundary={edge}"
        fields = "".join(f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in (body or {}).items())
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="scan.pdf"\r\n\r\n'
        payload = f"{fields}{head}".encode() + file + f"\r\n--{edge}--\r\n".encode()
    with urllib.request.urlopen(urllib.request.Request(f"{at}/api/v1{path}", payload, headers, method=method)) as answer:
        return json.load(answer) if answer.headers.get_content_type() == "application/json" else answer.read()


def seal(invitation, pin):
    """Seal a PIN: ECDH P-256, HKDF-SHA256 salted with the nonce, AES-256-GCM."""
    nonce, raw = invitation["nonce"].encode(), unicodedata.normalize("NFC", pin).encode().ljust(64, b"\0")
    x, y = (base64.urlsafe_b64decode(invitation["public_key"][axis] + "==") for axis in "xy")
    own, theirs = ec.generate_private_key(ec.SECP256R1()), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    key, iv = HKDF(hashes.SHA256(), 32, nonce, b"motcua pin v1").derive(own.exchange(ec.ECDH(), theirs)), os.urandom(12)
    point = own.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return f"v1.{invitation['nonce']}." + base64.urlsafe_b64encode(point + iv + AESGCM(key).encrypt(iv, raw, nonce)).rstrip(b"=").decode()


def waiting(at, token, code, action):
    """The task of a dossier that waits for somebody."""
    return next(row["task_id"] for row in call(at, "GET", f"/tasks?action={action}&search={code}", token)["items"])


def sign(at, token, pin, task, prepared):
    """Sign one prepared document with the key of its task."""
    sealed = seal(call(at, "GET", f"/tasks/{task}/invitation", token), pin)
    call(at, "GET", f"/signatures/requests/{prepared['request']}/document", token)  # look: only what was fetched can be approved
    (outcome,) = call(at, "POST", "/signatures", token, {"requests": [prepared["request"]], "sealed_pin": sealed})
    assert outcome["signed"], outcome["failure"]


def main_job(at, scan, job):
    """From the scan to the verified result."""
    desk, officer, (leader, pin), (clerk, seal_pin) = (job[who] for who in ("reception", "specialist", "leader", "clerk"))
    procedure = next(p["key"] for p in call(at, "GET", "/procedures?scope=public", desk) if p["code"] == job["procedure"])
    unit = next(u["id"] for u in call(at, "GET", "/units", desk) if u["level"] == "commune")
    upload = call(at, "POST", "/uploads", desk, {"component": job["component"]}, scan)
    new = {"procedure": procedure, "deciding_unit": unit, "owner": job["owner"], "upload_key": upload["upload_key"], "delivery": "download"}
    print("due", call(at, "POST", "/dossiers/preview", desk, new)["due_at"])
    received = call(at, "POST", "/dossiers", desk, new)
    code = received["code"]
    call(at, "POST", f"/tasks/{waiting(at, officer, code, 'form')}/completion", officer, {"answers": job["answers"]})
    task = waiting(at, leader, code, "sign")
    sign(at, leader, pin, task, call(at, "POST", "/signatures/preparation", leader, {"tasks": [task]})[0])
    task = waiting(at, clerk, code, "issue")
    sign(at, clerk, seal_pin, task, call(at, "POST", f"/tasks/{task}/numbering", clerk))
    proof = {"identity": job["owner"]["identity"], "access_code": received["access_code"]}
    result = call(at, "POST", f"/owner/{code}/result", grant=call(at, "POST", f"/tracking/{code}/access", body=proof)["grant"])
    return code, result, call(at, "POST", "/verification", file=result)["verdict"]


if __name__ == "__main__":
    with open(sys.argv[2], "rb") as scan, open(sys.argv[3], encoding="utf-8") as job:
        code, pdf, verdict = main_job(sys.argv[1], scan.read(), json.load(job))
    with open(f"{code}.pdf", "wb") as target:
        target.write(pdf)
    print(f"{code}.pdf", len(pdf), "bytes:", verdict)
