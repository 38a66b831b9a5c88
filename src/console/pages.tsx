import { to, withQuery } from './router'
import type { Metadata } from './types'

export function Pages({ metadata }: { metadata: Metadata }) {
  const { current_page: current, last_page: last } = metadata
  if (last <= 1) return null
  const pageAt = (page: number) => to(withQuery({ page: page === 1 ? undefined : String(page) }))
  return (
    <nav class="pages" aria-label="Pages">
      {current > 1 && (
        <a rel="prev" href={pageAt(current - 1)}>
          Previous page
        </a>
      )}
      <span class="here">
        Page {current.toLocaleString('en')} of {last.toLocaleString('en')}
      </span>
      {current < last && (
        <a rel="next" href={pageAt(current + 1)}>
          Next page
        </a>
      )}
    </nav>
  )
}
