# ruff: noqa: B905, D103, E401, E701, E702, E704, I001, SIM115, T201
# fmt: off
"""Checks Motcua's journal without Motcua: only Python's standard library, and openssl for the time stamps.

python check_journal.py ROOT.pem PROOF.json [CODE]   is this paper (the code in its QR picture) in the sealed journal?
python check_journal.py ROOT.pem FOLDER [COPIES…]    is this export (motcua audit export FOLDER) whole, and not older than these copies
                                                     of its seals (seals.jsonl kept elsewhere) and proofs (*.json that citizens hold)?
"""
import base64, calendar, hashlib, json, pathlib, subprocess, sys, tempfile, time

def sha(data): return hashlib.sha256(data).digest()
def pair(left, right): return sha(b"\1" + left + right)
def texts(file): return [json.loads(text) for text in pathlib.Path(file).read_text("utf-8").splitlines() if text.strip()]
def line_hash(previous, digest): return sha(bytes.fromhex(previous) + digest).hex()
START = sha(b"motcua journal").hex()

def root_of(leaves):
    level = [sha(b"\0" + leaf.encode()) for leaf in leaves]
    while len(level) > 1: level = [pair(*two) for two in zip(level[::2], level[1::2])] + (level[-1:] if len(level) % 2 else [])
    return level[0].hex()

def stamp_holds(roots, seal):
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(seal["token"])); file.flush()
        command = ("openssl", "ts", "-token_in", "-in", file.name)
        def openssl(*more): return subprocess.run([*command[:2], *more, *command[2:]], capture_output=True, text=True).stdout
        at = [line[12:] for line in openssl("-reply", "-text").splitlines() if line.startswith("Time stamp: ")]
        seconds = str(calendar.timegm(time.strptime(at[0], "%b %d %H:%M:%S %Y GMT"))) if at else "0"
        return "Verification: OK" in openssl("-verify", "-digest", seal["hash"], "-CAfile", roots, "-attime", seconds)

def check_seal(roots, seal, root):
    number, whole = seal["number"], sha(seal["content"].encode()).hex() == seal["hash"]
    said = json.loads(seal["content"])
    if not whole or (said[0], said[4]) != (number, root): yield f"seal {number} was changed"
    if seal["token"] and not stamp_holds(roots, seal): yield f"the time stamp over seal {number} does not hold"

def check_proof(roots, proof, code):
    line, leaf, top = proof["line"], json.loads(proof["leaf"]), sha(b"\0" + proof["leaf"].encode())
    head, said = line_hash(line["previous"], sha(line["content"].encode())), json.loads(line["content"])
    for digest in proof["later"]: head = line_hash(head, bytes.fromhex(digest))
    for side, other in proof["path"]: top = pair(bytes.fromhex(other), top) if side == "left" else pair(top, bytes.fromhex(other))
    yield from check_seal(roots, proof["seal"], top.hex())
    if not proof["seal"]["token"]: yield "the seal has no time stamp yet"
    if leaf != [said[2], said[3] + len(proof["later"]), head]: yield "the line does not lead to the seal"
    if code and said[8].get("public_id") != code: yield "the proof is of another paper"

def check_export(roots, folder, copies):
    hashes, last, previous, seals = {}, ("", 0, ""), START, {}
    for row in texts(folder / "journal.jsonl"):
        chain, number, content = row["chain"], row["number"], row["content"].encode()
        last = last if last[0] == chain else (chain, 0, START)
        own = line_hash(row["previous"], content if content[:3] == b"[1," else sha(content))
        if own != row["hash"] or json.loads(content)[2:4] != [chain, number]: yield f"line {number} of {chain} was changed"
        if (chain, number - 1, row["previous"]) != last: yield f"before line {number} of {chain} something is missing"
        last = (chain, number, row["hash"]); hashes[chain, number] = row["hash"]
    for place, seal in enumerate(texts(folder / "seals.jsonl"), 1):
        yield from check_seal(roots, seal, root_of(seal["leaves"]))
        if (place, previous) != (seal["number"], json.loads(seal["content"])[3]): yield f"seal {place} is missing"
        for chain, number, head in map(json.loads, seal["leaves"]):
            if hashes.get((chain, number)) != head: yield f"line {number} of {chain} is not what seal {place} saw"
        previous = seals[place] = seal["hash"]
    kept = [one.get("seal", one) for file in copies for one in (texts(file) if file.endswith("l") else [json.load(open(file))])]
    for number in sorted({one["number"] for one in kept if seals.get(one["number"]) != one["hash"]}):
        yield f"seal {number} is kept elsewhere but not here: an older state was restored"

roots, subject, rest = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
check = check_export(roots, subject, rest) if subject.is_dir() else check_proof(roots, json.load(open(subject)), "".join(rest))
faults = list(check); print("\n".join(faults) or "sound"); sys.exit(bool(faults))
