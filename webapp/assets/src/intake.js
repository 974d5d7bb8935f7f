// Reception: one scan fills the person. Camera where the browser can read codes, otherwise a keyboard-wedge reader or pasted text in the same box.
const box = document.querySelector('[data-scan]');
const fill = text => {
  box.value = text.trim().normalize('NFC');
  box.form.querySelector('[data-scan-apply]').click();
};
if (box) {
  // A card's text has six bars; a wedge reader ends it with Enter, a paste is complete at once.
  const complete = text => (text.match(/\|/g) ?? []).length >= 5;
  box.addEventListener('keydown', event => { if (event.key === 'Enter' && complete(box.value)) { event.preventDefault(); fill(box.value); } });
  box.addEventListener('paste', event => { const text = event.clipboardData.getData('text'); if (complete(text)) { event.preventDefault(); fill(text); } });
  const button = document.querySelector('[data-camera]'), video = document.querySelector('[data-camera-view]');
  if (button && 'BarcodeDetector' in window && navigator.mediaDevices) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      video.hidden = false; video.srcObject = stream; await video.play();
      const detector = new window.BarcodeDetector({ formats: ['qr_code'] });
      const stop = () => { stream.getTracks().forEach(track => track.stop()); video.hidden = true; };
      const look = async () => {
        const [found] = await detector.detect(video);
        if (found && complete(found.rawValue)) { stop(); fill(found.rawValue); } else if (!video.hidden) requestAnimationFrame(look);
      };
      look();
    });
  }
}

// Chosen files go up at once, so that pages, fee and refusals are seen before reception; without script a button does it.
for (const input of document.querySelectorAll('[data-upload]')) {
  input.addEventListener('change', () => { if (input.files.length) { delete input.form.dataset.sent; document.querySelector('[data-upload-now]').click(); } });
}
