import { catalogueImported } from '../audit/events'
import type { Author } from '../audit/model'
import { recordEvent, updateDetail } from '../audit/store'
import type { Tx } from '../db/client'
import type { Counts } from './report'
import type { Source } from './row'

/** Records an import in a transaction that writes movies, `isFirst` until one of these was committed. */
export type Trail = (tx: Tx, counts: Counts, isFirst: boolean) => Promise<void>

type About = Pick<Source, 'name' | 'format'> & { readonly owner?: string }

/** One event for the whole import, brought up to date by each batch. */
export function createTrail(author: Author, { name, format, owner }: About): Trail {
  let eventId = 0
  return async (tx, counts, isFirst) => {
    const event = catalogueImported({ file: name, format, owner, ...counts })
    if (isFirst) eventId = await recordEvent(tx, author, event)
    else await updateDetail(tx, eventId, { ...event.detail, by: author.by })
  }
}
