// -B FILE: opened when the option is met, before any command, as the real tool does it.
import type { Btf } from '../src/btf/btf.ts';
import { JsonWriter } from '../src/print/json.ts';
import { needOfPath } from './btf/needs.ts';
import { openBtfFile } from './btf/source.ts';
import type { CommandContext, Need } from './command.ts';
import type { BaseOption } from './options.ts';

/** A failure is told as the options in front of it want it; JSON stays without an end of the line. */
const tell = (context: CommandContext, { json, pretty }: BaseOption, message: string): void => {
  if (!json) {
    context.err(`Error: ${message}\n`);
    return;
  }
  new JsonWriter((text) => context.out(text), pretty).startObject().name('error').raw(`"${message}"`).endObject();
};

/** Opens the files in turn and gives the last one; false after saying what is wrong with one. */
export async function openBases(
  context: CommandContext & { prepare(need: Need): Promise<void> },
  bases: readonly BaseOption[],
): Promise<Btf | false | undefined> {
  let last: Btf | undefined;
  for (const base of bases) {
    await context.prepare(needOfPath(base.path));
    const btf = openBtfFile(context, base.path, undefined, base.debug);
    if (typeof btf === 'number') {
      tell(context, base, `failed to parse base BTF at '${base.path}': ${-btf}\n`);
      return false;
    }
    last = btf;
  }
  return last;
}
