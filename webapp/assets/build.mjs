// Bundles the front-end sources: hashed names, a manifest, pre-compressed brotli. Run at set-up by `npm run build`.
import { build } from 'esbuild';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import fs from 'node:fs';
import path from 'node:path';

const place = '../static/dist', out = '../static/dist.new';
// Every src/<name>.js is a page bundle, every src/<name>.css of this list a style sheet of its own.
const pages = fs.readdirSync('src').filter(f => f.endsWith('.js')).map(f => f.slice(0, -3));
const sheets = ['officer', 'citizen'];

fs.rmSync(out, { recursive: true, force: true });
const { metafile } = await build({
  entryPoints: { ...Object.fromEntries(pages.map(p => [p, `src/${p}.js`])), ...Object.fromEntries(sheets.map(s => [s, `src/${s}.css`])) },
  outdir: out, bundle: true, format: 'esm', splitting: true, minify: true, target: 'es2022',
  entryNames: '[name]-[hash]', chunkNames: 'c-[hash]', assetNames: 'a-[name]-[hash]',
  loader: { '.woff2': 'file', '.woff': 'empty', '.ttf': 'file', '.eot': 'file', '.svg': 'dataurl', '.png': 'dataurl' },
  legalComments: 'linked', metafile: true,
  // The editors of forms bring three copies of one library that keeps state in its module: one of them serves all.
  alias: { preact: path.resolve('node_modules/@bpmn-io/properties-panel/preact') },
});

const outputs = metafile.outputs, manifest = {}, relative = file => file.slice(file.indexOf('dist.new/') + 9);
const closure = (file, seen = new Set()) => {
  if (!seen.has(file)) {
    seen.add(file);
    for (const i of outputs[file].imports) if (i.kind === 'import-statement') closure(i.path, seen);
  }
  return seen;
};
for (const [file, output] of Object.entries(outputs)) {
  if (output.entryPoint) {
    const all = [...closure(file), ...(output.cssBundle ? [output.cssBundle] : [])];
    manifest[relative(file).replace(/-[A-Z0-9]{8}(?=\.)/, '')] = {
      file: relative(file),
      css: output.cssBundle && relative(output.cssBundle),
      preload: all.filter(f => f !== file && f.endsWith('.js')).map(relative),
      gzip: all.reduce((n, f) => n + gzipSync(fs.readFileSync(f)).length, 0),
    };
  } else if (file.endsWith('.woff2')) {
    manifest[relative(file).replace(/^a-/, '').replace(/-[A-Z0-9]{8}(?=\.)/, '')] = { file: relative(file), preload: [], gzip: output.bytes };
  }
}
fs.writeFileSync(`${out}/manifest.json`, JSON.stringify(manifest));
for (const f of fs.readdirSync(out)) {
  if (/\.(js|css|svg)$/.test(f)) fs.writeFileSync(`${out}/${f}.br`, brotliCompressSync(fs.readFileSync(`${out}/${f}`)));
}
// A running server never sees half a bundle: the finished folder takes the old one's place at once.
fs.rmSync(place, { recursive: true, force: true });
fs.renameSync(out, place);
