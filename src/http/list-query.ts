import { contextOf } from './context'
import { parametersOf } from './request-path'

export type Paging = { readonly page: number; readonly pageSize: number }

/** `metadata` of a list (section 3). */
export const metadata = ({ page, pageSize }: Paging, total: number) => ({
  current_page: page,
  page_size: pageSize,
  first_page: 1,
  last_page: lastPage(pageSize, total),
  total_records: total,
})

const lastPage = (pageSize: number, total: number) => Math.max(1, Math.ceil(total / pageSize))

/** The `Link` header (RFC 8288): the same list at its first, previous, next and last page. */
export function linkHeader(request: Request, { page, pageSize }: Paging, total: number): string {
  const { path } = contextOf(request)
  const parameters = parametersOf(request)
  const last = lastPage(pageSize, total)
  const link = (rel: string, to: number) => {
    parameters.set('page', String(to))
    return `<${path}?${parameters}>; rel="${rel}"`
  }
  return [
    link('first', 1),
    ...(page > 1 ? [link('prev', Math.min(page - 1, last))] : []),
    ...(page < last ? [link('next', page + 1)] : []),
    link('last', last),
  ].join(', ')
}
