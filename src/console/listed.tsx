import type { ComponentChildren } from 'preact'
import { isRefusal, sentence } from './api'
import { Pages } from './pages'
import { navigate, pathname, to, withQuery } from './router'
import { Empty, Failed } from './states'
import type { Metadata } from './types'

const LABELS: Record<string, string> = {
  q: 'search',
  year_from: 'from year',
  year_to: 'to year',
  actor: 'who',
}

type Refusal = { error: unknown; retry: () => void }

/** An address typed by hand may have parameters that no list takes. */
export function Refused({ error, retry }: Refusal) {
  if (!isRefusal(error, 422) || typeof error.problem === 'string')
    return <Failed error={error} retry={retry} />
  const reasons = Object.entries(error.problem).map(([name, text]) =>
    sentence(`${LABELS[name] ?? name}: ${text}`),
  )
  return (
    <Empty text={`There is no such list. ${reasons.join(' ')}`}>
      <button type="button" onClick={() => navigate(pathname(), { inPlace: true })}>
        Clear filters
      </button>
    </Empty>
  )
}

export const isPastEnd = ({ current_page, last_page, total_records }: Metadata) =>
  total_records > 0 && current_page > last_page

export const PastEnd = ({ metadata }: { metadata: Metadata }) => (
  <Empty text="This page is past the end.">
    <a class="button" href={to(withQuery({ page: String(metadata.last_page) }))}>
      Last page
    </a>
  </Empty>
)

type Props = Refusal & { metadata: Metadata | undefined; children: ComponentChildren }

/** A page of a list, or why there is none. */
export function Listed({ error, retry, metadata, children }: Props) {
  if (error) return <Refused error={error} retry={retry} />
  if (metadata === undefined) return null
  if (isPastEnd(metadata)) return <PastEnd metadata={metadata} />
  return (
    <>
      {children}
      <Pages metadata={metadata} />
    </>
  )
}
