import { isUtf8 } from 'node:buffer'
import { UsageError } from '../errors'
import { didYouMean, quoted } from '../rules/suggest'
import type { RowProblem } from './row'

export const encodings = ['utf-8', 'windows-1252', 'latin1', 'utf-16le'] as const
export type Encoding = (typeof encodings)[number]

const OTHER_NAMES: Readonly<Record<string, Encoding>> = {
  utf8: 'utf-8',
  utf16: 'utf-16le',
  utf16le: 'utf-16le',
  cp1252: 'windows-1252',
  windows1252: 'windows-1252',
  iso88591: 'latin1',
}

export function encodingNamed(name: string): Encoding {
  const bare = name.toLowerCase().replace(/[-_ ]/g, '')
  const found = encodings.find((known) => known === bare) ?? OTHER_NAMES[bare]
  if (found === undefined)
    throw new UsageError(
      `--encoding ${quoted(name)} is not one of ${encodings.join(', ')}${didYouMean(name, encodings)}`,
    )
  return found
}

/** What to try when text can't be read. */
export const otherEncoding =
  'if the file is in another encoding, name it with --encoding, such as windows-1252'

/** The text of a row, or undefined if its bytes are not of this encoding. */
export type Decode = (bytes: Buffer) => string | undefined

export function decoderOf(encoding: Encoding): Decode {
  if (encoding === 'latin1') return (bytes) => bytes.toString('latin1')
  if (encoding === 'windows-1252') return windows1252
  return encoding === 'utf-16le' ? transcoded : utf8
}

const utf8: Decode = (bytes) => (isUtf8(bytes) ? bytes.toString('utf8') : undefined)
/** What `utf16ToUtf8` makes. */
const transcoded: Decode = (bytes) => utf8(bytes)

/** The problem of a row that can't be decoded. */
export const undecodable = (decode: Decode): RowProblem => ({
  field: 'row',
  code: 'not utf-8',
  message:
    decode === transcoded
      ? 'must be valid UTF-16, without half a surrogate pair'
      : `must be valid UTF-8; ${otherEncoding}`,
})

const western = new TextDecoder('windows-1252')
const windows1252 = (bytes: Uint8Array) => western.decode(bytes)

const MAX_BEGINNING = 200
const MAX_BYTES_A_CHARACTER = 4

/** Beginning of a row that can't be read; of invalid UTF-8 as windows-1252, which it often is. */
export function beginningOf(bytes: Buffer, decode: Decode): string {
  const text = decode(bytes) ?? windows1252(bytes.subarray(0, MAX_BEGINNING * MAX_BYTES_A_CHARACTER))
  return text.slice(0, MAX_BEGINNING).toWellFormed()
}

const LONE_SURROGATE = /\p{Surrogate}/gu
/** Never part of UTF-8: rejects the row that it stands in. */
const INVALID = Buffer.of(0xff)

/** Transcodes UTF-16LE to UTF-8, so that all else reads one kind of bytes. */
export async function* utf16ToUtf8(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let end = bytes.length - (bytes.length % 2)
    if (end >= 2 && isHighSurrogate(bytes.readUInt16LE(end - 2))) end -= 2
    rest = Buffer.from(bytes.subarray(end))
    if (end > 0) yield utf8Of(bytes.toString('utf16le', 0, end))
  }
  if (rest.length > 0) yield INVALID
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit < 0xdc00

function utf8Of(text: string): Buffer {
  if (text.isWellFormed()) return Buffer.from(text)
  const parts = text.split(LONE_SURROGATE).flatMap((part) => [Buffer.from(part), INVALID])
  return Buffer.concat(parts.slice(0, -1))
}
