// npm run bench [-- ROUNDS]
// npm run bench -- verifier [CASE|OBJECT:PROGRAM…]
import { benchCommands } from './bench/commands.ts';
import { benchVerifier } from './bench/verifier.ts';

const [part, ...names] = process.argv.slice(2);
if (part === 'verifier') benchVerifier(names.length > 0 ? names : undefined);
else benchCommands(part === undefined ? undefined : Number(part));
