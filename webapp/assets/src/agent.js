// Signing with a USB token: this page asks the server what is approved, carries it to the agent on this computer (127.0.0.1), and brings the
// agent's answer back as an ordinary form. The PIN is typed at the agent and never comes here.
// <form data-agent="http://127.0.0.1:…" data-approval="/…" data-certificate="…" data-language="vi"> with macros.agent_field inside.

const PAUSE = 600;
const wait = ms => new Promise(done => setTimeout(done, ms));

class Refusal extends Error {
  constructor(code) { super(code); this.code = code; }
}

async function call(address, path, body) {
  let answer;
  try {
    answer = await fetch(`${address}/v1/${path}`, body === undefined ? {} : { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  } catch {
    // Nobody there, or somebody who does not answer this site: an opaque answer tells the two apart.
    try { await fetch(`${address}/v1/status`, { mode: 'no-cors' }); } catch { throw new Refusal('agent.absent'); }
    throw new Refusal('agent.origin_wrong');
  }
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(told.code ?? 'agent.content_strange');
  return told;
}

async function plugged(address, certificate) {
  await call(address, 'status');
  const { certificates } = await call(address, 'certificates');
  return { certificates, here: certificates.some(one => one.sha256 === certificate) };
}

for (const form of document.querySelectorAll('form[data-agent]')) {
  const { agent, approval, certificate, language } = form.dataset;
  const status = form.querySelector('[data-agent-status]'), waiting = form.querySelector('[data-agent-waiting]');
  const sentences = JSON.parse(form.querySelector('[data-agent-sentences]').textContent);
  const say = text => { status.hidden = !text; status.textContent = text; };
  let cancelled = false, busy = false, asked = null;

  form.querySelector('[data-agent-cancel]').addEventListener('click', () => { cancelled = true; });
  form.addEventListener('submit', async event => {
    if (form.elements.answers.value || form.elements.refusal.value) return;
    event.preventDefault(); event.stopImmediatePropagation();
    if (busy) return;
    busy = true; cancelled = false; say('');
    const button = event.submitter;
    if (button) button.disabled = true;
    let claimed = false;
    try {
      // What was signed before is answered again without the token; whether it is there is the agent's business, not ours.
      await call(agent, 'status');
      const told = await claim(form, approval);
      claimed = true;
      asked = await call(agent, 'approvals', { certificate: told.certificate, language, documents: told.documents.map(({ name, content }) => ({ name, content })) });
      waiting.hidden = asked.state !== 'waiting';
      waiting.querySelector('[data-agent-page]').href = asked.page;
      waiting.querySelector('[data-agent-page]').focus();
      asked = await outcome(agent, asked, () => cancelled);
      if (asked.state !== 'signed') throw new Refusal(asked.code);
      form.elements.answers.value = JSON.stringify(Object.fromEntries(told.documents.map((one, n) => [one.request, asked.signatures[n]])));
    } catch (error) {
      if (!claimed) {
        say(error.code ? sentences[error.code] ?? error.code : error.message);
        if (button) button.disabled = false;
        busy = false;
        return;
      }
      form.elements.refusal.value = error.code ?? 'agent.withdrawn';
    } finally {
      waiting.hidden = true;
    }
    form.submit();
  }, true);
}

async function claim(form, approval) {
  const answer = await fetch(approval, { method: 'POST', headers: { Accept: 'application/json' }, body: new FormData(form) });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.message ?? '');
  return told;
}

async function outcome(agent, asked, cancelled) {
  while (asked.state === 'waiting') {
    if (cancelled()) return call(agent, `approvals/${asked.id}/withdrawal`, {});
    await wait(PAUSE);
    asked = await call(agent, `approvals/${asked.id}`);
  }
  return asked;
}

// The page that tells how the agent is started says, when asked, whether it runs: no page looks into this computer unasked.
for (const place of document.querySelectorAll('[data-agent-check]')) {
  const show = state => place.querySelectorAll('[data-agent-state]').forEach(one => { one.hidden = one.dataset.agentState !== state; });
  place.querySelector('[data-agent-look]').addEventListener('click', async () => {
    show('looking');
    try {
      const { certificates, here } = await plugged(place.dataset.agentCheck, place.dataset.certificate);
      show(!certificates.length ? 'empty' : here ? 'mine' : 'stranger');
    } catch (error) { show(error.code === 'agent.origin_wrong' ? 'other' : 'absent'); }
  });
  document.querySelectorAll('[data-agent-origin]').forEach(one => { one.textContent = location.origin; });
}

// An administrator registers a key: the certificates on the token plugged in here are offered beside the file.
for (const place of document.querySelectorAll('[data-agent-certificates]')) {
  const list = place.querySelector('select'), none = place.querySelector('[data-agent-none]');
  place.querySelector('[data-agent-look]').addEventListener('click', async () => {
    let found = [];
    try { found = (await plugged(place.dataset.agentCertificates, '')).certificates; } catch { /* said below */ }
    none.hidden = found.length > 0;
    list.length = 1;
    for (const one of found) list.add(new Option(`${one.name} · ${one.issuer} · ${one.sha256.slice(0, 8)}`, JSON.stringify([one.certificate, ...one.chain])));
    if (found.length) list.selectedIndex = 1;
  });
}

window.addEventListener('pageshow', () => document.querySelectorAll('form[data-agent]').forEach(form => { form.elements.answers.value = form.elements.refusal.value = ''; }));
