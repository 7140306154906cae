// The messages of libbpf: where they go and how they begin.

export type PrintLevel = 'warn' | 'info' | 'debug';

/** Receives each message of libbpf as it prints it, "libbpf: " and newline included, and notes of ours. */
export type Print = (level: PrintLevel, text: string) => void;

/** Writes messages for one object. Debug texts are functions, since most runs throw them away. */
export class Messages {
  private readonly print: Print | undefined;

  constructor(print: Print | undefined) {
    this.print = print;
  }

  warn(text: string): void {
    this.print?.('warn', `libbpf: ${text}\n`);
  }

  /** Something that libbpf would not say; it begins with our own name, so that the two are told apart. */
  note(text: string): void {
    this.print?.('warn', `bpftool-ts: ${text}\n`);
  }

  info(text: string): void {
    this.print?.('info', `libbpf: ${text}\n`);
  }

  debug(text: () => string): void {
    this.print?.('debug', `libbpf: ${text()}\n`);
  }
}
