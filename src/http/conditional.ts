import { Failure } from '../errors'

/** Of a record's version, or of a content tag. */
export const etag = (version: number | string) => `"${version}"`

/** A tag of the bytes, or of their SHA-256, so that it differs whenever they do. */
export const contentTag = (content: string | Uint8Array<ArrayBuffer>) =>
  tagOf(new Bun.CryptoHasher('sha256').update(content).digest('base64url'))
export const tagOf = (sha256: string) => sha256.slice(0, 22)

const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
const ENTITY_TAGS = /^[ \t,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t,]*|$))*$/

/** Entity tags of a list (RFC 9110 section 8.8.3); empty when the header is anything else. */
const tagsOf = (given: string) => (ENTITY_TAGS.test(given) ? [...given.matchAll(ENTITY_TAG)] : [])

/** Whether `If-None-Match` names this version; weak tags count (RFC 9110 section 13.1.2). */
export function isNotModified(headers: Headers, version: number | string): boolean {
  const given = headers.get('if-none-match')
  if (given === null) return false
  return given.trim() === '*' || tagsOf(given).some(([, , tag]) => tag === etag(version))
}

/** Whether `If-Match` allows changing this version; weak tags never match (RFC 9110 section 13.1.1). */
function isMatch(given: string, version: number | undefined): boolean {
  if (version === undefined) return false
  if (given.trim() === '*') return true
  return tagsOf(given).some(([, weak, tag]) => weak === undefined && tag === etag(version))
}

/**
 * Throws 412 or 409 unless the version is the one that the client saw; without a record it is undefined.
 * Returns whether the client sent a condition.
 */
export function checkPreconditions(headers: Headers, version: number | undefined): boolean {
  const ifMatch = headers.get('if-match')
  const expected = headers.get('x-expected-version')
  if (ifMatch !== null && !isMatch(ifMatch, version)) throw new Failure('preconditionFailed')
  if (expected !== null && expected.trim() !== String(version)) throw new Failure('editConflict')
  return ifMatch !== null || expected !== null
}

/** Throws 412 when `If-None-Match` names the version; with `*`, a client only creates. */
export function checkIsNew(headers: Headers, version: number | undefined) {
  if (version !== undefined && isNotModified(headers, version)) throw new Failure('preconditionFailed')
}

/** The failure when the version changed between that check and the write. */
export const versionMovedOn = (headers: Headers) =>
  new Failure(headers.has('if-match') ? 'preconditionFailed' : 'editConflict')
