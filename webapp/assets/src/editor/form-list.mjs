// The fields of a form as a list beside the drawing: chosen, added, moved and taken away by keys, on the editor's own undo.
export class FormList {
  constructor(editor, word) {
    Object.assign(this, { editor, word, place: document.getElementById('form-list'), said: document.getElementById('list-said') });
    const tools = this.place.closest('[data-list-tools]'), get = name => editor.get(name);
    tools.addEventListener('click', event => {
      const tool = event.target.closest('[data-list]')?.dataset.list, field = this.chosen();
      if (tool === 'add') this.add(document.getElementById('list-kind'));
      else if (tool && field) this[tool](field);
      else if (tool) this.say(this.place.dataset.none);
    });
    this.place.addEventListener('change', () => { const field = get('formFieldRegistry').get(this.place.value); if (field) get('selection').set(field); });
    for (const name of ['changed', 'selection.changed']) editor.on(name, () => this.draw());
    this.draw();
  }

  say(text) { this.said.textContent = ''; this.said.textContent = text; }

  chosen() { return this.editor.get('formFieldRegistry').get(this.place.value); }

  tell(field) { return [this.word(field.type), field.label || field.text || field.key || ''].filter(Boolean).join(': ').slice(0, 120); }

  walk(parent, depth, found) { for (const one of parent.components ?? []) { found.push([one, depth]); this.walk(one, depth + 1, found); } return found; }

  root() { return this.editor._getState().schema; }

  draw() {
    const rows = this.walk(this.root(), 0, []), selected = this.editor.get('selection').get()?.id ?? this.place.value;
    this.place.replaceChildren(...rows.map(([field, depth]) => { const made = document.createElement('option'); made.value = field.id; made.textContent = `${'\u2003'.repeat(depth)}${this.tell(field)}`; made.selected = field.id === selected; return made; }));
  }

  parent(field) { return this.editor.get('formFieldRegistry').get(field._parent) ?? this.root(); }

  // After the chosen field, on a line of its own.
  add(kind) {
    const field = this.chosen(), parent = field ? this.parent(field) : this.root(), at = field ? parent.components.indexOf(field) + 1 : parent.components.length;
    this.editor.get('modeling').addFormField({ type: kind.value, label: kind.selectedOptions[0].textContent, _parent: parent.id, layout: { row: this.editor.get('formLayouter').nextRowId(), columns: null } }, parent, at);
    this.say(`${this.place.dataset.added}: ${kind.selectedOptions[0].textContent}`);
  }

  shift(field, step) {
    const parent = this.parent(field), from = parent.components.indexOf(field), to = from + step, row = this.editor.get('formLayouter').getRowForField(field);
    if (to < 0 || to >= parent.components.length) return;
    this.editor.get('modeling').moveFormField(field, parent, parent, from, step > 0 ? to + 1 : to, row, row);
    this.say(`${this.place.dataset.moved}: ${this.tell(field)}`);
  }

  up(field) { this.shift(field, -1); }

  down(field) { this.shift(field, 1); }

  remove(field) {
    const parent = this.parent(field);
    this.editor.get('modeling').removeFormField(field, parent, parent.components.indexOf(field));
    this.say(`${this.place.dataset.removed}: ${this.tell(field)}`);
  }
}
