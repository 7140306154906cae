// The configuration a kernel was built with, in the form of /proc/config.gz.

/** Values by name as they are written ("y", "250", "\"text\""); options that are not set are absent. */
export function parseKconfig(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (!line.startsWith('CONFIG_')) continue;
    const equals = line.indexOf('=');
    if (equals > 0) values.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return values;
}
