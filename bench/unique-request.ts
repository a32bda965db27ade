const DIGITS = 9;
const SERIES_DIGITS = 3;
const DIGIT_0 = 0x30;
const HEX = Buffer.from("0123456789abcdef");
const HEX_DIGITS = 8;

export interface RequestTarget {
  port: number;
  path: string;
  /** 0 to 999, another one for each load put on the same store. */
  series: number;
  /** Whether each request has an `Idempotency-Key` of its own. */
  keyed: boolean;
  /**
   * Sends the requests 1 to this of an earlier load of the same series once more, over and over:
   * with the same keys, each of them has to get the answer that it got then.
   */
  repeat?: number;
}

let last = 0;

/** Counts over all connections of the process. */
export function nextNumber({ repeat }: RequestTarget): number {
  last = last === repeat ? 1 : last + 1;
  return last;
}

/** What is written into name and e-mail address: 3 digits of the series, 9 of the number. */
export function uniqueDigits(series: number, number: number): string {
  return String(series).padStart(SERIES_DIGITS, "0") + String(number).padStart(DIGITS, "0");
}

/**
 * A key in the form of a UUID: the same for the same series and number, and in no order, as keys
 * that clients draw at random come to a store.
 */
export function keyOf(series: number, number: number): string {
  const start = scrambled(series, number).toString(16).padStart(HEX_DIGITS, "0");
  return `${start}-0000-4000-8000-${uniqueDigits(series, number)}`;
}

export function bodyOf(series: number, number: number): string {
  const unique = uniqueDigits(series, number);
  return `{"name":"Alice Johnson ${unique}","email":"alice${unique}@example.com","age":30}`;
}

/** 32 bits, by the finaliser of MurmurHash3, which gives no two numbers the same. */
function scrambled(series: number, number: number): number {
  let bits = (number + Math.imul(series, 0x9e3779b1)) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * The bytes of one connection's request, with another name, e-mail address and key each time. They
 * are changed in place, which is safe as long as a request was answered before the next is asked
 * for.
 */
export class UniqueRequest {
  readonly #target: RequestTarget;
  readonly #bytes: Buffer;
  /** Where the number is written: once each in the key, the name and the e-mail address. */
  readonly #numberAt: readonly number[];
  /** Where the key begins, or -1. */
  readonly #keyAt: number;

  constructor(target: RequestTarget) {
    const { port, path, series, keyed } = target;
    if (!Number.isInteger(series) || series < 0 || series > 999) {
      throw new RangeError(`${series} does not fit into three digits`);
    }
    this.#target = target;
    const key = keyOf(series, 0);
    const body = bodyOf(series, 0);
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Accept: */*",
      "Content-Type: application/json",
      ...(keyed ? [`Idempotency-Key: ${key}`] : []),
      `Content-Length: ${body.length}`,
    ].join("\r\n");
    const text = `${head}\r\n\r\n${body}`;
    this.#bytes = Buffer.from(text);
    const places = text.matchAll(new RegExp(uniqueDigits(series, 0), "g"));
    this.#numberAt = [...places].map(({ index }) => index + SERIES_DIGITS);
    this.#keyAt = text.indexOf(key);
  }

  next(): Buffer {
    const number = nextNumber(this.#target);
    this.#writeNumber(number);
    if (this.#keyAt !== -1) this.#writeKeyStart(number);
    return this.#bytes;
  }

  #writeNumber(number: number): void {
    const bytes = this.#bytes;
    const places = this.#numberAt;
    let rest = number;
    for (let digit = DIGITS - 1; digit >= 0; digit--) {
      const code = DIGIT_0 + (rest % 10);
      for (let place = 0; place < places.length; place++) bytes[places[place]! + digit] = code;
      rest = Math.floor(rest / 10);
    }
  }

  #writeKeyStart(number: number): void {
    let rest = scrambled(this.#target.series, number);
    for (let digit = HEX_DIGITS - 1; digit >= 0; digit--) {
      this.#bytes[this.#keyAt + digit] = HEX[rest & 0xf]!;
      rest >>>= 4;
    }
  }
}
