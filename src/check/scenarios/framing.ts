import type { Sample } from "../fresh.ts";
import { type Answer, type HeaderLine, type Request, succeeded } from "../message.ts";
import { bytesOf, type RawConnection } from "../raw-connection.ts";
import type { Scenario } from "../scenario.ts";
import { rest, type Trial } from "../trial.ts";
import { failed, noted, notTested, passed, type Verdict } from "../verdict.ts";

/** How long a connection that has to be closed may take for it. */
const CLOSE_MS = 2_000;
/** How long the work of a request that should not have been done is waited for. */
const WORK_MS = 300;

export const framing: readonly Scenario[] = [
  {
    id: "framing/chunked",
    rule: "A body in chunks is read as one with a length",
    level: "must",
    once: true,
    sections: ["RFC 9112 §7.1", "RFC 9112 §6.3"],
    async try(trial) {
      const { text } = trial.sample();
      const [first, second] = [text.slice(0, 5), text.slice(5)];
      const body = `${chunk(first)}${chunk(second)}0\r\n\r\n`;
      const answer = await sendRaw(trial, body, [["Transfer-Encoding", "chunked"]]);
      if (answer === undefined) return failed("the connection was closed without an answer");
      if (answer.status === 411) return noted("411: a length is asked for");
      return succeeded(answer) ? passed() : failed(`${answer.status}`);
    },
  },
  {
    id: "framing/two-lengths",
    rule: "Two Content-Lengths that differ are refused with 400, and the connection ends",
    level: "must",
    once: true,
    sections: ["RFC 9112 §6.3"],
    async try(trial) {
      const { text } = trial.sample();
      const lengths: HeaderLine[] = [
        ["Content-Length", String(text.length)],
        ["Content-Length", String(text.length + 5)],
      ];
      return expect400(trial, bytesOf(withLines(trial, text, lengths)), "closes");
    },
  },
  {
    id: "framing/length-and-chunks",
    rule: "What stands behind the last chunk is not taken for another request",
    level: "must",
    once: true,
    sections: ["RFC 9112 §6.1", "RFC 9112 §11.2"],
    async try(trial) {
      const { text } = trial.sample();
      const smuggled = `GET ${trial.place.url.pathname} HTTP/1.1\r\nHost: ${trial.place.url.host}\r\n\r\n`;
      const body = `${chunk(text)}0\r\n\r\n${smuggled}`;
      const lines: HeaderLine[] = [
        ["Content-Length", String(body.length)],
        ["Transfer-Encoding", "chunked"],
        ["Connection", "keep-alive"],
      ];
      const bytes = bytesOf(withLines(trial, body, lines));
      const outcome = await trial.raw(
        bytes,
        async (connection) => {
          const answer = await connection.answer();
          const closed = await connection.endsWithin(CLOSE_MS);
          const second = await connection.answer("GET").catch(() => undefined);
          return { answer, closed, second };
        },
        ({ answer }) => ({ answer }),
      );
      if (outcome.second !== undefined)
        return failed(`the bytes behind it were answered as well: ${outcome.second.status}`);
      if (!outcome.closed) return failed("the connection was not closed behind the answer");
      return passed(outcome.answer === undefined ? "closed" : String(outcome.answer.status));
    },
  },
  {
    id: "framing/no-host",
    rule: "A request without Host is refused with 400",
    level: "must",
    once: true,
    sections: ["RFC 9112 §3.2"],
    try(trial) {
      const text = bytesOf(trial.request(trial.sample().text)).toString("latin1");
      return expect400(trial, Buffer.from(text.replace(/^Host: .*\r\n/m, ""), "latin1"));
    },
  },
  {
    id: "framing/space-before-colon",
    rule: "White space between the name of a field and its colon is refused with 400",
    level: "must",
    once: true,
    sections: ["RFC 9112 §5.1"],
    try: (trial) =>
      expect400(trial, bytesOf(withLines(trial, trial.sample().text, [["X-Check ", "1"]]))),
  },
  {
    id: "framing/expect",
    rule: "Expect: 100-continue is answered before the body comes",
    level: "must",
    once: true,
    sections: ["RFC 9110 §10.1.1"],
    async try(trial) {
      const request = withLines(trial, trial.sample().text, [["Expect", "100-continue"]]);
      const bytes = bytesOf(request);
      const head = bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4);
      const answered = await trial.raw(
        head,
        async (connection) => {
          const begun = await connection.answersWithin(CLOSE_MS);
          await connection.write(bytes.subarray(head.length));
          const answer = await connection.answer().catch(() => undefined);
          return { begun, answer };
        },
        ({ answer }) => ({ answer }),
      );
      return answered.begun
        ? passed()
        : failed(`neither 100 nor an answer within ${CLOSE_MS / 1_000} s`);
    },
  },
  {
    id: "framing/incomplete",
    rule: "A request whose body breaks off has no effect",
    level: "must",
    once: true,
    sections: ["RFC 9112 §8"],
    async try(trial) {
      const sample = trial.sample();
      const longer: HeaderLine[] = [["Content-Length", String(Buffer.byteLength(sample.text) + 1)]];
      await breakOff(trial, bytesOf(withLines(trial, sample.text, longer)));
      return expectNothing(trial, sample);
    },
  },
  {
    id: "framing/incomplete-chunks",
    rule: "A request whose last chunk does not come has no effect",
    level: "must",
    once: true,
    sections: ["RFC 9112 §8"],
    async try(trial) {
      const sample = trial.sample();
      const lines: HeaderLine[] = [["Transfer-Encoding", "chunked"]];
      await breakOff(trial, bytesOf(withLines(trial, chunk(sample.text), lines)));
      return expectNothing(trial, sample);
    },
  },
];

function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

function withLines(trial: Trial, body: string, lines: readonly HeaderLine[]): Request {
  return trial.request(body, { headers: lines });
}

async function sendRaw(
  trial: Trial,
  body: string,
  lines: readonly HeaderLine[],
): Promise<Answer | undefined> {
  return trial.raw(bytesOf(withLines(trial, body, lines)), firstAnswer, (answer) => ({ answer }));
}

const firstAnswer = (connection: RawConnection) => connection.answer();

async function expect400(trial: Trial, bytes: Buffer, closes?: "closes"): Promise<Verdict> {
  const { answer, closed } = await trial.raw(
    bytes,
    async (connection) => {
      const answer = await connection.answer();
      return { answer, closed: await connection.endsWithin(CLOSE_MS) };
    },
    ({ answer }) => ({ answer }),
  );
  if (answer === undefined) return failed("the connection was closed without an answer");
  if (answer.status !== 400) return failed(`${answer.status}, not 400`);
  if (closes !== undefined && !closed) return failed("400, but the connection stays open");
  return passed();
}

async function breakOff(trial: Trial, bytes: Buffer): Promise<void> {
  await trial.raw(
    bytes,
    // The bytes have to arrive before the connection ends.
    () => rest(50, trial.place.patience.signal),
    () => ({ failure: "the client broke off" }),
  );
  await rest(WORK_MS, trial.place.patience.signal);
}

async function expectNothing(trial: Trial, sample: Sample): Promise<Verdict> {
  const effects = await trial.effects(sample);
  if (effects === undefined) return notTested("effects can't be counted");
  return effects === 0 ? passed() : failed("the record was made");
}
