// bpftool prog load|loadall
import { readFileSync } from 'node:fs';
import { SysError } from '../../src/errno.ts';
import { loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import { pinMaps, pinPrograms, unpinPrograms } from '../../src/object/pin.ts';
import { Messages, type Print } from '../../src/object/print.ts';
import { findSection, progTypeByName } from '../../src/object/sections.ts';
import { entryPrograms, type ObjectSpec, setProgramType } from '../../src/object/spec.ts';
import { CliError, type CommandContext, type Run, SilentFailure } from '../command.ts';
import { checkPinDir, checkPinPath } from '../pinning.ts';
import { sayError } from '../say.ts';
import { selectMap } from '../select.ts';
import { isPrefix, needWords, parseUnsigned } from '../words.ts';
import { loadLight } from './load-light.ts';

/** log_level bits with -d: path, instructions, statistics. */
const DEBUG_LOG_LEVEL = 7;

interface MapReplacement {
  /** Place among the object's maps; -1 while only the name is known. */
  idx: number;
  name: string | undefined;
  fd: number;
}

export interface LoadOptions {
  file: string;
  path: string;
  /** Section rule of `type`, for every program. */
  type: ReturnType<typeof findSection>;
  maps: MapReplacement[];
  pinmaps: string | undefined;
  autoattach: boolean;
  kernelBtf: string | undefined;
  /** `program NAME` (ours): only this one is loaded. */
  program: string | undefined;
}

/** libbpf's messages, to standard error: those for debugging only with -d. */
export const printerOf =
  (context: CommandContext): Print =>
  (level, text) => {
    if (level !== 'debug' || context.options.debug) context.err(text);
  };

function typeRule(context: CommandContext, word: string): LoadOptions['type'] {
  const rule = findSection(word);
  if (rule) return rule;
  try {
    // The reason is shown whatever the level of messages.
    return progTypeByName(`${word}/`, new Messages((_, text) => context.err(text)));
  } catch (e) {
    if (e instanceof SysError) throw new SilentFailure();
    throw e;
  }
}

function takeMap(context: CommandContext, words: string[], previous: string): MapReplacement {
  needWords(words, 4, previous);
  const word = words.shift() as string;
  const handle = words.shift() as string;
  if (isPrefix(word, 'idx')) {
    const idx = parseUnsigned(handle);
    if (idx === undefined) throw new CliError(`can't parse ${handle} as IDX`);
    return { idx: Number(idx & 0xffffffffn), name: undefined, fd: selectMap(context, words) };
  }
  if (isPrefix(word, 'name')) return { idx: -1, name: handle, fd: selectMap(context, words) };
  throw new CliError(`expected 'idx' or 'name', got: '${word}'?`);
}

function parseOptions(context: CommandContext, words: string[], previous: string): LoadOptions {
  needWords(words, 2, previous);
  const [file, path] = words.splice(0, 2);
  const o: LoadOptions = {
    file,
    path,
    type: undefined,
    maps: [],
    pinmaps: undefined,
    autoattach: false,
    kernelBtf: undefined,
    program: undefined,
  };
  while (words.length > 0) {
    const word = words.shift() as string;
    if (isPrefix(word, 'type')) {
      if (o.type) throw new CliError('program type already specified');
      needWords(words, 1, word);
      o.type = typeRule(context, words.shift() as string);
    } else if (isPrefix(word, 'map')) o.maps.push(takeMap(context, words, word));
    else if (isPrefix(word, 'dev') || isPrefix(word, 'offload_dev') || isPrefix(word, 'xdpmeta_dev')) {
      if (isPrefix(word, 'dev')) {
        context.info(
          "Warning: 'bpftool prog load [...] dev <ifname>' syntax is deprecated.\nGoing further, please use 'offload_dev <ifname>' to offload program to device.\nFor applications using XDP hints only, use 'xdpmeta_dev <ifname>'.",
        );
      }
      needWords(words, 1, word);
      throw new CliError(`unrecognized netdevice '${words[0]}': No such device`);
    } else if (isPrefix(word, 'pinmaps')) {
      needWords(words, 1, word);
      o.pinmaps = words.shift();
    } else if (isPrefix(word, 'autoattach')) o.autoattach = true;
    else if (isPrefix(word, 'kernel_btf')) {
      needWords(words, 1, word);
      o.kernelBtf = words.shift();
    } else if (word === 'program') {
      needWords(words, 1, word);
      o.program = words.shift();
    } else {
      throw new CliError(
        `expected no more arguments, 'type', 'map', 'offload_dev', 'xdpmeta_dev', 'pinmaps', 'autoattach', or 'kernel_btf', got: '${word}'?`,
      );
    }
  }
  return o;
}

/** Opens the file as libbpf does; the message of a failure has been printed. */
export function openFile(context: CommandContext, file: string): ObjectSpec {
  const print = printerOf(context);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code ?? 'EIO';
    print('debug', `libbpf: loading object from ${file}\n`);
    print('warn', `libbpf: elf: failed to open ${file}: -${code}\n`);
    throw new CliError('failed to open object file');
  }
  try {
    return openObject(bytes, { path: file, print, relaxedMaps: context.options.mapcompat });
  } catch (e) {
    if (e instanceof SysError) throw new CliError('failed to open object file');
    throw e;
  }
}

