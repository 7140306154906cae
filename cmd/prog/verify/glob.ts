// Patterns of names: `*` stands for any characters, `?` for one.

/** Whether the whole of `text` fits. */
export function matches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  // Where the last star stands, and how much of the text it has taken.
  let star = -1;
  let taken = 0;
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Whether a program fits FILE/PROGRAM, or FILE alone. */
export function matchesProgram(pattern: string, file: string, program: string): boolean {
  return matches(pattern, `${file}/${program}`) || matches(pattern, file);
}
