"""What leaves the house: the proof of one line, the whole journal for a stranger's check, copies of the daily seals.

All three are texts anyone can check with a few lines of program and ``openssl`` (``docs/check_journal.py`` is such a program): contents are
the very bytes that were hashed. A proof shows of other lines only their digests, of other dossiers nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from engine.kernel.journal import JournalLine
from engine.kernel.journal_check import content_of, merkle_path
from engine.kernel.journal_seal import JournalSeal, JournalSealLeaf, JournalToken, leaf_content, seal_content
from engine.kernel.tables import Json

LINE, SEAL, LEAF, TOKEN = JournalLine.__table__, JournalSeal, JournalSealLeaf, JournalToken


def proof(session: Session, province: int, chain: UUID, number: int) -> Json | None:
    """Return the proof that a line stands under a daily seal; None while no seal covers it, or when its chain is not whole.

    ``line`` is the line; ``later`` are the digests of the lines up to the one the seal saw; ``leaf`` and ``path`` lead to the day's root;
    ``seal`` holds the root and the token of the time-stamping authority.
    """
    covering = select(LEAF).where(LEAF.province == province, LEAF.chain == chain, LEAF.number >= number).order_by(LEAF.seal).limit(1)
    leaf = session.scalars(covering).first()
    if leaf is None:
        return None
    query = select(LINE).where(LINE.c.province == province, LINE.c.chain == chain, LINE.c.number.between(number, leaf.number))
    lines = session.execute(query.order_by(LINE.c.number)).all()
    contents = [content_of(line) for line in lines]
    if len(lines) != leaf.number - number + 1 or None in contents or any(content[:3] == b"[1," for content in contents if content):
        return None
    leaves = session.scalars(select(LEAF).where(LEAF.province == province, LEAF.seal == leaf.seal).order_by(LEAF.chain)).all()
    place = next(index for index, one in enumerate(leaves) if one.chain == chain)
    path = merkle_path([leaf_content(one.chain, one.number, one.hash) for one in leaves], place)
    seal = next(_seals(session, province, leaf.seal))
    del seal["leaves"]
    return {
        "line": {"content": (contents[0] or b"").decode(), "previous": lines[0].previous.hex(), "hash": lines[0].hash.hex()},
        "later": [sha256(content or b"").hexdigest() for content in contents[1:]],
        "leaf": leaf_content(leaf.chain, leaf.number, leaf.hash).decode(),
        "path": [[side, node.hex()] for side, node in path],
        "seal": seal,
    }


def export(session: Session, province: int, folder: Path) -> tuple[int, int]:
    """Write the journal (``journal.jsonl``) and its seals (``seals.jsonl``) into *folder*; returns how many of each.

    A line whose hash fits no format is written with an empty content: whoever checks finds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counts = [0, 0]
    query = select(LINE).where(LINE.c.province == province).order_by(LINE.c.chain, LINE.c.number)
    with (folder / "journal.jsonl").open("w", encoding="utf-8") as out:
        for line in session.execute(query, execution_options={"yield_per": 2000}):
            content = (content_of(line) or b"").decode()
            said = {"chain": str(line.chain), "number": line.number, "content": content}
            out.write(_text({**said, "previous": line.previous.hex(), "hash": line.hash.hex()}))
            counts[0] += 1
    with (folder / "seals.jsonl").open("w", encoding="utf-8") as out:
        for seal in _seals(session, province):
            out.write(_text(seal))
            counts[1] += 1
    return counts[0], counts[1]


def _seals(session: Session, province: int, number: int | None = None, *, whole: bool = True) -> Iterator[Json]:
    with_token = and_(TOKEN.province == SEAL.province, TOKEN.seal == SEAL.number)
    query = select(SEAL, TOKEN.token).outerjoin(TOKEN, with_token).where(SEAL.province == province).order_by(SEAL.number)
    for seal, token in session.execute(query if number is None else query.where(SEAL.number == number)):
        leaves = (
            session.scalars(select(LEAF).where(LEAF.province == province, LEAF.seal == seal.number).order_by(LEAF.chain)) if whole else ()
        )
        yield {
            "number": seal.number,
            "content": seal_content(seal.number, seal.at, seal.count, seal.previous, seal.root).decode(),
            "hash": seal.hash.hex(),
            "leaves": [leaf_content(one.chain, one.number, one.hash).decode() for one in leaves],
            "token": base64.b64encode(token or b"").decode(),
        }


def keep(session: Session, province: int, file: Path) -> int:
    """Copy to *file* what it does not hold yet of the seals and their tokens; returns how many lines were added.

    The file is only ever added to and belongs where whoever can restore the database cannot reach: a restored older backup lacks seals
    that stand here.
    """
    known = set(file.read_text(encoding="utf-8").splitlines()) if file.exists() else set()
    seals = _seals(session, province, whole=False)
    lines = [_text({"number": one["number"], "hash": one["hash"], "token": one["token"]}) for one in seals]
    new = [line for line in lines if line.strip() not in known]
    if new:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as out:
            out.writelines(new)
    return len(new)


def kept_in(file: Path) -> list[tuple[int, bytes]]:
    """Return number and hash of the seals a file of copies holds; a missing file holds none.

    Raises:
        ValueError: the file is damaged; that is worth knowing before anything is compared with it.
    """
    if not file.exists():
        return []
    read = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [(int(one["number"]), bytes.fromhex(one["hash"])) for one in read]


def _text(said: Json) -> str:
    return json.dumps(said, ensure_ascii=False, sort_keys=True) + "\n"
