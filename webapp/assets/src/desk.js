// What the desk adds on top of plain forms: live lists, keyboard map, autosave, undo toast, theme. Everything works without it.
import 'htmx.org';
import { keyboard } from './keyboard.mjs';
import { autosave } from './autosave.mjs';
import { toasts } from './toasts.mjs';
import { fileSize } from './file-size.mjs';

fileSize();

// Live parts poll: the server answers 204 when nothing changed, so an unchanged list costs half a millisecond and never moves.
const refresh = () => document.hidden || document.querySelectorAll('[data-live]').forEach(part => {
  // A list that somebody is working in is not touched: ticked boxes and focus stay where they are.
  if (!part.querySelector('input:checked') && !part.contains(document.activeElement)) part.dispatchEvent(new Event('refresh'));
});
setInterval(refresh, 20000);
document.addEventListener('visibilitychange', refresh);

document.addEventListener('change', event => {
  const all = event.target.closest('[data-check-all]');
  if (all) document.querySelectorAll(`input[name="${all.dataset.checkAll}"]`).forEach(box => { box.checked = all.checked; });
  // Which fields appear is decided by the server; a choice asks it again and keeps what was typed.
  if (event.target.closest('[data-reshape]')) document.getElementById('fields')?.dispatchEvent(new Event('reshape'));
  if (event.target.closest('[data-submit-on-change]')) event.target.form.requestSubmit();
});
document.addEventListener('click', event => {
  const opener = event.target.closest('[data-dialog]');
  if (opener) { event.preventDefault(); document.getElementById(opener.dataset.dialog)?.showModal(); }
  if (event.target.closest('[data-dialog-close]')) event.target.closest('dialog').close();
  if (event.target.closest('[data-print]')) window.print();
  const insert = event.target.closest('[data-insert]');
  if (insert) {
    const field = document.getElementById(insert.dataset.into);
    field.value = field.value ? `${field.value.trimEnd()}\n${insert.dataset.insert}` : insert.dataset.insert;
    const basis = insert.dataset.basisInto && document.getElementById(insert.dataset.basisInto);
    if (basis && !basis.value) basis.value = insert.dataset.basis;
    field.dispatchEvent(new Event('input', { bubbles: true })); field.focus();
  }
});
// A form is sent once; the request id would give the second submit the first answer anyway, but waiting people click again.
document.addEventListener('submit', event => {
  const form = event.target;
  if (form.method === 'post' && form.dataset.sent) event.preventDefault();
  else if (form.method === 'post') { form.dataset.sent = '1'; setTimeout(() => delete form.dataset.sent, 8000); }
});
window.addEventListener('pageshow', event => event.persisted && document.querySelectorAll('form[data-sent]').forEach(f => delete f.dataset.sent));

document.querySelector('.error-summary')?.focus();
keyboard(); autosave(); toasts();
document.body.dataset.ready = '1';
