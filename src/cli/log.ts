import type { Observation, Observe } from "../kernel/observations.ts";
import { painter } from "./terminal.ts";

export interface Log {
  readonly observe: Observe;
  /** Writes out what is still held back. */
  flush(): void;
}

const FLUSH_EVERY_MS = 250;
const HELD_BACK_BYTES = 65_536;

/**
 * The log: JSON lines where a program reads them, short lines where a person does. It shows what
 * observations say; no header field, query or body is among that.
 */
export function openLog(stream: NodeJS.WriteStream): Log {
  return stream.isTTY ? forPeople(stream) : forPrograms(stream);
}

/** Lines are gathered: a system call for each costs as much as reading and validating a body. */
function forPrograms(stream: NodeJS.WriteStream): Log {
  let held = "";
  const flush = () => {
    if (held === "") return;
    stream.write(held);
    held = "";
  };
  setInterval(flush, FLUSH_EVERY_MS).unref();
  process.on("exit", flush);
  return {
    observe: (observation) => {
      const level = levelOf(observation);
      held += `${JSON.stringify({ level, time: Date.now(), ...observation, ...errorOf(observation) })}\n`;
      if (level === "error" || held.length > HELD_BACK_BYTES) flush();
    },
    flush,
  };
}

function forPeople(stream: NodeJS.WriteStream): Log {
  const paint = painter(stream);
  return {
    observe: (observation) => {
      const time = paint("dim", new Date().toTimeString().slice(0, 8));
      if (observation.event === "request.answered") {
        const { method, path, status, milliseconds, problem, requestId } = observation;
        const colour = status < 300 ? "green" : status < 500 ? "yellow" : "red";
        const took = paint("dim", `${milliseconds.toFixed(1)} ms`);
        const what =
          problem === undefined ? "" : ` ${paint("yellow", problem)} ${paint("dim", requestId)}`;
        stream.write(
          `${time} ${method} ${printable(path)} ${paint(colour, String(status))} ${took}${what}\n`,
        );
        return;
      }
      const { event, ...rest } = observation;
      const colour = levelOf(observation) === "info" ? "cyan" : "red";
      const { error = "", ...facts } = { ...rest, ...errorOf(observation) } as Record<
        string,
        unknown
      >;
      const words = Object.entries(facts).map(([name, value]) => `${name}=${value}`);
      stream.write(
        `${time} ${paint(colour, event)} ${words.join(" ")}${error === "" ? "" : `\n${error}`}\n`,
      );
    },
    flush: () => {},
  };
}

/** A path is a stranger's text, and must not speak to the terminal. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => encodeURIComponent(character));
}

function levelOf({ event }: Observation): "info" | "error" {
  return event === "request.failed" ||
    event === "writer.complained" ||
    event.startsWith("writer.died") ||
    event.startsWith("writer.gave") ||
    event === "store.failed"
    ? "error"
    : "info";
}

function errorOf(observation: Observation): { error: string } | undefined {
  if (!("error" in observation)) return undefined;
  const { error } = observation;
  return { error: redact(error instanceof Error ? (error.stack ?? error.message) : String(error)) };
}

const MAX_ERROR_LENGTH = 16_384;

/** A name that says it, then `=` or `:`, then a value, in quotes or up to the next separator. */
const NAMED_SECRET =
  /((?:authorization|pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|(?:api|access|private)[-_ ]?key|cookie)\\?["']?\s*[:=]\s*(?:bearer\s+|basic\s+)?)(?:\\?"(?:[^"\\]|\\[^"])*|'[^']*|[^\s"',;&}]+)/gi;

/** Text of errors is written by others; what looks like a secret in it is taken out. */
export function redact(text: string): string {
  return (
    text
      .slice(0, MAX_ERROR_LENGTH)
      .replace(NAMED_SECRET, "$1[redacted]")
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, "$1 [redacted]")
      // Users and passwords in addresses, and JSON Web Tokens wherever they are.
      .replace(/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@]+@/gi, "$1[redacted]@")
      .replace(/\beyJ[\w-]{1,4096}\.[\w-]+(?:\.[\w-]*)?/g, "[redacted]")
  );
}
