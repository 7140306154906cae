// What commands say besides their results.
import type { CommandContext } from './command.ts';

/** bpftool's p_err: into the JSON stream, unescaped, or to standard error. A command may go on and say more. */
export function sayError(context: Pick<CommandContext, 'json' | 'err'>, message: string): void {
  if (context.json) context.json.startObject().name('error').raw(`"${message}"`).endObject();
  else context.err(`Error: ${message}\n`);
}
