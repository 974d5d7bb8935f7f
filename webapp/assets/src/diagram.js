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
    canvas.zoom('fit-viewport', 'auto');
    document.body.dataset.diagramReady = '1';
  });
}
