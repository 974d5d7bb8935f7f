// The diagram as a list: every element in the order a dossier meets it. Keys walk along it and along the flows; list and canvas choose together.
import { is } from 'bpmn-js/lib/util/ModelUtil';
import { businessOf } from './model.mjs';
import { flows } from './drawing.mjs';

const fold = text => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').replace(/đ/gi, 'd').toLowerCase();

export class Steps {
  constructor(place, modeler, words, kind, open) {
    Object.assign(this, { place, modeler, words, kind, open, acts: null, said: document.getElementById('editor-said'), shown: [], sought: '' });
    place.addEventListener('keydown', event => this.key(event));
    place.addEventListener('click', event => { const id = event.target.closest('[data-id]')?.dataset.id; if (id) this.choose(this.element(id)); });
    modeler.on('selection.changed', () => this.mark());
    modeler.get('keyboard').addListener(1500, ({ keyEvent: event }) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
      if (event.key === ']' || event.key === '[') { this.walk(event.key === ']' ? 1 : -1); return true; }
      if (event.key === 'Enter' && this.chosen()) { this.open(); return true; }
      return undefined;
    });
  }

  element(id) { return this.modeler.get('elementRegistry').get(id); }

  chosen() { const all = this.modeler.get('selection').get(); return all.length === 1 ? all[0] : null; }

  say(text) { this.said.textContent = ''; this.said.textContent = text; }

  // In the order a dossier meets them; the ways of a gateway stand after it, what nothing leads to and the lanes at the end.
  ordered() {
    const registry = this.modeler.get('elementRegistry'), all = registry.filter(one => is(one, 'bpmn:FlowNode') && !one.labelTarget), found = [], seen = new Set();
    const visit = first => {
      for (const ahead = [first]; ahead.length;) {
        const one = ahead.pop();
        if (seen.has(one)) continue;
        seen.add(one); found.push(one);
        if (is(one, 'bpmn:SequenceFlow')) { ahead.push(one.target); continue; }
        const ways = flows(one), beside = one.attachers ?? [];
        ahead.push(...[...beside, ...(ways.length > 1 || is(one, 'bpmn:Gateway') ? ways : ways.map(way => way.target))].reverse());
      }
    };
    for (const one of all.filter(each => is(each, 'bpmn:StartEvent'))) visit(one);
    for (const one of all.filter(each => !each.incoming.length && !each.host)) visit(one);
    all.forEach(visit);
    return [...found, ...registry.filter(one => is(one, 'bpmn:Lane')), ...registry.filter(one => is(one, 'bpmn:TextAnnotation'))];
  }

  tell(element) {
    const bo = businessOf(element), name = one => businessOf(one).name || businessOf(one).id;
    if (is(element, 'bpmn:SequenceFlow')) {
      const source = businessOf(element.source), how = source.default === bo ? this.words.default_short : bo.conditionExpression?.body;
      return `→ ${bo.name ? `${bo.name}: ` : ''}${name(element.target)}${how ? ` (${how})` : ''}`;
    }
    const lane = bo.lanes?.[0]?.name;
    return `${this.kind(element)}: ${bo.name || bo.text || bo.id}${lane ? ` · ${lane}` : ''}`;
  }

  draw() {
    const elements = this.ordered(), told = elements.map(one => [one.id, this.tell(one), is(one, 'bpmn:SequenceFlow')]), same = JSON.stringify(told);
    if (same !== this.drawn) {
      this.drawn = same; this.shown = elements;
      this.place.replaceChildren(...told.map(([id, text, way]) => {
        const row = document.createElement('li');
        row.id = `row-${id}`; row.dataset.id = id; row.setAttribute('role', 'option'); row.textContent = text; row.translate = false;
        if (way) row.className = 'way';
        return row;
      }));
    }
    this.mark();
  }

  mark() {
    const chosen = new Set(this.modeler.get('selection').get().map(one => one.labelTarget?.id ?? one.id));
    let active = '';
    for (const row of this.place.children) {
      const on = chosen.has(row.dataset.id);
      row.setAttribute('aria-selected', String(on));
      if (on && !active) active = row.id;
    }
    if (active) { this.place.setAttribute('aria-activedescendant', active); const row = document.getElementById(active); this.place.scrollTop += Math.min(0, row.offsetTop - this.place.scrollTop) + Math.max(0, row.offsetTop + row.offsetHeight - this.place.scrollTop - this.place.clientHeight); }
    else this.place.removeAttribute('aria-activedescendant');
  }

  choose(element, quietly = true) {
    if (!element) return;
    this.modeler.get('selection').select(element);
    this.modeler.get('canvas').scrollToElement(element, 60);
    if (!quietly) this.say(this.tell(element));
  }

  // Along the flows: onward to where it leads, back to where it came from.
  next(element, step) {
    if (!element) return this.shown[0];
    if (is(element, 'bpmn:SequenceFlow')) return step > 0 ? element.target : element.source;
    const ways = step > 0 ? flows(element) : (element.incoming ?? []).filter(one => is(one, 'bpmn:SequenceFlow')), [first] = ways;
    if (!first) return step < 0 ? element.host : undefined;
    return step > 0 && ways.length > 1 ? first : step > 0 ? first.target : flows(first.source).length > 1 ? first : first.source;
  }

  walk(step) { const to = this.next(this.chosen(), step); if (to) this.choose(to, false); else this.say(this.words.no_way); }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.shown.indexOf(this.chosen()), to = { ArrowDown: at + 1, ArrowUp: Math.max(at - 1, 0), Home: 0, End: this.shown.length - 1, PageDown: at + 10, PageUp: at - 10 }[event.key];
    if (to !== undefined) this.choose(this.shown[Math.max(0, Math.min(this.shown.length - 1, to))]);
    else if (event.key === 'ArrowRight') this.choose(this.next(this.chosen(), 1));
    else if (event.key === 'ArrowLeft') this.choose(this.next(this.chosen(), -1));
    else if (event.key === 'Enter') this.open();
    else if (event.key === 'Delete' && this.chosen()) this.acts?.remove(this.chosen());
    else if (event.key.length === 1 && event.key !== ' ') this.seek(event.key, at);
    else return;
    event.preventDefault(); event.stopPropagation();
  }

  // What is typed leads to the next element whose name begins with it, or has it.
  seek(letter, at) {
    clearTimeout(this.forget);
    this.sought += fold(letter);
    this.forget = setTimeout(() => { this.sought = ''; }, 1000);
    const from = this.sought.length > 1 ? at : at + 1, turned = [...this.shown.slice(Math.max(from, 0)), ...this.shown.slice(0, Math.max(from, 0))];
    const named = one => fold(businessOf(one).name ?? ''), found = turned.find(one => named(one).startsWith(this.sought)) ?? turned.find(one => named(one).includes(this.sought));
    if (found) this.choose(found);
  }
}
