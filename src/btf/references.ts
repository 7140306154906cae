// Which words of a type are offsets of strings, and which are ids of other types.
import type { Btf } from './btf.ts';
import type { KindLayout } from './kinds.ts';

const HEAD_WORDS = 3;

/** Calls `use` with the index of each word that holds an id of a type. */
export const eachTypeWord = (words: Int32Array, layout: KindLayout, use: (index: number) => void): void => {
  if (layout.reference) use(2);
  for (const index of layout.infoIds ?? []) use(HEAD_WORDS + index);
  if (layout.elementId === undefined) return;
  for (let p = HEAD_WORDS + layout.info; p < words.length; p += layout.element) use(p + layout.elementId);
};

/** Calls `use` with the index of each word that holds the offset of a string. */
export const eachStringWord = (words: Int32Array, layout: KindLayout, use: (index: number) => void): void => {
  use(0);
  if (layout.elementName === undefined) return;
  for (let p = HEAD_WORDS + layout.info; p < words.length; p += layout.element) use(p + layout.elementName);
};

/** Ids that a type refers to, void among them. */
export const referencesOf = (btf: Btf, id: number): number[] => {
  const words = btf.wordsOf(id);
  const ids: number[] = [];
  eachTypeWord(words, btf.layouts[btf.kind(id)], (index) => ids.push(words[index]));
  return ids;
};
