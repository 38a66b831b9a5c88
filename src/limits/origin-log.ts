import type { Log } from '../log'

const EVERY_MS = 60_000
/** Limits the log and the memory when somebody makes origins up. */
const MAX_ORIGINS = 20
const MAX_SHOWN_CHARACTERS = 200

type OriginLogOptions = {
  /** Where our own pages are. */
  readonly ownOrigin: string
  readonly log: Pick<Log, 'warn'>
  readonly now: () => number
}

/** Logs each refused origin once a minute, with the setting that would allow it. */
export function createOriginLog({ ownOrigin, log, now }: OriginLogOptions) {
  const loggedAt = new Map<string, number>()
  return (request: Request, origin: string) => {
    // Our own pages send their origin too, and no setting allows the origin "null" of a file.
    const isOwn = origin === ownOrigin || origin.replace(/^https?:\/\//, '') === request.headers.get('host')
    if (isOwn || origin === 'null') return
    const time = now()
    for (const [known, at] of loggedAt) if (time - at >= EVERY_MS) loggedAt.delete(known)
    if (loggedAt.has(origin) || loggedAt.size >= MAX_ORIGINS) return
    loggedAt.set(origin, time)
    const shown = origin.slice(0, MAX_SHOWN_CHARACTERS)
    log.warn(`pages of another origin may not read answers; CORS_TRUSTED_ORIGINS=${shown} would allow it`, {
      origin: shown,
    })
  }
}
