import { contextOf } from './context'
import { readAtItsPace } from './large-answer'
import { parametersOf } from './request-path'

// Kept on the Response, as a request's context is kept on the Request.
const BYTES = Symbol('bytes')
declare global {
  interface Response {
    [BYTES]?: number
  }
}
/** Shorter answers count as 0 bytes, so that they need no measuring. */
const SHORT = 20_000
/** A longer list is serialized while the client reads it. */
const LARGE = 262_144

/** Size of the body in bytes; 0 for a short one. */
export const bytesOf = (response: Response): number => response[BYTES] ?? 0

const JSON_TYPE = 'application/json; charset=utf-8'

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

/** For a client whose copy is current (RFC 9110 section 15.4.5). */
export const notModified = (etag: string) => new Response(null, { status: 304, headers: { ETag: etag } })

export type Paging = { readonly page: number; readonly pageSize: number }
/** Rows are JSON. */
type List = { readonly name: string; readonly rows: readonly string[]; readonly total: number }

/** A page of a list (contract section 1): rows, `metadata` and the `Link` header. */
export function listPage(request: Request, { name, rows, total }: List, paging: Paging): Response {
  const { page, pageSize } = paging
  const lastPage = Math.max(1, Math.ceil(total / pageSize))
  const metadata = {
    current_page: page,
    page_size: pageSize,
    first_page: 1,
    last_page: lastPage,
    total_records: total,
  }
  const headers = { 'Content-Type': JSON_TYPE, Link: linkHeader(request, page, lastPage) }
  const start = `{${JSON.stringify(name)}:[`
  const end = `],"metadata":${JSON.stringify(metadata)}}`
  const first = firstOf(rows)
  if (first.count === rows.length) return textAnswer(start + first.text + end, 200, headers)
  const bytes = Math.ceil((Buffer.byteLength(first.text) / first.count) * rows.length)
  const response = new Response(readAtItsPace(partsOf(start, first, rows, end), bytes), { headers })
  response[BYTES] = bytes
  return response
}

/** As many of the first rows as stay under LARGE. */
function firstOf(rows: readonly string[]) {
  let text = ''
  let count = 0
  for (const row of rows) {
    if (text.length > LARGE) break
    text += (count++ === 0 ? '' : ',') + row
  }
  return { text, count }
}

function* partsOf(start: string, first: ReturnType<typeof firstOf>, rows: readonly string[], end: string) {
  yield start + first.text
  for (const row of rows.slice(first.count)) yield `,${row}`
  yield end
}

/** RFC 8288: the same list at its first, previous, next and last page. */
function linkHeader(request: Request, page: number, lastPage: number): string {
  const { path } = contextOf(request)
  const parameters = parametersOf(request)
  const link = (rel: string, to: number) => {
    parameters.set('page', String(to))
    return `<${path}?${parameters}>; rel="${rel}"`
  }
  return [
    link('first', 1),
    ...(page > 1 ? [link('prev', Math.min(page - 1, lastPage))] : []),
    ...(page < lastPage ? [link('next', page + 1)] : []),
    link('last', lastPage),
  ].join(', ')
}
