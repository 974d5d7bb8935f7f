// Where a dossier is on its diagram: read-only viewer, markers from the journal. The same in words stands beside it.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';

const together = [];
const font = { fontFamily: 'Be Vietnam Pro, sans-serif' };
for (const place of document.querySelectorAll('[data-diagram]')) {
  const viewer = new NavigatedViewer({ container: place, textRenderer: { defaultStyle: font, externalStyle: font } });
  const marks = JSON.parse(document.getElementById(place.dataset.marks)?.textContent ?? '{}');
  fetch(place.dataset.diagram).then(answer => answer.text()).then(xml => viewer.importXML(xml)).then(() => {
    const canvas = viewer.get('canvas'), registry = viewer.get('elementRegistry');
    for (const [marker, ids] of Object.entries(marks)) for (const id of ids) if (registry.get(id)) canvas.addMarker(id, marker);
    // Numbers of findings on their elements: built as nodes, for names and texts of a diagram are strangers' input.
    const notes = JSON.parse(document.getElementById(place.dataset.notes)?.textContent ?? '[]'), badges = new Map();
    for (const note of notes) {
      if (!registry.get(note.id)) continue;
      const known = badges.get(note.id);
      if (known) { known.textContent += `, ${note.text}`; continue; }
      const badge = document.createElement('span');
      badge.className = `finding-badge ${note.tone}`;
      badge.textContent = note.text;
      badges.set(note.id, badge);
      viewer.get('overlays').add(note.id, { position: { top: -12, left: -12 }, html: badge });
    }
    canvas.zoom('fit-viewport', 'auto');
    if (place.dataset.together !== undefined) beside(viewer, canvas);
    document.body.dataset.diagramReady = '1';
  });
}

// Two versions move as one: what is looked at in one diagram is looked at in the other.
let moving = false;
function beside(viewer, canvas) {
  together.push({ canvas, registry: viewer.get('elementRegistry') });
  viewer.on('canvas.viewbox.changed', ({ viewbox: { x, y, width, height } }) => {
    if (moving) return;
    moving = true;
    for (const other of together) if (other.canvas !== canvas) other.canvas.viewbox({ x, y, width, height });
    moving = false;
  });
}
// A change in words leads to its elements, in whichever diagram has them.
document.addEventListener('click', event => {
  const ids = event.target.closest('[data-show]')?.dataset.show.split(' ');
  if (!ids || !together.length) return;
  event.preventDefault();
  for (const { canvas, registry } of together) registry.forEach(element => canvas.hasMarker(element, 'shown') && canvas.removeMarker(element, 'shown'));
  const found = together.flatMap(({ canvas, registry }) => ids.filter(id => registry.get(id)).map(id => [canvas, id]));
  for (const [canvas, id] of found) canvas.addMarker(id, 'shown');
  found[0]?.[0].scrollToElement(found[0][1], 80);
  found[0]?.[0].getContainer().scrollIntoView({ block: 'center' });
});
