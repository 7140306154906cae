// What a walk back through the instructions is still looking for: registers and stack slots of each frame.
import { MAX_CALL_FRAMES } from './types.ts';

/** `struct backtrack_state`: one bit a register, one bit a slot. */
export class Backtrack {
  /** Innermost frame that the walk is in. */
  frame = 0;
  readonly regs: Int32Array = new Int32Array(MAX_CALL_FRAMES);
  readonly slotsLow: Int32Array = new Int32Array(MAX_CALL_FRAMES);
  readonly slotsHigh: Int32Array = new Int32Array(MAX_CALL_FRAMES);

  /** Nothing is looked for in the frames up to the innermost. */
  get empty(): boolean {
    for (let i = 0; i <= this.frame; i++) {
      if ((this.regs[i] | this.slotsLow[i] | this.slotsHigh[i]) !== 0) return false;
    }
    return true;
  }

  reset(): void {
    this.frame = 0;
    this.regs.fill(0);
    this.slotsLow.fill(0);
    this.slotsHigh.fill(0);
  }

  hasReg(regno: number): boolean {
    return (this.regs[this.frame] & (1 << regno)) !== 0;
  }

  setReg(regno: number): void {
    this.regs[this.frame] |= 1 << regno;
  }

  clearReg(regno: number): void {
    this.regs[this.frame] &= ~(1 << regno);
  }

  hasSlot(frame: number, spi: number): boolean {
    return ((spi < 32 ? this.slotsLow : this.slotsHigh)[frame] & (1 << (spi & 31))) !== 0;
  }

  setSlot(frame: number, spi: number): void {
    (spi < 32 ? this.slotsLow : this.slotsHigh)[frame] |= 1 << (spi & 31);
  }

  clearSlot(frame: number, spi: number): void {
    (spi < 32 ? this.slotsLow : this.slotsHigh)[frame] &= ~(1 << (spi & 31));
  }

  /** Slots are looked for in the innermost frame. */
  get anySlot(): boolean {
    return (this.slotsLow[this.frame] | this.slotsHigh[this.frame]) !== 0;
  }

  /** The slots of the innermost frame in hexadecimal. */
  get slotsHex(): string {
    const high = this.slotsHigh[this.frame] >>> 0;
    const low = this.slotsLow[this.frame] >>> 0;
    return ((BigInt(high) << 32n) | BigInt(low)).toString(16);
  }
}
