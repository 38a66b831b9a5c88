import { type AnyElysia, Elysia } from 'elysia'
import { invalid } from '../errors'
import { json } from '../http/answers'
import type { Guards } from '../http/guards'
import { parametersOf } from '../http/request-path'
import { parseTime } from '../rules/fields'
import * as docs from './docs'
import { EVERY_SECONDS, type LastHour } from './last-hour'

type Deps = {
  /** The name that this instance goes by. */
  readonly instance: string
  readonly lastHour: Pick<LastHour, 'points'>
}

/** The `since` parameter; empty counts as not given. */
function sinceOf(request: Request): Date | undefined {
  const text = parametersOf(request).get('since')
  if (!text) return undefined
  const time = parseTime(text)
  if (time === undefined) throw invalid({ since: 'must be a time like 2026-01-02T03:04:05Z' })
  return time.start
}

export function figuresRoutes({ instance, lastHour }: Deps, guards: Guards): AnyElysia {
  return new Elysia({ name: 'figures', tags: ['operators'] }).use(guards).get(
    '/v1/admin/figures',
    ({ request }) => {
      const points = lastHour.points(sinceOf(request))
      return json({ every_seconds: EVERY_SECONDS, instance, points })
    },
    { access: 'admin', detail: docs.showFigures },
  )
}
