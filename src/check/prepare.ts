import type { Patience } from "./client.ts";
import { identityOf } from "./effects.ts";
import { mediaTypeOf, NoAnswer, succeeded } from "./message.ts";
import type { Operation } from "./operation.ts";
import { shownAnswer } from "./shown.ts";
import type { Target } from "./target.ts";
import { type Place, Trial } from "./trial.ts";

/** An operation can't be tried; the message says why. */
export class CannotTry extends Error {}

/**
 * Finds out where an operation is and whether a request that was made up for it is accepted.
 * Records above it in the path are made where the document shows how.
 *
 * @throws {CannotTry} where it is not.
 */
export async function prepare(
  operation: Operation,
  target: Target,
  patience: Patience,
): Promise<Trial> {
  const parents: string[] = [];
  const filled = (path: string) => filledPath(path, operation, target, patience, parents);
  const url = new URL(await filled(operation.path));
  const place = { url, headers: target.headers, as: target.as, patience };
  const trial = new Trial(operation, { ...place, listUrl: undefined });
  for (const made of parents) trial.made.add(made);
  const sample = trial.sample();
  const answer = await trial.post(sample).catch((error: unknown) => {
    if (!(error instanceof NoAnswer) || error.refused) throw error;
    throw new CannotTry(`a request that should be accepted gets no answer: ${error.message}`);
  });
  if (!succeeded(answer))
    throw new CannotTry(`a request that should be accepted gets ${shownAnswer(answer)}`);
  const again = await trial.post(trial.sample());
  if (!succeeded(again))
    throw new CannotTry(`a second request after an accepted one gets ${shownAnswer(again)}`);
  if (operation.list === undefined) return trial;
  const { path } = operation.list;
  const listUrl = path === operation.path ? url : new URL(await filled(path));
  const counting = new Trial(operation, { ...place, listUrl });
  // A list that does not show what was just made (another page, another view) counts nothing.
  const shows = (await counting.effects(sample)) === 1;
  for (const made of trial.made) counting.made.add(made);
  return shows ? counting : trial;
}

const PARAMETER = /\{([^}/]+)\}/;

/** @returns the URL of a path without parameters; `parents` learns of records made for it. */
async function filledPath(
  path: string,
  operation: Operation,
  target: Target,
  patience: Patience,
  parents: string[],
): Promise<string> {
  let filled = path;
  for (let found = PARAMETER.exec(filled); found !== null; found = PARAMETER.exec(filled)) {
    const [parameter, name] = found;
    const value =
      operation.pathValues[name!] ??
      (await parentId(filled.slice(0, found.index - 1), target, patience, parents));
    if (value === undefined)
      throw new CannotTry(`nothing tells a value for ${parameter} in its path`);
    filled = filled.replace(parameter, encodeURIComponent(value));
  }
  return `${target.base}${filled}`;
}

/** Makes a record in the collection at `path`, and gives its id. */
async function parentId(
  path: string,
  target: Target,
  patience: Patience,
  parents: string[],
): Promise<string | undefined> {
  const operation = target.operations.find((each) => each.creates && matches(each.path, path));
  if (operation === undefined) return undefined;
  const place: Place = {
    url: new URL(`${target.base}${path}`),
    listUrl: undefined,
    headers: target.headers,
    as: target.as,
    patience,
  };
  const trial = new Trial(operation, place);
  const answer = await trial.post(trial.sample());
  parents.push(...trial.made);
  if (!succeeded(answer) || mediaTypeOf(answer) === "") return undefined;
  const identity = identityOf(answer, { url: place.url });
  return identity === undefined ? undefined : /[^/ ]*$/.exec(identity)![0];
}

/** Whether a path, some of whose parameters are filled in, is of a template. */
function matches(template: string, path: string): boolean {
  const [steps, filled] = [template.split("/"), path.split("/")];
  return (
    steps.length === filled.length &&
    steps.every((step, index) => PARAMETER.test(step) || step === filled[index])
  );
}
