// Evaluates FEEL with feelin: one JSON line in ({expression, context} or {tests, context}), one JSON line out.
import { createInterface } from 'node:readline';
import { evaluate, unaryTest } from 'feelin';

function plain(value) {
  if (value === undefined) return null;
  if (value === null || ['string', 'boolean', 'number'].includes(typeof value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'function') return { $: 'function' };
  const name = value.constructor?.name ?? '';
  if (name === 'Object') return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
  return { $: name, text: String(value) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  try {
    const answer = 'tests' in asked ? unaryTest(asked.tests, asked.context) : evaluate(asked.expression, asked.context);
    const shaped = answer !== null && typeof answer === 'object' && 'value' in answer && 'warnings' in answer ? answer.value : answer;
    console.log(JSON.stringify({ value: plain(shaped) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error.message ?? error).slice(0, 200) }));
  }
}
