"""What the owner of the token sees: who asks, which documents with which check codes, whose key; and where the PIN is typed.

Plain forms, no script at all. Nothing on these pages comes from elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from html import escape

from signing.agent.approvals import Approval
from signing.agent.device import DeviceCertificate
from signing.agent.words import word
from signing.keys import certificate_facts

_VIETNAM = timezone(timedelta(hours=7))
STYLE = """
:root { color-scheme: light dark; --line: #c9ced6; --soft: #f3f5f8; --ink: #17202c; --quiet: #4a5667; --act: #0b4f9c; --on-act: #fff;
  --bad: #a11212; --good: #14653a; --page: #fff; }
@media (prefers-color-scheme: dark) { :root { --line: #47505e; --soft: #222a35; --ink: #eef2f7; --quiet: #b4bfcd; --act: #8cbcff;
  --on-act: #0b1a2d; --bad: #ff9c9c; --good: #7fdca4; --page: #161c25; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 "Be Vietnam Pro", "Segoe UI", system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 1.25rem 0 .5rem; }
p { margin: .25rem 0 .75rem; } .quiet { color: var(--quiet); }
.origin { display: block; padding: .6rem .8rem; background: var(--soft); border-radius: .4rem; font-weight: 600; overflow-wrap: anywhere; }
.scroll { max-height: 22rem; overflow: auto; border: 1px solid var(--line); border-radius: .4rem; }
table { width: 100%; border-collapse: collapse; } th, td { text-align: left; padding: .5rem .8rem; vertical-align: top; }
thead th { position: sticky; top: 0; background: var(--soft); } tbody tr + tr { border-top: 1px solid var(--line); }
code { font: 600 1.05rem ui-monospace, Consolas, monospace; white-space: nowrap; }
label { display: block; font-weight: 600; }
input { font: inherit; width: 100%; max-width: 18rem; padding: .55rem .7rem; border: 1px solid var(--quiet); border-radius: .4rem;
  background: var(--page); color: inherit; }
.buttons { display: flex; gap: .75rem; margin-top: 1rem; flex-wrap: wrap; }
button { font: inherit; font-weight: 600; min-height: 2.75rem; padding: .5rem 1.4rem; border-radius: .4rem; border: 1px solid var(--act);
  background: var(--page); color: var(--act); cursor: pointer; }
button.first { background: var(--act); color: var(--on-act); }
:focus-visible { outline: 3px solid var(--act); outline-offset: 2px; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); font-weight: 600; font-size: 1.15rem; }
"""


def approval_page(approval: Approval, certificate: bytes, origin: str, problem: str = "") -> str:
    """The page of one approval: the form while it waits, otherwise what became of it."""
    language = approval.language
    facts = certificate_facts(certificate)
    count = len(approval.documents)
    asks = word("asks_one", language) if count == 1 else word("asks", language, count=count)
    rows = "".join(f"<tr><td>{escape(one.name)}</td><td><code>{one.check_code}</code></td></tr>" for one in approval.documents)
    parts = [
        f"<h1>{_(language, 'title')}</h1><p>{escape(asks)}:</p><p class=origin>{escape(origin)}</p>",
        f"<p>{_(language, 'with_key')} <strong>{escape(facts.common_name)}</strong>"
        f"<br><span class=quiet>{escape(', '.join(one for one in (facts.title, facts.organisation) if one))}"
        f" · {escape(facts.issuer)} · {_(language, 'until')} {_day(facts.valid_until)}</span></p>",
        f'<div class=scroll tabindex=0 role=region aria-label="{_(language, "document")}"><table><thead><tr><th scope=col>'
        f"{_(language, 'document')}</th><th scope=col>{_(language, 'code')}</th></tr></thead><tbody>{rows}</tbody></table></div>",
    ]
    parts.append(_form(language, problem) if approval.state == "waiting" else _end(approval))
    return _page(language, word("title", language), "".join(parts))


def _form(language: str, problem: str) -> str:
    wrong = f"<p class=bad id=problem role=alert>{escape(problem)}</p>" if problem else ""
    described = "hint problem" if problem else "hint"
    return (
        f"<p class=quiet>{_(language, 'compare')}</p>"
        f"<form method=post autocomplete=off>{wrong}<label for=pin>{_(language, 'pin')}</label>"
        f"<p class=quiet id=hint>{_(language, 'pin_hint')}</p>"
        f'<input id=pin name=pin type=password maxlength=64 autocomplete=off autofocus aria-describedby="{described}">'
        f"<div class=buttons><button class=first name=act value=sign>{_(language, 'sign')}</button>"
        f"<button name=act value=refuse>{_(language, 'refuse')}</button></div></form>"
    )


def _end(approval: Approval) -> str:
    language = approval.language
    if approval.state == "signed":
        return f"<p class=good role=status>✓ {_(language, 'signed')}</p><p>{_(language, 'back')}</p>"
    return f"<p class=bad role=status>{_(language, approval.code)}</p>"


def message_page(language: str, code: str) -> str:
    """A page with one sentence."""
    return _page(language, word("title", language), f"<h1>{_(language, 'title')}</h1><p class=bad>{_(language, code)}</p>")


def home_page(language: str, origin: str, found: Sequence[DeviceCertificate], problem: str) -> str:
    """The agent's first page: whom it answers and what is plugged in."""
    rows = []
    for one in found:
        facts = certificate_facts(one.certificate.der)
        rows.append(
            f"<tr><td><strong>{escape(facts.common_name)}</strong><br><span class=quiet>{escape(facts.issuer)}</span></td>"
            f"<td>{_(language, 'until')} {_day(facts.valid_until)}</td></tr>"
        )
    table = f"<div class=scroll tabindex=0><table><tbody>{''.join(rows)}</tbody></table></div>" if rows else ""
    empty = "" if rows else f"<p class=bad>{_(language, problem or 'no_token')}</p>"
    body = (
        f"<h1>{_(language, 'home')}</h1><p>{_(language, 'serves')}</p><p class=origin>{escape(origin)}</p>"
        f"<h2>{_(language, 'tokens')}</h2>{table}{empty}<p class=quiet>{_(language, 'home_hint')}</p>"
    )
    return _page(language, word("home", language), body)


def _page(language: str, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang={language}><head><meta charset=utf-8><meta name=viewport content="width=device-width">'
        f'<title>{escape(title)}</title><link rel=stylesheet href="/agent.css"></head><body><main>{body}</main></body></html>'
    )


def _(language: str, name: str) -> str:
    return escape(word(name, language))


def _day(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(_VIETNAM).strftime("%d/%m/%Y")
