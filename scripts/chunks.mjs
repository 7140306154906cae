// The command line as chunks: modules that are always used together in one, which is compiled when it is first asked
// for. esbuild splits ES modules only; here the parts become functions that share one small `require`. Those that nearly
// every run needs are in one script, which comes with V8's code cache.
import { createHash } from 'node:crypto';
import { transform } from 'esbuild';

/** Names of the chunks that loading `first` loads, dependencies in front. */
const closure = (imports, first) => {
  const names = new Set();
  const visit = (name) => {
    if (names.has(name)) return;
    for (const next of imports.get(name)) visit(next);
    names.add(name);
  };
  for (const name of first) visit(name);
  return names;
};

const baseName = (path) => path.slice(path.lastIndexOf('/') + 1);

/** A chunk as a function of module, exports, require, lazy and __importMetaUrl. */
const asFunction = async (text) => {
  const { code } = await transform(text, { format: 'cjs', minify: true, platform: 'node', target: 'node24' });
  const body = code.trim().replace(/\bimport\("\.\/([^"]+)"\)/g, 'lazy("$1")');
  return `(module,exports,require,lazy,__importMetaUrl)=>{${body}}`;
};

const hashOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The chunks that are at hand, as one function of `require` and the launcher's address: it runs the entry. */
const firstScript = (inside, folder, main) => `(require,__importMetaUrl)=>{
const chunks={${inside.join(',\n')}};
const loaded=new Map();
const load=(name)=>{
  let module=loaded.get(name);
  if(!module){
    module={exports:{}};
    loaded.set(name,module);
    (chunks[name]??require("./${folder}/"+name))(module,module.exports,requireChunk,lazy,__importMetaUrl);
  }
  return module.exports;
};
const requireChunk=(name)=>name.startsWith("./")?load(name.slice(2)):require(name);
const lazy=async(name)=>load(name);
load(${JSON.stringify(main)});
}
`;

/** Runs the script, whose functions need not be compiled where the code cache fits this Node. */
const launcherText = (banner, folder, first) => `${banner}
const {readFileSync}=require('node:fs');
const {Script}=require('node:vm');
const filename=__dirname+'/${folder}/${first}';
let cachedData;
try{cachedData=readFileSync(filename+'.cache')}catch{}
new Script(readFileSync(filename,'latin1'),{filename,cachedData}).runInThisContext()(require,__importMetaUrl);
`;

/**
 * Files of the command line, texts by name: the launcher, the script that it runs, which has the chunks of `hot` (the
 * entry and sources of dynamic imports) in itself, and one file for each other chunk. `result` is what esbuild gives
 * for one entry with splitting, a metafile and write: false. Gives the name of the script too.
 */
export const launcherAndChunks = async (result, { launcher, folder, hot, banner }) => {
  const imports = new Map();
  const entries = new Map();
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    const name = baseName(path);
    const needed = output.imports.filter((i) => i.kind === 'import-statement' && !i.external);
    imports.set(
      name,
      needed.map((i) => baseName(i.path)),
    );
    if (output.entryPoint) entries.set(output.entryPoint, name);
  }
  const missing = hot.find((source) => !entries.has(source));
  if (missing) throw new Error(`${missing} is no entry of a chunk`);
  const atHand = closure(
    imports,
    hot.map((source) => entries.get(source)),
  );
  const files = new Map();
  const inside = [];
  for (const { path, text } of result.outputFiles) {
    const name = baseName(path);
    const code = await asFunction(text);
    if (atHand.has(name)) inside.push(`${JSON.stringify(name)}:${code}`);
    else files.set(`${folder}/${name}`, `module.exports=${code}`);
  }
  const script = firstScript(inside, folder, entries.get(hot[0]));
  // It is read as Latin-1, and a script of this kind cannot import.
  if (/[^\0-\x7f]|\bimport\(/.test(script)) throw new Error('the first chunks are not plain ASCII scripts');
  const first = `first-${hashOf(script)}.js`;
  files.set(`${folder}/${first}`, script);
  files.set(launcher, launcherText(banner, folder, first));
  return { files, first: `${folder}/${first}` };
};
