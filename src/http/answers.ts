import { timestampJson } from '../rules/fields'

// Kept on the Response, as a request's context is kept on the Request.
const BYTES = Symbol('bytes')
declare global {
  interface Response {
    [BYTES]?: number
  }
}
/** Shorter answers count as 0 bytes, so that they need no measuring. */
const SHORT = 20_000

/** Size of the body in bytes; 0 for a short one. */
export const bytesOf = (response: Response): number => response[BYTES] ?? 0

export const JSON_TYPE = 'application/json; charset=utf-8'

/** The only way to make a JSON answer. Elysia passes a Response on unchanged. */
export function json(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string | undefined>> = {},
): Response {
  const response = textAnswer(JSON.stringify(body), status, { 'Content-Type': JSON_TYPE })
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) response.headers.set(name, value)
  }
  return response
}

export function textAnswer(
  text: string,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  const response = new Response(text, { status, headers })
  if (text.length > SHORT) response[BYTES] = Buffer.byteLength(text)
  return response
}

/** A body whose size is known. */
export function answer(
  body: Uint8Array<ArrayBuffer> | ReadableStream,
  bytes: number,
  headers: Record<string, string>,
): Response {
  const response = new Response(body, { headers })
  if (bytes > SHORT) response[BYTES] = bytes
  return response
}

/** For a client whose copy is current (RFC 9110 section 15.4.5). */
export const notModified = (etag: string) => new Response(null, { status: 304, headers: { ETag: etag } })

/** `authentication_token` in an answer. */
export const authenticationToken = ({ token, expiresAt }: { token: string; expiresAt: Date }) => ({
  token,
  expiry: timestampJson(expiresAt),
})
