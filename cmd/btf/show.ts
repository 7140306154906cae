// bpftool btf show
import { isErrno, SysError } from '../../src/errno.ts';
import type { BtfInfo } from '../../src/syscall.ts';
import { CliError, type CommandContext } from '../command.ts';
import { because, objectIds } from '../select.ts';
import { tableOf } from '../table.ts';
import { isPrefix, noMoreWords, parseU32 } from '../words.ts';
import { ChainOrder } from './chain-order.ts';

/** Ids of the programs or maps that use each BTF object. */
type Users = ChainOrder<number>;

const usersOf = (context: CommandContext, kind: 'prog' | 'map'): Users => {
  const kernel = context.kernel();
  const users: Users = new ChainOrder();
  for (const id of objectIds(context, kind)) {
    let fd: number;
    try {
      fd = kernel.fdById(kind, id);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) continue;
      throw because(`can't get ${kind} by id (${id})`, error);
    }
    const { btfId } = kind === 'prog' ? kernel.progInfo(fd) : kernel.mapInfo(fd);
    kernel.close(fd);
    if (btfId) users.add(btfId, id);
  }
  return users;
};

interface Listed {
  info: BtfInfo;
  progs: number[];
  maps: number[];
}

const nameOf = ({ name, kernelBtf }: BtfInfo): string => {
  if (kernelBtf) return `[${name}]`;
  return name || '<anon>';
};

const showPlain = (context: CommandContext, { info, progs, maps }: Listed): void => {
  const ids = (word: string, list: number[]): string => (list.length ? `  ${word} ${list.join(',')}` : '');
  const users = ids('prog_ids', progs) + ids('map_ids', maps);
  context.out(`${info.id}: name ${nameOf(info)}  size ${info.size}B${users}\n`);
};

const showJson = (context: CommandContext, { info, progs, maps }: Listed): void => {
  const json = context.json;
  if (!json) return;
  const ids = (name: string, list: number[]): void => {
    json.name(name).startArray();
    for (const id of list) json.value(id);
    json.endArray();
  };
  json.startObject().field('id', info.id).field('size', info.size);
  ids('prog_ids', progs);
  ids('map_ids', maps);
  json.field('kernel', info.kernelBtf);
  if (info.name) json.field('name', info.name);
  json.endObject();
};

const tableRow = ({ info, progs, maps }: Listed): string[] => [
  String(info.id),
  nameOf(info),
  `${info.size}B`,
  progs.join(','),
  maps.join(','),
];

/** `id N`, both words. */
const takeId = (words: string[]): number => {
  const [keyword, word] = words.splice(0, 2);
  if (!isPrefix(keyword, 'id')) throw new CliError(`expected 'id', got: '${keyword}'?`);
  return parseU32(word, 'ID');
};

/** BTF objects with an id from the iterator; those that go away meanwhile are left out. */
function* listed(context: CommandContext, ids: Iterable<number>, one: boolean): Generator<Listed> {
  const kernel = context.kernel();
  const infos: BtfInfo[] = [];
  // An object that was asked for by its id is looked for before anything else, so that its absence is all there is.
  const open = (id: number): BtfInfo | undefined => {
    try {
      const fd = kernel.fdById('btf', id);
      const info = kernel.btfInfo(fd);
      kernel.close(fd);
      return info;
    } catch (error) {
      if (!one && isErrno(error, 'ENOENT')) return undefined;
      if (error instanceof SysError) throw because(`can't get BTF object by id (${id})`, error);
      throw error;
    }
  };
  if (one) for (const id of ids) infos.push(open(id) as BtfInfo);
  const progs = usersOf(context, 'prog');
  const maps = usersOf(context, 'map');
  const row = (info: BtfInfo): Listed => ({ info, progs: progs.get(info.id), maps: maps.get(info.id) });
  for (const info of infos) yield row(info);
  if (one) return;
  for (const id of ids) {
    const info = open(id);
    if (info) yield row(info);
  }
}

/** btf show [id N] */
export async function show(context: CommandContext, words: string[]): Promise<void> {
  const one = words.length === 2;
  const ids = one ? [takeId(words)] : objectIds(context, 'btf');
  noMoreWords(words);
  const rows = listed(context, ids, one);
  if (context.options.table && !context.json) {
    context.out(await tableOf(['id', 'name', 'size', 'programs', 'maps'], Array.from(rows, tableRow)));
    return;
  }
  const list = context.json && !one;
  if (list) context.json?.startArray();
  for (const row of rows) {
    if (context.json) showJson(context, row);
    else showPlain(context, row);
  }
  if (list) context.json?.endArray();
}
