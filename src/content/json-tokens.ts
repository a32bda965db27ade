import { Problem } from "../kernel/problems.ts";

const MAX_QUOTED_LENGTH = 40;
const WHITESPACE = new Set([" ", "\t", "\n", "\r"]);
const ESCAPES = new Set(['"', "\\", "/", "b", "f", "n", "r", "t"]);

/**
 * Reads the tokens of a JSON text (RFC 8259) one after the other. Where the text does not go on as
 * expected, throws the problem `malformed-json` with the line and column and what is there.
 */
export class JsonTokens {
  readonly #text: string;
  #at = 0;
  #line = 1;
  #lineStart = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Offset of the next token. */
  get at(): number {
    return this.#at;
  }

  /** The first character of the next token; `undefined` at the end of the text. */
  peek(): string | undefined {
    while (WHITESPACE.has(this.#text[this.#at]!)) {
      this.#at++;
    }
    return this.#text[this.#at];
  }

  /** Goes past a character, if it is what comes next. */
  skip(character: string): boolean {
    const skips = this.#text[this.#at] === character;
    this.#at += skips ? 1 : 0;
    return skips;
  }

  /** Reads a string, at its opening quote, and gives what it means. */
  string(): string {
    const start = this.#at++;
    let escaped = false;
    for (let found = this.#text[this.#at]; found !== '"'; found = this.#text[this.#at]) {
      if (found === undefined || found < " ") {
        this.unexpected(found === undefined ? "a closing double quote" : "an escape sequence");
      }
      this.#at++;
      if (found === "\\") {
        escaped = true;
        this.#escape();
      }
    }
    const literal = this.#text.slice(start, ++this.#at);
    return escaped ? JSON.parse(literal) : literal.slice(1, -1);
  }

  #escape(): void {
    const found = this.#text[this.#at] ?? "";
    if (found === "u" && /^[0-9A-Fa-f]{4}$/.test(this.#text.slice(this.#at + 1, this.#at + 5))) {
      this.#at += 5;
    } else if (ESCAPES.has(found)) {
      this.#at++;
    } else {
      this.unexpected('one of "\\/bfnrt or u with four hexadecimal digits after the backslash');
    }
  }

  /** Reads a number and gives it as it is written. */
  number(): string {
    const start = this.#at;
    this.skip("-");
    if (!this.skip("0") && !this.#digits()) {
      this.#at = start;
      this.unexpected("a value");
    }
    if (this.skip(".") && !this.#digits()) {
      this.unexpected("a digit after the decimal point");
    }
    if (this.skip("e") || this.skip("E")) {
      this.skip(this.#text[this.#at] === "+" ? "+" : "-");
      if (!this.#digits()) {
        this.unexpected("a digit in the exponent");
      }
    }
    return this.#text.slice(start, this.#at);
  }

  #digits(): boolean {
    const start = this.#at;
    while (this.#text[this.#at]! >= "0" && this.#text[this.#at]! <= "9") {
      this.#at++;
    }
    return this.#at > start;
  }

  /** Reads `true`, `false` or `null`. */
  literal(literal: string): void {
    if (!this.#text.startsWith(literal, this.#at)) {
      this.unexpected("a value");
    }
    this.#at += literal.length;
  }

  unexpected(expected: string): never {
    const rest = this.#text.slice(this.#at, this.#at + MAX_QUOTED_LENGTH);
    const [found] = /^[\w.+-]+|^./su.exec(rest) ?? [];
    const what = found === undefined ? "the end of the text" : quoted(found);
    throw new Problem("malformed-json", {
      detail: `${this.place(this.#at)}: expected ${expected}, found ${what}.`,
    });
  }

  /** Line and column, both from 1, of an offset that is not before the one last asked for. */
  place(at: number): string {
    for (;;) {
      const lineEnd = this.#text.indexOf("\n", this.#lineStart);
      if (lineEnd === -1 || lineEnd >= at) {
        return `Line ${this.#line}, column ${at - this.#lineStart + 1}`;
      }
      this.#line++;
      this.#lineStart = lineEnd + 1;
    }
  }
}

/** Part of a text within double quotes; what can't be seen is escaped. */
export function quoted(text: string): string {
  const shown = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return JSON.stringify(shown).replaceAll(
    /(?! )[\p{C}\p{Z}]/gu,
    (character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`,
  );
}
