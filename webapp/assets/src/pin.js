// A form that carries a PIN: on sending, the PIN is sealed to the key-custody process and only the sealed text travels.
// <form data-invitation="/…/invitation"> <input data-pin> <input type="hidden" name="sealed_pin"> <p data-pin-status role="status">
import { sealPin } from './seal-pin.js';

for (const form of document.querySelectorAll('form[data-invitation]')) {
  const pin = form.querySelector('[data-pin]'), status = form.querySelector('[data-pin-status]');
  form.addEventListener('submit', async event => {
    if (form.elements.sealed_pin.value) { watch(form, status); return; }
    event.preventDefault(); event.stopImmediatePropagation();
    if (!pin.value) { pin.focus(); return; }
    if (status) status.textContent = status.dataset.working ?? '';
    try {
      // The custody's public key and a nonce that is good once; a key that does not exist yet is asked for with its holder.
      const post = 'invitationPost' in form.dataset;
      const answer = await fetch(form.dataset.invitation, { method: post ? 'POST' : 'GET', headers: { Accept: 'application/json' }, body: post ? new FormData(form) : undefined });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.message ?? '');
      form.elements.sealed_pin.value = await sealPin(told.public_key, told.nonce, pin.value);
      pin.value = '';
      form.requestSubmit(event.submitter);
    } catch (error) {
      if (status) status.textContent = error.message || status.dataset.failed || '';
    }
  }, true);
}

// While a batch is being signed the page that sent it is still there: it shows how far the documents are until the answer comes.
function watch(form, status) {
  const bar = form.querySelector('progress');
  if (!form.dataset.progress || !bar) return;
  bar.hidden = false;
  const look = async () => {
    try {
      const told = await (await fetch(form.dataset.progress, { headers: { Accept: 'application/json' } })).json();
      bar.value = told.done;
      if (status) status.textContent = told.words;
    } catch { /* the answer is on its way */ }
  };
  look();
  setInterval(look, 700);
}
window.addEventListener('pageshow', () => document.querySelectorAll('input[name=sealed_pin]').forEach(field => { field.value = ''; }));