/** Gives every program the wished type, or the one of its section; a section that says nothing ends the command. */
function setTypes(context: CommandContext, spec: ObjectSpec, rule: LoadOptions['type']): void {
  for (const program of entryPrograms(spec)) {
    let use = rule;
    if (!use) {
      try {
        use = progTypeByName(program.section, new Messages((_, text) => context.err(text)));
      } catch (e) {
        if (e instanceof SysError) throw new SilentFailure();
        throw e;
      }
    }
    setProgramType(program, use.progType);
    program.expectedAttachType = use.expectedAttachType;
  }
}

/** Puts existing maps in the place of the object's. */
function replaceMaps(spec: ObjectSpec, maps: MapReplacement[]): void {
  for (const m of maps) {
    if (m.name === undefined) continue;
    m.idx = spec.maps.findIndex((map) => map.name === m.name);
    if (m.idx < 0) throw new CliError(`unable to find map '${m.name}'`);
  }
  for (const m of [...maps].sort((a, b) => a.idx - b.idx)) {
    const map = spec.maps[m.idx];
    if (!map) throw new CliError(`map idx '${m.idx}' not used`);
    if (map.reuseFd !== undefined) throw new CliError(`replacement for map idx ${m.idx} specified more than once`);
    map.reuseFd = m.fd;
  }
}

function loadWith(context: CommandContext, words: string[], previous: string, firstOnly: boolean): void {
  const kernel = context.kernel();
  const o = parseOptions(context, words, previous);
  const spec = openFile(context, o.file);
  setTypes(context, spec, o.type);
  replaceMaps(spec, o.maps);
  const programs = entryPrograms(spec);
  if (o.program !== undefined && !programs.some((p) => p.name === o.program)) {
    throw new CliError(`object file has no program '${o.program}'`);
  }
  let loaded: ReturnType<typeof loadObject>;
  try {
    loaded = loadObject(kernel, spec, {
      print: printerOf(context),
      programs: o.program === undefined ? undefined : [o.program],
      logLevel: context.options.debug ? DEBUG_LOG_LEVEL : 0,
      kernelBtfPath: o.kernelBtf,
    });
  } catch (e) {
    if (e instanceof SysError) throw new CliError('failed to load object file');
    throw e;
  }
  if (o.autoattach) {
    for (const { name } of programs) {
      context.info(`Program ${name} does not support autoattach, falling back to pinning`);
    }
  }
  const messages = new Messages(printerOf(context));
  const failing = (message: string, work: () => void): void => {
    try {
      work();
    } catch (e) {
      throw e instanceof SysError ? new CliError(message) : e;
    }
  };
  let unpin: () => void;
  if (firstOnly) {
    const first = programs.find((p) => o.program === undefined || p.name === o.program);
    checkPinPath(kernel, o.path);
    if (!first) throw new CliError("object file doesn't contain any bpf program");
    const fd = loaded.programs.get(first.name)?.fd;
    failing(`failed to pin program ${first.section}`, () => kernel.objPin(o.path, fd ?? -1));
    unpin = () => kernel.treeUnlink(o.path);
  } else {
    checkPinDir(kernel, o.path);
    const wanted = programs
      .filter(({ name }) => o.program === undefined || loaded.programs.has(name))
      .map(({ name }) => ({ name, fd: loaded.programs.get(name)?.fd }));
    failing('failed to pin all programs', () => pinPrograms(kernel, messages, wanted, o.path));
    unpin = () => unpinPrograms(kernel, messages, wanted, o.path);
  }
  if (o.pinmaps !== undefined) {
    const folder = o.pinmaps;
    try {
      failing('', () => checkPinDir(kernel, folder));
      failing('failed to pin all maps', () => pinMaps(kernel, messages, loaded.maps, folder));
    } catch (e) {
      if (!(e instanceof CliError)) throw e;
      sayError(context, e.message);
      unpin();
      throw new SilentFailure(e.status);
    }
  }
  context.json?.value(null);
}

/** prog load OBJ PATH …: all programs are loaded, the first is pinned. */
export const load: Run = (context, words, previous) =>
  context.options.useLoader ? loadLight(context, words, previous) : loadWith(context, words, previous, true);

/** prog loadall OBJ PATH …: every program is pinned under PATH. */
export const loadall: Run = (context, words, previous) => loadWith(context, words, previous, false);
