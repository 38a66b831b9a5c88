import { type AnyElysia, Elysia } from 'elysia'
import { Failure, invalid } from '../errors'
import { json } from '../http/answers'
import { failureResponse } from '../http/error-responses'
import { parametersOf } from '../http/request-path'
import type { Condition } from '../opening/probe'
import * as docs from './docs'
import type { Metrics } from './metrics'

export type HealthDeps = {
  version: string
  environment: string
  condition: () => Condition | Promise<Condition>
  isShuttingDown: () => boolean
  metrics: Pick<Metrics, 'variables' | 'prometheus'>
}

/** The `for` parameter; empty counts as not given. */
function useOf(request: Request): keyof Condition {
  const use = request.url.includes('?') ? parametersOf(request).get('for') : ''
  if (use === 'writes') return use
  if (!use || use === 'reads') return 'reads'
  throw invalid({ for: 'must be reads or writes' })
}

export function healthRoutes({
  version,
  environment,
  condition,
  isShuttingDown,
  metrics,
}: HealthDeps): AnyElysia {
  function report(can: Condition, use: keyof Condition): Response {
    // Not thrown: a probe asks every second, and the reason is logged once.
    const answer = can[use]
      ? json({ status: 'available', system_info: { environment, version } })
      : failureResponse(new Failure(can.reads ? 'databaseReadOnly' : 'databaseUnavailable'))
    return answer
  }
  return new Elysia({ name: 'health', tags: ['health'] })
    .get(
      '/v1/healthcheck',
      ({ request }) => {
        if (isShuttingDown()) throw new Failure('shuttingDown')
        const use = useOf(request)
        const can = condition()
        // Elysia inspects this source: `return f()` makes it treat the hook as async (decision 14).
        const answer = can instanceof Promise ? can.then((can) => report(can, use)) : report(can, use)
        return answer
      },
      { detail: docs.checkHealth },
    )
    .get('/debug/vars', async () => json(await metrics.variables()), { detail: docs.showVariables })
    .get(
      '/metrics',
      async () => {
        const { type, text } = await metrics.prometheus()
        return new Response(text, { headers: { 'Content-Type': type } })
      },
      { detail: docs.showMetrics },
    )
}
