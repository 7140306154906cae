// The files that the words of the command line mean: files, folders with all the objects below them, and patterns.
import { globSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { CliError } from '../../command.ts';

export interface InputFile {
  path: string;
  /** What the file is called in the table. */
  label: string;
  /** Named by itself, so that it has to be an object. */
  named: boolean;
}

const isPattern = (word: string): boolean => /[*?[{]/.test(word);

function isFolder(path: string): boolean | undefined {
  try {
    return statSync(path).isDirectory();
  } catch {
    return undefined;
  }
}

/** Objects below a folder, by name; links to folders are not followed. */
function below(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return below(path);
      return entry.name.endsWith('.o') ? [path] : [];
    });
}

function expand(word: string): InputFile[] {
  const folder = isFolder(word);
  if (folder === true) return below(word).map((path) => ({ path, label: relative(word, path), named: false }));
  if (folder === undefined && isPattern(word)) {
    const found = globSync(word).sort();
    if (found.length === 0) throw new CliError(`no file matches '${word}'`);
    return found.flatMap((path) => (isFolder(path) ? expand(path) : [{ path, label: basename(path), named: false }]));
  }
  return [{ path: word, label: basename(word), named: true }];
}

/** All files, each once. Files that would be called alike are called by their paths. Throws CliError. */
export function inputFiles(words: readonly string[]): InputFile[] {
  const files = new Map<string, InputFile>();
  for (const file of words.flatMap(expand)) if (!files.has(file.path)) files.set(file.path, file);
  const labels = new Map<string, number>();
  for (const { label } of files.values()) labels.set(label, (labels.get(label) ?? 0) + 1);
  return Array.from(files.values(), (file) =>
    (labels.get(file.label) ?? 0) > 1 ? { ...file, label: file.path } : file,
  );
}
