// The binary: standard streams and the exit status around one run.
import { writeSync } from 'node:fs';
import { run } from './run.ts';

const CHUNK = 1 << 16;
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** Collects text for a descriptor and writes it in large pieces; a reader that has gone away ends the process quietly. */
class Stream {
  private readonly fd: number;
  private pending: string[] = [];
  private size = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  write(data: string | Uint8Array): void {
    if (typeof data !== 'string') {
      this.flush();
      this.send(data);
      return;
    }
    this.pending.push(data);
    this.size += data.length;
    if (this.size >= CHUNK) this.flush();
  }

  flush(): void {
    if (this.pending.length === 0) return;
    const text = this.pending.join('');
    this.pending = [];
    this.size = 0;
    this.send(Buffer.from(text, 'utf8'));
  }

  private send(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.fd, bytes, at);
      } catch (e) {
        const { code } = e as NodeJS.ErrnoException;
        if (code === 'EPIPE') process.exit(0);
        if (code !== 'EAGAIN') throw e;
        // A pipe that is full and does not wait by itself.
        Atomics.wait(NEVER, 0, 0, 1);
      }
    }
  }
}

const stdout = new Stream(1);
const stderr = new Stream(2);

run(process.argv.slice(2), {
  out: (text) => stdout.write(text),
  err: (text) => {
    stdout.flush();
    stderr.write(text);
    stderr.flush();
  },
}).then((status) => {
  stdout.flush();
  process.exitCode = status;
});
