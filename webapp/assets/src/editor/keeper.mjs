// Keeps a file of a draft on the server a moment after every change; what could not be kept is tried again, what met a colleague is said.
export class Keeper {
  constructor(place, read, kept) {
    Object.assign(this, { place, read, kept, state: document.getElementById('save-state'), number: document.getElementById('save-number') });
    this.version = Number(place.dataset.version);
    this.dirty = this.sending = this.met = false;
    addEventListener('beforeunload', event => { if (this.dirty) event.preventDefault(); });
  }

  changed() { if (this.place.dataset.locked !== undefined) return; this.dirty = true; clearTimeout(this.timer); this.timer = setTimeout(() => this.send(), 1200); }

  say(text) { this.state.textContent = text; }

  async form(extra = {}) {
    const form = new FormData();
    for (const [key, value] of Object.entries({ csrf_token: this.place.dataset.token, version: this.version, name: this.place.dataset.name, content: await this.read(), ...extra })) form.append(key, value);
    return form;
  }

  async send() {
    if (this.sending || this.met || !this.dirty) return;
    this.sending = true; this.dirty = false;
    this.say(this.state.dataset.saving);
    try {
      const answer = await fetch(this.place.dataset.save, { method: 'POST', body: await this.form(), headers: { Accept: 'application/json' } });
      if (answer.status === 409) { this.dirty = this.met = true; await this.meet(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const saved = await answer.json();
      this.version = saved.version;
      this.number.textContent = saved.version;
      this.say(`${this.state.dataset.saved} ${new Date(saved.at).toLocaleTimeString('vi-VN')}`);
      this.kept(saved.version);
    } catch {
      this.dirty = true;
      this.say(this.state.dataset.failed);
      this.timer = setTimeout(() => this.send(), 3000);
    } finally {
      this.sending = false;
      if (this.dirty && !this.met) { clearTimeout(this.timer); this.timer = setTimeout(() => this.send(), 1500); }
    }
  }

  // A colleague saved the same file: the page that shows both versions is opened with what stands here.
  async meet() {
    const form = document.createElement('form');
    form.method = 'post'; form.action = this.place.dataset.save;
    for (const [key, value] of await this.form()) { const field = document.createElement('textarea'); field.name = key; field.value = value; form.append(field); }
    const button = document.createElement('button');
    button.className = 'btn btn-outline btn-sm'; button.textContent = this.compare;
    form.append(button); form.querySelectorAll('textarea').forEach(field => { field.hidden = true; });
    button.addEventListener('click', () => { this.dirty = false; });
    this.state.replaceChildren(this.state.dataset.met, ' ', form);
  }
}
