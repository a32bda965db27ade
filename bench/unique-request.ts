const DIGITS = 9;
const DIGIT_0 = 0x30;

export interface RequestTarget {
  port: number;
  path: string;
  /** 0 to 999, another one for each load put on the same store. */
  series: number;
}

let created = 0;

/** Counts over all connections of the process. */
export function nextNumber(): number {
  created += 1;
  return created;
}

/**
 * The bytes of one connection's request, with another name and e-mail each time: 3 digits of the
 * series, then 9 that count over all connections, as a script that creates users would number them.
 * They are changed in place, which is safe as long as a request was answered before the next is
 * asked for.
 */
export class UniqueRequest {
  readonly #bytes: Buffer;
  readonly #nameAt: number;
  readonly #emailAt: number;

  constructor({ port, path, series }: RequestTarget) {
    if (!Number.isInteger(series) || series < 0 || series > 999) {
      throw new RangeError(`${series} does not fit into three digits`);
    }
    const prefix = String(series).padStart(3, "0");
    const unique = prefix + "0".repeat(DIGITS);
    const body = `{"name":"Alice Johnson ${unique}","email":"alice${unique}@example.com","age":30}`;
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Accept: */*",
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
    ].join("\r\n");
    this.#bytes = Buffer.from(`${head}\r\n\r\n${body}`);
    this.#nameAt = this.#bytes.indexOf(unique) + prefix.length;
    this.#emailAt = this.#bytes.lastIndexOf(unique) + prefix.length;
  }

  next(): Buffer {
    const bytes = this.#bytes;
    let rest = nextNumber();
    for (let place = DIGITS - 1; place >= 0; place--) {
      const digit = DIGIT_0 + (rest % 10);
      bytes[this.#nameAt + place] = digit;
      bytes[this.#emailAt + place] = digit;
      rest = Math.floor(rest / 10);
    }
    return bytes;
  }
}
