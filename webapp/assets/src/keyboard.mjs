// The officers' keyboard: j k x Enter / ? and g then a letter. Silent inside fields, with modifiers, and when switched off in the account page.
export function keyboard() {
  if (document.documentElement.dataset.shortcuts === 'off') return;
  let prefix = '';
  const rows = () => [...document.querySelectorAll('tr[data-row]')];
  const current = () => document.querySelector('tr[data-row].current');
  const move = step => {
    const all = rows(), index = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, index < 0 ? 0 : index + step))];
    if (!next) return;
    current()?.classList.remove('current');
    next.classList.add('current'); next.scrollIntoView({ block: 'nearest' });
    next.querySelector('a')?.focus({ preventScroll: true });
  };
  const press = name => document.querySelector(`[data-key="${name}"]`)?.click();
  const acts = {
    j: () => move(1), k: () => move(-1),
    x: () => { const box = current()?.querySelector('input[type=checkbox]'); if (box) { box.checked = !box.checked; box.dispatchEvent(new Event('change', { bubbles: true })); } },
    Enter: () => current()?.querySelector('a')?.click(),
    '/': () => document.querySelector('[data-search]')?.focus(),
    '?': () => document.getElementById('keyboard-help')?.showModal(),
    '[': () => press('previous'), ']': () => press('next'), r: () => press('send-back'), s: () => press('supplement'), a: () => press('reassign'), u: () => press('undo'), c: () => press('claim'),
  };
  document.addEventListener('keydown', event => {
    if (event.key === 'Enter' && event.ctrlKey) { document.querySelector('[data-key="complete"]')?.click(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.target.closest('input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open], [role=listbox], [role=application], .djs-parent')) return;
    if (event.key === 'Enter' && event.target.closest('a, button, summary')) return;
    if (prefix === 'g') { prefix = ''; document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click(); return; }
    if (event.key === 'g') { prefix = 'g'; setTimeout(() => { prefix = ''; }, 1500); return; }
    const act = acts[event.key];
    if (act) { event.preventDefault(); act(); }
  });
}
