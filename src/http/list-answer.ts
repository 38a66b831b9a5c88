import { digestOf, readAtItsPace } from '../json/large-answer'
import { answer, JSON_TYPE, notModified } from './answers'
import { contentTag, isNotModified, tagOf } from './conditional'
import { contextOf } from './context'
import { parametersOf } from './request-path'

/** The text of a longer list is written while the client reads it. */
const LARGE = 262_144

export type Paging = { readonly page: number; readonly pageSize: number }
/** Rows are JSON. */
type List = { readonly name: string; readonly rows: readonly string[]; readonly total: number }

/** What a page of a list says (contract section 1), apart from its links. The tag is a hash of the bytes. */
export type ListContent = {
  readonly total: number
  readonly etag: string
  readonly bytes: number
  /** Text in parts if it is large. */
  readonly body: Uint8Array<ArrayBuffer> | (() => Generator<string>)
}

export async function listContent(
  { name, rows, total }: List,
  { page, pageSize }: Paging,
): Promise<ListContent> {
  const metadata = {
    current_page: page,
    page_size: pageSize,
    first_page: 1,
    last_page: lastPageOf(total, pageSize),
    total_records: total,
  }
  const parts = () => partsOf(`{${JSON.stringify(name)}:[`, rows, `],"metadata":${JSON.stringify(metadata)}}`)
  if (rows.reduce((length, row) => length + row.length, 0) <= LARGE) {
    const body = Buffer.from([...parts()].join(''))
    return { total, etag: contentTag(body), bytes: body.length, body }
  }
  const { bytes, sha256 } = await digestOf(parts())
  return { total, etag: tagOf(sha256), bytes, body: parts }
}

/** The answer to a request for such a page, or 304 to a client that has it. */
export function listAnswer(request: Request, content: ListContent, paging: Paging): Response {
  const etag = `"${content.etag}"`
  return isNotModified(request.headers, content.etag)
    ? notModified(etag)
    : send(request, content, paging, { ETag: etag })
}

/** A page of a list that no client may keep. */
export const listPage = async (request: Request, list: List, paging: Paging): Promise<Response> =>
  send(request, await listContent(list, paging), paging)

function send(
  request: Request,
  { total, bytes, body }: ListContent,
  { page, pageSize }: Paging,
  more: Record<string, string> = {},
): Response {
  const link = linkHeader(request, page, lastPageOf(total, pageSize))
  const headers = { 'Content-Type': JSON_TYPE, Link: link, ...more }
  return answer(typeof body === 'function' ? readAtItsPace(body(), bytes) : body, bytes, headers)
}

const lastPageOf = (total: number, pageSize: number) => Math.max(1, Math.ceil(total / pageSize))

function* partsOf(start: string, rows: readonly string[], end: string): Generator<string> {
  let before = start
  for (const row of rows) {
    yield before + row
    before = ','
  }
  yield (rows.length === 0 ? start : '') + end
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
