// npm run bench [-- ROUNDS] [realtime] [write]
// npm run bench -- verifier [CASE|OBJECT:PROGRAM…]
import { benchCommands } from './bench/commands.ts';
import { benchVerifier } from './bench/verifier.ts';

const words = process.argv.slice(2);
const rounds = words.find((word) => /^\d+$/.test(word));
if (words[0] === 'verifier') benchVerifier(words.length > 1 ? words.slice(1) : undefined);
else {
  const [realtime, write] = [words.includes('realtime'), words.includes('write')];
  benchCommands({ realtime, write, ...(rounds && { rounds: Number(rounds) }) });
}
