import { pointer } from "../kernel/json.ts";
import { type Fault, Problem } from "../kernel/problems.ts";
import { JsonTokens, quoted } from "./json-tokens.ts";

/** Bounds on what one answer tells, whatever the body holds. */
const MAX_FAULTS = 50;
const MAX_POINTER_LENGTH = 1024;

/** An array or object that is being read. */
interface Container {
  /** The names read so far, and whether one was noted as repeated; absent for an array. */
  readonly names?: Map<string, boolean>;
  /** Name or index of the value that is being read. */
  step: string | number;
}

/**
 * Says what `parseJson` refuses a text for. Throws the problem `malformed-json`: for a syntax
 * error with its line and column, else with the faults in `errors`.
 */
export function refuseJson(text: string, maxDepth: number): never {
  throw new Examination(text, maxDepth).run();
}

/**
 * Reads a whole JSON text and notes its faults. Slower than `JSON.parse`, and only run over texts
 * that will be refused. No recursion, so that no text can exhaust the stack.
 */
class Examination {
  readonly #tokens: JsonTokens;
  readonly #maxDepth: number;
  readonly #containers: Container[] = [];
  readonly #faults: Fault[] = [];

  constructor(text: string, maxDepth: number) {
    this.#tokens = new JsonTokens(text);
    this.#maxDepth = maxDepth;
  }

  run(): Problem {
    let more = true;
    while (more && this.#faults.length < MAX_FAULTS) {
      const opened = this.#value();
      more = opened === "too deep" ? false : opened || this.#goesOn();
    }
    if (this.#faults.length === 0) {
      throw new Error("A JSON text was refused in which the examination finds no fault.");
    }
    return this.#problem();
  }

  /** Reads a value; one that holds others only up to the first of them, and is then true. */
  #value(): boolean | "too deep" {
    const first = this.#tokens.peek();
    const start = this.#tokens.at;
    switch (first) {
      case "{":
        return this.#open({ names: new Map(), step: "" }, "}");
      case "[":
        return this.#open({ step: 0 }, "]");
      case '"':
        if (!this.#tokens.string().isWellFormed()) {
          this.#note(start, "lone_surrogate", "the string holds half of a surrogate pair");
        }
        break;
      case "t":
        this.#tokens.literal("true");
        break;
      case "f":
        this.#tokens.literal("false");
        break;
      case "n":
        this.#tokens.literal("null");
        break;
      default:
        this.#checkRange(start, this.#tokens.number());
    }
    return false;
  }

  #checkRange(start: number, literal: string): void {
    if (Math.abs(Number(literal)) > Number.MAX_SAFE_INTEGER) {
      const number = `the number ${quoted(literal).slice(1, -1)}`;
      const detail = `${number} is beyond what every reader holds exactly; send a string`;
      this.#note(start, "number_out_of_range", detail);
    }
  }

  #open(container: Container, end: string): boolean | "too deep" {
    if (this.#containers.length >= this.#maxDepth) {
      const detail = `nesting goes deeper than ${this.#maxDepth} levels`;
      this.#note(this.#tokens.at, "too_deep", detail);
      return "too deep";
    }
    this.#tokens.skip(container.names === undefined ? "[" : "{");
    if (this.#tokens.peek() === end) {
      this.#tokens.skip(end);
      return false;
    }
    this.#containers.push(container);
    this.#name(container);
    return true;
  }

  /** Reads what stands between two values. False at the end of the text. */
  #goesOn(): boolean {
    for (;;) {
      const found = this.#tokens.peek();
      const container = this.#containers.at(-1);
      if (container === undefined) {
        return found === undefined ? false : this.#tokens.unexpected("nothing after the value");
      }
      if (this.#tokens.skip(",")) {
        if (typeof container.step === "number") {
          container.step++;
        }
        this.#name(container);
        return true;
      }
      const end = container.names === undefined ? "]" : "}";
      if (!this.#tokens.skip(end)) {
        this.#tokens.unexpected(`a comma or "${end}"`);
      }
      this.#containers.pop();
    }
  }

  /** Reads the name of the next member, if the container is an object. */
  #name(container: Container): void {
    if (container.names === undefined) {
      return;
    }
    if (this.#tokens.peek() !== '"') {
      this.#tokens.unexpected("a name in double quotes");
    }
    const start = this.#tokens.at;
    const name = this.#tokens.string();
    this.#tokens.peek();
    if (!this.#tokens.skip(":")) {
      this.#tokens.unexpected("a colon after the name");
    }
    container.step = name;
    const noted = container.names.get(name);
    container.names.set(name, noted !== undefined);
    if (noted === false) {
      this.#note(start, "duplicate_name", `the name ${quoted(name)} is given more than once`);
    } else if (noted === undefined && name === "__proto__") {
      this.#note(start, "forbidden_name", "the name __proto__ is not accepted");
    } else if (noted === undefined && !name.isWellFormed()) {
      this.#note(
        start,
        "lone_surrogate",
        `the name ${quoted(name)} holds half of a surrogate pair`,
      );
    }
  }

  /** Notes what is well-formed and not accepted, at the value that is being read. */
  #note(at: number, code: string, what: string): void {
    const path = this.#containers.map((container) => container.step);
    const detail = `${this.#tokens.place(at)}: ${what}.`;
    this.#faults.push(
      isShowable(path) ? { pointer: pointer(path), detail, code } : { detail, code },
    );
  }

  #problem(): Problem {
    const errors = this.#faults.slice(0, MAX_FAULTS);
    const [first, ...others] = errors;
    const count = errors.length;
    const number = count < MAX_FAULTS ? `${count}` : `At least ${count}`;
    return new Problem("malformed-json", {
      detail:
        others.length === 0 ? first!.detail : `${number} places in the body are not accepted.`,
      errors,
    });
  }
}

/** No UTF-8 can hold half of a surrogate pair, so that a path with such a name has no pointer. */
function isShowable(path: readonly (string | number)[]): boolean {
  let length = 0;
  for (const step of path) {
    length += 1 + String(step).length;
    if (length > MAX_POINTER_LENGTH || !String(step).isWellFormed()) {
      return false;
    }
  }
  return true;
}
