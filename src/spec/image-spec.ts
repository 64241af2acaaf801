import { z } from 'zod'

/** Whatever stands in one line of a Dockerfile. */
const line = z
  .string()
  .min(1)
  .regex(/^[^\r\n\0]*$/, 'is more than one line')
const name = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is no name of a variable')
const variables = z.record(name, line)
const path = line.describe('Path in the build context')
const words = z.union([line, z.array(line).min(1)])

const secret = z.union([
  z
    .string()
    .regex(/^[A-Za-z0-9_.-]+$/, 'is no id of a secret')
    .describe('Id of a secret, which the step finds in /run/secrets'),
  z.strictObject({
    id: z.string().regex(/^[A-Za-z0-9_.-]+$/, 'is no id of a secret'),
    env: name.optional().describe('Variable that holds it while the step runs'),
    target: line.optional().describe('File that holds it while the step runs'),
  }),
])
const step = {
  secrets: z.array(secret).optional().describe('Secrets that this step alone may read'),
  optimize: z.boolean().optional().describe('Whether layers may be made of it; else the step stays as it is'),
}
const install = {
  ...step,
  index: line.optional().describe('Index that is asked instead of the usual one'),
  'extra-indexes': z.array(line).optional().describe('Indexes that are asked, too'),
  'find-links': z.array(line).optional().describe('Folders or pages with links to packages'),
  pre: z.boolean().optional().describe('Whether pre-releases may be taken'),
}

/** One layer in the user's order; each kind has a word of its own that says which it is. */
const layer = z.union([
  z.strictObject({ apt: z.array(line).min(1), ...step }).describe('Packages of Debian or Ubuntu'),
  z.strictObject({ pip: z.array(line).min(1), ...install }).describe('Python packages by name (PEP 508)'),
  z.strictObject({ requirements: words, ...install }).describe('Requirements files of the build context'),
  z.strictObject({ wheels: z.array(path).min(1), ...install }).describe('Own wheels of the build context'),
  z
    .strictObject({
      project: path,
      groups: z.array(line).optional(),
      extras: z.array(line).optional(),
      dev: z.boolean().optional(),
      ...step,
    })
    .describe('Folder with pyproject.toml and uv.lock, whose dependencies go to .venv in the working directory'),
  z.strictObject({ script: path, ...install }).describe('Python script that names its packages itself (PEP 723)'),
  z.strictObject({ run: words, ...step }).describe('Shell command, or several of which each must succeed'),
  z
    .strictObject({ copy: words, to: line, chown: line.optional() })
    .describe('Sources of the build context, without what .dockerignore and `ignore` name'),
  z.strictObject({ env: variables }).describe('Variables from here on'),
])

/** What an image is made of, in place of a Dockerfile. */
export const imageSpec = z
  .strictObject({
    base: line.optional().describe('Image to start from; python:VERSION-slim when empty'),
    python: z
      .string()
      .regex(/^3\.\d{1,2}$/, 'is not a minor version in quotes, such as "3.12"')
      .optional()
      .describe('Minor version of Python, in quotes'),
    env: variables.optional().describe('Variables of the image, and of all its steps'),
    workdir: line.optional().describe('Working directory; /app when empty'),
    layers: z.array(layer).describe('What the image is made of, lowest layer first'),
    user: line.optional().describe('User that the container runs as; steps run as root'),
    entrypoint: z.array(line).optional(),
    command: z.array(line).optional(),
    labels: z.record(line, z.string().regex(/^[^\r\n\0]*$/, 'is more than one line')).optional(),
    expose: z.array(z.union([z.int().min(1).max(65535), line])).optional(),
    ignore: z.array(line).optional().describe('Patterns besides those of .dockerignore'),
    'uv-image': line.optional().describe('Image that uv comes from, for `project`'),
    'optimize-layers': z.boolean().optional().describe('Whether independent layers are made; true when empty'),
  })
  .refine(({ base, python }) => base !== undefined || python !== undefined, {
    message: 'is missing, and so is python: one of them must be there',
    path: ['base'],
  })

/**
 * An image as data: what a spec file says, and what the builder of the library makes. docs/spec.md describes its fields,
 * schema/image-spec.schema.json is their form.
 */
export type ImageSpec = Readonly<z.infer<typeof imageSpec>>
/** One layer of a spec: `apt`, `pip`, `requirements`, `wheels`, `project`, `script`, `run`, `copy` or `env`. */
export type SpecLayer = z.infer<typeof layer>
/** A secret that a step reads: its id, or with the variable or file that holds it while the step runs. */
export type SpecSecret = z.infer<typeof secret>

/** The form of a spec for editors (JSON Schema, draft 2020-12). */
export function imageSpecSchema(): object {
  return { title: 'Image of image-cache-action', ...z.toJSONSchema(imageSpec) }
}
