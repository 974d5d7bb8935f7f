// Drafts of a form are kept on the server: on blur, three seconds after typing, and when the page goes away. Nothing is kept in the browser.
export function autosave() {
  for (const form of document.querySelectorAll('form[data-autosave]')) {
    const line = document.getElementById(form.dataset.status);
    let timer = 0, dirty = false, stopped = false, sending = false;
    const save = async leaving => {
      clearTimeout(timer);
      if (!dirty || stopped) return;
      // One at a time: the next one needs the version the server answers with.
      if (sending && !leaving) { timer = setTimeout(save, 500); return; }
      dirty = false; sending = true;
      const body = new FormData(form);
      for (const [key, value] of [...body]) if (value instanceof File) body.delete(key);
      body.delete('request_id');
      try {
        const answer = await fetch(form.dataset.autosave, { method: 'POST', body, keepalive: leaving, headers: { 'X-CSRFToken': body.get('csrf_token'), Accept: 'application/json' } });
        const told = answer.headers.get('content-type')?.includes('json') ? await answer.json() : {};
        if (line && told.message) line.textContent = told.message;
        if (answer.status === 409) { stopped = true; line?.classList.add('late'); }
        if (answer.ok && told.draft_version !== undefined) form.elements._draft_version.value = told.draft_version;
      } catch { dirty = true; timer = setTimeout(save, 10000); } finally { sending = false; }
    };
    form.addEventListener('input', () => { dirty = true; clearTimeout(timer); timer = setTimeout(save, 3000); });
    form.addEventListener('focusout', () => { if (dirty) save(); });
    form.addEventListener('submit', () => { stopped = true; clearTimeout(timer); });
    window.addEventListener('pagehide', () => save(true));
  }
}
