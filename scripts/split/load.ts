// What becomes of a linked object when it is loaded: by the real tool into the running kernel, by ours into a simulated
// one. Needs root and a bpffs.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../cmd/run.ts';
import { maskLog, withoutNotes } from '../parity/mask.ts';

const PINS = `/sys/fs/bpf/split-objects-${process.pid}`;

/** Words and answer of each command, so that two lists can be compared. */
type Answers = readonly string[];

/** Fields that differ from one kernel to another although the same was loaded. */
const VARYING =
  /"(?:id|loaded_at|uid|bytes_xlated|jited|bytes_jited|bytes_memlock|map_ids|btf_id|tag|orphaned|pids|pinned|frozen|gpl_compatible)": ?(?:\[[^\]]*\]|"[^"]*"|[^,}]*),?/g;

const masked = (text: string): string => maskLog(withoutNotes(text)).replace(VARYING, '');

/** Commands after the load: types, then every map and program that the real load has pinned. */
const questions = (object: string, pinned: readonly string[]): string[][] => [
  ['btf', 'dump', 'file', object],
  ['btf', 'dump', 'file', object, 'format', 'c'],
  ...pinned.map((name) => ['-j', name.startsWith('maps/') ? 'map' : 'prog', 'show', 'pinned', `${PINS}/${name}`]),
];

const loadWords = (object: string): string[] => ['prog', 'loadall', object, PINS, 'pinmaps', `${PINS}/maps`];

const list = (folder: string, prefix = ''): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .flatMap((entry) =>
          entry.isDirectory() ? list(join(folder, entry.name), `${prefix}${entry.name}/`) : [prefix + entry.name],
        )
        .sort()
    : [];

/** Answers of the real tool, and the names of what is pinned. */
export const loadThere = (bpftool: string, object: string): { answers: Answers; pinned: string[] } => {
  const ask = (words: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(bpftool, words, { encoding: 'utf8' });
    return `${masked(stdout + stderr)}${status}`.replaceAll(object, 'OBJECT');
  };
  try {
    const loaded = ask(loadWords(object));
    const pinned = list(PINS);
    return { answers: [loaded, ...questions(object, pinned).map(ask)], pinned };
  } finally {
    rmSync(PINS, { recursive: true, force: true });
  }
};

/** The same commands to ours. */
export const loadHere = async (object: string, pinned: readonly string[], state: string): Promise<Answers> => {
  const ask = async (words: readonly string[]): Promise<string> => {
    let out = '';
    let err = '';
    const status = await run(['--state', state, ...words], {
      out: (text) => {
        out += Buffer.from(text).toString();
      },
      err: (text) => {
        err += text;
      },
    });
    return `${masked(out + err)}${status}`.replaceAll(object, 'OBJECT');
  };
  const answers: string[] = [];
  for (const words of [loadWords(object), ...questions(object, pinned)]) answers.push(await ask(words));
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(state + suffix, { force: true });
  return answers;
};
