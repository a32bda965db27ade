const COUNTING_DIGITS = 6;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;

export interface RequestTarget {
  port: number;
  path: string;
  /** 0 to 999, another one for each load put on the same store. */
  series: number;
}

/**
 * The bytes of one connection's request, with another name and e-mail each time: 6 digits that
 * count, 3 of the connection, 3 of the series. They are changed in place, which is safe as long
 * as a request was answered before the next is asked for.
 */
export class UniqueRequest {
  readonly #bytes: Buffer;
  readonly #nameAt: number;
  readonly #emailAt: number;

  constructor({ port, path, series }: RequestTarget, connection: number) {
    const unique = "0".repeat(COUNTING_DIGITS) + threeDigits(connection) + threeDigits(series);
    const body = `{"name":"Alice Johnson ${unique}","email":"alice${unique}@example.com","age":30}`;
    const head = [
      `POST ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Accept: */*",
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
    ].join("\r\n");
    this.#bytes = Buffer.from(`${head}\r\n\r\n${body}`);
    this.#nameAt = this.#bytes.indexOf(unique);
    this.#emailAt = this.#bytes.lastIndexOf(unique);
  }

  /**
   * Counts with the lowest digit first. That changes one byte most of the time, and it scatters
   * successive e-mails over the index, as those of real users are.
   */
  next(): Buffer {
    const bytes = this.#bytes;
    for (let place = 0; place < COUNTING_DIGITS; place++) {
      const value = bytes[this.#emailAt + place]! + 1;
      const carries = value > DIGIT_9;
      const digit = carries ? DIGIT_0 : value;
      bytes[this.#nameAt + place] = digit;
      bytes[this.#emailAt + place] = digit;
      if (!carries) return bytes;
    }
    throw new RangeError("Out of unique e-mails for one connection");
  }
}

function threeDigits(value: number): string {
  if (!Number.isInteger(value) || value < 0 || value > 999) {
    throw new RangeError(`${value} does not fit into three digits`);
  }
  return String(value).padStart(3, "0");
}
