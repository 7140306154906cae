// Where two texts part, for the scripts that compare.

const SHOWN = 200;

/** "line N: <theirs> | ours <ours>" of the first line that differs. */
export const differingLine = (theirs: string, ours: string): string => {
  const a = theirs.split('\n');
  const b = ours.split('\n');
  const at = a.findIndex((line, i) => line !== b[i]);
  const line = at < 0 ? a.length : at;
  const from = Math.max(0, firstDifference(a[line] ?? '', b[line] ?? '') - SHOWN / 2);
  const show = (text: string | undefined): string =>
    text === undefined ? '(nothing)' : JSON.stringify(text.slice(from, from + SHOWN));
  return `line ${line + 1}: ${show(a[line])}, ours ${show(b[line])}`;
};

const firstDifference = (a: string, b: string): number => {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  return i;
};
