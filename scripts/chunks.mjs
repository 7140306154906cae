// The command line as chunks: modules that are always used together in one, which is compiled when it is first asked
// for. esbuild splits ES modules only; here the parts become functions that share one small `require`. Those that nearly
// every run needs are in one script, which comes with V8's code cache.
import { createHash } from 'node:crypto';
import { isBuiltin } from 'node:module';
import { Script } from 'node:vm';

/** Modules of Node that load many others; they are loaded when one of their functions is first called. */
const LAZY_BUILTINS = ['zlib', 'v8'];

/**
 * Modules of Node as modules of the bundle, so that chunks import nothing but each other. Each name is a constant,
 * which esbuild leaves out where nobody uses it.
 */
export const builtinModules = {
  name: 'builtin-modules',
  setup(build) {
    build.onResolve({ filter: /^[^.]/ }, ({ path, kind }) =>
      isBuiltin(path) && kind === 'import-statement'
        ? { path: path.replace(/^node:/, ''), namespace: 'builtin' }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => {
      const module = `process.getBuiltinModule('node:${path}')`;
      const values = Object.entries(process.getBuiltinModule(`node:${path}`)).filter(([name]) => name !== 'default');
      const lines = values.map(([name, value]) => {
        const isLazy = LAZY_BUILTINS.includes(path) && typeof value === 'function';
        const now = `/* @__PURE__ */(()=>${module}.${name})()`;
        return `export const ${name}=${isLazy ? `(...args)=>${module}.${name}(...args)` : now};`;
      });
      return { contents: `${lines.join('\n')}\nexport default /* @__PURE__ */(()=>${module})();`, loader: 'js' };
    });
  },
};

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

/** One import of another chunk as esbuild writes it. */
const IMPORT = /\s*import(?:\s*\{([^}]*)\}\s*from)?\s*"\.\/([^"]+)";/y;
/** What may follow the body: exports, then licences. */
const EXPORTS = /\bexport\s*\{([^}]*)\};\s*((?:\/\*[\s\S]*\*\/\s*)?)$/;
const EXPORT_DEFAULT = /\bexport default ([^;]*);\s*((?:\/\*[\s\S]*\*\/\s*)?)$/;

/** Pairs of names in `{a as b, c}`. */
const pairs = (list) =>
  list
    .split(',')
    .map((item) => item.trim().split(/\s+as\b\s*/))
    // esbuild adds the name "module.exports" to what was CommonJS before.
    .filter(([name, other = '']) => name && !other.startsWith('"'));

/**
 * A chunk as a function of exports, load, lazy, require and __importMetaUrl. What it imports are constants of the
 * function, so that V8 sees through them; no chunk exports what changes after it has run.
 */
const asFunction = (text, names) => {
  let head = '';
  let start = 0;
  IMPORT.lastIndex = 0;
  for (let m = IMPORT.exec(text); m; m = IMPORT.exec(text)) {
    const [, names, from] = m;
    const parts = pairs(names ?? '').map(([name, local = name]) => `${name}:${local}`);
    head += parts.length > 0 ? `const {${parts.join()}}=load("${from}");` : `load("${from}");`;
    start = IMPORT.lastIndex;
  }
  let body = text
    .slice(start)
    .replace(/\bimport\("\.\/([^"]+)"\)/g, (whole, name) => (names.has(name) ? `lazy("${name}")` : whole));
  body = body.replace(
    EXPORTS,
    (_, list, rest) =>
      `${pairs(list)
        .map(([local, name = local]) => `exports.${name}=${local};`)
        .join('')}${rest}`,
  );
  body = body.replace(EXPORT_DEFAULT, 'exports.default=$1;$2');
  const code = `(exports,load,lazy,require,__importMetaUrl)=>{"use strict";${head}${body}}`;
  // Throws where something is left that only a module may have.
  new Script(code);
  return code;
};

const hashOf = (text) => createHash('sha256').update(text).digest('hex').slice(0, 12);

/** The chunks that are at hand, as one function of `require` and the launcher's address: it runs the entry. */
const firstScript = (inside, folder, main) => `(require,__importMetaUrl)=>{
const chunks={${inside.join(',\n')}};
const loaded=new Map();
const load=(name)=>{
  let exports=loaded.get(name);
  if(!exports){
    exports={};
    loaded.set(name,exports);
    (chunks[name]??require("./${folder}/"+name))(exports,load,lazy,require,__importMetaUrl);
  }
  return exports;
};
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
export const launcherAndChunks = (result, { launcher, folder, hot, banner }) => {
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
  const names = new Set(imports.keys());
  const inside = [];
  for (const { path, text } of result.outputFiles) {
    const name = baseName(path);
    const code = asFunction(text, names);
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
