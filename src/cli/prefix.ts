import { CommandError } from "./terminal.ts";

/** Reads `--prefix`: the path in front of every operation, without a `/` at its end. */
export function readPrefix(text: string): string {
  const prefix = text.replace(/\/$/, "");
  if (prefix === "" || /^(\/[A-Za-z0-9._~-]+)+$/.test(prefix)) return prefix;
  throw new CommandError(`"${text}" is not a path to serve below: write it as /api.`);
}
