// The command line as chunks: modules that are always used together in one, which is compiled when it is first asked
// for. esbuild splits ES modules only; here the parts become functions that share one small `require`.
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

/**
 * Files of the command line, texts by name: `launcher`, which has the chunks of `hot` (sources of dynamic imports) in
 * itself, and one file for each other chunk. `result` is what esbuild gives for one entry with splitting, a metafile
 * and write: false.
 */
export const launcherAndChunks = async (result, { launcher, folder, hot, banner }) => {
  const imports = new Map();
  const first = [];
  for (const [path, output] of Object.entries(result.metafile.outputs)) {
    const name = baseName(path);
    imports.set(
      name,
      output.imports.filter((i) => i.kind === 'import-statement' && !i.external).map((i) => baseName(i.path)),
    );
    if (hot.includes(output.entryPoint)) first.push(name);
  }
  if (first.length !== hot.length) throw new Error('an entry that should be at hand is none');
  const atHand = closure(imports, first);
  const files = new Map();
  const inside = [];
  for (const { path, text } of result.outputFiles) {
    const name = baseName(path);
    const code = await asFunction(text);
    if (atHand.has(name)) inside.push(`${JSON.stringify(name)}:${code}`);
    else files.set(`${folder}/${name}`, `module.exports=${code}`);
  }
  const main = baseName(
    Object.keys(result.metafile.outputs).find((p) => result.metafile.outputs[p].entryPoint === hot[0]),
  );
  files.set(
    launcher,
    `${banner}
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
`,
  );
  return files;
};
