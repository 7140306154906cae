// Sets of stack slots as two 32-bit halves: slot n is bit n of the low half, or bit n - 32 of the high one.

/** "-8,-24" of the slots 0 and 2. */
export function slotMaskText(low: number, high: number): string {
  if ((low | high) === 0) return '';
  let text = '';
  for (let half = 0; half < 2; half++) {
    const bits = half === 0 ? low : high;
    if (bits === 0) continue;
    for (let i = 0; i < 32; i++) {
      if (((bits >>> i) & 1) !== 0) text += `${text === '' ? '' : ','}${-(half * 32 + i + 1) * 8}`;
    }
  }
  return text;
}

/** Texts of register masks that were asked for; there are 2048 at most. */
const regTexts = new Map<number, string>();

/** "r0,r6" of a register mask. */
export function regMaskText(mask: number): string {
  const known = regTexts.get(mask);
  if (known !== undefined) return known;
  let text = '';
  for (let i = 0; i < 32; i++) if (((mask >>> i) & 1) !== 0) text += `${text === '' ? '' : ','}r${i}`;
  if (mask >>> 0 < 1 << 11) regTexts.set(mask, text);
  return text;
}
