import { getRandomValues, randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

const RANDOM_BYTES = 10;
const IDS_AT_ONCE = 256;

/**
 * UUID version 7 (RFC 9562 section 5.7) with a 12-bit counter in `rand_a` (section 6.2, method 1),
 * so that ids made within the same millisecond still sort in the order in which they were made,
 * also when the clock steps back.
 */
export function uuidv7Generator(clock: Clock): () => string {
  let last = 0;
  let counter = 0;
  let random = new Uint8Array(0);
  return () => {
    // Random bytes come by the call rather than by the byte, so a call gets many.
    random = random.subarray(RANDOM_BYTES);
    if (random.length === 0) random = getRandomValues(new Uint8Array(RANDOM_BYTES * IDS_AT_ONCE));
    const now = clock.now();
    if (now > last) {
      last = now;
      counter = ((random[8]! << 8) | random[9]!) & 0x7ff;
    } else if (++counter > 0xfff) {
      last += 1;
      counter = 0;
    }
    const high = Math.floor(last / 0x100000000);
    const low = last >>> 0;
    return (
      HEX[(high >>> 8) & 0xff]! +
      HEX[high & 0xff]! +
      HEX[low >>> 24]! +
      HEX[(low >>> 16) & 0xff]! +
      "-" +
      HEX[(low >>> 8) & 0xff]! +
      HEX[low & 0xff]! +
      "-" +
      HEX[0x70 | (counter >>> 8)]! +
      HEX[counter & 0xff]! +
      "-" +
      HEX[0x80 | (random[0]! & 0x3f)]! +
      HEX[random[1]!]! +
      "-" +
      HEX[random[2]!]! +
      HEX[random[3]!]! +
      HEX[random[4]!]! +
      HEX[random[5]!]! +
      HEX[random[6]!]! +
      HEX[random[7]!]!
    );
  };
}

/** A request id: a random UUID, so that `urn:uuid:…` (RFC 9562 section 4) names one request. */
export const requestId: () => string = randomUUID;
