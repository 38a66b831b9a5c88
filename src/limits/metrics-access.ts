import { Failure } from '../errors'
import { type ClientAddresses, parseNetwork } from './client-address'

const METRICS = /^\/(?:metrics|debug\/vars)$/

export type MetricsAccess = ReturnType<typeof createMetricsAccess>

/** Tells the paths that a client must not know of from those that it may: METRICS_NETWORKS (section 7). */
export function createMetricsAccess(
  metricsNetworks: readonly string[] | undefined,
  clientAddresses: Pick<ClientAddresses, 'isIn'>,
) {
  const networks = metricsNetworks?.map(parseNetwork)
  return {
    isHidden(path: string, request: Request, socketAddress: () => string): boolean {
      if (networks === undefined || !METRICS.test(path)) return false
      return !clientAddresses.isIn(networks, socketAddress(), request.headers.get('x-forwarded-for'))
    },
  }
}

/** Answers for a path that is hidden, as for one that is not there. */
export function hidden(): never {
  throw new Failure('notFound')
}
