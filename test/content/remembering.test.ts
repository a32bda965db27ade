import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { remembering } from "../../src/content/remembering.ts";

suite("remembering", () => {
  const counted = (): { read: (header: string) => string | undefined; reads: string[] } => {
    const reads: string[] = [];
    const read = remembering((header) => {
      reads.push(header);
      return header === "" ? undefined : header.toUpperCase();
    });
    return { read, reads };
  };

  test("reads a value once, also where nothing comes of it", () => {
    const { read, reads } = counted();
    assert.deepEqual(["a", "", "a", ""].map(read), ["A", undefined, "A", undefined]);
    assert.deepEqual(reads, ["a", ""]);
  });

  test("holds 256 values and no more", () => {
    const { read, reads } = counted();
    for (let i = 0; i < 256; i++) {
      read(`${i}`);
    }
    read("0");
    assert.equal(reads.length, 256);
    read("one more");
    read("0");
    assert.deepEqual(reads.slice(256), ["one more", "0"]);
  });

  test("holds no long value", () => {
    const { read, reads } = counted();
    const long = "x".repeat(257);
    read(long);
    read(long);
    assert.equal(reads.length, 2);
  });
});
