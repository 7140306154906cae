// Sorting by texts that are bytes in memory: quicksort character by character, so that no text becomes a string and no
// prefix is compared twice.

/** Ranges up to this long are sorted by insertion. */
const SHORT = 10;

export interface TextOrder {
  /** The texts, each ending with NUL. */
  bytes: Uint8Array;
  /** Where the text of each number begins. */
  offsets: Int32Array;
}

/** Sorts numbers from `start` to `end` of `numbers` by their texts as strcmp(3) does; `equal` gets each range of equals. */
export const sortByText = (
  numbers: Int32Array,
  start: number,
  end: number,
  { bytes, offsets }: TextOrder,
  equal: (start: number, end: number) => void,
): void => {
  /** Ranges still to sort, and how many characters are known to be equal in them. */
  const ranges = [start, end, 0];
  while (ranges.length > 0) {
    const depth = ranges.pop() as number;
    const to = ranges.pop() as number;
    const from = ranges.pop() as number;
    if (to - from <= SHORT) {
      insert(numbers, from, to, bytes, offsets, depth);
      reportEquals(numbers, from, to, bytes, offsets, depth, equal);
      continue;
    }
    const pivot = bytes[offsets[numbers[(from + to) >> 1]] + depth];
    let low = from;
    let high = to;
    for (let i = from; i < high; ) {
      const number = numbers[i];
      const byte = bytes[offsets[number] + depth];
      if (byte === pivot) {
        i++;
      } else if (byte < pivot) {
        numbers[i++] = numbers[low];
        numbers[low++] = number;
      } else {
        numbers[i] = numbers[--high];
        numbers[high] = number;
      }
    }
    if (low - from > 1) ranges.push(from, low, depth);
    if (to - high > 1) ranges.push(high, to, depth);
    if (high - low > 1) {
      if (pivot === 0) equal(low, high);
      else ranges.push(low, high, depth + 1);
    }
  }
};

/** Less, equal or greater than 0 as the first text is. */
const compare = (bytes: Uint8Array, a: number, b: number): number => {
  while (bytes[a] === bytes[b] && bytes[a] !== 0) {
    a++;
    b++;
  }
  return bytes[a] - bytes[b];
};

const insert = (
  numbers: Int32Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  offsets: Int32Array,
  depth: number,
): void => {
  for (let i = from + 1; i < to; i++) {
    const number = numbers[i];
    const text = offsets[number] + depth;
    let p = i;
    while (p > from && compare(bytes, offsets[numbers[p - 1]] + depth, text) > 0) {
      numbers[p] = numbers[p - 1];
      p--;
    }
    numbers[p] = number;
  }
};

const reportEquals = (
  numbers: Int32Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  offsets: Int32Array,
  depth: number,
  equal: (start: number, end: number) => void,
): void => {
  for (let first = from; first < to; ) {
    let next = first + 1;
    const text = offsets[numbers[first]] + depth;
    while (next < to && compare(bytes, text, offsets[numbers[next]] + depth) === 0) next++;
    if (next - first > 1) equal(first, next);
    first = next;
  }
};
