// What the linker says, and how it gives up.
import type { SysError } from '../../errno.ts';
import { ObjectError } from '../errors.ts';
import { Messages, type Print } from '../print.ts';

type Errno = ConstructorParameters<typeof SysError>[0];

/** Names from files are bytes, one character each; they are decoded where they are printed. */
export const decodeName = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

/** A name of the command line in the form of those from files. */
export const encodeName = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Messages whose texts hold names as bytes. */
export class LinkerMessages {
  /** The same for readers that decode names themselves. */
  readonly decoded: Messages;

  constructor(print: Print | undefined) {
    this.decoded = new Messages(print);
  }

  warn(text: string): void {
    this.decoded.warn(decodeName(text));
  }

  debug(text: string): void {
    this.decoded.debug(() => decodeName(text));
  }

  /** Says why (unless libbpf does not) and throws ObjectError. */
  fail(errno: Errno, text?: string): never {
    if (text !== undefined) this.warn(text);
    throw new ObjectError(errno);
  }
}
