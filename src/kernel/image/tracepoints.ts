// Tracepoint events of an image: lines "group/name id".

/** Ids by "group/name"; lines of another form are skipped. */
export function parseTracepoints(text: Uint8Array): Map<string, number> {
  const ids = new Map<string, number>();
  for (const line of Buffer.from(text).toString('latin1').split('\n')) {
    const [name, id] = line.split(' ');
    if (id !== undefined && /^\d+$/.test(id)) ids.set(name, Number(id));
  }
  return ids;
}
