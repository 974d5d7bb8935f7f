// Where a dossier is on its diagram: read-only viewer, markers from the journal. The same in words stands beside it.
import NavigatedViewer from 'bpmn-js/lib/NavigatedViewer';
import 'bpmn-js/dist/assets/diagram-js.css';
import 'bpmn-js/dist/assets/bpmn-js.css';

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
    document.body.dataset.diagramReady = '1';
  });
}
