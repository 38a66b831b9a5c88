import { type Static, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { OperatorError } from '../errors'
import { migrations } from '../migrations/migrations'

const FORMAT = 1
const whole = () => Type.Integer({ minimum: 0 })

const hash = () => Type.String({ pattern: '^[0-9a-f]{64}$' })

const Manifest = Type.Object({
  format: Type.Literal(FORMAT),
  /** Version of the program that wrote it. */
  redlight: Type.String(),
  taken_at: Type.String(),
  /** The database's newest migration. */
  schema: whole(),
  /** The unique rule of movies; by title if absent. */
  unique_by: Type.Optional(Type.Literal('title,year')),
  /** Size of the compressed rows. */
  bytes: whole(),
  sha256: hash(),
  tables: Type.Array(
    Type.Object({
      name: Type.String(),
      columns: Type.Array(Type.String()),
      rows: whole(),
      /** Hash of the uncompressed rows. */
      sha256: hash(),
      next_id: Type.Optional(whole()),
    }),
  ),
})
export type Manifest = Static<typeof Manifest>
export type TableEntry = Manifest['tables'][number]
export const newManifest = (parts: Omit<Manifest, 'format'>): Manifest => ({ format: FORMAT, ...parts })

/** Bytes reserved for the manifest. */
export const HEADER_BYTES = 8192
const FRAME_BYTES = 8
// A frame that zstd skips, so that `zstd -dc` prints the rows after it.
const SKIPPABLE_FRAME = 0x184d2a5e
const CHECKSUM_BYTES = 64

/** The manifest and its SHA-256, padded with spaces up to the rows. */
export function encodeHeader(manifest: Manifest): Buffer {
  const json = JSON.stringify(manifest)
  const header = Buffer.alloc(HEADER_BYTES, ' ')
  header.writeUInt32LE(SKIPPABLE_FRAME, 0)
  header.writeUInt32LE(HEADER_BYTES - FRAME_BYTES, 4)
  const length = header.write(`\n${json}\n${sha256(json)}\n`, FRAME_BYTES)
  if (length < Buffer.byteLength(json) + CHECKSUM_BYTES + 3) throw new Error('the manifest is too long')
  return header
}

const sha256 = (text: string) => new Bun.CryptoHasher('sha256').update(text).digest('hex')

/** Reads what encodeHeader wrote, byte for byte; `path` is for error messages. */
export function decodeHeader(header: Buffer, path: string): Manifest {
  const [, json = '', checksum = ''] = header.toString('utf8', FRAME_BYTES).split('\n')
  const isOurs = header.length >= 4 && header.readUInt32LE(0) === SKIPPABLE_FRAME && json.startsWith('{')
  if (!isOurs)
    throw new OperatorError(`${path} is not a Redlight backup file: name one that "redlight backup" wrote`)
  const manifest = checksum === sha256(json) ? parse(json) : undefined
  if (isNewer(manifest))
    throw new OperatorError(
      `${path} was written by a newer Redlight (${manifest.redlight}): restore it with that version or a newer one`,
    )
  if (!Value.Check(Manifest, manifest) || !encodeHeader(manifest).equals(header))
    throw damaged(path, 'its manifest')
  return manifest
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

const Newer = Type.Object({
  format: Type.Integer(),
  redlight: Type.String({ maxLength: 50 }),
  schema: Type.Integer(),
})

function isNewer(manifest: unknown): manifest is Static<typeof Newer> {
  if (!Value.Check(Newer, manifest)) return false
  const newest = migrations.at(-1)?.folderMillis ?? 0
  return manifest.format > FORMAT || manifest.schema > newest
}

export const damaged = (path: string, what: string) =>
  new OperatorError(`${path} is damaged or incomplete (${what}): nothing was changed; take another backup`)
