import { type Answer, succeeded } from "../message.ts";
import { bytesOf } from "../raw-connection.ts";
import { isOtherRecord } from "../same-answer.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, notClaimed, noted, passed, type Verdict } from "../verdict.ts";
import { DRAFT, POLICY, WORKING } from "./keys-sections.ts";

export const keysSyntax: readonly Scenario[] = [
  {
    id: "keys/bare",
    rule: "Whether a key without quotes is accepted, as most clients send it",
    level: "info",
    sections: [`${POLICY}#syntax`],
    async try(trial) {
      const answer = await trial.post(trial.sample(), { key: crypto.randomUUID() });
      return noted(succeeded(answer) ? "accepted" : `refused with ${answer.status}`);
    },
  },
  {
    id: "keys/quoted-is-bare",
    rule: "Whether a key with and without quotes is the same key",
    level: "info",
    sections: [`${POLICY}#syntax`],
    needs: WORKING,
    async try(trial) {
      const key = trial.key();
      const request = trial.request(trial.sample().text, { key });
      const first = await trial.send(request);
      const bare = trial.request(undefined, { key: key.slice(1, -1) });
      const second = await trial.send({ ...bare, body: request.body! });
      if (!succeeded(second) && second.status !== 409) return noted(`bare: ${second.status}`);
      return noted(isOtherRecord(first, second, request) ? "two keys" : "the same key");
    },
  },
  {
    id: "keys/empty",
    rule: "An empty key is refused with 400",
    level: "should",
    sections: [`${POLICY}#syntax`],
    needs: WORKING,
    async try(trial) {
      const [bare, quoted] = [
        await trial.post(trial.sample(), { key: "" }),
        await trial.post(trial.sample(), { key: '""' }),
      ];
      const odd = [bare, quoted].find(({ status }) => status !== 400);
      if (odd === undefined) return passed();
      return failed(
        succeeded(odd) ? `${odd.status}: done without a key` : `${odd.status}, not 400`,
      );
    },
  },
  {
    id: "keys/long",
    rule: "A key of 300 characters is refused, or works",
    level: "should",
    sections: [`${POLICY}#syntax`],
    needs: WORKING,
    async try(trial) {
      const key = `"${crypto.randomUUID()}${"k".repeat(264)}"`;
      const request = trial.request(trial.sample().text, { key });
      const first = await trial.send(request);
      if (!succeeded(first)) return verdictOf(first);
      const second = await trial.settled(request);
      return isOtherRecord(first, second, request)
        ? failed("accepted, and then not known any more", "must")
        : noted("it works");
    },
  },
  {
    id: "keys/control-characters",
    rule: "A key with control characters is refused with 400",
    level: "should",
    sections: ["RFC 9110 §5.5", "RFC 9651 §3.3.3"],
    needs: WORKING,
    async try(trial) {
      const request = trial.request(trial.sample().text, { key: '"a\x01b"' });
      const answer = await trial.raw(
        bytesOf(request),
        (connection) => connection.answer(),
        (found) => ({ answer: found }),
      );
      return answer === undefined ? passed("the connection was closed") : verdictOf(answer);
    },
  },
  {
    id: "keys/two-keys",
    rule: "Two lines with keys are refused with 400",
    level: "should",
    sections: [`${POLICY}#syntax`, `${DRAFT} §2.1`],
    needs: WORKING,
    async try(trial) {
      const line = [trial.operation.keys.header, trial.key()] as const;
      const request = trial.request(trial.sample().text, { key: trial.key(), headers: [line] });
      return verdictOf(await trial.send(request));
    },
  },
  {
    id: "keys/required",
    rule: "Where a key is required, a request without one is refused with 400",
    level: "should",
    sections: [`${DRAFT} §2.7`],
    async try(trial) {
      if (trial.operation.keys.claim !== "required") return notClaimed("no key is required");
      return expectRequired(trial);
    },
  },
];

async function expectRequired(trial: Trial): Promise<Verdict> {
  const answer = await trial.post(trial.sample(), { key: null });
  if (succeeded(answer)) return failed(`${answer.status}: done without a key`, "must");
  return answer.status === 400 ? passed() : failed(`${answer.status}, not 400`);
}

function verdictOf(answer: Answer): Verdict {
  if (answer.status === 400) return passed();
  if (succeeded(answer)) return failed(`${answer.status}: it was accepted`);
  return failed(`${answer.status}, not 400`);
}
