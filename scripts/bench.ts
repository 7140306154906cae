// npm run bench [-- ROUNDS] [realtime]
// npm run bench -- verifier [CASE|OBJECT:PROGRAM…]
import { benchCommands } from './bench/commands.ts';
import { benchVerifier } from './bench/verifier.ts';

const words = process.argv.slice(2);
const rounds = words.find((word) => /^\d+$/.test(word));
if (words[0] === 'verifier') benchVerifier(words.length > 1 ? words.slice(1) : undefined);
else benchCommands({ realtime: words.includes('realtime'), ...(rounds && { rounds: Number(rounds) }) });
