/* Runs the test files that it is given, one test after the other. */
import { finish, runAll } from "./harness.mjs";

for (const file of process.argv.slice(2)) await import(file);
const failed = await runAll();
await finish();
process.exit(failed ? 1 : 0);
