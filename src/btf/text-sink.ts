/** Gathers small pieces of text and passes them on in large ones. */
export class TextSink {
  private static readonly limit = 1 << 16;
  private readonly write: (text: string) => void;
  private text = '';

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  add(piece: string): void {
    this.text += piece;
    if (this.text.length > TextSink.limit) this.flush();
  }

  flush(): void {
    if (this.text) this.write(this.text);
    this.text = '';
  }
}
