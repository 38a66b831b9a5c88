import { type AnyElysia, Elysia } from 'elysia'
import { Failure } from '../errors'
import { json } from '../http/answers'
import * as docs from './docs'
import type { Metrics } from './metrics'

export type HealthDeps = {
  version: string
  environment: string
  /** Whether the database answers. */
  databaseAnswers: () => boolean | Promise<boolean>
  isShuttingDown: () => boolean
  metrics: Pick<Metrics, 'variables' | 'prometheus'>
}

export function healthRoutes({
  version,
  environment,
  databaseAnswers,
  isShuttingDown,
  metrics,
}: HealthDeps): AnyElysia {
  function report(isUp: boolean) {
    if (isShuttingDown()) throw new Failure('shuttingDown')
    if (!isUp) throw new Failure('databaseUnavailable')
    const answer = json({ status: 'available', system_info: { environment, version } })
    return answer
  }
  return new Elysia({ name: 'health', tags: ['health'] })
    .get(
      '/v1/healthcheck',
      () => {
        // Elysia reads this source: `return f()` would make every answer wait for a promise (decision 14).
        const isUp = isShuttingDown() || databaseAnswers()
        const answer = isUp instanceof Promise ? isUp.then(report) : report(isUp)
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
