// Moving the visible signature on its page: by mouse, finger or arrow keys. What counts are the two numbers of the form beside it; the
// server judges them, prepares the document anew and shows it again. Without this script the numbers are typed.
const SMALL = 1, LARGE = 5, SVG = 'http://www.w3.org/2000/svg';

const sheet = document.querySelector('[data-place]'), form = document.querySelector('[data-place-form]');
if (sheet && form) {
  const marks = sheet.querySelector('svg'), group = marks.querySelector('g'), frame = group.querySelector('rect.signature'), picture = sheet.querySelector('img');
  const { x: left, y: top, width, height } = frame, [, , pageWidth, pageHeight] = marks.getAttribute('viewBox').split(' ').map(Number);
  const start = { x: left.baseVal.value, y: top.baseVal.value }, size = { w: width.baseVal.value, h: height.baseVal.value };
  const edges = Object.fromEntries(['left', 'right', 'top', 'bottom'].map(edge => [edge, Number(form.dataset[edge])]));
  const [x, y] = ['x', 'y'].map(name => form.elements[name]), bar = document.querySelector('[data-place-bar]'), said = bar.querySelector('[data-place-said]');
  const shown = value => value.toFixed(1).replace(/\.0$/, '').replace('.', ',');
  const read = field => Number.parseFloat(field.value.replace(',', '.'));
  let at = { ...start };

  const handle = document.createElement('button');
  handle.type = 'button';
  handle.className = 'place-handle';
  handle.setAttribute('aria-label', said.dataset.name);
  sheet.append(handle);
  document.querySelector('[data-place-hint]').hidden = false;

  // The ink itself moves along: the same picture, cut to the frame; what still stands at the old place is veiled.
  const element = (name, attributes) => { const made = document.createElementNS(SVG, name); for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value); return made; };
  const box = { x: start.x, y: start.y, width: size.w, height: size.h };
  const clip = element('clipPath', { id: 'place-ink' });
  clip.append(element('rect', box));
  const ink = element('image', { href: picture.currentSrc || picture.src, x: 0, y: 0, width: pageWidth, height: pageHeight, preserveAspectRatio: 'none', 'clip-path': 'url(#place-ink)', class: 'ink' });
  const veil = element('rect', { ...box, class: 'veil' });
  marks.prepend(clip, veil);
  group.prepend(ink);

  const changed = () => Math.abs(at.x - start.x) > 0.04 || Math.abs(at.y - start.y) > 0.04;
  const between = (value, least, most) => Math.round(Math.min(Math.max(value, least), Math.max(least, most)) * 10) / 10;
  const show = typed => {
    const away = changed();
    group.setAttribute('transform', `translate(${at.x - start.x} ${at.y - start.y})`);
    sheet.classList.toggle('moving', away);
    Object.assign(handle.style, { left: `${at.x / pageWidth * 100}%`, top: `${at.y / pageHeight * 100}%`, width: `${size.w / pageWidth * 100}%`, height: `${size.h / pageHeight * 100}%` });
    if (!typed) { x.value = shown(at.x); y.value = shown(at.y); }
    bar.hidden = !away;
    said.textContent = away ? said.dataset.words.replace('{x}', shown(at.x)).replace('{y}', shown(at.y)) : '';
    for (const button of document.querySelectorAll('[data-wait-for-place]')) button.disabled = away;
    for (const note of document.querySelectorAll('[data-place-unsaved]')) note.hidden = !away;
  };
  const put = (toX, toY) => { at = { x: between(toX, edges.left, edges.right), y: between(toY, edges.top, edges.bottom) }; show(); };
  const cancel = () => { at = { ...start }; show(); };

  let grip = null;
  handle.addEventListener('pointerdown', event => {
    if (event.button) return;
    handle.setPointerCapture(event.pointerId);
    grip = { x: event.clientX, y: event.clientY, from: { ...at }, scale: pageWidth / sheet.getBoundingClientRect().width };
  });
  handle.addEventListener('pointermove', event => {
    if (grip) put(grip.from.x + (event.clientX - grip.x) * grip.scale, grip.from.y + (event.clientY - grip.y) * grip.scale);
  });
  for (const end of ['pointerup', 'pointercancel']) handle.addEventListener(end, () => { grip = null; });

  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  handle.addEventListener('keydown', event => {
    const way = ways[event.key], step = event.shiftKey ? LARGE : SMALL;
    if (way) put(at.x + way[0] * step, at.y + way[1] * step);
    else if (event.key === 'Enter' && changed()) form.requestSubmit();
    else if (event.key === 'Escape' && changed()) cancel();
    else return;
    event.preventDefault(); event.stopPropagation();
  });
  for (const field of [x, y]) field.addEventListener('input', () => {
    if (Number.isFinite(read(x)) && Number.isFinite(read(y))) { at = { x: read(x), y: read(y) }; show(true); }
  });
  bar.querySelector('[data-place-cancel]').addEventListener('click', () => { cancel(); handle.focus(); });
  const refused = x.value !== shown(start.x) || y.value !== shown(start.y);
  if (refused && Number.isFinite(read(x)) && Number.isFinite(read(y))) at = { x: read(x), y: read(y) };
  show(refused);
}
