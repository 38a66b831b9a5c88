import { Failure } from '../errors'

export const etag = (version: number) => `"${version}"`

const ENTITY_TAG = /(W\/)?("[\x21\x23-\x7e\x80-\xff]*")/g
const ENTITY_TAGS = /^[ \t,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t,]*|$))*$/

/** The entity tags of a list (RFC 9110 section 8.8.3); none when it is anything else. */
const tagsOf = (given: string) => (ENTITY_TAGS.test(given) ? [...given.matchAll(ENTITY_TAG)] : [])

/** Whether `If-None-Match` names the version; weak tags count (RFC 9110 section 13.1.2). */
export function isNotModified(headers: Headers, version: number): boolean {
  const given = headers.get('if-none-match')
  if (given === null) return false
  return given.trim() === '*' || tagsOf(given).some(([, , tag]) => tag === etag(version))
}

/** Whether `If-Match` lets a change of this version pass; weak tags never do (RFC 9110 section 13.1.1). */
function isMatch(given: string, version: number | undefined): boolean {
  if (version === undefined) return false
  if (given.trim() === '*') return true
  return tagsOf(given).some(([, weak, tag]) => weak === undefined && tag === etag(version))
}

/**
 * Throws 412 or 409 unless the version, of which there is none where there is no record, is the one that the client has
 * seen; tells whether it named any.
 */
export function checkPreconditions(headers: Headers, version: number | undefined): boolean {
  const ifMatch = headers.get('if-match')
  const expected = headers.get('x-expected-version')
  if (ifMatch !== null && !isMatch(ifMatch, version)) throw new Failure('preconditionFailed')
  if (expected !== null && expected.trim() !== String(version)) throw new Failure('editConflict')
  return ifMatch !== null || expected !== null
}

/** Throws 412 when `If-None-Match` names the version: with `*`, a client makes something new or nothing. */
export function checkIsNew(headers: Headers, version: number | undefined) {
  if (version !== undefined && isNotModified(headers, version)) throw new Failure('preconditionFailed')
}

/** What it means that the version has moved on between that check and the write. */
export const versionMovedOn = (headers: Headers) =>
  new Failure(headers.has('if-match') ? 'preconditionFailed' : 'editConflict')
