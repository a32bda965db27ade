import { type Observation, type Observe, redacted } from "../kernel/observations.ts";
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
      held += `${JSON.stringify({ level, time: Date.now(), ...redacted(observation) })}\n`;
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
      const { event, ...rest } = redacted(observation);
      const colour = levelOf(observation) === "info" ? "cyan" : "red";
      const { error = "", ...facts } = rest;
      const words = Object.entries(facts).map(([name, value]) => `${name}=${value}`);
      stream.write(
        `${time} ${paint(colour, String(event))} ${words.join(" ")}${error === "" ? "" : `\n${error}`}\n`,
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
    event === "process.complained" ||
    event.startsWith("writer.died") ||
    event.startsWith("writer.gave") ||
    event === "store.failed" ||
    event === "checkpointer.failed" ||
    event === "jobs.failed" ||
    event === "job.failed"
    ? "error"
    : "info";
}
