// Where machine code lives: packs of 2 MiB in the module area, handed out in chunks of 64 bytes.

/** First address of the module area; also the placeholder for function addresses not known yet. */
export const MODULES_START = 0xffffffffc0000000n;

const PACK_BYTES = 2 << 20;
const CHUNK_BYTES = 64;
const CHUNKS = PACK_BYTES / CHUNK_BYTES;
/** A pack is followed by an unmapped page. */
const PACK_STRIDE = BigInt(PACK_BYTES + 4096);
/** `struct bpf_binary_header` stands before the code. */
const HEADER_BYTES = 8;
/** At least this much filling around the code. */
const FILL_BYTES = 16;
/** Code larger than this would leave the module area; Linux's own limit is lower. */
const MAX_BYTES = 1 << 28;

interface Pack {
  base: bigint;
  used: Uint8Array;
}

/**
 * First-fit allocator of code. Linux puts the code at a random multiple of 4 within the slack of its chunks; here it
 * always follows the header, so that the same loads give the same addresses.
 * rule: bpf_jit_binary_pack_alloc, bpf_prog_pack_alloc, 6.18
 */
export class PackAllocator {
  private readonly packs: Pack[] = [];
  private nextBase = MODULES_START;

  /** Address of the first instruction of `bytes` bytes of code and tables. Throws RangeError for absurd sizes. */
  allocate(bytes: number): bigint {
    if (!Number.isInteger(bytes) || bytes < 0 || bytes > MAX_BYTES) throw new RangeError(`code of ${bytes} bytes`);
    const chunks = chunksOf(bytes);
    if (chunks > CHUNKS) {
      const base = this.nextBase;
      this.nextBase += BigInt(Math.ceil((chunks * CHUNK_BYTES) / 4096) * 4096 + 4096);
      return base + BigInt(HEADER_BYTES);
    }
    for (const pack of this.packs) {
      const at = findRun(pack.used, chunks);
      if (at >= 0) return take(pack, at, chunks);
    }
    const pack = { base: this.nextBase, used: new Uint8Array(CHUNKS) };
    this.nextBase += PACK_STRIDE;
    this.packs.push(pack);
    return take(pack, 0, chunks);
  }

  /** Gives back what `allocate(bytes)` returned; unknown addresses are ignored. */
  free(address: bigint, bytes: number): void {
    const pack = this.packs.find((p) => address >= p.base && address < p.base + BigInt(PACK_BYTES));
    if (!pack) return;
    const at = Math.floor(Number(address - pack.base) / CHUNK_BYTES);
    pack.used.fill(0, at, at + chunksOf(bytes));
  }

  /** Marks code that another allocator of the same layout gave out, so that it is not given again. */
  reserve(address: bigint, bytes: number): void {
    while (address >= this.nextBase) {
      this.packs.push({ base: this.nextBase, used: new Uint8Array(CHUNKS) });
      this.nextBase += PACK_STRIDE;
    }
    const pack = this.packs.find((p) => address >= p.base && address < p.base + BigInt(PACK_BYTES));
    if (!pack) return;
    const at = Math.floor(Number(address - pack.base) / CHUNK_BYTES);
    pack.used.fill(1, at, at + chunksOf(bytes));
  }
}

const chunksOf = (bytes: number): number => Math.ceil((bytes + HEADER_BYTES + FILL_BYTES) / CHUNK_BYTES);

function findRun(used: Uint8Array, chunks: number): number {
  let run = 0;
  for (let i = 0; i < used.length; i++) {
    run = used[i] ? 0 : run + 1;
    if (run === chunks) return i - chunks + 1;
  }
  return -1;
}

function take(pack: Pack, at: number, chunks: number): bigint {
  pack.used.fill(1, at, at + chunks);
  return pack.base + BigInt(at * CHUNK_BYTES + HEADER_BYTES);
}
