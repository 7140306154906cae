// bpftool map create
import { MAP_TYPES } from '../../src/isa/uapi.ts';
import { CliError, type CommandContext } from '../command.ts';
import { pinFd } from '../pinning.ts';
import { because, selectMapInfo } from '../select.ts';
import { isPrefix, needWords, needWordsOrHelp, parseU32 } from '../words.ts';

/** Kernel names hold this many characters. */
const NAME_CHARS = 15;

const NUMBERS = {
  key: ['keySize', 'key size'],
  value: ['valueSize', 'value size'],
  entries: ['maxEntries', 'max entries'],
  flags: ['flags', 'flags'],
} as const;

/** map create FILE type TYPE key N value N entries N name NAME [flags N] [inner_map MAP] */
export function create(context: CommandContext, words: string[], typed: string): void {
  needWords(words, 7, typed);
  const path = words.shift() as string;
  const kernel = context.kernel();
  const attr = { type: 0, keySize: 0, valueSize: 0, maxEntries: 0, flags: 0, innerMapFd: 0 };
  let name: string | undefined;
  let previous = path;
  while (words.length > 0) {
    needWords(words, 2, previous);
    const word = words.shift() as string;
    const number = (['key', 'value', 'entries', 'flags'] as const).find((n) => isPrefix(word, n));
    if (isPrefix(word, 'type')) {
      if (attr.type) throw new CliError('map type already specified');
      previous = words.shift() as string;
      attr.type = (MAP_TYPES as readonly string[]).indexOf(previous);
      if (attr.type < 0) throw new CliError(`unrecognized map type: ${previous}`);
    } else if (isPrefix(word, 'name')) {
      previous = words.shift() as string;
      name = previous;
      if (name.length > NAME_CHARS) {
        context.info(`Warning: map name is longer than ${NAME_CHARS} characters, it will be truncated.`);
      }
    } else if (number) {
      const [field, what] = NUMBERS[number];
      if (attr[field]) throw new CliError(`${what} already specified`);
      previous = words.shift() as string;
      attr[field] = parseU32(previous, what);
    } else if (isPrefix(word, 'dev') || isPrefix(word, 'offload_dev')) {
      if (isPrefix(word, 'dev')) {
        context.info(
          "Warning: 'bpftool map create [...] dev <ifname>' syntax is deprecated.\nGoing further, please use 'offload_dev <ifname>' to request hardware offload for the map.",
        );
      }
      throw new CliError(`unrecognized netdevice '${words[0]}': No such device`);
    } else if (isPrefix(word, 'inner_map')) {
      needWordsOrHelp(words, 2, word);
      previous = words[1];
      attr.innerMapFd = selectMapInfo(context, words).fd;
    } else throw new CliError(`unknown arg ${word}`);
  }
  if (name === undefined) throw new CliError('map name not specified');
  let fd: number;
  try {
    fd = kernel.mapCreate({ ...attr, name: name.slice(0, NAME_CHARS) });
  } catch (e) {
    throw because('map create failed', e);
  }
  pinFd(kernel, fd, path);
  context.json?.value(null);
}
