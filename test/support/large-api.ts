const PER_FILE = 10;

/** The source files of an API with so many resources, each of which uses what types are made of. */
export function largeApi(resources: number): Record<string, string> {
  const files: Record<string, string> = {};
  const names = Array.from({ length: resources }, (_, index) => `r${index}`);
  const imports: string[] = [];
  for (let first = 0; first < resources; first += PER_FILE) {
    const part = names.slice(first, first + PER_FILE);
    const declared = part.map((name, index) => declarationOf(name, index, part[index - 1]));
    files[`part${first}.ts`] =
      `import { anyone, resource, signedIn } from "posthaste";\nimport { z } from "zod";\n${declared.join("")}`;
    imports.push(`import { ${part.join(", ")} } from "./part${first}.ts";\n`);
  }
  const rows = names.map((name) => `RowOf<typeof ${name}>["name"]`);
  files["api.ts"] = `import { api, type RowOf } from "posthaste";
${imports.join("")}export default api({ ${names.join(", ")} });
export const texts: [${rows.join(", ")}] = [${names.map(() => '""').join(", ")}];
`;
  return files;
}

/** No two schemas are the same, or the compiler would judge the second by the first. */
function declarationOf(name: string, index: number, before: string | undefined): string {
  const parent = index % 2 === 1 && before !== undefined ? before : undefined;
  return `
export const ${name} = resource("${name}", {
  schema: z.object({
    name: z.string().min(1).max(100),
    email: z.email(),
    age: z.int().min(0).max(150).optional(),
    state: z.enum(["draft", "published", "gone-${name}"]).default("draft"),
    tags: z.array(z.string().max(30)).max(10).default([]),
    address: z.object({ street: z.string(), city: z.string(), ${name}: z.string() }).optional(),
    score: z.number().nullable(),
    owner: z.string(),
  }),
  ${index % 3 === 0 ? 'id: "uuid",' : ""}
  ${parent === undefined ? "" : `parent: { above: ${parent} },`}
  unique: ["email", ["name", "owner"]],
  access: { create: anyone, read: anyone, update: signedIn, delete: ({ id }) => id === "root" },
  readOnly: ["score"],
  set: { owner: ({ principal }) => principal?.id ?? "nobody" },
  timestamps: true,
  list: { filter: ["state", "age", "createdAt"], sort: ["name", "createdAt"] },
  rules: [
    ({ input, row, fail }) =>
      input.age !== undefined && row?.state !== "gone-${name}" && fail("/age", "too-young"),
  ],
  created: ({ row }) => [row.id, row.createdAt, row.state${parent === undefined ? "" : ", row.aboveId"}],
  updated: ({ row, before }) => row.address?.${name} === before.address?.city,
});
`;
}
