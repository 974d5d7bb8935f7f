// A form that carries a PIN: on sending, the PIN is sealed to the key-custody process and only the sealed text travels.
// <form data-invitation="/…/invitation"> <input data-pin> <input type="hidden" name="sealed_pin"> <p data-pin-status role="status">
import { sealPin } from './seal-pin.js';

for (const form of document.querySelectorAll('form[data-invitation]')) {
  const pin = form.querySelector('[data-pin]'), status = form.querySelector('[data-pin-status]');
  form.addEventListener('submit', async event => {
    if (form.elements.sealed_pin.value) return;
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
window.addEventListener('pageshow', () => document.querySelectorAll('input[name=sealed_pin]').forEach(field => { field.value = ''; }));
