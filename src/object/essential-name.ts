// Flavours of type names: "task_struct___old" is another view of "task_struct".

/** True where X___Y stands at `i`, X and Y not being underscores. */
const isSeparator = (name: string, i: number): boolean =>
  name[i] !== '_' && name[i + 1] === '_' && name[i + 2] === '_' && name[i + 3] === '_' && name[i + 4] !== '_';

/** The name without its flavour, that is, what stands before the last triple underscore. Rule: libbpf 1.8. */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) if (isSeparator(name, i)) return name.slice(0, i + 1);
  return name;
}
