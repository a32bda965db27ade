import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

/** A page of the documentation. */
export interface Page {
  /** Path from the root of the house: `docs/resources.md`. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly CodeBlock[];
}

export interface CodeBlock {
  /** `ts`, `console`, `json` …; empty where the fence names none. */
  readonly language: string;
  readonly text: string;
  /** Line of the page that the code begins in, from 1. */
  readonly line: number;
  /** What a comment in front of the block says: `fragment`, `prelude`, `file: shop.ts`. */
  readonly marker: string | undefined;
}

export const pages: readonly Page[] = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...readdirSync(resolve(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `docs/${name}`),
].map((path) => {
  const text = readFileSync(resolve(root, path), "utf8");
  return { path, text, blocks: blocksOf(text) };
});

export function page(path: string): Page {
  const found = pages.find((each) => each.path === path);
  if (found === undefined) throw new Error(`There is no page ${path}.`);
  return found;
}

function blocksOf(text: string): CodeBlock[] {
  const fenced = /^(?:<!-- (?<marker>[^>]+) -->\n)?```(?<language>\w*)\n(?<code>[\s\S]*?)^```$/gm;
  return [...text.matchAll(fenced)].map(({ index, groups }) => {
    const { marker, language = "", code = "" } = groups!;
    const linesBefore = text.slice(0, index).split("\n").length;
    return { language, text: code, line: linesBefore + (marker === undefined ? 1 : 2), marker };
  });
}

/** The page without its code, in which `#` is a comment and `[x](y)` no link. */
export function prose({ text }: Page): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, "");
}

export interface Heading {
  readonly level: number;
  readonly title: string;
  /** The fragment that leads to it: `#the-life-of-a-request`. */
  readonly anchor: string;
}

export function headings(of: Page): Heading[] {
  return [...prose(of).matchAll(/^(#{1,6}) (.+)$/gm)].map(([, marks, title]) => ({
    level: marks!.length,
    title: title!,
    anchor: anchorOf(title!),
  }));
}

/** As GitHub makes it from a heading: lower case, without punctuation, `-` for spaces. */
function anchorOf(title: string): string {
  return `#${title
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(/\s/g, "-")}`;
}
