import { listElements } from "./field-syntax.ts";
import { type MediaType, parseMediaType } from "./media-type.ts";
import { remembering } from "./remembering.ts";

interface MediaRange extends MediaType {
  /** 0 to 1; 0 means "not acceptable" (RFC 9110 section 12.4.2). */
  readonly weight: number;
}

const QVALUE = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;

/**
 * The best of the available media types for an Accept header (RFC 9110 section 12.5.1), or
 * `undefined` where none is acceptable. `available` is in the server's order of preference.
 *
 * The most specific range that a type fits gives its weight. Among equal weights the type that the
 * client names more closely wins, then the one named first, then the server's preference.
 *
 * An absent or empty header accepts everything. A member that can't be read says that the client
 * wants something else which we don't know: it counts as a last resort to anything, since the
 * standard lets a server disregard the header, and some HTTP libraries send
 * `text/html, *; q=.2` by default.
 */
export function negotiate(
  accept: string | undefined,
  available: readonly string[],
): string | undefined {
  if (accept === undefined || accept === "*/*") {
    return available[0];
  }
  if (available.includes(accept)) {
    return accept;
  }
  const ranges = parseAccept(accept);
  if (ranges.length === 0) {
    return available[0];
  }
  let best: { readonly type: string; readonly fit: Fit } | undefined;
  for (const type of available) {
    const fit = bestFit(type, ranges);
    if (fit !== undefined && fit.weight > 0 && (best === undefined || isBetter(fit, best.fit))) {
      best = { type, fit };
    }
  }
  return best?.type;
}

const ANYTHING_AT_LAST: MediaRange = { type: "*/*", parameters: new Map(), weight: 0.001 };

const parseAccept: (header: string) => readonly MediaRange[] = remembering((header) =>
  listElements(header).map((element) => parseMediaRange(element) ?? ANYTHING_AT_LAST),
);

function parseMediaRange(element: string): MediaRange | undefined {
  const mediaType = parseMediaType(element);
  if (mediaType === undefined || (mediaType.type.startsWith("*/") && mediaType.type !== "*/*")) {
    return undefined;
  }
  const parameters = new Map(mediaType.parameters);
  const qvalue = parameters.get("q") ?? "1";
  if (!QVALUE.test(qvalue)) {
    return undefined;
  }
  parameters.delete("q");
  // All that we send is UTF-8; many clients ask for that in so many words.
  if (parameters.get("charset")?.toLowerCase() === "utf-8") {
    parameters.delete("charset");
  }
  return { type: mediaType.type, parameters, weight: Number(qvalue) };
}

interface Fit {
  /** 0 for any type, 1000 for any subtype, 2000 for the type itself; one more per parameter. */
  readonly precision: number;
  readonly weight: number;
  /** Position of the range in the header. */
  readonly position: number;
}

function bestFit(available: string, ranges: readonly MediaRange[]): Fit | undefined {
  const mediaType = parseMediaType(available);
  if (mediaType === undefined) {
    throw new TypeError(`Not a media type: ${available}`);
  }
  let best: Fit | undefined;
  for (const [position, range] of ranges.entries()) {
    const precision = precisionOf(range, mediaType);
    if (precision === undefined) {
      continue;
    }
    const order = best === undefined ? 1 : precision - best.precision || range.weight - best.weight;
    if (order > 0) {
      best = { precision, weight: range.weight, position };
    }
  }
  return best;
}

/** `undefined` where the range does not hold the media type. */
function precisionOf(range: MediaRange, mediaType: MediaType): number | undefined {
  for (const [name, value] of range.parameters) {
    if (mediaType.parameters.get(name)?.toLowerCase() !== value.toLowerCase()) {
      return undefined;
    }
  }
  if (range.type === mediaType.type) {
    return 2000 + range.parameters.size;
  }
  if (range.type === "*/*") {
    return range.parameters.size;
  }
  return range.type.endsWith("/*") && mediaType.type.startsWith(range.type.slice(0, -1))
    ? 1000 + range.parameters.size
    : undefined;
}

function isBetter(a: Fit, b: Fit): boolean {
  return (a.weight - b.weight || a.precision - b.precision || b.position - a.position) > 0;
}
