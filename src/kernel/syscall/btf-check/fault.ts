// How a check ends that has found something wrong: the reason is in the log already.

export class BtfFault extends Error {
  readonly errno: number;

  constructor(errno: number) {
    super(`errno ${errno}`);
    this.errno = errno;
  }
}
