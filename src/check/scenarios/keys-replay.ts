import { identityOf } from "../effects.ts";
import { rewritten, type Sample } from "../fresh.ts";
import { type Answer, type Request, succeeded } from "../message.ts";
import { isOtherRecord, otherResult } from "../same-answer.ts";
import type { Scenario } from "../scenario.ts";
import type { Trial } from "../trial.ts";
import { failed, notClaimed, noted, notTested, passed } from "../verdict.ts";
import { DRAFT, POLICY, WORKING } from "./keys-sections.ts";

/** A request with a key, sent twice. */
async function twice(trial: Trial): Promise<{
  sample: Sample;
  request: Request;
  first: Answer;
  second: Answer;
}> {
  const sample = trial.sample();
  const request = trial.request(sample.text, { key: trial.key() });
  const first = await trial.send(request);
  const second = await trial.settled(request);
  return { sample, request, first, second };
}

export const keysReplay: readonly Scenario[] = [
  {
    id: "keys/offered",
    rule: "The document says that keys are taken",
    level: "should",
    sections: [`${DRAFT} §2.5`],
    async try(trial) {
      const { claim, header } = trial.operation.keys;
      if (claim !== "unknown") return passed(header);
      const { request, first, second } = await twice(trial);
      if (!succeeded(first) || isOtherRecord(first, second, request))
        return notClaimed("no header parameter for keys, and a key changes nothing");
      return failed("keys are honoured, and nothing says so");
    },
  },
  {
    id: "keys/quoted",
    rule: "A key that is a structured-field String is accepted",
    level: "must",
    sections: [`${DRAFT} §2.1`, "RFC 9651 §3.3.3"],
    async try(trial) {
      const answer = await trial.post(trial.sample(), { key: trial.key() });
      return succeeded(answer) ? passed() : failed(`${answer.status}`);
    },
  },
  {
    id: "keys/one-effect",
    rule: "The same key with the same payload has one effect",
    level: "must",
    sections: [`${DRAFT} §2.6`],
    needs: ["keys/quoted"],
    async try(trial) {
      const { sample, request, first, second } = await twice(trial);
      if (!succeeded(first)) return failed(`the first request was refused: ${first.status}`);
      const effects = await trial.effects(sample);
      if (effects !== undefined)
        return effects === 1 ? passed("counted in the list") : failed(`${effects} records`);
      const [made, told] = [identityOf(first, request), identityOf(second, request)];
      if (made === undefined) return notTested("effects can't be seen from here");
      if (succeeded(second) && told !== made) return failed(`two records: ${made} and ${told}`);
      return passed("told by what the answers name");
    },
  },
  {
    id: "keys/same-answer",
    rule: "The retry gets the answer of the first request: its status and its body",
    level: "must",
    sections: [`${DRAFT} §2.6`],
    needs: ["keys/quoted", "keys/one-effect"],
    async try(trial) {
      const { request, first, second } = await twice(trial);
      const other = otherResult(first, second, request);
      if (other === undefined) return passed();
      return failed(other, isOtherRecord(first, second, request) ? "must" : "should");
    },
  },
  {
    id: "keys/same-headers",
    rule: "The retry gets Location, ETag and Content-Type of the first answer",
    level: "should",
    sections: [`${DRAFT} §2.6`, `${POLICY}#replay`],
    needs: WORKING,
    async try(trial) {
      const { first, second } = await twice(trial);
      const lost = ["location", "etag", "content-type"].filter(
        (name) => first.headers.get(name) !== second.headers.get(name),
      );
      if (lost.length === 0) return passed();
      return failed(
        lost.map((name) => `${name}: ${second.headers.get(name) ?? "none"}`).join(", "),
      );
    },
  },
  {
    id: "keys/marked",
    rule: "Whether a replayed answer says that it is one",
    level: "info",
    sections: [`${POLICY}#replay`],
    needs: WORKING,
    async try(trial) {
      const { first, second } = await twice(trial);
      const marks = [...second.headers].filter(
        ([name]) => /repla|idempot|cache|hit/.test(name) && !first.headers.has(name),
      );
      return noted(marks.map(([name, value]) => `${name}: ${value}`).join(", ") || "it does not");
    },
  },
  {
    id: "keys/no-cookie",
    rule: "A replayed answer sets no cookie",
    level: "should",
    sections: [`${POLICY}#replay`],
    needs: WORKING,
    async try(trial) {
      const { first, second } = await twice(trial);
      if (!first.headers.has("set-cookie")) return notTested("the first answer sets none");
      return second.headers.has("set-cookie") ? failed("the first one's cookie") : passed();
    },
  },
  {
    id: "keys/rewritten",
    rule: "The same JSON in another order and with other white space is the same request",
    level: "should",
    sections: [`${DRAFT} §2.4`, `${POLICY}#fingerprint`],
    needs: WORKING,
    async try(trial) {
      const sample = trial.sample();
      const key = trial.key();
      const request = trial.request(sample.text, { key });
      const first = await trial.send(request);
      const second = await trial.post(rewritten(sample.value), { key });
      const effects = await trial.effects(sample);
      if (effects !== undefined && effects > 1) return failed(`${effects} records`, "must");
      // The draft lets a server compare the bytes of the payload, so this is no must.
      if (isOtherRecord(first, second, request))
        return failed(otherResult(first, second, request) ?? "another answer");
      return passed();
    },
  },
];
