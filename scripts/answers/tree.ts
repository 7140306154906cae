// The bpf file system: pins, folders, names.
import { MAP_TYPE } from '../../src/isa/uapi.ts';
import type { Kernel } from '../../src/syscall.ts';
import { type Answer, ask } from './answer.ts';
import { nothing } from './programs.ts';

const ROOT = '/sys/fs/bpf';
const HOME = `${ROOT}/answers`;
const LONG = 'n'.repeat(255);

const PATHS = [
  `${HOME}/m`,
  `${HOME}/m/`,
  `${HOME}/m/below`,
  `${HOME}/m/below/deeper`,
  `${HOME}/dir`,
  `${HOME}/dir/`,
  `${HOME}/dir/m`,
  `${HOME}/dir/../m`,
  `${HOME}/./m`,
  `${HOME}//m`,
  `${HOME}/none`,
  `${HOME}/none/`,
  `${HOME}/none/m`,
  `${HOME}/none/../m`,
  `${HOME}/a.b`,
  `${HOME}/a.b/c`,
  `${HOME}/.hidden`,
  `${HOME}/..`,
  `${HOME}/${LONG}`,
  `${HOME}/${LONG}n`,
  `${HOME}/${LONG}n/m`,
  `/${'p/'.repeat(3000)}m`,
  '',
  '/',
  ROOT,
  `${ROOT}/`,
  '/sys/fs',
  '/sys/fs/none/x',
  '/sys/fs/x',
  '/tmp/there-is-no-such-file',
];

export function* askTree(kernel: Kernel): Generator<Answer> {
  const named = (path: string): string => (path.length > 300 ? `${path.slice(0, 40)}… (${path.length})` : path);
  yield { what: 'mkdir home', answer: ask(() => void kernel.treeMkdir(HOME)) };
  yield { what: 'mkdir dir', answer: ask(() => void kernel.treeMkdir(`${HOME}/dir`)) };
  const map = kernel.mapCreate({ type: MAP_TYPE.array, keySize: 4, valueSize: 4, maxEntries: 1 });
  const prog = kernel.progLoad(nothing('xdp'));
  yield { what: 'pin m', answer: ask(() => void kernel.objPin(`${HOME}/m`, map)) };
  yield { what: 'pin p', answer: ask(() => void kernel.objPin(`${HOME}/dir/p`, prog)) };
  yield { what: 'pin p again under another name', answer: ask(() => void kernel.objPin(`${HOME}/p2`, prog)) };
  for (const path of PATHS) {
    const get = ask(() => {
      const { fd, kind } = kernel.objGet(path);
      kernel.close(fd);
      return kind;
    });
    yield { what: `get ${named(path)}`, answer: get };
    const pin = ask(() => void kernel.objPin(path, map));
    yield { what: `pin at ${named(path)}`, answer: pin };
    if (pin === 'ok') kernel.treeUnlink(path);
    const inside = path === '' || path.startsWith(HOME);
    if (!inside) continue;
    const made = ask(() => void kernel.treeMkdir(path));
    yield { what: `mkdir ${named(path)}`, answer: made };
    if (made === 'ok') kernel.treeUnlink(path);
    if (path === `${HOME}/m` || path === `${HOME}/./m` || path === `${HOME}//m` || path.endsWith('../m')) continue;
    if (path === `${HOME}/dir/../m`) continue;
    yield { what: `unlink ${named(path)}`, answer: ask(() => void kernel.treeUnlink(path)) };
  }
  for (const fd of [-1, 9999]) yield { what: `pin fd ${fd}`, answer: ask(() => void kernel.objPin(`${HOME}/x`, fd)) };
  const list = (path: string): string =>
    kernel
      .treeList(path)
      .map((e) => `${e.kind} ${e.name}`)
      .sort()
      .join(', ');
  yield { what: 'list', answer: ask(() => list(HOME)) };
  yield { what: 'list a pin', answer: ask(() => list(`${HOME}/m`)) };
  yield { what: 'list nothing', answer: ask(() => list(`${HOME}/none`)) };
  for (const path of ['dir', 'm', 'dir/p', 'dir', 'p2', '']) {
    yield { what: `unlink "${path}"`, answer: ask(() => void kernel.treeUnlink(path ? `${HOME}/${path}` : HOME)) };
  }
}
