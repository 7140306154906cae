// Light skeletons of one object against the captured ones.
import { folderOf, type LightAnswer, ourAnswer, readCaptured, refusedUnseen } from '../light/truth.ts';

type Run = (words: string[]) => Promise<{ out: string; err: string; status: number }>;

let captured: ReturnType<typeof readCaptured> | undefined;

const text = ({ status, out, err }: LightAnswer): string => `${status}\n${out}\n${err}`;

/** Runs every command line that was captured of the object. */
export async function compareLight(
  name: string,
  run: Run,
  check: (what: string, ours: string, theirs: string) => void,
): Promise<void> {
  captured ??= readCaptured();
  const answers = captured[name];
  if (answers === undefined) return;
  for (const [line, theirs] of Object.entries(answers)) {
    if (line.includes('prog load') && refusedUnseen(answers)) continue;
    check(`${name}: ${line}`, text(await ourAnswer(line, name, folderOf(name), run)), text(theirs));
  }
}
