// A file that would be refused for its size is said at its field before minutes are spent on sending it; what is typed stays typed.
// <input type="file" data-most="52428800" data-too-large="…">: the server judges again, this only spares the way.
export const fileSize = () => document.addEventListener('change', event => {
  const input = event.target.closest('input[type=file][data-most]');
  if (!input) return;
  const field = input.closest('.field') ?? input.parentElement;
  field.querySelector('[data-size-error]')?.remove();
  if (![...input.files].some(file => file.size > Number(input.dataset.most))) return;
  event.stopImmediatePropagation();
  const said = document.createElement('div');
  said.className = 'field-error'; said.dataset.sizeError = ''; said.setAttribute('role', 'alert');
  said.textContent = `${[...input.files].filter(file => file.size > Number(input.dataset.most)).map(file => file.name).join(', ')}: ${input.dataset.tooLarge}`;
  input.before(said);
  input.value = '';
}, true);
